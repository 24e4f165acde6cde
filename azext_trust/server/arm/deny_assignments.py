"""Deny assignments: made by hand since api-version 2024-07-01-preview, or by Azure itself (rbac-semantics.md section 5)."""

from __future__ import annotations

import re

from azext_trust.names import scopes
from azext_trust.names.guids import is_guid
from azext_trust.rbac.decide import EVERYBODY
from azext_trust.server.arm import bodies, errors, existing, paging
from azext_trust.server.gate.authorise import scope_chain
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import authorization, principals
from azext_trust.server.store.authorization import Deny
from azext_trust.server.store.transaction import Transaction

KIND = "Microsoft.Authorization/denyAssignments"
LIMIT = 2000
_LISTS = ("actions", "notActions", "dataActions", "notDataActions")
_EQUAL = re.compile(r"(principalId|denyAssignmentName|gdprExportPrincipalId)\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
_ASSIGNED = re.compile(r"assignedTo\('([^']*)'\)", re.IGNORECASE)


def body(row: Deny) -> dict[str, object]:
    """Return a deny assignment as ARM shows it."""
    return {
        "properties": {
            "denyAssignmentName": row.name, "description": row.description, "permissions": row.permissions,
            "scope": row.scope, "doNotApplyToChildScopes": row.only_this_scope, "principals": row.principals,
            "excludePrincipals": row.exclude_principals, "isSystemProtected": row.system_protected,
            "condition": row.condition, "conditionVersion": row.condition_version, "createdOn": row.created_on or None,
            "updatedOn": row.updated_on or None, "createdBy": row.created_by, "updatedBy": row.updated_by,
        },
        "id": f"{row.scope.rstrip('/')}/providers/{KIND}/{row.id}", "type": KIND, "name": row.id,
    }  # fmt: skip


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the deny assignments at, above and below a scope, cut by the filter."""
    scope = scopes.canonical(call.params["scope"])
    chain = scope_chain(transaction, scope)
    rows = authorization.denies_around(transaction.session, scopes.key(scope), chain)
    text = call.query.get("$filter", "").strip()
    for term in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text else []:
        rows = [row for row in rows if _fits(transaction, row, term, chain)]
    return paging.reply(call, [body(row) for row in rows])


def _fits(transaction: Transaction, row: Deny, term: str, chain: tuple[str, ...]) -> bool:
    if term.lower() in ("atscope()", "asatscope()"):
        return row.scope_key in chain
    if found := _ASSIGNED.fullmatch(term):
        who = found[1].lower()
        return _names(row, {who, EVERYBODY, *principals.group_chains(transaction.session, who)})
    if found := _EQUAL.fullmatch(term):
        value = found[2].replace("''", "'").lower()
        return row.name.lower() == value if found[1].lower() == "denyassignmentname" else _names(row, {value})
    raise errors.bad_filter(term)


def _names(row: Deny, ids: set[str]) -> bool:
    return any(one["id"].lower() in ids for one in row.principals)


def _found(transaction: Transaction, call: Call) -> Deny | None:
    row = transaction.session.get(Deny, call.params["name"].lower())
    return row if row is not None and row.scope_key == scopes.key(call.params["scope"]) else None


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one deny assignment."""
    row = _found(transaction, call)
    if row is None:
        raise errors.refuse("no_deny_assignment", name=call.params["name"])
    return bodies.reply(call, body(row))


def put(transaction: Transaction, call: Call) -> Reply:
    """Create a deny assignment, or replace it."""
    name, scope = call.params["name"].lower(), scopes.canonical(call.params["scope"])
    if not is_guid(name):
        raise errors.refuse("bad_deny_assignment", reason=f"The deny assignment ID '{name}' must be a GUID.")
    given = call.json().get("properties")
    if not isinstance(given, dict):
        raise errors.bad_format()
    existing.require(transaction, scope)
    row = transaction.session.get(Deny, name)
    if row is not None:
        _replaceable(row, scope)
    elif _count(transaction, scope) >= LIMIT:
        raise errors.refuse("bad_deny_assignment", reason=f"The subscription has {LIMIT} deny assignments already.")
    before = body(row)["properties"] if row else None
    row = row or Deny(id=name, name="", scope=scope, scope_key=scopes.key(scope), created_on=transaction.now_text(),
                      created_by=call.caller.id)  # fmt: skip
    _apply(transaction, row, given)
    row.updated_on, row.updated_by = transaction.now_text(), call.caller.id
    transaction.session.add(row)
    transaction.session.flush()
    call.change(before=before, after=body(row)["properties"])
    return bodies.reply(call, body(row), 200 if before else 201)


def _replaceable(row: Deny, scope: str) -> None:
    if row.system_protected:
        raise errors.refuse("protected_deny_assignment", name=row.id)
    if row.scope_key != scopes.key(scope):
        raise errors.refuse("bad_deny_assignment", reason="The scope of a deny assignment cannot be changed.")


def _count(transaction: Transaction, scope: str) -> int:
    subscription = bodies.subscription_of(scope)
    root = f"/subscriptions/{subscription.lower()}" if subscription else scopes.key(scope)
    return len(authorization.denies_around(transaction.session, root, [root]))


def _apply(transaction: Transaction, row: Deny, given: dict[str, object]) -> None:
    name = given.get("denyAssignmentName")
    if not isinstance(name, str) or not name:
        raise errors.refuse("bad_deny_assignment", reason="The property 'denyAssignmentName' is required.")
    for member in ("doNotApplyToChildScopes", "isSystemProtected"):
        if given.get(member):
            raise errors.refuse("bad_deny_assignment",
                                reason=f"The property '{member}' is not supported for user-assigned deny assignments.")  # fmt: skip
    row.name, row.description = name, str(given.get("description") or "")
    row.permissions = _permissions(given.get("permissions"))
    row.principals = _principals(transaction, given.get("principals"), "principals")
    row.exclude_principals = _principals(transaction, given.get("excludePrincipals") or [], "excludePrincipals")
    everybody = any(one["id"] == EVERYBODY for one in row.principals)
    if not row.principals or (everybody and not row.exclude_principals):
        raise errors.refuse("bad_deny_assignment", reason="A deny assignment names its principals; one that denies "
                            "everyone names at least one excluded principal.")  # fmt: skip


def _permissions(given: object) -> list[dict[str, list[str]]]:
    if not isinstance(given, list) or not given:
        raise errors.refuse("bad_deny_assignment", reason="At least one permission is required.")
    return [_permission(part) for part in given]


def _permission(part: object) -> dict[str, list[str]]:
    if not isinstance(part, dict):
        raise errors.bad_format()
    lists = {name: [str(text) for text in part.get(name) or []] for name in _LISTS}
    if lists["dataActions"] or lists["notDataActions"]:
        raise errors.refuse("bad_deny_assignment", reason="DataActions and NotDataActions are not supported for "
                            "user-assigned deny assignments.")  # fmt: skip
    if not lists["actions"]:
        raise errors.refuse("bad_deny_assignment", reason="At least one action is required.")
    reading = next((text for text in lists["actions"] if text.lower().endswith("/read")), None)
    if reading:
        raise errors.refuse("bad_deny_assignment", reason="Read actions are not permitted for user-assigned deny "
                            f"assignments: '{reading}'.")  # fmt: skip
    return lists


def _principals(transaction: Transaction, given: object, member: str) -> list[dict[str, str]]:
    if not isinstance(given, list):
        raise errors.bad_format()
    return [_principal(transaction, one, member) for one in given]


def _principal(transaction: Transaction, one: object, member: str) -> dict[str, str]:
    if not isinstance(one, dict):
        raise errors.bad_format()
    principal_id = str(one.get("id") or "").lower()
    if principal_id == EVERYBODY and member == "principals":
        return {"id": EVERYBODY, "type": "SystemDefined"}
    if not is_guid(principal_id):
        raise errors.bad_principal_id(principal_id)
    found = principals.by_id(transaction.session, principal_id)
    if found is None:
        raise errors.no_principal(principal_id, transaction.tenant_id())
    if found.kind == principals.GROUP:
        raise errors.refuse("bad_deny_assignment", reason="Group type principals are not permitted for user-assigned "
                            "deny assignments.")  # fmt: skip
    return {"id": found.id, "type": found.kind}


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a deny assignment that somebody made; one that is not there is 204."""
    row = _found(transaction, call)
    if row is None:
        return bodies.reply(call, None, 204)
    if row.system_protected:
        raise errors.refuse("protected_deny_assignment", name=row.id)
    call.change(before=body(row)["properties"])
    transaction.session.delete(row)
    return bodies.reply(call, None)
