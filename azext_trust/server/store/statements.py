"""SQL that runs with every push: written once, compiled once, run on the driver's own cursor.

SQLAlchemy's execution costs several times what SQLite needs for such a statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.engine.interfaces import Dialect


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
        cursor: Any = connection.connection.cursor()
        cursor.execute(sql, [values[name] for name in named] if positional else {name: values[name] for name in named})
        return cursor

    def first(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Any] | None:
        """Run it and return the first row, or None."""
        cursor = self.run(connection, values)
        row: Sequence[Any] | None = cursor.fetchone()
        cursor.close()
        return row
