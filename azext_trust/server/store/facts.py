"""Single facts of the whole state: its revision, tenant, clock and retirement position."""

from __future__ import annotations

from sqlmodel import Field, Session, SQLModel


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


def get(session: Session, name: str, default: str = "") -> str:
    """Return a fact's value, or the default when it was never set."""
    found = session.get(Fact, name)
    return found.value if found else default


def put(session: Session, name: str, value: str) -> None:
    """Set a fact."""
    found = session.get(Fact, name)
    if found is None:
        session.add(Fact(name=name, value=value))
    else:
        found.value = value
    session.flush()
