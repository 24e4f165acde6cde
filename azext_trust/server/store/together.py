"""Small changes of many requests, committed together: one wait for the disk serves them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")
Change = Callable[[Connection], object]


class Together:
    """Runs changes that need neither activity entry nor moved number, several in one transaction.

    Args:
        engine: the store's.
        turn: takes the turn among writers.
        begin: begins a writing transaction on a connection.
    """

    def __init__(
        self, engine: Engine, turn: Callable[[], AbstractContextManager[object]], begin: Callable[[Connection], None]
    ) -> None:  # fmt: skip
        self._engine, self._turn, self._begin = engine, turn, begin

    def run(self, change: Callable[[Connection], T]) -> T:
        """Do one change and return its result once it is committed.

        Args:
            change: receives a connection in a transaction; must not commit.
        """
        result = self.run_all([change])[0]
        if isinstance(result, Exception):
            raise result
        return result  # type: ignore[return-value]  # what the change returned

    def run_all(self, changes: Sequence[Change]) -> list[object]:
        """Do changes in one transaction; one that fails takes no other with it.

        Args:
            changes: each does the same when it is run again after a rollback.

        Returns:
            for each change what it returned, or the exception it raised.

        Raises:
            Exception: the commit failed; none of them was done.
        """
        with self._turn(), self._engine.connect() as connection:
            self._begin(connection)
            try:
                done = [change(connection) for change in changes]
            except Exception as error:
                # Rare: savepoints for every change would cost more than beginning anew.
                connection.rollback()
                if len(changes) == 1:
                    return [error]
                self._begin(connection)
                done = [_tried(connection, change) for change in changes]
            connection.commit()
        return done


def _tried(connection: Connection, change: Change) -> object:
    cursor = connection.connection.cursor()
    cursor.execute("SAVEPOINT one")
    try:
        return change(connection)
    except Exception as error:
        cursor.execute("ROLLBACK TO SAVEPOINT one")
        return error
    finally:
        cursor.execute("RELEASE SAVEPOINT one")
        cursor.close()
