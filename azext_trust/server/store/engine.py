"""The database: how it is opened, and what every connection is told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_SECONDS = 60
"""How long a writer waits for another before it gives up."""


def open_engine(directory: Path, url: str | None = None) -> Engine:
    """Return the engine of a state.

    Args:
        directory: the cloud directory; ``state.db`` lies in it unless `url` says otherwise.
        url: a SQLAlchemy URL (PostgreSQL), or None for SQLite.
    """
    if url:
        return create_engine(url, isolation_level="READ COMMITTED", pool_pre_ping=True, max_overflow=-1)
    # SQLAlchemy must not begin transactions by itself: writers begin with IMMEDIATE (see Store.write).
    engine = create_engine(
        f"sqlite:///{directory / 'state.db'}",
        # As many connections as there are worker threads: nobody waits for one while a transaction needs a second.
        max_overflow=-1,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "isolation_level": None},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        # Erased trust data must leave no byte behind (M4): freed pages are zeroed.
        "secure_delete = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
