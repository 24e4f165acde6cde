"""Statements on the driver's own cursor are the connection's transaction like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from azext_trust.server.store.engine import open_engine
from azext_trust.server.store.statements import Statement

INSERT = Statement("INSERT INTO thing (name) VALUES (:name)")
BEGIN = Statement("BEGIN IMMEDIATE")


def test_a_commit_commits_them(tmp_path: Path) -> None:
    """Also where nothing else was done on the connection: SQLAlchemy would not know that there is anything."""
    engine = open_engine(tmp_path / "x.db", None)
    with engine.connect() as connection:
        BEGIN.done(connection, {})
        connection.execute(text("CREATE TABLE thing (name TEXT PRIMARY KEY)"))
        connection.commit()
        BEGIN.done(connection, {})
        INSERT.done(connection, {"name": "kept"})
        connection.commit()
        BEGIN.done(connection, {})
        INSERT.each(connection, [{"name": "dropped"}])
        connection.rollback()
    with engine.connect() as connection:
        assert Statement("SELECT name FROM thing").rows(connection, {}) == [("kept",)]
        with pytest.raises(IntegrityError):
            INSERT.done(connection, {"name": "kept"})
        with pytest.raises(OperationalError):
            Statement("SELECT nothing FROM nowhere").first(connection, {})
    engine.dispose()
