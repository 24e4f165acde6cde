"""What applications were granted in other applications: delegated permissions and application roles."""

from __future__ import annotations

from sqlmodel import Field, Session, SQLModel, col, select


class PermissionGrant(SQLModel, table=True):
    """Delegated permissions that a client holds at a resource (oAuth2PermissionGrant resource type)."""

    __tablename__ = "permission_grant"

    id: str = Field(primary_key=True)
    client_id: str = Field(foreign_key="directory_object.id", index=True, ondelete="CASCADE")
    consent_type: str
    principal_id: str | None = Field(default=None, foreign_key="directory_object.id", index=True, ondelete="CASCADE")
    resource_id: str = Field(foreign_key="directory_object.id", index=True, ondelete="CASCADE")
    scope: str = ""


class RoleGrant(SQLModel, table=True):
    """An application role held by a user, group or service principal (appRoleAssignment resource type)."""

    __tablename__ = "app_role_assignment"

    id: str = Field(primary_key=True)
    app_role_id: str
    principal_id: str = Field(foreign_key="directory_object.id", index=True, ondelete="CASCADE")
    resource_id: str = Field(foreign_key="directory_object.id", index=True, ondelete="CASCADE")
    created: str


def permission_grants(session: Session, client_id: str = "") -> list[PermissionGrant]:
    """Return the grants of delegated permissions, all or those of a client."""
    query = select(PermissionGrant).order_by(col(PermissionGrant.id))
    return list(session.exec(query.where(PermissionGrant.client_id == client_id) if client_id else query))


def roles_held(session: Session, principal_id: str) -> list[RoleGrant]:
    """Return the application roles that somebody holds."""
    query = select(RoleGrant).where(RoleGrant.principal_id == principal_id)
    return list(session.exec(query.order_by(col(RoleGrant.created), col(RoleGrant.id))))


def roles_given(session: Session, resource_id: str) -> list[RoleGrant]:
    """Return who holds application roles at a resource."""
    query = select(RoleGrant).where(RoleGrant.resource_id == resource_id)
    return list(session.exec(query.order_by(col(RoleGrant.created), col(RoleGrant.id))))
