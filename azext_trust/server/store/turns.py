"""Writers of one state follow one another, the threads of a process and the processes of a machine."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azext_trust import home
from azext_trust.server.store import trouble


class Turns:
    """A queue for writers.

    SQLite alone lets a waiting writer try again every 100 ms until its patience ends: under steady load one may never
    get its turn and then says "database is locked". Here the system wakes the next one. The lock ends with the
    process that holds it, however that ends.

    Args:
        path: the lock file, made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the turn; waits for it as long as it takes.

        Raises:
            StateError: the lock file cannot be opened or locked: the directory may not be written.
        """
        with self._threads:
            handle = self._locked()
            try:
                yield
            finally:
                os.close(handle)

    def _locked(self) -> int:
        with trouble.told(self._path.parent):
            handle = home.open_private(self._path)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except BaseException:
                os.close(handle)
                raise
            return handle
