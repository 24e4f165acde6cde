"""Scope maps of registries: which actions on which repositories a token may have (ScopeMaps REST reference)."""

from __future__ import annotations

import re
import uuid

from azext_trust.names.registries import TOKEN_VERBS, valid_token_action
from azext_trust.server.arm import bodies, errors, long_running, paging, registries
from azext_trust.server.arm.registry_credentials import LIMITS
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import resources, scope_maps
from azext_trust.server.store.registries import Registry
from azext_trust.server.store.scope_maps import ScopeMap
from azext_trust.server.store.transaction import Transaction

KIND = f"{bodies.TYPE}/scopeMaps"
MOST_ACTIONS = 500
_NAME = re.compile(r"[a-zA-Z0-9_-]{5,50}")


def found(transaction: Transaction, call: Call) -> tuple[ScopeMap, Registry, resources.ResourceGroup]:
    """Return the scope map a request names, with its registry and group.

    Raises:
        ServiceError: ResourceGroupNotFound or ResourceNotFound.
    """
    registry, group = registries.found(transaction, call)
    row = scope_maps.scope_map(transaction.session, registry.id, call.params["name"])
    if row is None:
        raise errors.no_resource(KIND, f"{registry.name}/{call.params['name']}", group.name)
    return row, registry, group


def _body(row: ScopeMap, registry: Registry, group: str) -> dict[str, object]:
    created, by = row.created or registry.created, row.created_by or registry.created_by
    modified, modified_by = row.modified or registry.created, row.modified_by or registry.created_by
    properties: dict[str, object] = {"description": row.description} if row.description is not None else {}
    return {
        "type": KIND, "id": f"{bodies.registry_scope(registry, group)}/scopeMaps/{row.name}", "name": row.name,
        "systemData": bodies.system_data(created, by, modified, modified_by),
        "properties": properties | {
            "type": row.kind, "creationDate": bodies.offset(created), "provisioningState": "Succeeded",
            "actions": list(row.actions),
        },
    }  # fmt: skip


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return a registry's scope maps, those every registry has first."""
    registry, group = registries.found(transaction, call)
    rows = scope_maps.scope_maps(transaction.session, registry.id)
    return paging.reply(call, [_body(row, registry, group.name) for row in rows])


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one scope map."""
    row, registry, group = found(transaction, call)
    return bodies.reply(call, _body(row, registry, group.name))


def checked(given: object) -> list[str]:
    """Return a body's actions.

    Raises:
        ServiceError: one of them is none (the wildcard stands alone or at the end), or there are too many.
    """
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_ACTIONS:
        raise errors.refuse("scope_map_actions", most=MOST_ACTIONS)
    for action in given:
        if not valid_token_action(str(action)):
            raise errors.refuse("bad_scope_map_action", action=action, verbs=", ".join(TOKEN_VERBS["repositories"]))
    return list(dict.fromkeys(map(str, given)))


def put(transaction: Transaction, call: Call) -> Reply:
    """Create a scope map, or replace its actions and description."""
    registry, group = registries.found(transaction, call)
    name, properties = call.params["name"], call.json().get("properties")
    if not isinstance(properties, dict):
        raise errors.invalid_content("The required property 'properties' was not found in the request.")
    actions = checked(properties.get("actions"))
    row = scope_maps.scope_map(transaction.session, registry.id, name)
    if row is None:
        row = _new(transaction, call, registry)
        before = None
    else:
        _changeable(row)
        before = _summary(row)
    row.actions, row.description = actions, _text(properties.get("description"))
    return _saved(transaction, call, row, before, registry, group)


def _text(given: object) -> str | None:
    return None if given is None else str(given)


def _new(transaction: Transaction, call: Call, registry: Registry) -> ScopeMap:
    name, now = call.params["name"], transaction.now_text()
    if not _NAME.fullmatch(name):
        raise errors.refuse("bad_child_name", name=name, what="scope map", more=" or '_'")
    most = LIMITS[registry.sku]["ScopeMaps"]
    if scope_maps.counts(transaction.session, registry.id)[0] >= most:
        raise errors.refuse("too_many", registry=registry.name, most=most, what="scope maps", sku=registry.sku)
    row = ScopeMap(
        id=str(uuid.uuid4()), registry_id=registry.id, name=name, name_key=name.lower(), created=now,
        created_by=call.caller.name, modified=now, modified_by=call.caller.name,
    )  # fmt: skip
    transaction.session.add(row)
    return row


def _changeable(row: ScopeMap) -> None:
    if row.kind == scope_maps.SYSTEM_DEFINED:
        raise errors.refuse("system_scope_map", name=row.name)


def _summary(row: ScopeMap) -> dict[str, object]:
    return {"name": row.name, "actions": list(row.actions), "description": row.description}


def _saved(
    transaction: Transaction, call: Call, row: ScopeMap, before: dict[str, object] | None, registry: Registry,
    group: resources.ResourceGroup,
) -> Reply:  # fmt: skip
    row.modified, row.modified_by = transaction.now_text(), call.caller.name
    transaction.session.flush()
    call.change(before=before, after=_summary(row))
    return bodies.reply(call, _body(row, registry, group.name))


def patch(transaction: Transaction, call: Call) -> Reply:
    """Change the actions or the description; tokens have the new actions at once."""
    row, registry, group = found(transaction, call)
    _changeable(row)
    properties, before = call.json().get("properties"), _summary(row)
    given = properties if isinstance(properties, dict) else {}
    if given.get("actions") is not None:
        row.actions = checked(given["actions"])
    if given.get("description") is not None:
        row.description = _text(given["description"])
    return _saved(transaction, call, row, before, registry, group)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a scope map; tokens that have it keep nothing. One that is not there is 204."""
    registry, _ = registries.found(transaction, call)
    row = scope_maps.scope_map(transaction.session, registry.id, call.params["name"])
    if row is None:
        return bodies.reply(call, None, 204)
    _changeable(row)
    using = [token.name for token in scope_maps.tokens_with(transaction.session, registry.id, row.name)]
    call.change(before=_summary(row), tokens=using)
    transaction.session.delete(row)
    place = f"/subscriptions/{registry.subscription_id}/providers/Microsoft.ContainerRegistry/locations"
    return long_running.deleted(transaction, call, f"{place}/{registry.location}/operationResults", "scopeMaps")
