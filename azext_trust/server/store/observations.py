"""What a twin observed of a live cloud (M26): how far the reading is, and what no other table has room for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Column, Table, and_, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, delete
from sqlmodel import select as select_rows

RUN = "run"
"""The step that stands for the whole reading: its `next` is the source, it is done when everything is."""
_KEYS = 400


class Observation(SQLModel, table=True):
    """A step of the reading: a list of the live cloud, page by page.

    `next` is the address of the next page, or whatever else tells where to go on; `problem` says why the list could
    not be read, or is empty.
    """

    __tablename__ = "observation"

    step: str = Field(primary_key=True)
    run: str
    next: str = ""
    done: bool = False
    count: int = 0
    problem: str = ""


class ObservedKey(SQLModel, table=True):
    """A row that came from the live cloud, and the last reading that saw it: what one does not see is gone there."""

    __tablename__ = "observed_key"

    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    run: str = Field(index=True)


class ObservedImage(SQLModel, table=True):
    """A repository's images: tags with their digests, and all manifests; digests are hex."""

    __tablename__ = "observed_image"

    registry_id: str = Field(primary_key=True)
    repository: str = Field(primary_key=True)
    tags: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    manifests: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class ObservedEvent(SQLModel, table=True):
    """An entry of the live cloud's activity log; the twin's own log is another one, and stays unbroken."""

    __tablename__ = "observed_event"

    key: str = Field(primary_key=True)
    time: str = Field(index=True)
    operation: str
    scope: str
    outcome: str
    caller_id: str
    caller_name: str
    correlation_id: str
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def steps(session: Session) -> list[Observation]:
    """Return all steps by name."""
    return list(session.exec(select_rows(Observation).order_by(col(Observation.step))))


def problems(session: Session) -> list[Observation]:
    """Return the steps whose list could not be read."""
    return list(session.exec(select_rows(Observation).where(Observation.problem != "").order_by(col(Observation.step))))


def table_of(model: type[SQLModel]) -> Table:
    """Return a model's table."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def upsert(
    session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]], unique: Iterable[tuple[str, ...]] = ()
) -> None:  # fmt: skip
    """Insert rows, or change those that exist.

    Args:
        session: of a writing transaction.
        model: their table.
        rows: each with the same columns, the primary key among them.
        unique: further unique columns: another row that has the same there is an old one and goes first.
    """
    if not rows:
        return
    table = table_of(model)
    key = [column.name for column in table.primary_key]
    for columns in unique:
        _clear(session, table, key, rows, columns)
    made = {tuple(row[name] for name in key): row for row in rows}  # one statement may touch a row once only
    names = list(rows[0])
    insert = (sqlite if session.connection().dialect.name == "sqlite" else postgresql).insert(table)
    changed = {name: insert.excluded[name] for name in names if name not in key}
    statement = insert.on_conflict_do_update(index_elements=key, set_=changed) if changed else (
        insert.on_conflict_do_nothing(index_elements=key)
    )  # fmt: skip
    session.connection().execute(statement, list(made.values()))


def _clear(
    session: Session, table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]], columns: tuple[str, ...]
) -> None:  # fmt: skip
    """Delete rows that have the same values in unique columns and another primary key."""
    wanted = [row for row in rows if all(row.get(name) is not None for name in columns)]
    for at in range(0, len(wanted), _KEYS):
        piece = wanted[at : at + _KEYS]
        same = tuple_(*(table.c[name] for name in columns)).in_([tuple(row[name] for name in columns) for row in piece])
        own = tuple_(*(table.c[name] for name in key)).in_([tuple(row[name] for name in key) for row in piece])
        session.connection().execute(table.delete().where(same, ~own))


def seen(session: Session, kind: str, keys: Iterable[str], run: str) -> None:
    """Note that a reading saw rows."""
    upsert(session, ObservedKey, [{"kind": kind, "key": key, "run": run} for key in dict.fromkeys(keys)])


def unseen(session: Session, kind: str, run: str) -> list[str]:
    """Return the keys of a kind that an earlier reading saw and this one did not."""
    query = select(table_of(ObservedKey).c.key).where(
        and_(table_of(ObservedKey).c.kind == kind, table_of(ObservedKey).c.run != run)
    )
    return [str(key) for key in session.connection().execute(query).scalars()]


def forget(session: Session, model: type[SQLModel] | None, kind: str, keys: Sequence[str]) -> None:
    """Delete rows that are gone in the live cloud, by their keys: the primary key's parts with a space between."""
    for at in range(0, len(keys), _KEYS):
        piece = keys[at : at + _KEYS]
        if model is not None:
            table = table_of(model)
            columns = list(table.primary_key)
            match = [and_(*(c == part for c, part in zip(columns, key.split(" "), strict=True))) for key in piece]
            session.connection().execute(table.delete().where(or_(*match)))
        session.exec(delete(ObservedKey).where(col(ObservedKey.kind) == kind, col(ObservedKey.key).in_(piece)))
