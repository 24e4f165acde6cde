"""Brings a seed's custom roles, assignments, deny assignments and locks into the state."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from azext_trust.names import scopes
from azext_trust.rbac.decide import EVERYBODY
from azext_trust.server.operator.seed_context import Context, orphan_or
from azext_trust.server.operator.seed_parts import AssignmentPart, CustomRolePart, DenyPart, LockPart, UserPart
from azext_trust.server.store import authorization, clock, management_locks

EVERYONE = "everyone"


def _permissions(part: CustomRolePart | DenyPart) -> list[dict[str, list[str]]]:
    own = [part.lists()] if any(part.lists().values()) or not part.permissions else []
    return own + [more.lists() for more in part.permissions]


def custom_role(context: Context, part: CustomRolePart) -> None:
    """Make a custom role, or compare one."""
    wanted = [context.scope(text) for text in part.assignable_scopes]
    found = authorization.custom_role_by_name(context.session, part.name)
    if found is not None:
        what = f"role {part.name}"
        context.compare(f"the id of {what}", found.id, part.id)
        context.compare(f"the description of {what}", found.description, part.description)
        context.compare(f"the permissions of {what}", found.permissions, _permissions(part))
        context.compare(f"the assignable scopes of {what}", found.assignable_scopes, wanted)
        return
    context.session.add(
        authorization.CustomRole(
            id=part.id or str(uuid.uuid4()), name=part.name, name_key=part.name.lower(),
            description=part.description, permissions=_permissions(part), assignable_scopes=wanted,
            created_on=context.now, updated_on=context.now,
        )
    )  # fmt: skip
    context.done.created.append(f"custom role {part.name}")


def user_roles(context: Context, part: UserPart) -> None:
    """Assign the roles that stand at a user."""
    for role in part.roles:
        assignment(context, AssignmentPart(assignee=part.name, role=role.role, scope=role.scope))


def assignment(context: Context, part: AssignmentPart) -> None:
    """Assign a role, or compare the assignment."""
    principal, kind = orphan_or(context, part.assignee, part.principal_type)
    scope, role_id = context.scope(part.scope), context.role(part.role)
    for row in authorization.assignments_of(context.session, [principal]):
        if row.scope_key == scopes.key(scope) and row.role_id == role_id:
            what = f"role {part.role} for {part.assignee}"
            context.compare(f"the id of {what}", row.id, part.id)
            context.compare(f"the condition of {what}", row.condition, part.condition)
            context.compare(f"the description of {what}", row.description, part.description)
            return
    context.session.add(
        authorization.Assignment(
            id=part.id or str(uuid.uuid4()), scope=scope, scope_key=scopes.key(scope), role_id=role_id,
            principal_id=principal, principal_type=kind, description=part.description, condition=part.condition,
            condition_version="2.0" if part.condition else None, delegated_identity=part.delegated_identity,
            created_on=_tick(context), updated_on=context.now, created_by=principal, updated_by=principal,
        )
    )  # fmt: skip
    context.done.created.append(f"role {part.role} for {part.assignee}")


def _tick(context: Context) -> str:
    # The log and "first Owner of the seed" need the order of the file: one microsecond apart.
    count = sum(line.startswith("role ") for line in context.done.created)
    return clock.to_text(clock.from_text(context.now) + timedelta(microseconds=count))


def deny_assignment(context: Context, part: DenyPart) -> None:
    """Make a deny assignment, or compare one."""
    scope = context.scope(part.scope)
    wanted: dict[str, Any] = {
        "description": part.description, "permissions": _permissions(part),
        "principals": [_denied(context, name) for name in part.principals],
        "exclude_principals": [_denied(context, name) for name in part.exclude_principals],
        "only_this_scope": part.only_this_scope, "system_protected": part.system_protected,
        "condition": part.condition,
    }  # fmt: skip
    for row in authorization.denies_at(context.session, [scopes.key(scope)]):
        if row.id == part.id or (part.id is None and row.name == part.name):
            found = {name: getattr(row, name) for name in wanted}
            context.compare_members(f"deny assignment {part.name}", found, wanted)
            return
    context.session.add(
        authorization.Deny(
            id=part.id or str(uuid.uuid4()), name=part.name, scope=scope, scope_key=scopes.key(scope),
            condition_version="2.0" if part.condition else None, created_on=context.now, updated_on=context.now,
            **wanted,
        )
    )  # fmt: skip
    context.done.created.append(f"deny assignment {part.name}")


def _denied(context: Context, name: str) -> dict[str, str]:
    if name == EVERYONE:
        return {"id": EVERYBODY, "type": "SystemDefined"}
    found = context.principal(name)
    return {"id": found.id, "type": found.kind}


def lock(context: Context, part: LockPart) -> None:
    """Make a management lock, or compare one."""
    scope = context.scope(part.scope)
    found = management_locks.named(context.session, scopes.key(scope), part.name)
    if found is not None:
        context.compare(f"the level of lock {part.name}", found.level, part.level)
        context.compare(f"the notes of lock {part.name}", found.notes, part.notes)
        return
    context.session.add(
        management_locks.ManagementLock(
            id=str(uuid.uuid4()), scope=scope, scope_key=scopes.key(scope), name=part.name,
            name_key=part.name.lower(), level=part.level, notes=part.notes, created=context.now, created_by="seed",
        )
    )  # fmt: skip
    context.done.created.append(f"lock {part.name}")
