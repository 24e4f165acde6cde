"""The change feed of authorization: which facts moved, in order, so that every worker's index moves with them.

Triggers write it, so that no way of changing a row escapes: bulk statements and cascades of foreign keys included. A
row says what moved, not how: whoever follows reads the fact as it is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Integer, inspect, text
from sqlmodel import Field, Session, SQLModel

from azext_trust.server.store.statements import Statement

KEPT = 20_000
"""How many changes are kept; who is further behind reads everything anew."""
_PRUNE_EVERY = 1_000


class Mark(NamedTuple):
    """A place in the feed. The token is random: after a restored snapshot the same number is another change."""

    sequence: int
    token: str


class Change(NamedTuple):
    """What moved: kind ``assignment``, ``role``, ``deny``, ``member`` (two ids), ``principal``, ``subscription`` ..."""

    kind: str
    key: str


class _Watched(NamedTuple):
    table: str
    kind: str
    columns: tuple[str, ...]
    updates: tuple[str, ...] = ()


WATCHED = (
    _Watched("role_assignment", "assignment", ("id",)),
    _Watched("role_definition", "role", ("id",)),
    _Watched("deny_assignment", "deny", ("id",)),
    _Watched("membership", "member", ("group_id", "member_id")),
    _Watched("directory_object", "principal", ("id",), ("kind", "classic_administrator")),
    _Watched("subscription", "subscription", ("id",), ("management_group",)),
    _Watched("management_group", "management group", ("key",), ("parent_key",)),
)
"""The tables the index is made of, the key of a change, and the columns whose update matters (empty: all)."""


class AuthorizationChange(SQLModel, table=True):
    """A line of the feed; written by triggers only."""

    __tablename__ = "authorization_change"

    sequence: int = Field(sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True))
    kind: str
    key: str
    token: str


def install(connection: Connection) -> None:
    """Make the feed's triggers where they are missing, and its first line.

    Runs after every upgrade of the schema: SQLite drops a table's triggers when a migration builds it anew.
    """
    if not inspect(connection).has_table("authorization_change"):
        return
    for statement in _sqlite_triggers() if connection.dialect.name == "sqlite" else _postgresql_triggers():
        connection.execute(text(statement))
    if connection.execute(text("SELECT 1 FROM authorization_change LIMIT 1")).first() is None:
        connection.execute(text("INSERT INTO authorization_change (kind, key) VALUES ('beginning', '')"))


def _sqlite_triggers() -> Iterator[str]:
    for watched in WATCHED:
        for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            of = f" OF {', '.join(watched.updates)}" if event == "UPDATE" and watched.updates else ""
            key = " || ' ' || ".join(f"{row}.{column}" for column in watched.columns)
            yield (
                f"CREATE TRIGGER IF NOT EXISTS authorization_change_{watched.table}_{event.lower()} "
                f"AFTER {event}{of} ON {watched.table} BEGIN "
                f"INSERT INTO authorization_change (kind, key) VALUES ('{watched.kind}', {key}); END"
            )


def _postgresql_triggers() -> Iterator[str]:
    yield (
        "CREATE OR REPLACE FUNCTION authorization_changed() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "DECLARE moved jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END); "
        "key text := moved ->> TG_ARGV[1]; BEGIN "
        "IF TG_NARGS > 2 THEN key := key || ' ' || (moved ->> TG_ARGV[2]); END IF; "
        "INSERT INTO authorization_change (kind, key) VALUES (TG_ARGV[0], key); RETURN NULL; END $$"
    )
    for watched in WATCHED:
        of = f" OF {', '.join(watched.updates)}" if watched.updates else ""
        given = ", ".join(f"'{word}'" for word in (watched.kind, *watched.columns))
        yield (
            f"CREATE OR REPLACE TRIGGER authorization_change AFTER INSERT OR DELETE OR UPDATE{of} "
            f"ON {watched.table} FOR EACH ROW EXECUTE FUNCTION authorization_changed({given})"
        )


_HEAD = Statement("SELECT sequence, token FROM authorization_change ORDER BY sequence DESC LIMIT 1")


def head(session: Session) -> Mark:
    """Return the newest place of the feed, as this transaction sees it."""
    row = _HEAD.first(session.connection(), {})
    return Mark(*row) if row else Mark(0, "")


def since(session: Session, mark: Mark) -> list[Change] | None:
    """Return what moved after a place, each once; None when the feed does not go back to it."""
    query = "SELECT token FROM authorization_change WHERE sequence = :at"
    if session.connection().execute(text(query), {"at": mark.sequence}).scalar() != mark.token:
        return None
    query = "SELECT DISTINCT kind, key FROM authorization_change WHERE sequence > :at"
    return [Change(*row) for row in session.connection().execute(text(query), {"at": mark.sequence})]


def prune(session: Session, before: Mark) -> None:
    """Forget old changes, now and then; the newest always stays.

    Args:
        session: a writing session about to be committed.
        before: the head when it began.
    """
    now = head(session).sequence
    if now // _PRUNE_EVERY != before.sequence // _PRUNE_EVERY:
        query = text("DELETE FROM authorization_change WHERE sequence <= :until")
        session.connection().execute(query, {"until": now - KEPT})
