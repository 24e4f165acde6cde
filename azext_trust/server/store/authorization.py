"""Role definitions, role assignments and deny assignments."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import JSON, Column, UniqueConstraint, func, or_
from sqlmodel import Field, Session, SQLModel, col, select


class CustomRole(SQLModel, table=True):
    """A custom role definition; built-in ones are data of the rbac room."""

    __tablename__ = "role_definition"

    id: str = Field(primary_key=True)
    name: str
    name_key: str = Field(unique=True)
    description: str = ""
    permissions: list[dict[str, list[str]]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    assignable_scopes: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    created_on: str
    created_by: str | None = None
    updated_on: str
    updated_by: str | None = None


class Assignment(SQLModel, table=True):
    """A role assignment. It names its principal by id only: it outlives it (rbac-semantics.md section 4)."""

    __tablename__ = "role_assignment"
    __table_args__ = (UniqueConstraint("scope_key", "principal_id", "role_id"),)

    id: str = Field(primary_key=True)
    scope: str
    scope_key: str = Field(index=True)
    role_id: str = Field(index=True)
    principal_id: str = Field(index=True)
    principal_type: str
    description: str | None = None
    condition: str | None = None
    condition_version: str | None = None
    delegated_identity: str | None = None
    created_on: str
    created_by: str | None = None
    updated_on: str
    updated_by: str | None = None


class Deny(SQLModel, table=True):
    """A deny assignment."""

    __tablename__ = "deny_assignment"

    id: str = Field(primary_key=True)
    name: str
    scope: str
    scope_key: str = Field(index=True)
    description: str = ""
    permissions: list[dict[str, list[str]]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    principals: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    exclude_principals: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    only_this_scope: bool = False
    system_protected: bool = False
    created_on: str = ""
    created_by: str | None = None
    updated_on: str = ""
    updated_by: str | None = None
    condition: str | None = None
    condition_version: str | None = None


def assignments_of(session: Session, principal_ids: Iterable[str]) -> list[Assignment]:
    """Return all assignments of these principals, at any scope."""
    found: list[Assignment] = []
    ids = sorted(set(principal_ids))
    for at in range(0, len(ids), 500):
        found += session.exec(select(Assignment).where(col(Assignment.principal_id).in_(ids[at : at + 500])))
    return found


def custom_roles(session: Session, ids: Iterable[str] | None = None) -> list[CustomRole]:
    """Return custom roles, all or those with the given ids, by name."""
    query = select(CustomRole).order_by(col(CustomRole.name))
    if ids is not None:
        wanted = list(ids)
        if not wanted:  # most callers hold built-in roles only, and this is asked for every request
            return []
        query = query.where(col(CustomRole.id).in_(wanted))
    return list(session.exec(query))


def denies_at(session: Session, scope_keys: Iterable[str]) -> list[Deny]:
    """Return the deny assignments at these scopes."""
    return list(session.exec(select(Deny).where(col(Deny.scope_key).in_(list(scope_keys)))))


def assignments_with_role(session: Session, role_id: str, scope_keys: Iterable[str]) -> list[Assignment]:
    """Return the assignments of a role at these scopes, oldest first."""
    query = select(Assignment).where(Assignment.role_id == role_id, col(Assignment.scope_key).in_(list(scope_keys)))
    return list(session.exec(query.order_by(col(Assignment.created_on), col(Assignment.id))))


def assignments_around(session: Session, scope_key: str, chain: Iterable[str]) -> list[Assignment]:
    """Return the assignments at a scope, above it (the chain) and below it, oldest first."""
    below = "/" if scope_key == "/" else scope_key + "/"
    query = select(Assignment).where(
        or_(col(Assignment.scope_key).in_(list(chain)), col(Assignment.scope_key).startswith(below, autoescape=True))
    )
    return list(session.exec(query.order_by(col(Assignment.created_on), col(Assignment.id))))


def count_below(session: Session, scope_key: str) -> int:
    """Count the assignments at a scope and below it."""
    query = (
        select(func.count())
        .select_from(Assignment)
        .where(
            or_(
                col(Assignment.scope_key) == scope_key,
                col(Assignment.scope_key).startswith(scope_key + "/", autoescape=True),
            )
        )
    )
    return session.exec(query).one()


def has_assignments(session: Session, role_id: str) -> bool:
    """Tell whether anybody is assigned a role."""
    return session.exec(select(Assignment.id).where(Assignment.role_id == role_id).limit(1)).first() is not None


def custom_role_by_name(session: Session, name: str) -> CustomRole | None:
    """Return the custom role with this name; case is ignored."""
    return session.exec(select(CustomRole).where(CustomRole.name_key == name.lower())).first()


def denies_around(session: Session, scope_key: str, chain: Iterable[str]) -> list[Deny]:
    """Return the deny assignments at a scope, above it (the chain) and below it."""
    below = "/" if scope_key == "/" else scope_key + "/"
    query = select(Deny).where(
        or_(col(Deny.scope_key).in_(list(chain)), col(Deny.scope_key).startswith(below, autoescape=True))
    )
    return list(session.exec(query.order_by(col(Deny.created_on), col(Deny.id))))


def remove_below(session: Session, scope_key: str) -> int:
    """Delete the role and deny assignments at a scope that goes away, and below it; a later one of its name has none.

    Returns:
        how many role assignments went.
    """
    gone = 0
    for table in (Assignment, Deny):
        rows = session.exec(
            select(table).where(
                or_(
                    col(table.scope_key) == scope_key,
                    col(table.scope_key).startswith(scope_key + "/", autoescape=True),
                )
            )
        ).all()
        gone += len(rows) if table is Assignment else 0
        for row in rows:
            session.delete(row)
    return gone
