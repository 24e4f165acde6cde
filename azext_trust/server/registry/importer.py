"""Works on imports beside the requests: those just accepted, and those that another worker has left behind."""

from __future__ import annotations

import logging
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

from azext_trust.server.gate.call import Settings
from azext_trust.server.registry import import_failures, imports
from azext_trust.server.registry.fetching import Stopped
from azext_trust.server.store import clock
from azext_trust.server.store import imports as rows
from azext_trust.server.store.transaction import Store

AT_ONCE = 4
"""Imports that one process works on at the same time; more of them wait."""
BEAT_SECONDS = 3
logger = logging.getLogger("aztrust.server")


class Importer:
    """The importing part of a server.

    Args:
        store: the state.
        settings: how the cloud is published; without threads an import is done before its request is answered.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._name = secrets.token_hex(8)
        self._ending = threading.Event()
        self._executor = ThreadPoolExecutor(AT_ONCE, "import") if settings.threads else None

    def begin(self, operation: str) -> None:
        """Work on an import that was just accepted."""
        if self._executor is None:
            self._one(operation)
        elif not self._ending.is_set():
            self._executor.submit(self._one, operation)

    def resume(self) -> None:
        """Work on what nobody else works on any more: accepted by a process that is gone."""
        while not self._ending.is_set() and self._left_behind() and self._one(""):
            pass

    def _left_behind(self) -> bool:
        with self._store.read() as transaction:
            return rows.left_behind(transaction.session)

    def stop(self) -> None:
        """Let go of everything, for whoever comes next."""
        self._ending.set()
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def _one(self, operation: str) -> bool:
        """Claim an import and work on it; False when there is none, or it was left to somebody else."""
        owner = f"{self._name}.{secrets.token_hex(8)}"
        try:
            claimed = self._store.together.run(lambda connection: rows.claim(connection, owner, operation))
            return bool(claimed) and self._perform(claimed, owner)
        except Exception:
            # It is taken up again once it has been silent for a while.
            logger.exception("an import was left")
            return False

    def _perform(self, operation: str, owner: str) -> bool:
        with self._store.read() as transaction:
            row = rows.by_id(transaction.session, operation)
        assert row is not None
        life = _Life(self._store, operation, owner, self._ending)
        try:
            if clock.machine().timestamp() - row.began > rows.KEPT_SECONDS:
                imports.give_up(self._store, row, import_failures.given_up())
            else:
                imports.perform(self._store, self._settings, operation, life.check)
        except Stopped:
            self._store.together.run(lambda connection: rows.let_go(connection, operation, owner))
            return False
        except KeyboardInterrupt:
            imports.give_up(self._store, row, import_failures.interrupted())
            raise
        finally:
            life.end()
        return True


class _Life:
    """Gives a sign of life every few seconds while somebody works on an import."""

    def __init__(self, store: Store, operation: str, owner: str, ending: threading.Event) -> None:
        self._store, self._operation, self._owner, self._ending = store, operation, owner, ending
        self._over = threading.Event()
        self._lost = False
        threading.Thread(target=self._beat, daemon=True).start()

    def check(self) -> None:
        """Go on only if this import is still ours to work on.

        Raises:
            Stopped: the process ends, or somebody else has taken it.
        """
        if self._ending.is_set() or self._lost:
            raise Stopped

    def end(self) -> None:
        """Stop giving signs."""
        self._over.set()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                self._lost = not self._store.together.run(
                    lambda connection: rows.beat(connection, self._operation, self._owner)
                )
            except Exception:
                # A full disk, for instance: the work itself will say so.
                logger.exception("no sign of life")
