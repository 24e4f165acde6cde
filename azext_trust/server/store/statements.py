"""SQL that runs with every push: written once, compiled once, run on the driver's own cursor.

SQLAlchemy's execution costs several times what SQLite needs for such a statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import DBAPIError


class Statement:
    """A statement with named parameters, for SQLite and PostgreSQL alike.

    Args:
        sql: its text; parameters are written ``:name``.
    """

    def __init__(self, sql: str) -> None:
        self._text = text(sql)
        self._compiled: dict[str, tuple[str, tuple[str, ...], bool]] = {}

    def _of(self, dialect: Dialect) -> tuple[str, tuple[str, ...], bool]:
        known = self._compiled.get(dialect.name)
        if known is None:
            made = self._text.compile(dialect=dialect)
            positions = getattr(made, "positiontup", None)
            named = tuple(positions or made.params)
            known = self._compiled[dialect.name] = (str(made), named, bool(positions))
        return known

    def run(self, connection: Connection, values: Mapping[str, object]) -> Any:
        """Run it in the connection's transaction and return the driver's cursor.

        Args:
            connection: in a transaction.
            values: the parameters; more than the statement has do no harm.
        """
        sql, named, positional = self._of(connection.dialect)
        cursor = _cursor(connection)
        given = [values[name] for name in named] if positional else {name: values[name] for name in named}
        try:
            cursor.execute(sql, given)
        except Exception as error:
            raise _told(connection, sql, error) from error
        return cursor

    def done(self, connection: Connection, values: Mapping[str, object]) -> None:
        """Run it; it answers nothing."""
        self.run(connection, values).close()

    def each(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Run it once for each of many."""
        if not rows:
            return
        sql, named, positional = self._of(connection.dialect)
        cursor = _cursor(connection)
        given = [tuple(row[name] for name in named) for row in rows] if positional else rows
        try:
            cursor.executemany(sql, given)
        except Exception as error:
            raise _told(connection, sql, error) from error
        cursor.close()

    def first(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Any] | None:
        """Run it and return the first row, or None."""
        return next(iter(self.rows(connection, values, 1)), None)

    def rows(self, connection: Connection, values: Mapping[str, object], most: int = 0) -> list[Any]:
        """Run it and return its rows, or the first few."""
        cursor = self.run(connection, values)
        try:
            found: list[Any] = cursor.fetchmany(most) if most else cursor.fetchall()
        except Exception as error:
            raise _told(connection, self._of(connection.dialect)[0], error) from error
        cursor.close()
        return found


def _cursor(connection: Connection) -> Any:
    """Return a cursor of the driver's, in a transaction that the connection knows of: else a commit would do nothing."""
    if not connection.in_transaction():
        connection.begin()
    return connection.connection.cursor()


def _told(connection: Connection, sql: str, error: Exception) -> Exception:
    """Return a failure of the driver as SQLAlchemy's: what handles full disks and damage knows those."""
    driver: Any = connection.dialect.dbapi
    if not isinstance(error, driver.Error):
        return error
    told: Exception = DBAPIError.instance(sql, None, error, driver.Error, hide_parameters=True)
    return told
