"""User-assigned managed identities: resources whose service principals have no application of their own."""

from __future__ import annotations

import base64
import hashlib
import uuid

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select

from azext_trust.server.store import principals


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


def of_principal(session: Session, principal_id: str) -> Identity | None:
    """Return the identity that a service principal belongs to."""
    return session.exec(select(Identity).where(Identity.principal_id == principal_id.lower())).first()


def add_principal(session: Session, row: Identity, scope: str) -> None:
    """Add an identity's service principal, of type ManagedIdentity: it has no application and no secret.

    Args:
        session: a writing session.
        row: the identity.
        scope: its resource id.
    """
    made = _principal(row.principal_id, row.client_id, row.name, row.created, ["isExplicit=True", scope])
    session.add(made)
    session.flush()
    digest = base64.b64encode(hashlib.sha256(row.client_id.encode()).digest()).decode()
    names = [row.client_id, f"https://identity.azure.net/{digest}"]
    principals.set_service_principal_names(session, made.id, names)


def add_system_principal(
    session: Session, name: str, scope: str, now: str, object_id: str = "", client_id: str = ""
) -> principals.DirectoryObject:
    """Add the service principal of a resource's system-assigned identity, and return it.

    Args:
        session: a writing session.
        name: the resource's name.
        scope: its resource id.
        now: the moment, in `clock.to_text` form.
        object_id: the id it is to have; empty: a new one.
        client_id: the appId it is to have; empty: a new one.
    """
    object_id, client_id = object_id or str(uuid.uuid4()), client_id or str(uuid.uuid4())
    made = _principal(object_id, client_id, name, now, ["isExplicit=False", scope])
    session.add(made)
    session.flush()
    principals.set_service_principal_names(session, made.id, [client_id])
    return made


def _principal(object_id: str, client_id: str, name: str, now: str, names: list[str]) -> principals.DirectoryObject:
    return principals.DirectoryObject(
        id=object_id, kind=principals.SERVICE_PRINCIPAL, display_name=name, display_key=name.lower(), app_id=client_id,
        created=now, properties={"servicePrincipalType": "ManagedIdentity", "alternativeNames": names},
    )  # fmt: skip
