"""Whether anything changed: two numbers that caches are kept by (architecture, Decisions: caches)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select
from sqlmodel import col

from azext_trust.server.store import facts


@dataclass(frozen=True, slots=True)
class Moment:
    """What the state looked like.

    Attributes:
        revision: moved by every change of settings, roles and people.
        content: moved by every change of what lies in registries, blobs that come left aside.
    """

    revision: int
    content: int


_NUMBERS = select(col(facts.Fact.name), col(facts.Fact.value)).where(
    col(facts.Fact.name).in_([facts.REVISION, facts.CONTENT])
)


class Moments:
    """Asks the database for its present `Moment`, on a connection of its own.

    On SQLite ``PRAGMA data_version`` says without reading a page whether any other connection has committed, so that
    asking costs a few microseconds; otherwise the numbers are read.

    Args:
        engine: the store's.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._cursor: Any = None
        self._data = -1
        self._last = Moment(-1, -1)

    @property
    def cheap(self) -> bool:
        """Whether asking is quick enough for an event loop."""
        return self._sqlite

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = self._cursor = None

    def now(self) -> Moment:
        """Return the present moment."""
        with self._lock:
            connection = self._connection
            if connection is None:
                connection = self._connection = self._engine.connect()
            if not self._sqlite:
                found = {str(row[0]): str(row[1]) for row in connection.execute(_NUMBERS)}
                connection.rollback()
                return _moment(found)
            # The driver's own cursor, one for all: to make one costs as much as SQLite's answer. All rows are fetched: a
            # statement that is not at its end would hold back erasure.
            cursor = self._cursor
            if cursor is None:
                cursor = self._cursor = connection.connection.cursor()
            data = cursor.execute("PRAGMA data_version").fetchall()[0][0]
            if data != self._data:
                # Read after the version: a commit in between is noticed next time.
                rows = cursor.execute("SELECT name, value FROM fact WHERE name IN ('revision', 'content')").fetchall()
                self._last, self._data = _moment(dict(rows)), data
            return self._last


def _moment(found: dict[str, str]) -> Moment:
    return Moment(int(found.get(facts.REVISION, "0")), int(found.get(facts.CONTENT, "0")))
