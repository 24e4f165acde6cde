"""A store on SQLite and on PostgreSQL: each test body runs on both, each time in a database of its own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, make_url, text
from sqlmodel import Session

from azext_trust.server.store import engine as engines
from azext_trust.server.store.transaction import Store

SERVER = os.environ.get("AZTRUST_TEST_POSTGRES")
"""``scripts/test`` starts a private PostgreSQL and names it here."""


@dataclass(frozen=True)
class Place:
    """Where a state lies.

    Attributes:
        directory: the cloud directory.
        url: the PostgreSQL database, or None for SQLite.
    """

    directory: Path
    url: str | None

    def open(self) -> Store:
        """Open the state."""
        return Store(self.directory, self.url)

    def engine(self) -> Engine:
        """Return an engine of the database below the store."""
        return engines.open_engine(self.directory / "state.db", self.url)


def _maintain(statement: str) -> None:
    assert SERVER is not None
    engine = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    """Name the database."""
    return str(request.param)


@contextmanager
def _database() -> Iterator[str]:
    """Make a PostgreSQL database, give its URL, and drop it."""
    name = f"t{uuid.uuid4().hex}"
    _maintain(f"CREATE DATABASE {name}")
    yield make_url(SERVER or "").set(database=name).render_as_string(hide_password=False)
    _maintain(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def place(kind: str, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place for a state."""
    with _database() if kind == "postgresql" else nullcontext() as url:
        yield Place(tmp_path / "cloud", url)


@pytest.fixture(scope="session")
def shared() -> Iterator[str]:
    """Give the PostgreSQL database that the tests of one process empty between them: quicker than making tables."""
    with _database() as url:
        yield url


@pytest.fixture
def store(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Give an empty state, opened."""
    url = request.getfixturevalue("shared") if kind == "postgresql" else None
    with closing(Store(tmp_path / "cloud", url)) as opened:
        yield opened
        if url:
            _empty(opened)


def _empty(store: Store) -> None:
    with store.engine.begin() as connection:
        names = ", ".join(set(inspect(connection).get_table_names()) - {"alembic_version"})
        connection.execute(text(f"TRUNCATE {names}"))


def change(store: Store, make: Callable[[Session], object]) -> None:
    """Make one change in a transaction of its own."""
    with store.write() as transaction:
        make(transaction.session)
        transaction.session.flush()
