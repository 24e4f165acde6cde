"""User-assigned managed identities: resources whose service principals have no application of their own."""

from __future__ import annotations

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select


class Identity(SQLModel, table=True):
    """A user-assigned identity; `principal_id` names its service principal, whose appId is `client_id`."""

    __tablename__ = "user_assigned_identity"

    scope_key: str = Field(primary_key=True)
    subscription_id: str = Field(index=True)
    group_key: str = Field(index=True)
    name: str
    name_key: str
    location: str
    principal_id: str = Field(unique=True)
    client_id: str = Field(unique=True)
    created: str
    created_by: str
    modified: str
    modified_by: str
    tags: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    properties: dict[str, object] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def by_scope(session: Session, scope_key: str) -> Identity | None:
    """Return the identity with this resource id in `names.scopes.key` form."""
    return session.get(Identity, scope_key)


def in_subscription(session: Session, subscription_id: str, group: str | None = None) -> list[Identity]:
    """Return the identities of a subscription, or of one of its resource groups, by name."""
    query = select(Identity).where(Identity.subscription_id == subscription_id.lower())
    if group is not None:
        query = query.where(Identity.group_key == group.lower())
    return list(session.exec(query.order_by(col(Identity.name_key), col(Identity.scope_key))))


def by_client_id(session: Session, client_id: str) -> Identity | None:
    """Return the identity with this client id (appId)."""
    return session.exec(select(Identity).where(Identity.client_id == client_id.lower())).first()


def of_principal(session: Session, principal_id: str) -> Identity | None:
    """Return the identity that a service principal belongs to."""
    return session.exec(select(Identity).where(Identity.principal_id == principal_id.lower())).first()
