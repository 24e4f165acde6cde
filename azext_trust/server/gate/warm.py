"""The index that a serving process keeps warm: read once, moved by the change feed, asked by every thread.

A decision takes it only as of its own transaction's moment. Who has changed something already, or sees an older moment
than the index, gets None and asks the store for what concerns one principal: exact always, fast nearly always.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import Session

from azext_trust.rbac.index import Index
from azext_trust.server.gate import tenant
from azext_trust.server.store import changes
from azext_trust.server.store.transaction import Store, Transaction

logger = logging.getLogger("aztrust.server")

_NAME = "authorization index"
_PATIENCE = 0.05
"""Seconds to wait for those who are asking the index before a change is brought in; then the store is asked."""
_LARGE = 50_000
"""From this many assignments on the collector of garbage is told to leave the index alone."""


class _Readers:
    """Many may read, one may write, nobody both."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._reading = 0
        self._writing = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._condition:
            self._condition.wait_for(lambda: not self._writing)
            self._reading += 1
        try:
            yield
        finally:
            with self._condition:
                self._reading -= 1
                self._condition.notify_all()

    @contextmanager
    def writing(self, seconds: float | None) -> Iterator[bool]:
        """Wait for the readers; False when they were not done in time."""
        with self._condition:
            free = self._condition.wait_for(lambda: not self._writing and not self._reading, seconds)
            self._writing = self._writing or free
        try:
            yield free
        finally:
            if free:
                with self._condition:
                    self._writing = False
                    self._condition.notify_all()


class Warm:
    """One store's index in this process.

    Args:
        store: whose authorization it holds.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._index: Index | None = None
        self._mark = changes.Mark(0, "")
        self._lock = _Readers()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def load(self) -> None:
        """Read the whole tenant; afterwards the index is warm, unless the store is being closed.

        One transaction sees one moment. Erasure, which waits for readers, may have to wait for this one.
        """
        index = Index()
        with self._reading() as session, _no_collection():
            mark = changes.head(session)
            tenant.load(session, index, self._stop.is_set)
        if self._stop.is_set():
            return
        if sum(1 for _ in index.assignments()) >= _LARGE:
            # Else each full collection walks millions of objects that live as long as the process.
            gc.collect()
            gc.freeze()
        with self._lock.writing(None):
            self._index, self._mark = index, mark

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with self._store.read() as transaction:
            yield transaction.session

    def start(self) -> None:
        """Read the tenant in the background; decisions do not wait for it."""
        if not self._stop.is_set() and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._load_quietly, name=_NAME, daemon=True)
            self._thread.start()

    def _load_quietly(self) -> None:
        try:
            self.load()
        except Exception:
            # Decisions go on without it, only slower.
            logger.exception("the authorization index could not be read")

    def stop(self) -> None:
        """Give up reading, for the store is to be closed."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    @contextmanager
    def borrowed(self, transaction: Transaction) -> Iterator[Index | None]:
        """Give the index as of a transaction's moment; None when it cannot be had so."""
        mark = changes.head(transaction.session)
        changed_itself = transaction.began_at is not None and transaction.began_at != mark
        if self._index is None or changed_itself:
            yield None
            return
        if mark != self._mark:
            self._follow(transaction.session, mark)
        with self._lock.reading():
            yield self._index if mark == self._mark else None

    def _follow(self, session: Session, mark: changes.Mark) -> None:
        with self._lock.writing(_PATIENCE) as free:
            if not free or self._index is None or (self._mark.sequence > mark.sequence and not self._restored()):
                return
            moved = changes.since(session, self._mark)
            if moved is None:
                # A restored snapshot, or more changes than are kept.
                self._index = None
                self.start()
                return
            tenant.follow(session, self._index, moved)
            self._mark = mark

    def _restored(self) -> bool:
        """Tell whether the store went back behind the index, rather than this transaction being an old one."""
        with self._reading() as session:
            return changes.head(session).sequence < self._mark.sequence


@contextmanager
def _no_collection() -> Iterator[None]:
    """Let no collector walk the millions of objects that are being made: all of them are kept."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def keep(store: Store) -> Warm:
    """Return the store's warm index; it is empty until it is loaded or started."""
    found = store.shared.get(_NAME)
    if not isinstance(found, Warm):
        found = store.shared[_NAME] = Warm(store)
        store.closing.append(found.stop)
    return found


@contextmanager
def borrowed(transaction: Transaction) -> Iterator[Index | None]:
    """Give the process's index as of a transaction's moment, None when there is none."""
    warm = transaction.shared.get(_NAME)
    if isinstance(warm, Warm):
        with warm.borrowed(transaction) as index:
            yield index
    else:
        yield None


@contextmanager
def whole(transaction: Transaction) -> Iterator[Index]:
    """Give the whole tenant's index as of a transaction's moment: the warm one, else read now."""
    with borrowed(transaction) as index:
        if index is None:
            index = Index()
            tenant.load(transaction.session, index)
        yield index
