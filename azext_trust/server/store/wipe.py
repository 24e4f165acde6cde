"""Finishes an erasure: success waits until no byte of erased trust data is left in the state's files (M4).

A commit makes the rows unreachable, not their bytes. What is left, each of it seen in a test:

- pages keep copies of rows that once moved to a neighbour: `secure_delete` zeroes the row, not the copy. VACUUM writes
  every page anew;
- the database file still holds the old pages until a checkpoint, which cannot pass a reader's older snapshot, and the
  write-ahead log until it is truncated;
- the backup that an upgrade made.

The fact `facts.WIPE`, written in the erasing transaction, says what is still to be done. Whoever opens or changes the
state after a crash goes on from there. On PostgreSQL the rows are deleted and vacuumed as its administrator set it up
(docs/decisions/0005-erasing-trust-data.md).
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from azext_trust.server.store import facts, trouble
from azext_trust.server.store.errors import BusyError, UnwipedError
from azext_trust.server.store.turns import Turns

logger = logging.getLogger("aztrust.server")

REWRITE, TRUNCATE = "rewrite", "truncate"
"""Values of the fact: what is to be done next."""
PATIENCE_SECONDS = 60.0
"""How long an erasure waits for readers before it says that it is not finished yet."""
_STEP_SECONDS = 0.25
"""How long one attempt waits for readers: writers wait meanwhile."""


def ask(session: Session) -> None:
    """Note in an erasing transaction that its bytes must go."""
    if session.connection().dialect.name == "sqlite":
        facts.put(session, facts.WIPE, REWRITE)


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
        while not _attempt(engine, directory, turns, _STEP_SECONDS if patience else 0):
            if time.monotonic() >= deadline:
                raise UnwipedError(_UNWIPED.format(cause=f"another program reads {directory}/state.db", cure="End it"))
            time.sleep(0.02)
    except (DatabaseError, OSError) as error:
        cause = " ".join(str(error.orig if isinstance(error, DatabaseError) else error).split())
        raise UnwipedError(
            _UNWIPED.format(cause=cause, cure="See that its disk has room and may be written")
        ) from error


_UNWIPED = (
    "The trust data is deleted, but its bytes cannot be wiped from the disk yet: {cause}. {cure}, then try again."
)


def _attempt(engine: Engine, directory: Path, turns: Turns, wait: float) -> bool:
    with turns.taken(), _patient(engine, wait) as connection:
        try:
            return _advance(connection, directory)
        except DatabaseError as error:
            if isinstance(trouble.explain(directory, error), BusyError):
                return False
            raise


def _advance(connection: Connection, directory: Path) -> bool:
    """Go one step further or to the end; tell whether nothing is left to do."""
    step = connection.execute(text("SELECT value FROM fact WHERE name = :n"), {"n": facts.WIPE}).scalar()
    if step is None:
        return True
    if step == REWRITE:
        connection.exec_driver_sql("VACUUM")
        connection.execute(text("UPDATE fact SET value = :v WHERE name = :n"), {"v": TRUNCATE, "n": facts.WIPE})
    busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if busy:
        return False
    _remove_backups(directory)
    connection.execute(text("DELETE FROM fact WHERE name = :n"), {"n": facts.WIPE})
    return True


@contextmanager
def _patient(engine: Engine, wait: float) -> Iterator[Connection]:
    """Give a connection that commits every statement and waits for others as long as told."""
    with engine.connect() as connection:
        before = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        # VACUUM's copy of the whole database would not fit every memory; it holds nothing erased.
        connection.exec_driver_sql("PRAGMA temp_store = FILE")
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        try:
            yield connection
        finally:
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
