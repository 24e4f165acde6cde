"""No byte of trust data outlives its erasure, whoever reads meanwhile (M4)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Reply, Settings
from azext_trust.server.store import wipe
from tests.adversary import trust_data
from tests.adversary.conftest import REGISTRY, Busy
from tests.adversary.purger import BODY
from tests.conftest import Client


@contextmanager
def _reader(state: Path, seconds: str) -> Iterator[list[str]]:
    process = subprocess.Popen([sys.executable, "-m", "tests.adversary.reader", str(state / "state.db"), seconds],
                               text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    said: list[str] = []
    try:
        yield said
    finally:
        said.append(process.communicate(timeout=30)[0])


@pytest.fixture
def client(copied: Callable[[str], Path]) -> Iterator[Client]:
    """Give the busy cloud, opened."""
    app = create_app(Settings(state=copied("cloud"), quiet=True))
    yield Client(app)
    app.store.close()


@pytest.fixture
def disable(client: Client, busy: Busy) -> Callable[[], Reply]:
    """Give a function that disables content trust."""
    return lambda: client.call("PATCH", REGISTRY.format("myregistry"), BODY, busy.token)


def _marks(client: Client) -> dict[str, int]:
    return trust_data.marks(client.app.store.directory, "myregistry")


def test_readers_that_come_and_go_do_not_hold_it_up(client: Client, disable: Callable[[], Reply]) -> None:
    """M4: with readers that overlap without pause, the truncating checkpoint gets through."""
    with _reader(client.app.store.directory, "0"):
        assert disable().status == 200
        assert _marks(client) == {}


def test_success_waits_for_an_older_snapshot(client: Client, disable: Callable[[], Reply]) -> None:
    """M4: while a reader holds a snapshot of before, success is not reported."""
    with _reader(client.app.store.directory, "2") as said:
        assert disable().status == 200
        reported = time.monotonic()
        assert _marks(client) == {}
    assert float(said[0]) < reported


def test_a_reader_that_does_not_end_is_named(
    client: Client, disable: Callable[[], Reply], monkeypatch: pytest.MonkeyPatch
) -> None:
    """M4: success is never reported too early; the answer says what hinders, and asking again ends it."""
    monkeypatch.setattr(wipe, "PATIENCE_SECONDS", 0.6)
    with _reader(client.app.store.directory, "input"):
        refused = disable()
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        assert "another program reads" in client.json(refused)["error"]["message"]
        assert _marks(client) != {}
        assert disable().status == 503
    assert disable().status == 200
    assert _marks(client) == {}


def test_other_writers_do_not_wait_for_that_reader(
    client: Client, disable: Callable[[], Reply], busy: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M4: an erasure that cannot finish holds nobody else up, and fails nobody else."""
    monkeypatch.setattr(wipe, "PATIENCE_SECONDS", 0.6)
    with _reader(client.app.store.directory, "input"):
        disable()
        assert client.call("PATCH", REGISTRY.format("other"), {"tags": {"a": "b"}}, busy.token).status == 200
        assert _marks(client) != {}
