"""Finishes an erasure: success waits until no byte of erased trust data is left in the state's files (M4).

A commit makes the rows nobody's: it gives the registry a new trust space (`trust.erase`), so that it takes no longer
for a million tags than for one. What is left, each of it seen in a test:

- the rows of the old space, which are deleted in short transactions, between those of others;
- pages keep copies of rows that once moved to a neighbour: `secure_delete` zeroes the row, not the copy. VACUUM writes
  every page anew;
- the database file still holds the old pages until a checkpoint, which cannot pass a reader's older snapshot, and the
  write-ahead log until it is truncated;
- the backup that an upgrade made.

The fact `facts.WIPE`, written in the erasing transaction, says what is still to be done. Whoever opens or changes the
state after a crash goes on from there. On PostgreSQL the rows are deleted, and vacuumed as its administrator set it up
(docs/decisions/0005-erasing-trust-data.md).
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from azext_trust.server.store import facts, trouble
from azext_trust.server.store.errors import BusyError, UnwipedError
from azext_trust.server.store.turns import Turns

logger = logging.getLogger("aztrust.server")
WRITERS_LOCK = 7286001
"""The PostgreSQL advisory lock that writers hold: revision and activity chain have one order."""

DELETE, REWRITE, TRUNCATE = "delete", "rewrite", "truncate"
"""Values of the fact: what is to be done next."""
PATIENCE_SECONDS = 60.0
"""How long an erasure waits for readers before it says that it is not finished yet."""
_STEP_SECONDS = 0.25
"""How long one attempt works or waits for readers: writers wait meanwhile."""
_TABLES = ("trust_key", "trust_metadata", "trust_tag", "trust_change")
"""Where trust data lie; private keys first."""


class _Attempt(Enum):
    """What an attempt came to: everything is done, there is more to do, or somebody is in the way."""

    DONE = 1
    MORE = 2
    BUSY = 3


def ask(session: Session) -> None:
    """Note in an erasing transaction that rows and bytes must go."""
    facts.put(session, facts.WIPE, DELETE)


def finish(engine: Engine, directory: Path, turns: Turns, patience: float) -> None:
    """Bring what `ask` noted to its end; does nothing when nothing is noted.

    Args:
        engine: the state's.
        directory: the cloud directory.
        turns: the writers' queue; given back between attempts, so that nobody waits for long.
        patience: how many seconds to wait for readers of older snapshots; 0: try once, wait for nobody.

    Raises:
        UnwipedError: a reader still holds an older snapshot, or the disk is full; this can be asked again.
    """
    deadline = time.monotonic() + patience
    try:
        while (came := _attempt(engine, directory, turns, _STEP_SECONDS if patience else 0)) is not _Attempt.DONE:
            if came is _Attempt.MORE:
                deadline = time.monotonic() + patience
            elif time.monotonic() >= deadline:
                raise UnwipedError(_UNWIPED.format(cause=f"another program reads {directory}/state.db", cure="End it"))
            time.sleep(0.02 if came is _Attempt.BUSY else 0)
    except (DatabaseError, OSError) as error:
        cause = " ".join(str(error.orig if isinstance(error, DatabaseError) else error).split())
        raise UnwipedError(
            _UNWIPED.format(cause=cause, cure="See that its disk has room and may be written")
        ) from error


_UNWIPED = (
    "The trust data is deleted, but its bytes cannot be wiped from the disk yet: {cause}. {cure}, then try again."
)


def _attempt(engine: Engine, directory: Path, turns: Turns, wait: float) -> _Attempt:
    if engine.dialect.name != "sqlite":
        return _attempt_elsewhere(engine)
    with turns.taken(), _patient(engine, wait) as connection:
        try:
            return _advance(connection, directory)
        except DatabaseError as error:
            if isinstance(trouble.explain(directory, error), BusyError):
                return _Attempt.BUSY
            raise


def _advance(connection: Connection, directory: Path) -> _Attempt:
    """Go one step further."""
    step = _noted(connection)
    if step is None:
        return _Attempt.DONE
    if step == DELETE:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        step = REWRITE if _delete_some(connection) else DELETE
        _note(connection, step)
        connection.exec_driver_sql("COMMIT")
        return _Attempt.MORE
    if step == REWRITE:
        connection.exec_driver_sql("VACUUM")
        _note(connection, TRUNCATE)
    busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if busy:
        return _Attempt.BUSY
    _remove_backups(directory)
    _forget(connection)
    return _Attempt.DONE


def _attempt_elsewhere(engine: Engine) -> _Attempt:
    """Delete some of the rows on a database that looks after its bytes itself."""
    with engine.begin() as connection:
        if _noted(connection) is None:
            return _Attempt.DONE
        if not _delete_some(connection):
            return _Attempt.MORE
        # Nobody erases more while this looks once again and takes the note away.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITERS_LOCK})
        if _delete_some(connection):
            _forget(connection)
        return _Attempt.MORE


def _noted(connection: Connection) -> str | None:
    found: str | None = connection.execute(text("SELECT value FROM fact WHERE name = :n"), {"n": facts.WIPE}).scalar()
    return found


def _note(connection: Connection, step: str) -> None:
    connection.execute(text("UPDATE fact SET value = :v WHERE name = :n"), {"v": step, "n": facts.WIPE})


def _forget(connection: Connection) -> None:
    connection.execute(text("DELETE FROM fact WHERE name = :n"), {"n": facts.WIPE})


# Rows that belong to no registry any more


def _delete_some(connection: Connection) -> bool:
    """Delete rows of trust spaces that no registry has, for a while; tell whether none is left."""
    end = time.monotonic() + _STEP_SECONDS
    for table in _TABLES:
        for space in _orphans(connection, table):
            while _delete_few(connection, table, space):
                if time.monotonic() >= end:
                    return False
    return True


def _orphans(connection: Connection, table: str) -> Iterator[str]:
    """Yield the spaces in a table that are no registry's: one step through the index for each space."""
    following = text(f"SELECT min(registry_id) FROM {table} WHERE registry_id > :last")
    belongs = text("SELECT 1 FROM registry WHERE trust_space = :space")
    last = ""
    while (found := connection.execute(following, {"last": last}).scalar()) is not None:
        last = found
        if connection.execute(belongs, {"space": last}).first() is None:
            yield last


def _delete_few(connection: Connection, table: str, space: str) -> bool:
    """Delete the rows of one repository, or some lines of the feed; tell whether there were any."""
    if table == "trust_change":
        some = "id IN (SELECT id FROM trust_change WHERE registry_id = :space LIMIT 2000)"
    else:
        some = f"registry_id = :space AND gun = (SELECT min(gun) FROM {table} WHERE registry_id = :space)"
    return bool(connection.execute(text(f"DELETE FROM {table} WHERE {some}"), {"space": space}).rowcount)


@contextmanager
def _patient(engine: Engine, wait: float) -> Iterator[Connection]:
    """Give a connection that commits every statement and waits for others as long as told."""
    with engine.connect() as connection:
        before = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        # VACUUM's copy of the whole database would not fit every memory; it holds nothing erased.
        connection.exec_driver_sql("PRAGMA temp_store = FILE")
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        # Pages that are freed here are not zeroed one by one: the rewriting that follows leaves none of them.
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        try:
            yield connection
        finally:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {before}")
            connection.exec_driver_sql("PRAGMA temp_store = MEMORY")


def _remove_backups(directory: Path) -> None:
    """Remove the backups that upgrades made and that hold trust data, and what a killed upgrade left of one."""
    for path in [*directory.glob("state.db.*.bak"), *directory.glob("state.db.*.part")]:
        if _holds_trust(path):
            path.unlink()
            logger.warning("removed the backup %s: it held trust data, which was erased", path)


def _holds_trust(path: Path) -> bool:
    """Tell whether a backup may hold trust data; one that cannot be read may."""
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'trust@_%'"
                                       " ESCAPE '@'").fetchall()  # fmt: skip
            return any(connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() for (name,) in names)
        finally:
            connection.close()
    return True
