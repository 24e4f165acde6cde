"""Container registries on the management plane: create, show, list, update, delete, name check."""

from __future__ import annotations

from azext_trust.names import scopes
from azext_trust.names.registries import valid_registry_name
from azext_trust.server.arm import bodies, errors, groups, policies
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import registries, resources, trust
from azext_trust.server.store.transaction import Transaction

SKUS = {"basic": "Basic", "standard": "Standard", "premium": "Premium"}


def found(transaction: Transaction, call: Call) -> tuple[registries.Registry, resources.ResourceGroup]:
    """Return the registry a request names, and its group.

    Raises:
        ServiceError: ResourceGroupNotFound or ResourceNotFound.
    """
    group = groups.found(transaction, call)
    scope = scopes.registry_id(group.subscription_id, group.name, call.params["registry"])
    row = registries.by_scope(transaction.session, scopes.key(scope))
    if row is None:
        raise errors.no_resource(bodies.TYPE, call.params["registry"], group.name)
    return row, group


def _answer(transaction: Transaction, call: Call, row: registries.Registry, group: str, status: int = 200) -> Reply:
    return bodies.reply(call, bodies.registry(call, row, group, transaction.retirement()), status)


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one registry."""
    row, group = found(transaction, call)
    return _answer(transaction, call, row, group.name)


def in_subscription(transaction: Transaction, call: Call) -> Reply:
    """Return the registries of a subscription."""
    return _listed(transaction, call, None)


def in_group(transaction: Transaction, call: Call) -> Reply:
    """Return the registries of a resource group."""
    return _listed(transaction, call, groups.found(transaction, call).name)


def _listed(transaction: Transaction, call: Call, group: str | None) -> Reply:
    subscription = call.params["subscription"]
    names = {row.name_key: row.name for row in resources.groups(transaction.session, subscription)}
    position = transaction.retirement()
    rows = registries.in_subscription(transaction.session, subscription, group)
    value = [bodies.registry(call, row, names.get(row.group_key, row.group_key), position) for row in rows]
    return bodies.reply(call, {"value": value})


def check_name(transaction: Transaction, call: Call) -> Reply:
    """Tell whether a registry name is free in the whole cloud."""
    name = str(call.json().get("name", ""))
    if not valid_registry_name(name):
        return bodies.reply(call, {"nameAvailable": False, "reason": "Invalid", "message": errors.BAD_NAME})
    if registries.by_name(transaction.session, name) is not None:
        message = f"The registry {name} is already in use."
        return bodies.reply(call, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return bodies.reply(call, {"availableLoginServerName": call.settings.login_server(name), "nameAvailable": True})


def put(transaction: Transaction, call: Call) -> Reply:
    """Create a registry, or replace its settings; members that only the service writes are ignored."""
    group, body, name = groups.found(transaction, call), call.json(), call.params["registry"]
    scope = scopes.registry_id(group.subscription_id, group.name, name)
    row = registries.by_scope(transaction.session, scopes.key(scope))
    if row is not None:
        wanted = groups.location_of(body, bodies.TYPE)
        if wanted and wanted != row.location:
            raise errors.resource_elsewhere(row.name, group.name, wanted, row.location)
        return _update(transaction, call, row, group)
    if not valid_registry_name(name):
        raise errors.bad_registry_name()
    if registries.by_name(transaction.session, name) is not None:
        raise errors.name_in_use(call.settings.login_server(name))
    location = groups.location_of(body, bodies.TYPE)
    if location is None:
        raise errors.location_required()
    sku = _sku(body)
    if sku is None:
        raise errors.invalid_content("The required property 'sku' was not found in the request.")
    row = registries.new(scope, location, sku, transaction.now_text(), call.caller.name)
    transaction.session.add(row)
    transaction.session.flush()
    _apply(transaction, call, row, body)
    call.change(after=_summary(row))
    return _answer(transaction, call, row, group.name, 200)


def patch(transaction: Transaction, call: Call) -> Reply:
    """Change what the body names and leave the rest."""
    row, group = found(transaction, call)
    return _update(transaction, call, row, group)


def _update(transaction: Transaction, call: Call, row: registries.Registry, group: resources.ResourceGroup) -> Reply:
    before = _summary(row)
    _apply(transaction, call, row, call.json())
    row.modified, row.modified_by = transaction.now_text(), call.caller.name
    transaction.session.flush()
    call.change(before=before, after=_summary(row))
    return _answer(transaction, call, row, group.name)


def _summary(row: registries.Registry) -> dict[str, object]:
    """Return what the activity log keeps of a registry: settings, no secret."""
    return {
        "sku": row.sku, "adminUserEnabled": row.admin_enabled, "tags": dict(row.tags),
        "contentTrust": "enabled" if row.trust_enabled else "disabled",
        "policies": {name: dict(policy) for name, policy in row.policies.items()}, "properties": dict(row.properties),
    }  # fmt: skip


def _sku(body: dict[str, object]) -> str | None:
    given = body.get("sku")
    if given is None:
        return None
    name = given.get("name") if isinstance(given, dict) else given
    found_sku = SKUS.get(str(name).lower())
    if found_sku is None:
        raise errors.sku_not_supported(str(name))
    return found_sku


def _apply(transaction: Transaction, call: Call, row: registries.Registry, body: dict[str, object]) -> None:
    """Bring a body into a registry: tags, settings, policies under the new SKU, then the SKU itself."""
    properties = body.get("properties", {})
    if not isinstance(properties, dict):
        raise errors.invalid_content("The property 'properties' must be an object.")
    tags = groups.tags_of(body)
    if tags is not None:
        row.tags = tags
    sku = _sku(body) or row.sku
    _settings(row, properties, sku)
    wanted = properties.get("policies")
    if wanted is not None and not isinstance(wanted, dict):
        raise errors.invalid_content("The property 'properties.policies' must be an object.")
    policies.apply(transaction, call, row, wanted or {}, sku)
    if sku != "Premium" and registries.trust_in_force(row, transaction.retirement()):
        lost = trust.loss(transaction.session, row)
        raise errors.downgrade_loses_trust(row.name, sku, lost.repositories, lost.signed_tags)
    row.sku = sku


_BOOLEANS = ("anonymousPullEnabled", "dataEndpointEnabled", "networkRuleBypassAllowedForTasks")
_WORDS = {
    "publicNetworkAccess": ("Enabled", "Disabled"),
    "networkRuleBypassOptions": ("AzureServices", "None"),
    "zoneRedundancy": ("Enabled", "Disabled"),
    "roleAssignmentMode": ("LegacyRegistryPermissions", "AbacRepositoryPermissions"),
    "metadataSearch": ("Enabled", "Disabled"),
}
_PREMIUM_ONLY = {"publicNetworkAccess": "Disabled", "dataEndpointEnabled": True, "zoneRedundancy": "Enabled"}


def _settings(row: registries.Registry, properties: dict[str, object], sku: str) -> None:
    admin = properties.get("adminUserEnabled")
    if admin is not None:
        if not isinstance(admin, bool):
            raise errors.invalid_content("The property 'adminUserEnabled' must be a boolean.")
        row.admin_enabled = admin
    kept = dict(row.properties)
    for name in _BOOLEANS:
        value = properties.get(name)
        if value is not None:
            if not isinstance(value, bool):
                raise errors.invalid_content(f"The property '{name}' must be a boolean.")
            kept[name] = value
    for name, words in _WORDS.items():
        value = properties.get(name)
        if value is not None:
            match = next((word for word in words if word.lower() == str(value).lower()), None)
            if match is None:
                raise errors.bad_policy("properties", name, value, ", ".join(words))
            kept[name] = match
    if sku != "Premium" and any(kept.get(name) == value for name, value in _PREMIUM_ONLY.items()):
        raise errors.sku_not_supported(sku)
    if sku == "Basic" and kept.get("anonymousPullEnabled"):
        raise errors.sku_not_supported(sku)
    mode = bodies.DEFAULTS["roleAssignmentMode"]
    if kept.get("roleAssignmentMode", mode) != row.properties.get("roleAssignmentMode", mode):
        # Login servers refuse every token that was cut before a switch.
        kept[registries.MODE_SWITCHES] = int(str(kept.get(registries.MODE_SWITCHES, 0))) + 1
    row.properties = {name: value for name, value in kept.items() if bodies.DEFAULTS.get(name) != value}


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a registry with its trust data; one that is not there is 204."""
    group = resources.resource_group(transaction.session, call.params["subscription"], call.params["group"])
    name = call.params["registry"]
    scope = scopes.registry_id(group.subscription_id, group.name, name) if group else ""
    row = registries.by_scope(transaction.session, scopes.key(scope)) if group else None
    if row is None:
        return bodies.reply(call, None, 204)
    lost = trust.erase(transaction, row)
    summary = _summary(row) | {"repositories": lost.repositories, "signedTags": lost.signed_tags}
    transaction.session.delete(row)
    call.change(before=summary)
    return bodies.reply(call, None)
