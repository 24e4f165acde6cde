"""Databases of every age open, or say why not (M32)."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, inspect, text
from sqlmodel import SQLModel

from azext_trust.server.store import migrate, tables
from azext_trust.server.store.errors import StateError
from azext_trust.server.store.transaction import Store
from tests.contract.conftest import Place
from tests.contract.test_writers import start_writers

REVISIONS = [script.revision for script in ScriptDirectory(str(migrate.SCRIPTS)).walk_revisions()][::-1]
OLDER = REVISIONS[:-1]
_FAR = 7_000_000
"""More than a sequence of PostgreSQL has given out, when triggers go on with it."""
_VALUES = {"INTEGER": 7, "BIGINT": _FAR, "BOOLEAN": False, "JSON": {"a": ["é"]}, "BLOB": b"\0\xff", "BYTEA": b"\0\xff"}


def make_older(place: Place, revision: str) -> None:
    """Make a state's database as an older aztrust left it, with a row in every table."""
    place.directory.mkdir(mode=0o700, exist_ok=True)
    engine = place.engine()
    migrate.run(engine, revision)
    known = MetaData()
    known.reflect(engine)
    with engine.connect() as connection:
        for table in known.sorted_tables:
            if table.name != "alembic_version":
                connection.execute(table.insert().values({column.name: _value(column) for column in table.columns}))
        connection.commit()
    engine.dispose()


def _value(column: Column[object]) -> object:
    return _VALUES.get(str(column.type).split("(")[0], "same")


def content_of(place: Place) -> dict[str, dict[str, object]]:
    """Return the row of each table."""
    engine = place.engine()
    with engine.connect() as connection:
        names = set(inspect(connection).get_table_names()) - {"alembic_version"}
        found = {name: [dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()]
                 for name in names}  # fmt: skip
    engine.dispose()
    return {name: rows[0] for name, rows in found.items() if rows}


def revision_of(place: Place) -> str:
    """Return the revision that the database says it has."""
    engine = place.engine()
    with engine.connect() as connection:
        found = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
    engine.dispose()
    return found


def test_head_is_the_newest_revision() -> None:
    """M32: the revision that is looked for at every start is the last of the migrations."""
    assert ScriptDirectory(str(migrate.SCRIPTS)).get_heads() == [migrate.HEAD]


def test_migrations_make_what_the_tables_say(store: Store) -> None:
    """M32: from nothing, the migrations make exactly the tables that the code uses."""
    assert len(tables.__all__) > 1
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


@pytest.mark.parametrize("revision", OLDER)
def test_an_older_database_keeps_its_data(place: Place, revision: str) -> None:
    """M32: a database of each older revision upgrades itself; every value in it is there afterwards."""
    make_older(place, revision)
    before = content_of(place)
    place.open().close()
    after = content_of(place)
    assert revision_of(place) == migrate.HEAD
    assert len(before) >= 16
    assert {name: {column: after[name][column] for column in row} for name, row in before.items()} == before


@pytest.mark.parametrize("revision", OLDER)
def test_an_older_database_is_backed_up_first(tmp_path: Path, revision: str) -> None:
    """M32: what was there before an upgrade stays beside it, complete, readable by its owner only."""
    place = Place(tmp_path / "cloud", None)
    make_older(place, revision)
    before = content_of(place)
    place.open().close()
    backup = place.directory / f"state.db.{revision}.bak"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    (tmp_path / "restored").mkdir()
    restored = Place(tmp_path / "restored", None)
    backup.rename(restored.directory / "state.db")
    assert (revision_of(restored), content_of(restored)) == (revision, before)


def test_a_restored_backup_opens(tmp_path: Path) -> None:
    """M32: a backup put back upgrades itself again, and works as before."""
    place = Place(tmp_path / "cloud", None)
    make_older(place, OLDER[0])
    place.open().close()
    (place.directory / f"state.db.{OLDER[0]}.bak").replace(place.directory / "state.db")
    store = place.open()
    with store.write() as writer, store.read() as reader:
        assert (writer.revision(), reader.revision()) == (0, 0)
    store.close()


def test_processes_that_upgrade_at_once(place: Place) -> None:
    """M32: the first upgrades, the others wait and find it done."""
    make_older(place, OLDER[0])
    started = [start_writers(place, 1, 3) for _ in range(3)]
    assert [process.communicate(timeout=120)[1] for process in started] == [""] * 3
    assert revision_of(place) == migrate.HEAD
    store = place.open()
    with store.read() as transaction:
        assert transaction.revision() == 9
    store.close()


def test_a_newer_database_is_refused(place: Place) -> None:
    """M32: a database of a revision that is not known is left alone, and the cure is named."""
    place.open().close()
    engine = place.engine()
    with engine.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()
    engine.dispose()
    with pytest.raises(StateError, match=r"newer aztrust \(schema 9999; .*Upgrade aztrust to use it"):
        place.open()
    assert revision_of(place) == "9999"
    assert list(place.directory.glob("*.bak")) == []


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    """M32: tables are not added to a database that is not ours."""
    place = Place(tmp_path, None)
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(StateError, match="was not made by aztrust"):
        place.open()


def test_an_upgrade_that_fails_changes_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """M32: an upgrade is all or nothing, tables included."""
    make_older(place, OLDER[0])
    before = content_of(place)
    monkeypatch.setattr(Operations, "create_index", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        place.open()
    assert (revision_of(place), content_of(place)) == (OLDER[0], before)
