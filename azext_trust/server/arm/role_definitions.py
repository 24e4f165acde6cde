"""Role definitions: built-in ones as data, custom ones in the store (rbac-semantics.md section 8)."""

from __future__ import annotations

import re

from azext_trust.names import scopes
from azext_trust.names.guids import is_guid
from azext_trust.rbac import operations, roles
from azext_trust.rbac.model import RoleDefinition
from azext_trust.server.arm import bodies, errors
from azext_trust.server.gate.authorise import Authoriser, role_of, scope_chain
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import authorization
from azext_trust.server.store.transaction import Transaction

IMAGE_SIGNER = "6cef56e8-d556-48e5-a04f-b8e64114680f"
LIMIT = 5000
_WRITE = "Microsoft.Authorization/roleDefinitions/write"
_DELETE = "Microsoft.Authorization/roleDefinitions/delete"
_MANAGEMENT = "/providers/microsoft.management/managementgroups/"
_FILTER = re.compile(r"\s*(?:(roleName|type)\s+eq\s+'((?:[^']|'')*)'|(atScopeAndBelow|atScope)\(\))\s*", re.IGNORECASE)


def at_scope(scope: str, custom: authorization.CustomRole, chain: tuple[str, ...]) -> bool:
    """Tell whether a custom role can be assigned at a scope: one of its assignable scopes is there or above."""
    return any(scopes.key(text) in chain for text in custom.assignable_scopes)


def built_in(transaction: Transaction) -> dict[str, RoleDefinition]:
    """Return the built-in roles that exist at the retirement switch's position (M5)."""
    gone = {IMAGE_SIGNER} if transaction.retirement() == "2028" else set()
    return {role_id: role for role_id, role in roles.built_in_roles().items() if role_id not in gone}


def visible(
    transaction: Transaction, role_id: str, scope: str
) -> tuple[RoleDefinition, authorization.CustomRole | None]:
    """Return the role with this GUID, if it exists at a scope.

    Raises:
        ServiceError: RoleDefinitionDoesNotExist.
    """
    wanted = role_id.lower()
    known = built_in(transaction).get(wanted)
    if known is not None:
        return known, None
    custom = transaction.session.get(authorization.CustomRole, wanted)
    if custom is None or not at_scope(scope, custom, scope_chain(transaction, scope)):
        raise errors.no_role(wanted)
    return role_of(custom), custom


def _filters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE) if text.strip() else []:
        term = _FILTER.fullmatch(part.strip())
        if term is None:
            raise errors.bad_filter(text)
        found[(term[1] or term[3]).lower()] = (term[2] or "").replace("''", "'").lower()
    return found


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the roles at a scope, custom ones first."""
    scope = scopes.canonical(call.params["scope"])
    wanted = _filters(call.query.get("$filter", ""))
    chain = scope_chain(transaction, scope)
    below = "atscopeandbelow" in wanted
    customs = [
        row for row in authorization.custom_roles(transaction.session)
        if at_scope(scope, row, chain)
        or (below and any(scopes.key(s).startswith(scopes.key(scope) + "/") for s in row.assignable_scopes))
    ]  # fmt: skip
    value = [
        bodies.role(role, scope, row)
        for role, row in [(role_of(row), row) for row in customs]
        + [(role, None) for role in built_in(transaction).values()]
        if wanted.get("rolename", role.name.lower()) == role.name.lower()
        and wanted.get("type", role.kind.lower()) == role.kind.lower()
    ]
    return bodies.reply(call, {"value": value})


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one role."""
    scope = scopes.canonical(call.params["scope"])
    role, row = visible(transaction, call.params["name"], scope)
    return bodies.reply(call, bodies.role(role, scope, row))


def _texts(value: object, what: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise errors.bad_definition(f"The property '{what}' must be a list of strings.")
    return list(value)


def _permissions(given: object) -> list[dict[str, list[str]]]:
    if not isinstance(given, list):
        raise errors.bad_definition("The role definition has no permissions.")
    found = []
    for part in given:
        if not isinstance(part, dict):
            raise errors.bad_format()
        lists = {
            name: _texts(part.get(name), name) for name in ("actions", "notActions", "dataActions", "notDataActions")
        }
        for name, texts in lists.items():
            for text in texts:
                _check_action(text, name in ("dataActions", "notDataActions"))
        found.append(lists)
    if not any(part["actions"] or part["dataActions"] for part in found):
        raise errors.bad_definition("A role definition needs at least one action or data action.")
    return found


def _check_action(text: str, data: bool) -> None:
    if text.count("*") > 1:
        raise errors.bad_definition(f"The action '{text}' has more than one wildcard.")
    if not operations.fits_an_operation(text, data):
        raise errors.bad_action(text, data)


def _assignable(given: object) -> list[str]:
    texts = _texts(given, "assignableScopes")
    if not texts:
        raise errors.bad_definition("The role definition has no assignable scopes.")
    if len(texts) > 2000:
        raise errors.bad_definition("A role definition can have at most 2000 assignable scopes.")
    for text in texts:
        if scopes.canonical(text) == "/" or "*" in text or not text.startswith("/"):
            raise errors.bad_definition(f"The assignable scope '{text}' is not valid for a custom role.")
    if sum(scopes.key(text).startswith(_MANAGEMENT) for text in texts) > 1:
        raise errors.bad_definition("Only one management group can be an assignable scope of a custom role.")
    return [scopes.canonical(text) for text in texts]


def put(transaction: Transaction, call: Call) -> Reply:
    """Create a custom role, or replace it."""
    role_id, scope = call.params["name"].lower(), scopes.canonical(call.params["scope"])
    if not is_guid(role_id):
        raise errors.bad_role_id(call.params["name"])
    if role_id in roles.built_in_roles():
        raise errors.fixed("built in")
    given = call.json().get("properties")
    if not isinstance(given, dict):
        raise errors.bad_format()
    name, description = str(given.get("roleName") or ""), str(given.get("description") or "")
    if not 1 <= len(name) <= 512 or len(description) > 2048:
        raise errors.bad_definition("A role name has 1 to 512 characters and a description at most 2048.")
    assignable, permissions = _assignable(given.get("assignableScopes")), _permissions(given.get("permissions"))
    row = transaction.session.get(authorization.CustomRole, role_id)
    before = _summary(row) if row else None
    _require_everywhere(transaction, call, _WRITE, scope, [*assignable, *(row.assignable_scopes if row else [])])
    _check_name(transaction, name, role_id)
    now = transaction.now_text()
    if row is None:
        if len(authorization.custom_roles(transaction.session)) >= LIMIT:
            raise errors.bad_definition(f"The tenant has {LIMIT} custom roles already.")
        row = authorization.CustomRole(id=role_id, name="", name_key="", created_on=now, updated_on=now)
        row.created_by = call.caller.id
        transaction.session.add(row)
    row.name, row.name_key, row.description = name, name.lower(), description
    row.permissions, row.assignable_scopes = permissions, assignable
    row.updated_on, row.updated_by = now, call.caller.id
    transaction.session.flush()
    call.change(before=before, after=_summary(row))
    body = bodies.role(role_of(row), scope, row)
    if before is None and isinstance(body["properties"], dict):
        body["properties"]["createdBy"] = None
    return bodies.reply(call, body, 201)


def _check_name(transaction: Transaction, name: str, role_id: str) -> None:
    other = authorization.custom_role_by_name(transaction.session, name)
    known = roles.built_in_by_name(name)
    if (other is not None and other.id != role_id) or (known is not None and known.name.lower() == name.lower()):
        raise errors.fixed("same name")


def _summary(row: authorization.CustomRole) -> dict[str, object]:
    return {
        "roleName": row.name, "description": row.description, "permissions": list(row.permissions),
        "assignableScopes": list(row.assignable_scopes),
    }  # fmt: skip


def _require_everywhere(transaction: Transaction, call: Call, action: str, scope: str, linked: list[str]) -> None:
    """The writer needs the action on all assignable scopes, old and new."""
    authoriser = Authoriser(transaction, call.caller)
    missing = [text for text in dict.fromkeys(linked) if not authoriser.allows(action, text)]
    if missing:
        raise errors.linked_forbidden(call, action, scope, missing)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a custom role that nobody is assigned."""
    role_id, scope = call.params["name"].lower(), scopes.canonical(call.params["scope"])
    if role_id in roles.built_in_roles():
        raise errors.fixed("built in")
    row = transaction.session.get(authorization.CustomRole, role_id)
    if row is None:
        return bodies.reply(call, None, 204)
    _require_everywhere(transaction, call, _DELETE, scope, row.assignable_scopes)
    if authorization.has_assignments(transaction.session, role_id):
        raise errors.fixed("has assignments")
    body = bodies.role(role_of(row), scope, row)
    call.change(before=_summary(row))
    transaction.session.delete(row)
    return bodies.reply(call, body)
