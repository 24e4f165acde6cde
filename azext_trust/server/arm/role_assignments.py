"""Role assignments (rbac-semantics.md sections 6.2, 7 and 9)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from azext_trust.names import scopes
from azext_trust.names.guids import is_guid
from azext_trust.rbac import conditions
from azext_trust.server.arm import bodies, errors, existing, paging, role_definitions
from azext_trust.server.gate.authorise import Attributes, scope_chain
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import authorization, principals
from azext_trust.server.store.transaction import Transaction

LIMIT_SUBSCRIPTION, LIMIT_MANAGEMENT_GROUP = 4000, 500
OWNER, ACCESS_ADMINISTRATOR = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
_PREFIX = "Microsoft.Authorization/roleAssignments:"
_ROLE_ID = re.compile(r"(?:.*/roleDefinitions/)?([^/]+)", re.IGNORECASE)


def _attributes(role_id: object, principal_id: object, principal_type: object) -> dict[str, object]:
    found = {"RoleDefinitionId": role_id, "PrincipalId": principal_id, "PrincipalType": principal_type}
    return {_PREFIX + name: value for name, value in found.items() if value}


def asked_attributes(transaction: Transaction, call: Call) -> Attributes:
    """Return what a condition on the caller's right to assign may look at: the body of the request."""
    given = call.json().get("properties")
    if not isinstance(given, dict):
        return Attributes()
    role = _ROLE_ID.fullmatch(str(given.get("roleDefinitionId", "")))
    return Attributes(
        request=_attributes(role[1] if role else None, given.get("principalId"), given.get("principalType"))
    )


def held_attributes(transaction: Transaction, call: Call) -> Attributes:
    """Return what a condition on the caller's right to remove may look at: the assignment itself."""
    row = transaction.session.get(authorization.Assignment, call.params["name"].lower())
    if row is None:
        return Attributes()
    return Attributes(resource=_attributes(row.role_id, row.principal_id, row.principal_type))


@dataclass
class _Filter:
    """A $filter, read: whose assignments, and whether only those at the scope and above."""

    principals: set[str] | None = None
    above_only: bool = False


def _filter(transaction: Transaction, text: str) -> _Filter:
    """Read a $filter (the table in rbac-semantics.md section 7).

    Raises:
        ServiceError: UnsupportedQuery; so is ``principalId eq`` together with anything else.
    """
    terms = re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE) if text.strip() else []
    found = _Filter()
    for term in terms:
        if re.fullmatch(r"atScope\(\)", term, re.IGNORECASE):
            found.above_only = True
        elif who := re.fullmatch(r"assignedTo\('([^']*)'\)", term, re.IGNORECASE):
            key = who[1].lower()
            found.principals = {key, *principals.group_chains(transaction.session, key)}
        elif (who := re.fullmatch(r"principalId\s+eq\s+'([^']*)'", term, re.IGNORECASE)) and len(terms) == 1:
            found.principals = {who[1].lower()}
        else:
            raise errors.refuse("unsupported_assignment_filter", filter=text)
    return found


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the assignments at, above and below a scope, cut by the filter."""
    scope = scopes.canonical(call.params["scope"])
    chain = scope_chain(transaction, scope)
    asked = _filter(transaction, call.query.get("$filter", ""))
    key = scopes.key(scope)
    if asked.principals is not None:
        rows = [
            row for row in authorization.assignments_of(transaction.session, asked.principals)
            if row.scope_key in chain or key == "/" or row.scope_key.startswith(key + "/")
        ]  # fmt: skip
        rows.sort(key=lambda row: (row.created_on, row.id))
    else:
        rows = authorization.assignments_around(transaction.session, key, chain)
    value = [bodies.assignment(row, scope) for row in rows if not asked.above_only or row.scope_key in chain]
    return paging.reply(call, value)


def _named(transaction: Transaction, call: Call) -> authorization.Assignment | None:
    row = transaction.session.get(authorization.Assignment, call.params["name"].lower())
    return row if row is not None and row.scope_key == scopes.key(call.params["scope"]) else None


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one assignment."""
    row = _named(transaction, call)
    if row is None:
        raise errors.no_assignment(call.params["name"])
    return bodies.reply(call, bodies.assignment(row, row.scope))


def put(transaction: Transaction, call: Call) -> Reply:
    """Create an assignment, or change its description and condition."""
    name, scope = call.params["name"].lower(), scopes.canonical(call.params["scope"])
    if not is_guid(name):
        raise errors.bad_assignment_id(call.params["name"])
    given = call.json().get("properties")
    if not isinstance(given, dict):
        raise errors.bad_format()
    role_id, principal_id = _role_id(given), _principal_id(given)
    condition, version = _condition(given)
    existing.require(transaction, scope)
    role_definitions.visible(transaction, role_id, scope)
    row = transaction.session.get(authorization.Assignment, name)
    if row is not None:
        return _replace(transaction, call, row, (scopes.key(scope), principal_id, role_id), given)
    principal = _principal(transaction, principal_id, given.get("principalType"))
    _check_new(transaction, scope, principal_id, role_id)
    now = transaction.now_text()
    row = authorization.Assignment(
        id=name, scope=scope, scope_key=scopes.key(scope), role_id=role_id, principal_id=principal_id,
        principal_type=principal.kind, description=_text(given, "description"), condition=condition,
        condition_version=version, delegated_identity=_text(given, "delegatedManagedIdentityResourceId"),
        created_on=now, created_by=call.caller.id, updated_on=now, updated_by=call.caller.id,
    )  # fmt: skip
    transaction.session.add(row)
    transaction.session.flush()
    call.change(after=bodies.assignment(row, scope)["properties"])
    return bodies.reply(call, bodies.assignment(row, scope, created=True), 201)


def _text(given: dict[str, object], name: str) -> str | None:
    value = given.get(name)
    return str(value) if value else None


def _role_id(given: dict[str, object]) -> str:
    text = str(given.get("roleDefinitionId") or "")
    found = _ROLE_ID.fullmatch(text)
    if not text or found is None:
        raise errors.bad_format()
    if not is_guid(found[1]):
        raise errors.bad_role_id(text)
    return found[1].lower()


def _principal_id(given: dict[str, object]) -> str:
    text = str(given.get("principalId") or "")
    if not is_guid(text):
        raise errors.bad_principal_id(text)
    return text.lower()


def _condition(given: dict[str, object]) -> tuple[str | None, str | None]:
    condition, version = _text(given, "condition"), _text(given, "conditionVersion")
    if condition is None:
        return None, None
    if version != "2.0":
        raise errors.bad_condition("The condition version must be 2.0.")
    try:
        conditions.parse(condition)
    except conditions.ConditionError as error:
        raise errors.bad_condition(str(error)) from None
    return condition, version


def _principal(transaction: Transaction, principal_id: str, given: object) -> principals.DirectoryObject:
    found = principals.by_id(transaction.session, principal_id)
    if found is None:
        if transaction.session.get(principals.Application, principal_id) is not None:
            raise errors.refuse("unsupported_principal", kind="Application")
        raise errors.no_principal(principal_id, transaction.tenant_id())
    if given and str(given).lower() != found.kind.lower():
        raise errors.wrong_principal_type(principal_id, found.kind, str(given))
    return found


def _check_new(transaction: Transaction, scope: str, principal_id: str, role_id: str) -> None:
    """Check what a second assignment of the same role, and one too many, run into."""
    session, key = transaction.session, scopes.key(scope)
    held = authorization.assignments_of(session, [principal_id])
    if any(row.scope_key == key and row.role_id == role_id for row in held):
        raise errors.fixed("exists")
    management = key.startswith("/providers/microsoft.management/managementgroups/")
    role, _ = role_definitions.visible(transaction, role_id, scope)
    if management and role.kind == "CustomRole" and any(p.data_actions for p in role.permissions):
        raise errors.fixed("data at management group")
    subscription = bodies.subscription_of(scope)
    root = f"/subscriptions/{subscription.lower()}" if subscription else key
    limit = LIMIT_SUBSCRIPTION if subscription else LIMIT_MANAGEMENT_GROUP
    if authorization.count_below(session, root) >= limit:
        raise errors.fixed("limit")


def _replace(
    transaction: Transaction, call: Call, row: authorization.Assignment, key: tuple[str, str, str],
    given: dict[str, object],
) -> Reply:  # fmt: skip
    if (row.scope_key, row.principal_id, row.role_id) != key:
        raise errors.fixed("update")
    before = bodies.assignment(row, row.scope)["properties"]
    row.condition, row.condition_version = _condition(given)
    row.description = _text(given, "description")
    row.updated_on, row.updated_by = transaction.now_text(), call.caller.id
    transaction.session.flush()
    call.change(before=before, after=bodies.assignment(row, row.scope)["properties"])
    return bodies.reply(call, bodies.assignment(row, row.scope))


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete an assignment; one that is not there is 204."""
    row = _named(transaction, call)
    if row is None:
        return bodies.reply(call, None, 204)
    _check_last_administrator(transaction, call, row)
    body = bodies.assignment(row, row.scope)
    call.change(before=body["properties"])
    transaction.session.delete(row)
    return bodies.reply(call, body)


def _check_last_administrator(transaction: Transaction, call: Call, row: authorization.Assignment) -> None:
    """The last Owner or User Access Administrator of a subscription stays, except for a Global Administrator."""
    if row.role_id not in (OWNER, ACCESS_ADMINISTRATOR) or not re.fullmatch(r"/subscriptions/[^/]+", row.scope_key):
        return
    session = transaction.session
    others = [
        other
        for role in (OWNER, ACCESS_ADMINISTRATOR)
        for other in authorization.assignments_with_role(session, role, [row.scope_key])
        if other.id != row.id
    ]
    if not others and "Global Administrator" not in principals.directory_roles(session, call.caller.id):
        raise errors.fixed("last")
