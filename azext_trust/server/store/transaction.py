"""The store and its transactions: readers see one moment, writers follow one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

from azext_trust import home
from azext_trust.server.store import activity, changes, clock, engine, facts, migrate
from azext_trust.server.store.vault import Vault

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
        began_at: of a writing one: the change feed's head when it began.
        shared: what the process keeps beside the store, see `Store`.
    """

    session: Session
    vault: Vault
    writes: bool
    truncate: bool = False
    recorded: list[activity.Activity] = field(default_factory=list)
    began_at: changes.Mark | None = None
    shared: dict[str, object] = field(default_factory=dict)

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

    Attributes:
        shared: what the process keeps beside the store: caches that follow the change feed, by name.
        closing: what to call before the connections are given back.

    Raises:
        StateError: the database cannot be opened, upgraded or is damaged.
    """

    def __init__(self, directory: Path, url: str | None = None) -> None:
        self.directory = home.private_dir(directory)
        self.vault = Vault(directory)
        migrate.upgrade(directory, url)
        self.engine = engine.open_engine(directory, url)
        self.shared: dict[str, object] = {}
        self.closing: list[Callable[[], None]] = []

    def close(self) -> None:
        """Give all connections back."""
        for stop in self.closing:
            stop()
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that sees one moment and changes nothing. Keep it short: it holds back erasure."""
        with Session(self.engine, expire_on_commit=False) as session:
            if self.engine.dialect.name == "sqlite":
                session.connection().exec_driver_sql("BEGIN")
            else:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            try:
                yield Transaction(session, self.vault, writes=False, shared=self.shared)
            finally:
                # What was read stays usable afterwards: a rollback would make the rows ask the database again.
                session.expunge_all()
                session.rollback()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the one transaction that may change the state now; others wait.

        On success the revision has moved and the activity entries are chained, in the same commit.
        """
        with Session(self.engine, expire_on_commit=False) as session:
            if self.engine.dialect.name == "sqlite":
                session.connection().exec_driver_sql("BEGIN IMMEDIATE")
            else:
                session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS_LOCK})
            began_at = changes.head(session)
            transaction = Transaction(session, self.vault, writes=True, began_at=began_at, shared=self.shared)
            try:
                yield transaction
                facts.put(session, facts.REVISION, str(transaction.revision() + 1))
                activity.chain(session, self.vault, transaction.recorded, transaction.now())
                changes.prune(session, began_at)
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
