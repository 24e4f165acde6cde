"""Schema revisions: a state made by an older aztrust upgrades itself, under a lock and with a backup first."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from azext_trust.server.store import engine as engines

HEAD = "0008"
"""The newest revision in ``migrations/versions``; a test holds it true."""

_UPGRADE_LOCK = 7286002


class StateError(Exception):
    """The state cannot be opened; the message names the cure."""


def upgrade(directory: Path, url: str | None) -> None:
    """Bring the database of a state to the newest revision.

    Args:
        directory: the cloud directory; the lock and backups lie in it.
        url: a SQLAlchemy URL for PostgreSQL, or None for ``state.db``.

    Raises:
        StateError: the database is damaged, newer than this aztrust, or may not be written.
    """
    engine = engines.open_engine(directory, url)
    try:
        if _revision(engine) == HEAD:
            return
        with _locked(directory):
            current = _revision(engine)
            if current != HEAD:
                if current and not url:
                    _back_up(directory, current)
                _run(engine)
    except DatabaseError as error:
        raise StateError(_cure(directory, str(error.orig))) from error
    except OSError as error:
        raise StateError(_cure(directory, f"{error.strerror}: {error.filename}")) from error
    finally:
        engine.dispose()


def _cure(directory: Path, cause: str) -> str:
    database = directory / "state.db"
    if "readonly" in cause or "Read-only" in cause or "unable to open" in cause or "Permission denied" in cause:
        return (
            f"The state directory {directory} cannot be written ({cause}). "
            "Give yourself the right to write there, or name another directory with --state DIR."
        )
    if "full" in cause or "No space" in cause:
        return f"The disk of {directory} is full ({cause}). Free some space and try again: nothing was changed."
    return (
        f"The database {database} is damaged ({cause}). Restore it from one of {directory}/state.db.*.bak, "
        "or move it away to begin with a new state."
    )


def _revision(engine: Engine) -> str:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    handle = os.open(directory / ".upgrade.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _back_up(directory: Path, revision: str) -> None:
    # SQLite's own backup copies a consistent state, the write-ahead log included.
    target = directory / f"state.db.{revision}.bak"
    partial = target.with_suffix(".part")
    with suppress(FileNotFoundError):
        partial.unlink()
    os.close(os.open(partial, os.O_CREAT | os.O_WRONLY, 0o600))
    source, copy = sqlite3.connect(directory / "state.db"), sqlite3.connect(partial)
    try:
        source.backup(copy)
    finally:
        source.close()
        copy.close()
    os.replace(partial, target)


def _run(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["engine"] = engine
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = _revision(engine)
    if current and current not in known:
        raise StateError(f"The state was made by a newer aztrust (schema {current}): upgrade aztrust to use it.")
    command.upgrade(config, "head")
