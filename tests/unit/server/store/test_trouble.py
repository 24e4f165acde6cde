"""From what the database says to one line with a cure (issue: bad input)."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, ProgrammingError

from azext_trust.server.store import trouble
from azext_trust.server.store.errors import BusyError, DiskFullError, StateError

HERE = Path("/proc")


def _sqlite(code: str, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> OperationalError:
    error = kind("what SQLite says")
    error.sqlite_errorname = code
    return OperationalError("SELECT 1", {}, error)


@pytest.mark.parametrize(
    ("code", "kind", "cure"),
    [
        ("SQLITE_FULL", DiskFullError, "Free some space"),
        ("SQLITE_BUSY", BusyError, "End it"),
        ("SQLITE_BUSY_RECOVERY", BusyError, "End it"),
        ("SQLITE_READONLY_DIRECTORY", StateError, "the right to write"),
        ("SQLITE_CANTOPEN", StateError, "the right to write"),
        ("SQLITE_CORRUPT", StateError, "copy a backup"),
        ("SQLITE_NOTADB", StateError, "copy a backup"),
        ("SQLITE_IOERR_WRITE", StateError, "system's log"),
        ("SQLITE_ERROR", StateError, "copy a backup"),
    ],
)
def test_each_code_has_its_kind_and_cure(code: str, kind: type[StateError], cure: str, tmp_path: Path) -> None:
    """One line, with what to do."""
    found = trouble.explain(tmp_path, _sqlite(code))
    assert type(found) is kind
    assert cure in str(found)
    assert "\n" not in str(found)


def test_an_io_error_on_a_full_disk_means_a_full_disk() -> None:
    """SQLite's shared memory cannot grow: that is all it says. /proc has no free byte."""
    assert isinstance(trouble.explain(HERE, _sqlite("SQLITE_IOERR_SHMSIZE")), DiskFullError)


@pytest.mark.parametrize(
    ("number", "kind", "cure"),
    [
        (errno.ENOSPC, DiskFullError, "Free some space"),
        (errno.EDQUOT, DiskFullError, "Free some space"),
        (errno.EACCES, StateError, "the right to write"),
        (errno.EROFS, StateError, "the right to write"),
        (errno.ENOTDIR, StateError, "Name another directory"),
    ],
)
def test_the_system_s_errors(number: int, kind: type[StateError], cure: str) -> None:
    """The file is named."""
    found = trouble.explain(HERE, OSError(number, "what it says", "/some/file"))
    assert type(found) is kind
    assert cure in str(found)
    assert "/some/file" in str(found)


def test_postgresql_errors() -> None:
    """The server's text becomes one line; a full disk is told apart."""

    class Refused(Exception):
        sqlstate = None

    class Full(Exception):
        sqlstate = "53100"

    gone = trouble.explain(HERE, OperationalError("", {}, Refused("connection\nrefused")))
    assert (type(gone), "(connection refused)" in str(gone)) == (StateError, True)
    assert isinstance(trouble.explain(HERE, OperationalError("", {}, Full("no space"))), DiskFullError)


CONFLICT = IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed"))


@pytest.mark.parametrize("fault", [CONFLICT, _sqlite("SQLITE_ERROR"), ProgrammingError("", {}, Exception())])
def test_a_transaction_s_own_faults_pass_as_they_are(fault: DatabaseError) -> None:
    """A unique key that is taken, or a statement that cannot be, is no fault of the state."""
    with pytest.raises(type(fault)), trouble.database_told(HERE):
        raise fault


def test_while_a_state_is_opened_everything_is_told(tmp_path: Path) -> None:
    """A table that is missing is damage then."""
    with pytest.raises(StateError, match="is damaged"), trouble.told(tmp_path):
        raise _sqlite("SQLITE_ERROR")


def test_the_network_s_errors_pass_within_a_transaction() -> None:
    """A service that cannot be reached is no fault of the state."""
    with pytest.raises(ConnectionRefusedError), trouble.database_told(HERE):
        raise ConnectionRefusedError
