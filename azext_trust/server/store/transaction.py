"""The store and its transactions: readers see one moment, writers follow one another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlmodel import Session

from azext_trust import home
from azext_trust.server.store import activity, clock, engine, facts, migrate
from azext_trust.server.store.vault import Vault

if TYPE_CHECKING:
    from azext_trust.server.store.contents import Contents
    from azext_trust.server.store.moments import Moments
    from azext_trust.server.store.together import Together

_WRITERS_LOCK = 7286001
"""The PostgreSQL advisory lock that writers hold: revision and activity chain have one order."""


@dataclass
class Transaction:
    """One unit of work: all of it is committed, or nothing.

    Attributes:
        session: the SQLModel session; queries of the noun modules take it.
        vault: encryption for what must be read again.
        writes: whether changes are allowed.
        truncate: set by an erasure: success then waits until no byte is left in the write-ahead log.
    """

    session: Session
    vault: Vault
    writes: bool
    truncate: bool = False
    recorded: list[activity.Activity] = field(default_factory=list)

    def now(self) -> datetime:
        """Return the cloud's present (UTC)."""
        offset = float(facts.get(self.session, facts.CLOCK_OFFSET, "0"))
        return clock.shifted(offset, facts.get(self.session, facts.CLOCK_FROZEN) or None)

    def now_text(self) -> str:
        """Return the cloud's present as Azure writes it."""
        return clock.to_text(self.now())

    def revision(self) -> int:
        """Return the number that every change moves."""
        return int(facts.get(self.session, facts.REVISION, "0"))

    def tenant_id(self) -> str:
        """Return the directory's tenant id, empty before the state is founded."""
        return facts.get(self.session, facts.TENANT_ID)

    def retirement(self) -> str:
        """Return the retirement switch's position: ``off``, ``2026`` or ``2028`` (M5)."""
        return facts.get(self.session, facts.RETIREMENT, "off")

    def record(self, event: activity.Activity) -> None:
        """Add an activity entry; it is chained and committed with the change or not at all."""
        self.recorded.append(event)


class Store:
    """A state: one database, one vault.

    Args:
        directory: the cloud directory, made (owner-only) when missing.
        url: a SQLAlchemy URL for PostgreSQL, or None for ``state.db`` in the directory.
        blobs: the URL of an object store for blobs, or None for ``blobs/`` in the directory.

    Raises:
        StateError: the database cannot be opened, upgraded or is damaged.
    """

    def __init__(self, directory: Path, url: str | None = None, blobs: str | None = None) -> None:
        self.directory = home.private_dir(directory)
        self.vault = Vault(directory)
        migrate.upgrade(directory, url)
        self.engine = engine.open_engine(directory, url)
        self._blobs = blobs
        # Writers of this process queue here: SQLite's own waiting is sleeping, for milliseconds at a time.
        self._turn = threading.Lock()

    def close(self) -> None:
        """Give all connections back."""
        if "moments" in self.__dict__:
            self.moments.close()
        self.engine.dispose()

    @cached_property
    def contents(self) -> Contents:
        """Where the bytes of blobs lie."""
        from azext_trust.server.store import contents

        return contents.opened(self.directory, self._blobs)

    @cached_property
    def moments(self) -> Moments:
        """Tells whether anything changed since one looked last."""
        from azext_trust.server.store.moments import Moments

        return Moments(self.engine)

    @cached_property
    def together(self) -> Together:
        """Commits small changes of many requests together."""
        from azext_trust.server.store.together import Together

        return Together(self.engine, lambda: self._turn, self._begin)

    def _begin(self, connection: Connection) -> None:
        if self.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS_LOCK})

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that sees one moment and changes nothing. Keep it short: it holds back erasure."""
        with Session(self.engine, expire_on_commit=False) as session:
            if self.engine.dialect.name == "sqlite":
                session.connection().exec_driver_sql("BEGIN")
            else:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            try:
                yield Transaction(session, self.vault, writes=False)
            finally:
                # What was read stays usable afterwards: a rollback would make the rows ask the database again.
                session.expunge_all()
                session.rollback()

    @contextmanager
    def write(self, *, moves: str = facts.REVISION) -> Iterator[Transaction]:
        """Open the one transaction that may change the state now; others wait.

        On success the number has moved and the activity entries are chained, in the same commit.

        Args:
            moves: the number that says what may have changed: `facts.REVISION` for settings, roles and people;
                `facts.CONTENT` for what lies in registries; empty for what nobody remembers.
        """
        with self._turn, Session(self.engine, expire_on_commit=False) as session:
            self._begin(session.connection())
            transaction = Transaction(session, self.vault, writes=True)
            try:
                yield transaction
                if moves:
                    facts.put(session, moves, str(int(facts.get(session, moves, "0")) + 1))
                activity.chain(session, self.vault, transaction.recorded, transaction.now())
                session.commit()
            except BaseException:
                session.rollback()
                raise
        if transaction.truncate:
            self.truncate_log()

    def truncate_log(self) -> None:
        """Wait until the write-ahead log is written back and emptied (SQLite).

        Erased pages are zeroed in the database only at the checkpoint, and a checkpoint cannot pass a reader's
        older snapshot: busy_timeout makes this wait for readers, which are short.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with self.engine.connect() as connection:
            while True:
                busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
                if not busy:
                    return
