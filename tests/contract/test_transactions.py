"""What a transaction promises, on both databases (M32)."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, func, select

from azext_trust.server.store import activity, clock, facts, registries, verification
from azext_trust.server.store.activity import Activity, ActivityEntry
from azext_trust.server.store.registries import Registry
from azext_trust.server.store.transaction import Store

SCOPE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/"


def registry(name: str) -> Registry:
    """Return a registry to add."""
    return registries.new(SCOPE + name, "westeurope", "Premium", "2025-01-01T00:00:00.0000000Z", "somebody")


def entry(operation: str = "test/write") -> Activity:
    """Return an entry to record."""
    return Activity(operation, "/", "Allowed", "somebody", "correlation", {"name": "Ünïcode \ud800"})


def _add(store: Store, *names: str, recorded: Activity | None = None) -> None:
    with store.write() as transaction:
        transaction.session.add_all([registry(name) for name in names])
        transaction.record(recorded or entry())


def _count(session: Session, table: type) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


def test_a_change_and_its_entry_are_one(store: Store) -> None:
    """M32: what was changed and what was recorded appear together."""
    with store.write() as transaction:
        transaction.session.add(registry("one12"))
        transaction.record(entry())
    with store.read() as transaction:
        assert (_count(transaction.session, Registry), _count(transaction.session, ActivityEntry)) == (1, 1)


@pytest.mark.parametrize("flushed", [False, True])
def test_a_failure_leaves_neither(store: Store, flushed: bool) -> None:
    """M32: nothing of a change that failed is there, also where the database had it already."""

    def fail() -> None:
        with store.write() as transaction:
            transaction.session.add(registry("one12"))
            transaction.record(entry())
            if flushed:
                transaction.session.flush()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with store.read() as transaction:
        assert (_count(transaction.session, Registry), _count(transaction.session, ActivityEntry)) == (0, 0)
        assert transaction.revision() == 0


def test_an_entry_that_cannot_be_written_undoes_the_change(store: Store) -> None:
    """M32: no change without its entry."""
    with pytest.raises(TypeError):
        _add(store, "one12", recorded=Activity("test", "/", "Allowed", "somebody", "", {"bytes": b""}))
    with store.read() as transaction:
        assert _count(transaction.session, Registry) == 0


def test_the_revision_moves_with_every_change(store: Store) -> None:
    """M32: one number tells whether anything changed."""
    seen = []
    for _ in range(3):
        with store.write() as transaction:
            seen.append(transaction.revision())
    with store.read() as transaction:
        assert [*seen, transaction.revision()] == [0, 1, 2, 3]


def test_reading_moves_nothing(store: Store) -> None:
    """M32: a read changes nothing, whatever is done in it."""
    with store.read() as transaction:
        transaction.session.add(registry("one12"))
        transaction.session.flush()
    with store.read() as transaction:
        assert (transaction.revision(), _count(transaction.session, Registry)) == (0, 0)


def test_readers_see_one_moment(store: Store) -> None:
    """M32: what is committed while somebody reads is not seen by that reader."""
    with store.read() as reader:
        before = _count(reader.session, Registry)
        with store.write() as writer:
            writer.session.add(registry("one12"))
        assert (before, _count(reader.session, Registry)) == (0, 0)
    with store.read() as later:
        assert _count(later.session, Registry) == 1


def test_rows_stay_readable_after_the_transaction(store: Store) -> None:
    """What was read can be shaped into an answer later."""
    with store.write() as transaction:
        transaction.session.add(registry("one12"))
    with store.read() as transaction:
        row = registries.by_name(transaction.session, "ONE12")
    assert row is not None
    assert row.name == "one12"


def test_unique_keys_hold(store: Store) -> None:
    """M32: the second registry of a name is refused by the database itself, and nothing of its transaction stays."""
    _add(store, "same1")
    with pytest.raises(IntegrityError):
        _add(store, "other", "SAME1")
    with store.read() as transaction:
        assert [row.name for row in transaction.session.exec(select(Registry))] == ["same1"]


def test_writers_wait_for_one_another(store: Store) -> None:
    """M32: a second writer begins after the first has ended and sees what it wrote."""
    order: list[str] = []
    begun = threading.Event()

    def first() -> None:
        with store.write() as transaction:
            begun.set()
            time.sleep(0.3)
            transaction.session.add(registry("one12"))
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(5)
    with store.write() as transaction:
        order.append("second")
        assert _count(transaction.session, Registry) == 1
    thread.join()
    assert order == ["first", "second"]


def test_readers_do_not_wait_for_a_writer(store: Store) -> None:
    """M32: reading goes on while somebody writes."""
    with store.write() as writer:
        writer.session.add(registry("one12"))
        writer.session.flush()
        with store.read() as reader:
            assert _count(reader.session, Registry) == 0


def _moved(store: Store, **values: str) -> datetime:
    with store.write() as transaction:
        facts.put_all(transaction.session, {name.replace("_", "-"): value for name, value in values.items()})
        return transaction.now()


def test_the_clock_can_be_ahead(store: Store) -> None:
    """M32: one clock, moved by an offset."""
    ahead = _moved(store, clock_offset_seconds="86400") - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < ahead <= timedelta(days=1)
    assert timedelta(hours=23, minutes=59) < store.now() - datetime.now(UTC) <= timedelta(days=1)


def test_the_clock_can_stand_still(store: Store) -> None:
    """M32: one clock, frozen; the log's time is its time."""
    moment = "2028-03-31T00:00:00.0000000Z"
    assert clock.to_text(_moved(store, clock_frozen_at=moment)) == moment
    with store.write() as transaction:
        transaction.record(entry())
    with store.read() as transaction:
        assert [row.time for row in activity.entries(transaction.session)] == [moment]


def test_facts_are_put_read_and_removed(store: Store) -> None:
    """Facts hold in the transaction that puts them and in later ones."""
    with store.write() as transaction:
        facts.put(transaction.session, "a", "1")
        facts.put(transaction.session, "a", "2")
        facts.put(transaction.session, "b", "3")
        facts.remove(transaction.session, "b")
        assert facts.get(transaction.session, "a") == "2"
    with store.read() as transaction:
        found = [facts.get(transaction.session, name, "none") for name in ("a", "b")]
    assert found == ["2", "none"]


def test_the_log_is_in_order_and_verifies(store: Store) -> None:
    """M25: entries of one transaction and of several follow one another in one chain."""
    for count in (2, 1, 3):
        with store.write() as transaction:
            for at in range(count):
                transaction.record(entry(f"test/{at}"))
    with store.read() as transaction:
        rows = list(activity.entries(transaction.session))
        assert [row.sequence for row in rows] == [1, 2, 3, 4, 5, 6]
        assert [row.sequence for row in activity.recent(transaction.session, 2)] == [5, 6]
        assert [row.sequence for row in activity.entries(transaction.session, after=2, limit=2)] == [3, 4]
    assert verification.verify(store) == verification.Verification(6, rows[-1].digest, "")


def test_what_was_recorded_is_read_back(store: Store) -> None:
    """M25: an entry's details come back as they were, half a surrogate pair included."""
    with store.write() as transaction:
        transaction.record(entry())
    with store.read() as transaction:
        assert activity.details_of(next(activity.entries(transaction.session))) == {"name": "Ünïcode \ud800"}
