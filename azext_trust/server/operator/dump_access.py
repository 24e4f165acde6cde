"""Custom roles, assignments, deny assignments and locks, as parts of a seed."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, select

from azext_trust.rbac import roles
from azext_trust.rbac.decide import EVERYBODY
from azext_trust.server.operator.dump_names import Names
from azext_trust.server.operator.seed_access import EVERYONE
from azext_trust.server.operator.seed_parts import AssignmentPart, CustomRolePart, DenyPart, LockPart
from azext_trust.server.store import authorization, management_locks


def _lists(permissions: list[dict[str, list[str]]]) -> dict[str, Any]:
    """Return the one permission that there is as a rule at the part itself, several ones as a list."""
    if len(permissions) == 1:
        return dict(permissions[0])
    return {"permissions": permissions}


def custom_roles(session: Session) -> list[CustomRolePart]:
    """Return the custom roles by name."""
    return [
        CustomRolePart.model_validate(
            {"name": row.name, "id": row.id, "description": row.description,
             "assignableScopes": row.assignable_scopes, **_lists(row.permissions)}
        )
        for row in sorted(authorization.custom_roles(session), key=lambda row: row.name_key)
    ]  # fmt: skip


def assignments(session: Session, names: Names) -> list[AssignmentPart]:
    """Return the role assignments, the oldest first: the first Owner is who signs in without a name."""
    known = {role_id: role.name for role_id, role in roles.built_in_roles().items()}
    known |= {row.id: row.name for row in authorization.custom_roles(session)}
    rows = sorted(session.exec(select(authorization.Assignment)), key=lambda row: (row.created_on, row.id))
    return [
        AssignmentPart(
            assignee=names[row.principal_id], role=known.get(row.role_id, row.role_id), scope=row.scope, id=row.id,
            description=row.description, condition=row.condition, delegated_identity=row.delegated_identity,
            principal_type=None if names.known(row.principal_id) else row.principal_type,
        )
        for row in rows
    ]  # fmt: skip


def deny_assignments(session: Session, names: Names) -> list[DenyPart]:
    """Return the deny assignments."""
    rows = sorted(session.exec(select(authorization.Deny)), key=lambda row: (row.scope_key, row.name, row.id))
    return [
        DenyPart.model_validate(
            {"name": row.name, "id": row.id, "scope": row.scope, "description": row.description,
             **_lists(row.permissions), "principals": _principals(row.principals, names),
             "excludePrincipals": _principals(row.exclude_principals, names),
             "doNotApplyToChildScopes": row.only_this_scope, "isSystemProtected": row.system_protected,
             "condition": row.condition}
        )
        for row in rows
    ]  # fmt: skip


def _principals(rows: list[dict[str, str]], names: Names) -> list[str]:
    return [EVERYONE if one["id"] == EVERYBODY else names[one["id"]] for one in rows]


def locks(session: Session) -> list[LockPart]:
    """Return the management locks."""
    rows = sorted(session.exec(select(management_locks.ManagementLock)), key=lambda row: (row.scope_key, row.name_key))
    return [LockPart(name=row.name, level=row.level, scope=row.scope, notes=row.notes) for row in rows]
