"""Disabling content trust is one step, whenever the process dies; and no byte stays (M4)."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from azext_trust.server.store.transaction import Store
from tests.adversary import trials, trust_data
from tests.adversary.conftest import REGISTRY, Busy
from tests.adversary.purger import MOMENTS

ALL = {"trust_metadata": 8000, "trust_tag": 100_000, "trust_key": 2000, "trust_change": 2000, "policy": 1}
NOTHING = dict.fromkeys(ALL, 0)
BEFORE_COMMIT = list(MOMENTS)[:5]
AFTER_COMMIT = list(MOMENTS)[5:]
RANDOM = [f"{random.Random(at).uniform(0, 1200):.0f}" for at in range(14)]

Trial = Callable[[Path, str], int | None]


@pytest.fixture(scope="module")
def purger() -> Iterator[subprocess.Popen[str]]:
    """Start the program that purges and dies, once: it has everything loaded."""
    with trials.started("tests.adversary.purger") as process:
        yield process


@pytest.fixture
def trial(purger: subprocess.Popen[str], busy: Busy) -> Trial:
    """Give a function that runs one purge until the moment, and returns the status reported before, if any."""

    def run(state: Path, moment: str) -> int | None:
        asked = {"state": str(state), "token": busy.token, "target": REGISTRY.format("myregistry"), "moment": moment}
        told: int | None = trials.ask(purger, asked)
        return told

    return run


def _looked_at(state: Path, tmp_path: Path) -> dict[str, int]:
    """Return what a fresh look at the files finds, without doing what the next start does."""
    copy = tmp_path / "look"
    shutil.copytree(state, copy)
    found = trust_data.counts(copy, "myregistry")
    shutil.rmtree(copy)
    return found


def _started(state: Path) -> None:
    Store(state).close()


@pytest.mark.parametrize("moment", BEFORE_COMMIT)
def test_everything_is_there_before_the_commit(
    moment: str, copied: Callable[[str], Path], trial: Trial, tmp_path: Path
) -> None:
    """M4: killed before the commit, every row is there and the policy still enabled."""
    state = copied("cloud")
    assert trial(state, moment) is None
    assert _looked_at(state, tmp_path) == ALL


@pytest.mark.parametrize("moment", AFTER_COMMIT)
def test_everything_is_gone_after_the_commit(
    moment: str, copied: Callable[[str], Path], trial: Trial, tmp_path: Path
) -> None:
    """M4: killed after the commit, all is gone, and the next start wipes the bytes before it serves."""
    state = copied("cloud")
    assert trial(state, moment) == (200 if moment == "after the report" else None)
    assert _looked_at(state, tmp_path) == NOTHING
    _started(state)
    assert trust_data.marks(state, "myregistry") == {}


@pytest.mark.parametrize("moment", RANDOM)
def test_all_or_nothing_at_any_moment(moment: str, copied: Callable[[str], Path], trial: Trial, tmp_path: Path) -> None:
    """M4: killed at a random moment, either all trust data is there or none."""
    state = copied("cloud")
    trial(state, moment)
    found = _looked_at(state, tmp_path)
    assert found in (ALL, NOTHING)
    _started(state)
    assert bool(trust_data.marks(state, "myregistry")) is (found == ALL)


def test_a_running_server_finishes_what_a_dead_process_left(copied: Callable[[str], Path], trial: Trial) -> None:
    """M4: bytes left by a command that was killed go with the next change that anybody makes."""
    state = copied("cloud")
    server = Store(state)
    trial(state, "after the commit")
    with server.write():
        pass
    assert trust_data.marks(state, "myregistry") == {}
    server.close()


def test_success_is_reported_when_no_byte_is_left(copied: Callable[[str], Path], trial: Trial) -> None:
    """M4: once the operation has said 200, nothing is left to the next start."""
    state = copied("cloud")
    assert trial(state, "after the report") == 200
    assert trust_data.marks(state, "myregistry") == {}


def test_the_neighbour_keeps_everything(copied: Callable[[str], Path], trial: Trial) -> None:
    """M4: another registry's trust data, in the same pages, is untouched."""
    state = copied("cloud")
    before = trust_data.counts(state, "other")
    trial(state, "after the rewriting")
    _started(state)
    assert trust_data.counts(state, "other") == before
