"""What the caller may do, deny assignments, classic administrators."""

from __future__ import annotations

from azext_trust.names import scopes
from azext_trust.server.arm import bodies
from azext_trust.server.gate.authorise import facts_of, scope_chain
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import authorization, principals
from azext_trust.server.store.transaction import Transaction


def permissions(transaction: Transaction, call: Call) -> Reply:
    """Return the permission objects that the caller's roles give at a scope."""
    chain = scope_chain(transaction, call.params["scope"])
    facts = facts_of(transaction, call.caller)
    value = [
        permission
        for assignment in facts.assignments
        if scopes.key(assignment.scope) in chain and assignment.role_id in facts.roles
        for permission in bodies.permissions(facts.roles[assignment.role_id])
    ]
    return bodies.reply(call, {"value": value})


def deny_assignments(transaction: Transaction, call: Call) -> Reply:
    """Return the deny assignments at a scope and above."""
    chain = scope_chain(transaction, call.params["scope"])
    value = [
        {
            "properties": {
                "denyAssignmentName": row.name, "description": row.description, "permissions": row.permissions,
                "scope": row.scope, "doNotApplyToChildScopes": row.only_this_scope, "principals": row.principals,
                "excludePrincipals": row.exclude_principals, "isSystemProtected": row.system_protected,
            },
            "id": f"{row.scope.rstrip('/')}/providers/Microsoft.Authorization/denyAssignments/{row.id}",
            "type": "Microsoft.Authorization/denyAssignments", "name": row.id,
        }
        for row in authorization.denies_at(transaction.session, chain)
    ]  # fmt: skip
    return bodies.reply(call, {"value": value})


def classic_administrators(transaction: Transaction, call: Call) -> Reply:
    """Return the users who hold the classic administrator flag (M9)."""
    subscription = call.params["subscription"]
    kind = "Microsoft.Authorization/classicAdministrators"
    value = [
        {
            "id": f"/subscriptions/{subscription}/providers/{kind}/{row.id}", "name": row.id, "type": kind,
            "properties": {"emailAddress": row.upn, "role": "CoAdministrator"},
        }
        for row in principals.classic_administrators(transaction.session)
    ]  # fmt: skip
    return bodies.reply(call, {"value": value})
