"""Brings a seed's resource groups, identities and registries into the state."""

from __future__ import annotations

import uuid

from azext_trust.names import scopes
from azext_trust.server.operator.errors import SeedError
from azext_trust.server.operator.seed_context import Context
from azext_trust.server.operator.seed_parts import (
    IdentityPart,
    RegistryPart,
    ResourceGroupPart,
    ScopeMapPart,
    TokenPart,
)
from azext_trust.server.store import identities, labels, passwords, principals, registries, resources, scope_maps

_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"


def resource_group(context: Context, part: ResourceGroupPart) -> None:
    """Make a resource group, or compare one."""
    subscription = context.subscription_scope.split("/")[2]
    found = resources.resource_group(context.session, subscription, part.name)
    if found is not None:
        context.compare(f"the location of resource group {part.name}", found.location, part.location)
        context.compare(f"the tags of resource group {part.name}", found.tags, part.tags or None)
        context.compare(f"the manager of resource group {part.name}", found.managed_by, part.managed_by)
        return
    context.session.add(
        resources.ResourceGroup(
            subscription_id=subscription, name_key=part.name.lower(), name=part.name, location=part.location,
            tags=part.tags, managed_by=part.managed_by, created=context.now, modified=context.now,
        )
    )  # fmt: skip
    context.done.created.append(f"resource group {part.name}")


def identity(context: Context, part: IdentityPart) -> None:
    """Make a managed identity with its service principal, or compare one."""
    group = context.group_of(part.resource_group, f"Identity {part.name}")
    scope = f"/subscriptions/{group.subscription_id}/resourcegroups/{group.name}/providers/{_IDENTITY}/{part.name}"
    row = identities.by_scope(context.session, scopes.key(scope))
    if row is None:
        row = identities.Identity(
            scope_key=scopes.key(scope), subscription_id=group.subscription_id, group_key=group.name_key,
            name=part.name, name_key=part.name.lower(), location=part.location or group.location,
            principal_id=part.principal_id or str(uuid.uuid4()), client_id=part.client_id or str(uuid.uuid4()),
            created=context.now, created_by="seed", modified=context.now, modified_by="seed", tags=part.tags,
            properties=part.properties,
        )  # fmt: skip
        context.session.add(row)
        identities.add_principal(context.session, row, scope)
        context.done.created.append(f"identity {part.name}")
    what = f"identity {part.name}"
    context.compare(f"the location of {what}", row.location, part.location)
    context.compare(f"the principal id of {what}", row.principal_id, part.principal_id)
    context.compare(f"the client id of {what}", row.client_id, part.client_id)
    context.compare(f"the tags of {what}", row.tags, part.tags or None)
    context.federated(what, row.principal_id, part.federated_credentials)


def registry(context: Context, part: RegistryPart) -> None:
    """Make a registry with its scope maps and tokens, or compare one.

    Raises:
        SeedError: its resource group or an identity is not there, or the SKU does not offer what is asked for.
    """
    row = registries.by_name(context.session, part.name)
    if row is None:
        row = _new_registry(context, part)
    else:
        _same_registry(context, part, row)
    for one in part.scope_maps:
        _scope_map(context, row, one)
    context.session.flush()
    for token in part.tokens:
        _token(context, row, token)


def _settings(part: RegistryPart) -> dict[str, object]:
    return part.settings.model_dump(by_alias=True, exclude_none=True)


def _new_registry(context: Context, part: RegistryPart) -> registries.Registry:
    group = context.group_of(part.resource_group, f"Registry {part.name}")
    _check_sku(part)
    scope = scopes.registry_id(group.subscription_id, group.name, part.name)
    label = part.label or labels.label(
        part.name, part.settings.label_scope or labels.UNSECURE, context.transaction.tenant_id(),
        group.subscription_id, group.name,
    )  # fmt: skip
    row = registries.new(scope, part.location or group.location, part.sku, context.now, "seed", label)
    row.admin_enabled, row.tags = part.admin_user, part.tags
    row.trust_enabled = part.content_trust == "enabled"
    row.trust_enabled_before_retirement = row.trust_enabled and context.transaction.retirement() == "off"
    row.policies = {name: _policy(part, name, held) for name, held in row.policies.items()}
    row.properties = _settings(part) | _identities(context, part, scope)
    context.session.add(row)
    context.done.created.append(f"registry {part.name}")
    return row


def _check_sku(part: RegistryPart) -> None:
    settings = part.settings
    if part.sku != "Premium":
        wanted = {
            "content trust": part.content_trust == "enabled", "a dedicated data endpoint": settings.data_endpoint,
            "zone redundancy": settings.zone_redundancy == "Enabled",
            "closing the public network": settings.public_access == "Disabled",
        }  # fmt: skip
        for what, asked in wanted.items():
            if asked:
                raise SeedError(f"Registry {part.name}: {what} needs the SKU Premium, not {part.sku}.")
    if part.sku == "Basic" and settings.anonymous_pull:
        raise SeedError(f"Registry {part.name}: anonymous pull needs the SKU Standard or Premium, not Basic.")


def _policy(part: RegistryPart, name: str, held: dict[str, object]) -> dict[str, object]:
    wanted = part.policies.get(name)  # type: ignore[call-overload]  # any text may be asked for
    return held if wanted is None else held | wanted.model_dump(by_alias=True, exclude_none=True)


def _identities(context: Context, part: RegistryPart, scope: str) -> dict[str, object]:
    """Return the member of a registry's properties that holds its identities, the system-assigned one made."""
    own, users = part.system_identity, {name: _assigned(context, part, name) for name in part.identities}
    if own is None and not users:
        return {}
    shown: dict[str, object] = {}
    kinds = ["SystemAssigned"] * (own is not None) + ["UserAssigned"] * bool(users)
    if own is not None:
        made = identities.add_system_principal(
            context.session, part.name, scope, context.now, own.principal_id or "", own.client_id or ""
        )
        shown = {"principalId": made.id, "tenantId": context.transaction.tenant_id()}
    shown["type"] = ", ".join(kinds)
    return {registries.IDENTITY: shown | ({"userAssignedIdentities": users} if users else {})}


def _assigned(context: Context, part: RegistryPart, name: str) -> dict[str, str]:
    found = identities.by_scope(context.session, scopes.key(name))
    if found is None:
        raise SeedError(f"Registry {part.name}: there is no identity '{name}'.")
    return {"principalId": found.principal_id, "clientId": found.client_id}


def _same_registry(context: Context, part: RegistryPart, found: registries.Registry) -> None:
    what = f"registry {part.name}"
    context.compare(f"the resource group of {what}", found.group_key, part.resource_group.lower())
    context.compare(f"the location of {what}", found.location, part.location)
    context.compare(f"the SKU of {what}", found.sku, part.sku)
    enabled = "enabled" if found.trust_enabled else "disabled"
    context.compare(f"content trust of {what}", enabled, part.content_trust)
    context.compare(f"the admin user of {what}", found.admin_enabled, part.admin_user)
    context.compare(f"the tags of {what}", found.tags, part.tags or None)
    context.compare(f"the label of {what}", found.label, part.label)
    context.compare_members(what, found.properties, _settings(part))
    for name, policy in part.policies.items():
        wanted = policy.model_dump(by_alias=True, exclude_none=True)
        context.compare_members(f"the {name} of {what}", found.policies.get(name, {}), wanted)
    held = found.properties.get(registries.IDENTITY)
    users = held.get("userAssignedIdentities") if isinstance(held, dict) else None
    known = set(map(scopes.key, users)) if isinstance(users, dict) else set()
    for one in part.identities:
        if scopes.key(one) not in known:
            context.done.differs.append(f"{what} lacks the identity '{one}'")
    own = principals.by_id(context.session, str(held.get("principalId"))) if isinstance(held, dict) else None
    if part.system_identity is not None and own is None:
        context.done.differs.append(f"{what} lacks a system-assigned identity")


def _scope_map(context: Context, row: registries.Registry, part: ScopeMapPart) -> None:
    found, what = scope_maps.scope_map(context.session, row.id, part.name), f"scope map {part.name} of {row.name}"
    if found is not None:
        context.compare(f"the actions of {what}", sorted(found.actions), sorted(part.actions))
        context.compare(f"the description of {what}", found.description, part.description)
        return
    context.session.add(
        scope_maps.ScopeMap(
            id=str(uuid.uuid4()), registry_id=row.id, name=part.name, name_key=part.name.lower(),
            description=part.description, created=context.now, created_by="seed", modified=context.now,
            modified_by="seed", actions=part.actions,
        )
    )  # fmt: skip
    context.done.created.append(what)


def _token(context: Context, row: registries.Registry, part: TokenPart) -> None:
    found, what = scope_maps.token(context.session, row.id, part.name), f"token {part.name} of {row.name}"
    if found is not None:
        context.compare(f"the scope map of {what}", found.scope_map_key, part.scope_map.lower())
        context.compare(f"the status of {what}", found.status, part.status)
        held = [one["hashed"] for one in found.passwords]
        if part.password and not any(passwords.verify_secret(one, part.password) for one in held):
            context.done.differs.append(f"the password of {what} is another one than the seed's")
        return
    if scope_maps.scope_map(context.session, row.id, part.scope_map) is None:
        raise SeedError(f"Token {part.name}: there is no scope map '{part.scope_map}' in {row.name}.")
    context.session.add(
        scope_maps.RegistryToken(
            id=str(uuid.uuid4()), registry_id=row.id, name=part.name, name_key=part.name.lower(),
            scope_map_key=part.scope_map.lower(), status=part.status, created=context.now, created_by="seed",
            modified=context.now, modified_by="seed",
            passwords=[_password(context, part.password)] if part.password else [],
        )
    )  # fmt: skip
    context.done.created.append(what)


def _password(context: Context, text: str) -> dict[str, str]:
    return {"name": "password1", "hashed": passwords.hash_secret(text), "created": context.now, "expiry": ""}
