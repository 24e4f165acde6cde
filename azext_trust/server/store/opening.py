"""What is looked at before a state is opened: whose directory it is, and whether its files can be a state's."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

from azext_trust import home
from azext_trust.server.store import trouble
from azext_trust.server.store.errors import StateError


def prepare(directory: Path) -> None:
    """Make the cloud directory when it is missing; refuse one in which a state would be unsafe or lost.

    Raises:
        StateError: it belongs to somebody else, or only a part of a state is left in it.
        OSError: it cannot be made or looked at.
    """
    home.private_dir(directory)
    _own(directory)
    database, log = directory / "state.db", directory / "state.db-wal"
    if not database.exists():
        if log.exists() and log.stat().st_size:
            # SQLite would play this log back into the next database of the name.
            raise StateError(
                f"The database {database} is missing while its write-ahead log is there. Put state.db back, or move "
                "state.db-wal and state.db-shm away too to begin with a new state."
            )
        return
    if database.is_file() and not database.stat().st_size:
        # We never leave an empty one (see `migrate`): going on would hide that a state was lost.
        raise StateError(trouble.DAMAGED.format(directory=directory, cause="it is empty"))
    # While a log waits to be written back, the database may rightly be shorter than it says.
    if database.is_file() and not (log.exists() and log.stat().st_size) and _cut_off(database):
        raise StateError(trouble.DAMAGED.format(directory=directory, cause="its end is missing"))
    _close_to_others(database)


def _cut_off(database: Path) -> bool:
    """Tell whether a database is shorter than its header says (SQLite file format, section 1.3).

    SQLite itself finds out only when it happens to read a page that is gone.
    """
    try:
        with database.open("rb") as file:
            header = file.read(100)
    except PermissionError:
        return False  # opening it will say so
    if len(header) < 100 or header[24:28] != header[92:96]:
        return False
    page = int.from_bytes(header[16:18])
    return database.stat().st_size < (65536 if page == 1 else page) * int.from_bytes(header[28:32])


def _own(directory: Path) -> None:
    """Refuse a directory whose owner could exchange keys under our hands; root may use anybody's."""
    owner, me = directory.stat().st_uid, os.geteuid()
    if owner in (me, 0) or me == 0:
        return
    name = str(owner)
    with suppress(KeyError):
        name = pwd.getpwuid(owner).pw_name
    raise StateError(
        f"The state directory {directory} belongs to the user {name}, not to you. "
        "Name another directory with --state DIR, or run this as that user."
    )


def _close_to_others(database: Path) -> None:
    """Take others' rights to the database away, for instance after a copy; SQLite gives its log the same rights."""
    for path in (database, database.with_name("state.db-wal"), database.with_name("state.db-shm")):
        with suppress(FileNotFoundError, PermissionError):
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                path.chmod(0o600)
