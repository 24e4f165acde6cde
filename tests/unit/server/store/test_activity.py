"""The activity log when it is long (M25)."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from azext_trust.server.store import activity, facts
from azext_trust.server.store.activity import Activity, Head
from azext_trust.server.store.transaction import Store
from azext_trust.server.store.verification import verify

COUNT = 100_000


_LINE = (
    "2025-01-01T00:00:00.0000000Z", "test/write", "/subscriptions/s", "Allowed", "somebody", "correlation",
    '{"before":null,"after":{"tags":{"a":"b"}},"path":"/subscriptions/s"}',
)  # fmt: skip


def _written(store: Store) -> tuple[list[tuple[object, ...]], Head]:
    rows: list[tuple[object, ...]] = []
    head = Head()
    for number in range(1, COUNT + 1):
        values = (number, *_LINE, head.digest)
        head = head.then(store.vault, number, activity.digest_of(values))
        rows.append((*values, head.digest))
    return rows, head


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Give a state with a log of 100,000 entries."""
    store = Store(tmp_path_factory.mktemp("long") / "cloud")
    rows, head = _written(store)
    with closing(sqlite3.connect(store.directory / "state.db")) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany(f"INSERT INTO activity VALUES ({','.join('?' * 10)})", rows)
        connection.execute("INSERT INTO fact VALUES (?, ?)", (facts.ACTIVITY_HEAD, str(head)))
    yield store
    store.close()


def _steps(store: Store, work: Callable[[], object]) -> int:
    """Count the steps of SQLite's machine, in thousands: what a statement costs, whatever the machine."""
    counted = [0]

    def tick() -> int:
        counted[0] += 1
        return 0

    raw = store.engine.raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_progress_handler(tick, 1000)
    raw.close()
    work()
    driver.set_progress_handler(None, 1000)
    return counted[0]


def _append(store: Store) -> None:
    with store.write() as transaction:
        transaction.record(Activity("test/write", "/", "Allowed", "somebody", ""))


def _last(store: Store) -> list[int]:
    with store.read() as transaction:
        return [row.sequence for row in activity.recent(transaction.session, 2)]


def _all(store: Store) -> object:
    with store.read() as transaction:
        return transaction.session.connection().exec_driver_sql("SELECT sum(length(details)) FROM activity").scalar()


def test_appending_does_not_read_the_log(long: Store) -> None:
    """M25: an entry costs the same after 100,000 others; a walk through them would be hundreds of thousands of steps."""
    assert _steps(long, lambda: _append(long)) <= 2
    assert _last(long)[1] > COUNT
    assert _steps(long, lambda: _all(long)) > 100


def test_the_newest_are_found_at_once(long: Store) -> None:
    """M25: so does looking at the end of the log."""
    assert _steps(long, lambda: _last(long)) <= 2


def test_a_long_log_is_checked_whole(long: Store) -> None:
    """M25: every entry is checked, in seconds."""
    begun = time.process_time()
    found = verify(long)
    assert (found.problem, found.entries >= COUNT) == ("", True)
    assert time.process_time() - begun < 20


def test_checking_holds_no_reader_back(long: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """M4: a check reads in short transactions, between which an erasure gets its turn."""
    opened = itertools.count()
    read = long.read
    monkeypatch.setattr(long, "read", lambda: (next(opened), read())[1])
    verify(long)
    assert next(opened) > 10


def test_a_change_deep_in_a_long_log_is_found(long: Store) -> None:
    """M25: the first entry that does not fit is named."""
    with closing(sqlite3.connect(long.directory / "state.db")) as connection, connection:
        connection.execute("UPDATE activity SET outcome = 'Denied' WHERE sequence = 77777")
    found = verify(long)
    assert (found.entries, "Entry 77777 was changed" in found.problem) == (77776, True)
