"""The decision: default deny, roles add up, notActions subtract locally, a deny assignment beats them all."""

from __future__ import annotations

from collections.abc import Iterable

from azext_trust.names import scopes
from azext_trust.rbac import match
from azext_trust.rbac.model import (
    Decision,
    DenyAssignment,
    Facts,
    Grant,
    Miss,
    Permission,
    Query,
    RoleAssignment,
    RoleDefinition,
)

EVERYBODY = "00000000-0000-0000-0000-000000000000"
"""The principal id of a deny assignment that concerns all principals (rbac-semantics.md section 5)."""


def decide(facts: Facts, query: Query) -> Decision:
    """Decide whether a principal may do something somewhere, and say why (rbac-semantics.md section 1).

    Args:
        facts: the principal with its groups, its assignments and theirs, the roles, the denies.
        query: action, plane, scope chain and attributes.
    """
    grants: list[Grant] = []
    misses: list[Miss] = []
    chain = frozenset(query.chain)
    for assignment in facts.assignments:
        role = facts.roles.get(assignment.role_id)
        if role is not None:
            found = _weigh(facts, query, chain, assignment, role)
            if isinstance(found, Grant):
                grants.append(found)
            elif found is not None:
                misses.append(found)
    classic = _classic(facts, query)
    if classic:
        grants.append(classic)
    refused = any(miss.kind == "condition" for miss in misses)
    if not grants:
        return Decision(False, (), None, tuple(misses), refused)
    denied = _denied(facts, query)
    return Decision(denied is None, tuple(grants), denied, tuple(misses), False)


def _weigh(
    facts: Facts, query: Query, chain: frozenset[str], assignment: RoleAssignment, role: RoleDefinition
) -> Grant | Miss | None:
    pattern, removed = granting_pattern(role.permissions, query.action, query.is_data_action)
    if pattern is None:
        if removed:
            return Miss("notActions", assignment, role, f"{removed} takes it away")
        other, _ = granting_pattern(role.permissions, query.action, not query.is_data_action)
        return Miss("plane", assignment, role, f"{other} is of the other plane") if other else None
    if scopes.key(assignment.scope) not in chain:
        return Miss("scope", assignment, role, f"assigned at {assignment.scope}")
    for text in (assignment.condition, role.condition):
        if text and not _holds(text, query):
            return Miss("condition", assignment, role, text)
    return Grant(assignment, role, pattern, facts.principal.groups.get(assignment.principal_id, ()))


def _holds(text: str, query: Query) -> bool:
    from azext_trust.rbac import conditions

    try:
        return conditions.evaluate(conditions.parse(text), query)
    except conditions.ConditionError:
        # A stored condition that cannot be read grants nothing: the safe side.
        return False


def granting_pattern(
    permissions: Iterable[Permission], action: str, is_data_action: bool
) -> tuple[str | None, str | None]:
    """Return the pattern that grants an action, or None and the not-pattern that took it away."""
    removed = None
    for permission in permissions:
        allow = permission.data_actions if is_data_action else permission.actions
        never = permission.not_data_actions if is_data_action else permission.not_actions
        pattern = match.first_match(allow, action)
        if pattern is not None:
            taken = match.first_match(never, action)
            if taken is None:
                return pattern, None
            removed = taken
    return None, removed


def _classic(facts: Facts, query: Query) -> Grant | None:
    """A classic administrator passes the control plane of its subscription as Owner does, never the data plane."""
    if query.is_data_action:
        return None
    held = {f"/subscriptions/{subscription}" for subscription in facts.principal.classic_administrator_of}
    return Grant(None, None, "*") if held.intersection(query.chain) else None


def _denied(facts: Facts, query: Query) -> DenyAssignment | None:
    who = {facts.principal.id, *facts.principal.groups}
    for deny in facts.denies:
        named = EVERYBODY in deny.principals or who.intersection(deny.principals)
        if not named or who.intersection(deny.exclude_principals):
            continue
        here = scopes.key(deny.scope)
        if deny.do_not_apply_to_child_scopes and here != query.chain[0]:
            continue
        if here in query.chain and granting_pattern(deny.permissions, query.action, query.is_data_action)[0]:
            return deny
    return None
