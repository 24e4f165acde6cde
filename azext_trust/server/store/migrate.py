"""Schema revisions: a state made by an older aztrust upgrades itself, under a lock and with a backup first."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from azext_trust import home
from azext_trust.server.store import changes
from azext_trust.server.store import engine as engines
from azext_trust.server.store.errors import StateError
from azext_trust.server.store.turns import Turns

__all__ = ["HEAD", "StateError", "upgrade"]

HEAD = "0011"
"""The newest revision in ``migrations/versions``; a test holds it true."""
SCRIPTS = Path(__file__).with_name("migrations")


def upgrade(engine: Engine, directory: Path, turns: Turns) -> None:
    """Bring the database of a state to the newest revision, or make it.

    Args:
        engine: the state's.
        directory: the cloud directory; the lock and backups lie in it.
        turns: the writers' queue: nobody writes while the schema changes.

    Raises:
        StateError: the database is newer than this aztrust, or another program's.
        sqlalchemy.exc.DatabaseError: it is damaged or cannot be written; it is as it was before.
        OSError: the directory cannot be written.
    """
    sqlite, database = engine.dialect.name == "sqlite", directory / "state.db"
    if (not sqlite or database.exists()) and _ready(engine):
        return
    with turns.taken():
        if sqlite and not database.exists():
            _found(database)
            return
        current = _revision(engine)
        if current != HEAD:
            _check_known(engine, current)
            if sqlite:
                _back_up(database, current)
            run(engine)
        if sqlite:
            _keep_log(engine)


def _ready(engine: Engine) -> bool:
    if _revision(engine) != HEAD:
        return False
    with engine.connect() as connection:
        return engine.dialect.name != "sqlite" or connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def _revision(engine: Engine) -> str:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _keep_log(engine: Engine) -> None:
    """Let readers and a writer work side by side (WAL); the file remembers. A restored backup has forgotten it."""
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def _found(database: Path) -> None:
    """Make a new database beside its place and move it there whole: no half of one is ever found."""
    made = database.with_name(".state.db.new")
    for leftover in made.parent.glob(f"{made.name}*"):
        leftover.unlink()
    os.close(home.open_private(made))
    engine = engines.open_engine(made)
    try:
        run(engine)
        _keep_log(engine)
    except BaseException:
        engine.dispose()
        made.unlink()
        raise
    # The last connection writes the log back and removes it: the file is all there is.
    engine.dispose()
    made.rename(database)
    home.sync_dir(database.parent)


def _back_up(database: Path, revision: str) -> None:
    target = database.with_name(f"{database.name}.{revision}.bak")
    partial = target.with_suffix(".part")
    partial.unlink(missing_ok=True)
    os.close(home.open_private(partial))
    try:
        # A consistent copy, the write-ahead log included, of what is there: no page that was freed, no old row.
        with closing(sqlite3.connect(database, isolation_level=None, timeout=engines.BUSY_SECONDS)) as connection:
            connection.execute("VACUUM INTO ?", (str(partial),))
        _sync(partial)
        partial.replace(target)
        home.sync_dir(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _check_known(engine: Engine, current: str) -> None:
    if not current:
        if engine.dialect.name == "sqlite" and inspect(engine).get_table_names():
            raise StateError(
                f"The database {engine.url.database} was not made by aztrust. Name another directory with --state DIR."
            )
        return
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}
    if current not in known:
        raise StateError(
            f"The state was made by a newer aztrust (schema {current}; this one knows {HEAD}). Upgrade aztrust to use "
            "it, or name another directory with --state DIR."
        )


def run(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to a revision, in one transaction; tests make older databases with it."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic's settings take % for a reference.
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["engine"] = engine
    command.upgrade(config, revision)
    with engine.begin() as connection:
        changes.install(connection)
