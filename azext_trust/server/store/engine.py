"""The database: how it is opened, and what every connection is told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_SECONDS = 60
"""How long a writer waits for a program that is not ours (ours wait for their turn, see `turns`)."""


def open_engine(database: Path, url: str | None = None) -> Engine:
    """Return the engine of a state; nothing is opened before it is used.

    Args:
        database: the SQLite file.
        url: a SQLAlchemy URL (PostgreSQL) that takes its place, or None.
    """
    # As many connections as threads: whoever waits here would wait without being served in turn. Errors do not
    # repeat the values of a statement: logs hold no hashes and no sealed keys.
    if url:
        return create_engine(
            url, isolation_level="READ COMMITTED", pool_pre_ping=True, max_overflow=-1, hide_parameters=True
        )
    engine = create_engine(
        # Not a text: the directory's name may hold characters that mean something in a URL.
        URL.create("sqlite", database=str(database)),
        # SQLAlchemy must not begin transactions by itself: writers begin with IMMEDIATE (see Store.write).
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "isolation_level": None},
        max_overflow=-1,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


PRAGMAS = (
    # A commit that was answered survives a power cut.
    "synchronous = FULL",
    "foreign_keys = ON",
    # Erased trust data must leave no byte behind (M4): freed pages are zeroed. `wipe` does what this leaves.
    "secure_delete = ON",
    # Nothing of the state spills into the system's temporary directory.
    "temp_store = MEMORY",
)


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
