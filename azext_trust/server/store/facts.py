"""Single facts of the whole state: its revision, tenant, clock and retirement position."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text
from sqlmodel import Field, Session, SQLModel

from azext_trust.server.store.statements import Statement


class Fact(SQLModel, table=True):
    """One named fact of the state."""

    __tablename__ = "fact"

    name: str = Field(primary_key=True)
    value: str


REVISION = "revision"
CONTENT = "content"
"""The number that changes of manifests, tags and locks move; blobs that come do not."""
TENANT_ID = "tenant-id"
TENANT_DOMAIN = "tenant-domain"
TENANT_NAME = "tenant-name"
CLOCK_OFFSET = "clock-offset-seconds"
CLOCK_FROZEN = "clock-frozen-at"
RETIREMENT = "retirement"
ACTIVITY_HEAD = "activity-head"
BLOBS = "blobs"
"""The address of the object store in which blobs lie; absent for the cloud directory."""
VAULT_CHECK = "vault-check"
"""Shows whether the key file is the one the state was made with."""
WIPE = "wipe"
"""What is still to be done after trust data was erased (see `wipe`); absent when nothing is."""

_ALL = Statement("SELECT name, value FROM fact")
_PUT = Statement(
    "INSERT INTO fact (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_CACHE = "aztrust facts"


def known(session: Session) -> dict[str, str]:
    """Return all facts by name. They are few, every request asks for several: a transaction reads them once."""
    found: dict[str, str] | None = session.info.get(_CACHE)
    if found is None:
        found = session.info[_CACHE] = dict(_ALL.rows(session.connection(), {}))
    return found


def get(session: Session, name: str, default: str = "") -> str:
    """Return a fact's value, or the default when it was never set."""
    return known(session).get(name, default)


def put(session: Session, name: str, value: str) -> None:
    """Set a fact."""
    put_all(session, {name: value})


def put_all(session: Session, values: Mapping[str, str]) -> None:
    """Set several facts at once."""
    known(session).update(values)
    _PUT.each(session.connection(), [{"name": name, "value": value} for name, value in values.items()])


def remove(session: Session, name: str) -> None:
    """Forget a fact."""
    known(session).pop(name, None)
    session.connection().execute(text("DELETE FROM fact WHERE name = :name"), {"name": name})
