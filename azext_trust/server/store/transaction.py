"""The store and its transactions: readers see one moment, writers follow one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlmodel import Session

from azext_trust.server.store import activity, changes, clock, engine, facts, migrate, opening, trouble, wipe
from azext_trust.server.store.errors import StateError, UnwipedError
from azext_trust.server.store.statements import Statement
from azext_trust.server.store.turns import Turns
from azext_trust.server.store.vault import Vault

_BEGIN, _BEGIN_READING = Statement("BEGIN IMMEDIATE"), Statement("BEGIN")

if TYPE_CHECKING:
    from azext_trust.server.store.contents import Contents
    from azext_trust.server.store.moments import Moments
    from azext_trust.server.store.together import Together


@dataclass
class Transaction:
    """One unit of work: all of it is committed, or nothing.

    Attributes:
        session: the SQLModel session; queries of the noun modules take it.
        vault: encryption for what must be read again.
        writes: whether changes are allowed.
        truncate: set where trust data is erased: success then waits until no byte of it is left (see `wipe`).
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

    def seal(self, moves: str) -> None:
        """Move a number and chain what was recorded: the last step before the commit."""
        self.session.flush()
        ended = {moves: str(int(facts.get(self.session, moves, "0")) + 1)} if moves else {}
        if not facts.get(self.session, facts.VAULT_CHECK):
            ended[facts.VAULT_CHECK] = self.vault.proof()
        ended |= activity.chain(self.session, self.vault, self.recorded, self.now())
        if ended:
            facts.put_all(self.session, ended)


class Store:
    """A state: one database, one vault.

    Args:
        directory: the cloud directory, made (owner-only) when missing.
        url: a SQLAlchemy URL for PostgreSQL, or None for ``state.db`` in the directory.
        blobs: the URL of an object store for blobs, or None for ``blobs/`` in the directory.

    Attributes:
        shared: what the process keeps beside the store: caches that follow the change feed, by name.
        closing: what to call before the connections are given back.

    Raises:
        StateError: the state cannot be opened, upgraded or is damaged; the message names the cure.
    """

    def __init__(self, directory: Path, url: str | None = None, blobs: str | None = None) -> None:
        self.directory = directory
        self.vault = Vault(directory)
        self._turns = Turns(directory / ".lock")
        self._sqlite = url is None
        self.shared: dict[str, object] = {}
        self.closing: list[Callable[[], None]] = []
        self._blobs = blobs
        with trouble.told(directory):
            opening.prepare(directory)
            self.engine = engine.open_engine(directory / "state.db", url)
            try:
                migrate.upgrade(self.engine, directory, self._turns)
                self._check()
            except BaseException:
                self.close()
                raise

    def _check(self) -> None:
        """Go on only with the right key, and not before an erasure that a crash interrupted is finished."""
        with self.read() as transaction:
            known = dict(facts.known(transaction.session))
        if not known.get(facts.TENANT_ID):
            self.vault.create()
        self.vault.check(known.get(facts.VAULT_CHECK, ""))
        if facts.WIPE in known:
            self._finish(asked=True)
        self._blobs = self._place(self._blobs, known.get(facts.BLOBS))

    def _place(self, asked: str | None, known: str | None) -> str | None:
        """Return where blobs lie: always where the first ones were laid, whoever opens the state.

        Raises:
            StateError: they are asked for elsewhere, and moving them is not ours to do.
        """
        if asked is None or asked == known:
            return known
        from azext_trust.server.store import blobs, contents

        contents.opened(self.directory, asked)
        with self.write(moves="") as transaction:
            if blobs.lying(transaction.session):
                raise StateError(
                    f"The layers of this cloud lie at {known or self.directory / 'blobs'}, not at {asked}. Serve it "
                    "without --blobs, or begin a cloud in another directory."
                )
            facts.put(transaction.session, facts.BLOBS, asked)
        return asked

    def close(self) -> None:
        """Give all connections back."""
        for stop in self.closing:
            stop()
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

        return Together(self.engine, self._turn, self._begin)

    def _begin(self, connection: Connection) -> None:
        if self._sqlite:
            _BEGIN.done(connection, {})
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": wipe.WRITERS_LOCK})

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that sees one moment and changes nothing. Keep it short: it holds back erasure.

        Raises:
            StateError: the database cannot be read.
        """
        with trouble.database_told(self.directory), Session(self.engine, expire_on_commit=False) as session:
            if self._sqlite:
                _BEGIN_READING.done(session.connection(), {})
            else:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            try:
                yield Transaction(session, self.vault, writes=False, shared=self.shared)
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

        Raises:
            UnwipedError: an erasure is committed, but its bytes are not wiped yet.
            StateError: the database cannot be written; nothing was changed.
        """
        with self._turn(), self._session() as session:
            began_at = changes.head(session)
            transaction = Transaction(session, self.vault, writes=True, began_at=began_at, shared=self.shared)
            yield transaction
            transaction.seal(moves)
            changes.prune(session, began_at)
            session.commit()
        if facts.WIPE in facts.known(session):
            self._finish(transaction.truncate)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # PostgreSQL's writers queue in the database: they may sit on several machines.
        turn = self._turns.taken() if self._sqlite else nullcontext()
        with trouble.database_told(self.directory), turn:
            yield

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session:
            self._begin(session.connection())
            try:
                yield session
            except BaseException:
                session.rollback()
                raise

    def _finish(self, asked: bool) -> None:
        """Wipe what was erased. Who did not ask for it lends a hand, but neither waits nor fails for it."""
        try:
            wipe.finish(self.engine, self.directory, self._turns, wipe.PATIENCE_SECONDS if asked else 0)
        except UnwipedError:
            if asked:
                raise

    def now(self) -> datetime:
        """Return the cloud's present, for what happens outside a transaction.

        Raises:
            StateError: the database cannot be read.
        """
        with self.read() as transaction:
            return transaction.now()
