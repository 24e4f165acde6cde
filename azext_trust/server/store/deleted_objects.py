"""Deleted users, groups, applications and service principals: kept 30 days, restorable (Graph: deletedItems)."""

from __future__ import annotations

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select

DAYS = 30
"""How long a deleted object can be restored."""


class DeletedObject(SQLModel, table=True):
    """A deleted object; `content` holds its rows, so that it comes back with its names, secrets' hashes and members."""

    __tablename__ = "deleted_object"

    id: str = Field(primary_key=True)
    kind: str = Field(index=True)
    display_name: str
    deleted: str = Field(index=True)
    content: dict[str, list[dict[str, object]]] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def of_kind(session: Session, kind: str, since: str) -> list[DeletedObject]:
    """Return the deleted objects of a kind that can still be restored, newest first.

    Args:
        session: a session.
        kind: ``User``, ``Group``, ``ServicePrincipal`` or ``Application``.
        since: those deleted before this moment (`clock.to_text` form) are gone.
    """
    query = select(DeletedObject).where(DeletedObject.kind == kind, col(DeletedObject.deleted) >= since)
    return list(session.exec(query.order_by(col(DeletedObject.deleted).desc(), col(DeletedObject.id))))
