"""A state that is being made or upgraded survives the end of the process at any moment (M32)."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from azext_trust.server.store import migrate
from tests.contract.conftest import Place
from tests.contract.test_migrations import OLDER, content_of, make_older, revision_of


def _die(state: Path, moment: str, number: int) -> None:
    words = [sys.executable, "-m", "tests.adversary.dying", str(state), moment, str(number)]
    done = subprocess.run(words, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, (done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("moment", "number"),
    [("backup", 1), ("CREATE TABLE", 2), ("CREATE INDEX", 1), ("UPDATE alembic", 1), ("commit", 1)],
)
def test_an_upgrade_that_is_killed(tmp_path: Path, moment: str, number: int) -> None:
    """M32: it is as it was, or upgraded; the next start goes on; nothing half-made stays."""
    place = Place(tmp_path / "cloud", None)
    make_older(place, OLDER[0])
    before = content_of(place)
    _die(place.directory, moment, number)
    assert (revision_of(place), content_of(place)) == (OLDER[0], before)
    place.open().close()
    after = content_of(place)
    assert revision_of(place) == migrate.HEAD
    assert {name: {column: after[name][column] for column in row} for name, row in before.items()} == before
    assert list(place.directory.glob("*.part")) == []


@pytest.mark.parametrize(
    ("moment", "number"),
    [("CREATE TABLE", 1), ("CREATE TABLE", 9), ("commit", 1), ("PRAGMA journal_mode", 1), ("rename", 1)],
)
def test_a_founding_that_is_killed(tmp_path: Path, moment: str, number: int) -> None:
    """M32: no half-made database is ever found; the next start makes a whole one."""
    place = Place(tmp_path / "cloud", None)
    _die(place.directory, moment, number)
    assert not (place.directory / "state.db").exists()
    place.open().close()
    assert revision_of(place) == migrate.HEAD
    assert sorted(path.name for path in place.directory.iterdir()) == [".lock", "keys", "state.db"]
