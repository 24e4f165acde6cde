"""From what the database and the system say to one line that names the cure."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, NotSupportedError, ProgrammingError

from azext_trust.server.store.errors import BusyError, DiskFullError, StateError

_NO_ROOM = 256 * 1024
"""Fewer free bytes than this, and SQLite's "disk I/O error" means a full disk (its shared memory could not grow)."""

_UNWRITABLE = (
    "The state directory {directory} cannot be written ({cause}). "
    "Give yourself the right to write there, or name another directory with --state DIR."
)
_FULL = "The disk of {directory} is full ({cause}). Free some space and try again: nothing was changed."
_BUSY = "The database of {directory} is in use by another program ({cause}). End it, or try again later."
_FAILING = "The disk of {directory} fails ({cause}). Nothing was changed; see what the system's log says of the disk."
_UNREACHABLE = "The database server cannot be used ({cause}). See that it runs and lets you in, then try again."
_UNUSABLE = "The state directory {directory} cannot be used ({cause}). Name another directory with --state DIR."
DAMAGED = (
    "The database {directory}/state.db is damaged ({cause}). Stop every aztrust on it and move state.db, state.db-wal "
    "and state.db-shm away; then copy a backup to state.db ({directory}/state.db.*.bak), or begin with a new state."
)

_SQLITE: dict[str, tuple[type[StateError], str]] = {
    "SQLITE_FULL": (DiskFullError, _FULL),
    "SQLITE_BUSY": (BusyError, _BUSY),
    "SQLITE_LOCKED": (BusyError, _BUSY),
    "SQLITE_PROTOCOL": (BusyError, _BUSY),
    "SQLITE_READONLY": (StateError, _UNWRITABLE),
    "SQLITE_CANTOPEN": (StateError, _UNWRITABLE),
    "SQLITE_PERM": (StateError, _UNWRITABLE),
    "SQLITE_IOERR": (StateError, _FAILING),
}
"""By SQLite's result code (sqlite.org/rescode.html); every other one means damage."""

_SYSTEM: dict[int, tuple[type[StateError], str]] = {
    errno.ENOSPC: (DiskFullError, _FULL),
    errno.EDQUOT: (DiskFullError, _FULL),
    errno.EACCES: (StateError, _UNWRITABLE),
    errno.EPERM: (StateError, _UNWRITABLE),
    errno.EROFS: (StateError, _UNWRITABLE),
    errno.EIO: (StateError, _FAILING),
}


@contextmanager
def told(directory: Path) -> Iterator[None]:
    """Let whatever the database or the system refuses while a state is opened leave as a `StateError`."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError, OSError) as error:
        raise explain(directory, error) from error


@contextmanager
def database_told(directory: Path) -> Iterator[None]:
    """Let what keeps the database from working within a transaction leave as a `StateError`.

    What the transaction itself did wrong passes as it is: a unique key that is taken, a statement that cannot be; and
    so does what the system refuses: work within a transaction may speak to the network too.
    """
    try:
        yield
    except DatabaseError as error:
        if isinstance(error, _OWN_FAULTS) or getattr(error.orig, "sqlite_errorname", "") == "SQLITE_ERROR":
            raise
        raise explain(directory, error) from error


_OWN_FAULTS = (IntegrityError, DataError, ProgrammingError, NotSupportedError)


def explain(directory: Path, error: DatabaseError | sqlite3.Error | OSError) -> StateError:
    """Return the error to show for one of the database or the system.

    Args:
        directory: the cloud directory, named in the text.
        error: what was raised; a `DatabaseError` wraps the driver's own.
    """
    if isinstance(error, OSError):
        kind, text = _SYSTEM.get(error.errno or 0, (StateError, _UNUSABLE))
        what = error.strerror or str(error)
        return kind(text.format(directory=directory, cause=f"{what}: {error.filename}" if error.filename else what))
    origin = error.orig if isinstance(error, DatabaseError) else error
    # Drivers' messages have several lines at times; ours is one.
    cause = " ".join(str(origin).split())
    name = getattr(origin, "sqlite_errorname", None)
    if not isinstance(origin, sqlite3.Error):
        full = getattr(origin, "sqlstate", None) == "53100"
        return (DiskFullError if full else StateError)(_UNREACHABLE.format(cause=cause))
    kind, text = _SQLITE.get("_".join(str(name).split("_")[:2]), (StateError, DAMAGED))
    if text is _FAILING and _free(directory) < _NO_ROOM:
        kind, text = DiskFullError, _FULL
    return kind(text.format(directory=directory, cause=cause))


def _free(directory: Path) -> int:
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize
