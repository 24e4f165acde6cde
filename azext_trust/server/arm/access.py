"""What the caller may do, access for Global Administrators, classic administrators."""

from __future__ import annotations

import uuid

from azext_trust.names import scopes
from azext_trust.server.arm import bodies
from azext_trust.server.gate.authorise import Denied, facts_of, scope_chain
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import authorization, principals
from azext_trust.server.store.transaction import Transaction

ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"


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


def elevate(transaction: Transaction, call: Call) -> Reply:
    """Make a Global Administrator User Access Administrator at the root of the tenant (elevateAccess REST reference).

    Raises:
        Denied: the caller is no Global Administrator; no role of Resource Manager gives this.
    """
    session = transaction.session
    if "Global Administrator" not in principals.directory_roles(session, call.caller.id):
        raise Denied("Microsoft.Authorization/elevateAccess/action", "/providers/Microsoft.Authorization")
    held = authorization.assignments_of(session, [call.caller.id])
    if not any(row.scope_key == "/" and row.role_id == ACCESS_ADMINISTRATOR for row in held):
        now = transaction.now_text()
        row = authorization.Assignment(
            id=str(uuid.uuid4()), scope="/", scope_key="/", role_id=ACCESS_ADMINISTRATOR, principal_id=call.caller.id,
            principal_type=call.caller.kind, created_on=now, created_by=call.caller.id, updated_on=now,
            updated_by=call.caller.id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        call.change(after=bodies.assignment(row, "/")["properties"])
    return bodies.reply(call, None)


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
