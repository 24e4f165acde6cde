"""User-assigned managed identities (Microsoft.ManagedIdentity REST reference; shapes in real-responses.md section 6)."""

from __future__ import annotations

import re
import uuid

from azext_trust.names import scopes
from azext_trust.server.arm import bodies, errors, groups, paging, providers
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import identities, principals, registries, resources
from azext_trust.server.store.identities import Identity
from azext_trust.server.store.transaction import Transaction

NAMESPACE = "Microsoft.ManagedIdentity"
_NAME = re.compile(r"[a-zA-Z0-9][\w-]{2,127}", re.ASCII)
_KEPT = ("isolationScope", "assignmentRestrictions")
"""Properties that a request may set and that are shown again; they have no effect here."""


def found(transaction: Transaction, call: Call) -> tuple[Identity, resources.ResourceGroup]:
    """Return the identity a request names, and its group.

    Raises:
        ServiceError: ResourceGroupNotFound or ResourceNotFound.
    """
    group = groups.found(transaction, call)
    row = identities.by_scope(transaction.session, _key(call, group))
    if row is None:
        raise errors.no_resource(bodies.IDENTITY, call.params["identity"], group.name)
    return row, group


def _key(call: Call, group: resources.ResourceGroup) -> str:
    path = f"/subscriptions/{group.subscription_id}/resourceGroups/{group.name}/providers/{bodies.IDENTITY}"
    return scopes.key(f"{path}/{call.params['identity']}")


def body(transaction: Transaction, row: Identity, group: str) -> dict[str, object]:
    """Return an identity as the service shows it."""
    return {
        "id": bodies.identity_id(row, group), "name": row.name, "type": bodies.IDENTITY, "location": row.location,
        "tags": row.tags,
        "properties": {
            **row.properties, "tenantId": transaction.tenant_id(), "principalId": row.principal_id,
            "clientId": row.client_id,
        },
    }  # fmt: skip


def in_subscription(transaction: Transaction, call: Call) -> Reply:
    """Return the identities of a subscription."""
    return _listed(transaction, call, None)


def in_group(transaction: Transaction, call: Call) -> Reply:
    """Return the identities of a resource group."""
    return _listed(transaction, call, groups.found(transaction, call).name)


def _listed(transaction: Transaction, call: Call, group: str | None) -> Reply:
    subscription = call.params["subscription"]
    names = resources.group_names(transaction.session, subscription)
    rows = identities.in_subscription(transaction.session, subscription, group)
    return paging.reply(call, [body(transaction, row, names.get(row.group_key, row.group_key)) for row in rows])


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one identity."""
    row, group = found(transaction, call)
    return bodies.reply(call, body(transaction, row, group.name))


def put(transaction: Transaction, call: Call) -> Reply:
    """Create an identity with its service principal, or change its tags."""
    group, asked = groups.found(transaction, call), call.json()
    row = identities.by_scope(transaction.session, _key(call, group))
    if row is not None:
        wanted = groups.location_of(asked, bodies.IDENTITY)
        if wanted and wanted != row.location:
            raise errors.resource_elsewhere(row.name, group.name, wanted, row.location)
        return _changed(transaction, call, row, group, asked)
    row = _new(transaction, call, group, asked)
    row.properties = _kept(asked)
    transaction.session.flush()
    call.change(after=_summary(row))
    answer = bodies.reply(call, body(transaction, row, group.name), 201)
    answer.headers["location"] = bodies.identity_id(row, group.name)
    return answer


def _new(transaction: Transaction, call: Call, group: resources.ResourceGroup, asked: dict[str, object]) -> Identity:
    name, now = call.params["identity"], transaction.now_text()
    providers.require_registered(transaction, group.subscription_id, NAMESPACE)
    if not _NAME.fullmatch(name):
        raise errors.refuse("bad_identity_name", name=name)
    location = groups.location_of(asked, bodies.IDENTITY)
    if location is None:
        raise errors.location_required()
    row = Identity(
        scope_key=_key(call, group), subscription_id=group.subscription_id, group_key=group.name_key, name=name,
        name_key=name.lower(), location=location, principal_id=str(uuid.uuid4()), client_id=str(uuid.uuid4()),
        created=now, created_by=call.caller.name, modified=now, modified_by=call.caller.name,
        tags=groups.tags_of(asked) or {},
    )  # fmt: skip
    transaction.session.add(row)
    identities.add_principal(transaction.session, row, bodies.identity_id(row, group.name))
    return row


def _kept(asked: dict[str, object]) -> dict[str, object]:
    given = asked.get("properties")
    return {name: given[name] for name in _KEPT if given.get(name) is not None} if isinstance(given, dict) else {}


def _summary(row: Identity) -> dict[str, object]:
    return {"principalId": row.principal_id, "clientId": row.client_id, "tags": dict(row.tags), **row.properties}


def patch(transaction: Transaction, call: Call) -> Reply:
    """Change an identity's tags."""
    row, group = found(transaction, call)
    return _changed(transaction, call, row, group, call.json())


def _changed(
    transaction: Transaction, call: Call, row: Identity, group: resources.ResourceGroup, asked: dict[str, object]
) -> Reply:
    before, tags = _summary(row), groups.tags_of(asked)
    if tags is not None:
        row.tags = tags
    row.properties = row.properties | _kept(asked)
    row.modified, row.modified_by = transaction.now_text(), call.caller.name
    transaction.session.flush()
    call.change(before=before, after=_summary(row))
    return bodies.reply(call, body(transaction, row, group.name))


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete an identity and its service principal; what was assigned to it stays, orphaned. None there: 204."""
    group = groups.found(transaction, call)
    row = identities.by_scope(transaction.session, _key(call, group))
    if row is None:
        return bodies.reply(call, None, 204)
    call.change(before=_summary(row))
    principals.remove(transaction.session, row.principal_id)
    groups.removed_scope(transaction, row.scope_key)
    transaction.session.delete(row)
    return bodies.reply(call, None)


def associated(transaction: Transaction, call: Call) -> Reply:
    """Return the registries that an identity is assigned to."""
    row, group = found(transaction, call)
    own, value = scopes.key(bodies.identity_id(row, group.name)), []
    subscription = transaction.session.get(resources.Subscription, row.subscription_id)
    for registry in registries.in_subscription(transaction.session, row.subscription_id):
        held = registry.properties.get(registries.IDENTITY)
        users = held.get("userAssignedIdentities") if isinstance(held, dict) else None
        if isinstance(users, dict) and own in map(scopes.key, users):
            value.append({
                "id": bodies.registry_scope(registry, registry.group_key), "name": registry.name, "type": bodies.TYPE,
                "resourceGroup": registry.group_key, "subscriptionId": row.subscription_id,
                "subscriptionDisplayName": subscription.name if subscription else "",
            })  # fmt: skip
    return bodies.reply(call, {"totalCount": len(value), "value": value})


def system_assigned(transaction: Transaction, call: Call) -> Reply:
    """Return the system-assigned identity of a registry."""
    scope = scopes.canonical(call.params["scope"])
    registry = registries.by_scope(transaction.session, scopes.key(scope))
    held = registry.properties.get(registries.IDENTITY) if registry else None
    principal = principals.by_id(transaction.session, str(held.get("principalId"))) if isinstance(held, dict) else None
    if registry is None or principal is None:
        raise errors.no_resource(f"{NAMESPACE}/identities", "default", scope.split("/")[4] if registry else "")
    return bodies.reply(
        call,
        {
            "id": f"{scope}/providers/{NAMESPACE}/identities/default", "name": "default",
            "type": f"{NAMESPACE}/identities", "location": registry.location, "tags": {},
            "properties": {
                "tenantId": transaction.tenant_id(), "principalId": principal.id, "clientId": principal.app_id,
            },
        },
    )  # fmt: skip


def operations(transaction: Transaction, call: Call) -> Reply:
    """Return the provider's own list of its operations."""
    call.params = {**call.params, "namespace": NAMESPACE}
    return providers.offered_operations(transaction, call)
