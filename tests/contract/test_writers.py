"""Several processes on one state: writers wait, nobody is refused, nothing is lost (M32)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from azext_trust.server.store import facts, verification
from tests.contract.conftest import Place

PROCESSES, THREADS, COUNT = 3, 6, 10


def start_writers(place: Place, threads: int, count: int) -> subprocess.Popen[str]:
    """Start a process with several writers; it tells what failed on stderr."""
    words = [sys.executable, "-m", "tests.contract.writer", str(place.directory), place.url or "", str(threads)]
    return subprocess.Popen([*words, str(count)], text=True, stderr=subprocess.PIPE)


@pytest.mark.parametrize("founded", [False, True])
def test_many_writers_in_several_processes(place: Place, founded: bool) -> None:
    """M32: nobody sees "database is locked", each change builds on the one before, also while the state is made."""
    if founded:
        place.open().close()
    started = [start_writers(place, THREADS, COUNT) for _ in range(PROCESSES)]
    assert [process.communicate(timeout=120)[1] for process in started] == [""] * PROCESSES
    store = place.open()
    with store.read() as transaction:
        assert facts.get(transaction.session, "counted") == str(PROCESSES * THREADS * COUNT)
        assert transaction.revision() == PROCESSES * THREADS * COUNT
    assert verification.verify(store).problem == ""
    store.close()
