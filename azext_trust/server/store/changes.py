"""Whether anything changed: two numbers that caches are kept by (architecture, Decisions: caches)."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select
from sqlmodel import col

from azext_trust.server.store import facts


@dataclass(frozen=True, slots=True)
class Moment:
    """What the state looked like.

    Attributes:
        revision: moved by every change of settings, roles and people.
        data: moved by every commit whatsoever, also of other processes; None where the database cannot tell.
    """

    revision: int
    data: int | None


_REVISION = select(col(facts.Fact.value)).where(col(facts.Fact.name) == facts.REVISION)


class Changes:
    """Asks the database for its present `Moment`, on a connection of its own.

    On SQLite ``PRAGMA data_version`` says without reading a page whether any other connection has committed, so that
    asking costs a few microseconds; otherwise the revision is read.

    Args:
        engine: the store's.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._last = Moment(-1, None)

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def now(self) -> Moment:
        """Return the present moment."""
        with self._lock:
            connection = self._connection
            if connection is None:
                connection = self._connection = self._engine.connect()
            if not self._sqlite:
                found = connection.execute(_REVISION).scalar()
                connection.rollback()
                return Moment(int(found or 0), None)
            data = self._cursor(connection, "PRAGMA data_version")
            if data != self._last.data:
                revision = self._cursor(connection, "SELECT value FROM fact WHERE name = 'revision'")
                self._last = Moment(int(revision or 0), data)
            return self._last

    @staticmethod
    def _cursor(connection: Connection, sql: str) -> int:
        # The driver's own cursor: SQLAlchemy's execution costs more than SQLite's answer.
        cursor = connection.connection.cursor()
        try:
            cursor.execute(sql)
            row = cursor.fetchone()
            return int(row[0]) if row else 0
        finally:
            cursor.close()
