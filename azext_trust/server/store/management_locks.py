"""Management locks: what ARM itself forbids at a scope and below it, whatever roles allow."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import JSON, Column, UniqueConstraint, or_
from sqlmodel import Field, Session, SQLModel, col, select

CAN_NOT_DELETE, READ_ONLY = "CanNotDelete", "ReadOnly"


class ManagementLock(SQLModel, table=True):
    """A lock on a subscription, a resource group or a resource."""

    __tablename__ = "management_lock"
    __table_args__ = (UniqueConstraint("scope_key", "name_key"),)

    id: str = Field(primary_key=True)
    scope: str
    scope_key: str = Field(index=True)
    name: str
    name_key: str
    level: str
    notes: str | None = None
    owners: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    created: str
    created_by: str


def at(session: Session, scope_keys: Iterable[str]) -> list[ManagementLock]:
    """Return the locks at these scopes."""
    query = select(ManagementLock).where(col(ManagementLock.scope_key).in_(list(scope_keys)))
    return list(session.exec(query.order_by(col(ManagementLock.scope_key), col(ManagementLock.name_key))))


def around(session: Session, scope_key: str, chain: Iterable[str] = ()) -> list[ManagementLock]:
    """Return the locks at a scope and below it, and those at the scopes of a chain above."""
    query = select(ManagementLock).where(
        or_(
            col(ManagementLock.scope_key).in_([scope_key, *chain]),
            col(ManagementLock.scope_key).startswith(scope_key.rstrip("/") + "/", autoescape=True),
        )
    )
    return list(session.exec(query.order_by(col(ManagementLock.scope_key), col(ManagementLock.name_key))))


def named(session: Session, scope_key: str, name: str) -> ManagementLock | None:
    """Return the lock of this name at a scope; case is ignored."""
    query = select(ManagementLock).where(ManagementLock.scope_key == scope_key, ManagementLock.name_key == name.lower())
    return session.exec(query).first()
