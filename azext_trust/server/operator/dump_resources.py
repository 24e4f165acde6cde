"""Resource groups, identities and registries, as parts of a seed."""

from __future__ import annotations

from sqlmodel import Session, select

from azext_trust.server.operator.dump_directory import federated
from azext_trust.server.operator.seed_parts import (
    IdentityPart,
    RegistryPart,
    RegistrySettings,
    ResourceGroupPart,
    ScopeMapPart,
    SystemIdentityPart,
    TokenPart,
)
from azext_trust.server.store import identities, principals, registries, resources, scope_maps

_SETTINGS = {field.alias for field in RegistrySettings.model_fields.values()}


def resource_groups(session: Session) -> list[ResourceGroupPart]:
    """Return the resource groups."""
    rows = sorted(session.exec(select(resources.ResourceGroup)), key=lambda row: row.name_key)
    return [
        ResourceGroupPart(name=row.name, location=row.location, tags=row.tags, managed_by=row.managed_by)
        for row in rows
    ]


def _group_names(session: Session) -> dict[str, str]:
    return {row.name_key: row.name for row in session.exec(select(resources.ResourceGroup))}


def managed_identities(session: Session) -> list[IdentityPart]:
    """Return the user-assigned identities."""
    groups, rows = _group_names(session), session.exec(select(identities.Identity))
    return [
        IdentityPart(
            name=row.name, resource_group=groups.get(row.group_key, row.group_key), location=row.location,
            principal_id=row.principal_id, client_id=row.client_id, tags=row.tags, properties=row.properties,
            federated_credentials=federated(principals.credentials(session, [row.principal_id], "federated")),
        )
        for row in sorted(rows, key=lambda row: row.scope_key)
    ]  # fmt: skip


def container_registries(session: Session) -> list[RegistryPart]:
    """Return the registries with their scope maps and tokens."""
    groups, rows = _group_names(session), session.exec(select(registries.Registry))
    return [
        _registry(session, row, groups.get(row.group_key, row.group_key))
        for row in sorted(rows, key=lambda row: row.scope_key)
    ]


def _registry(session: Session, row: registries.Registry, group: str) -> RegistryPart:
    held = row.properties.get(registries.IDENTITY)
    shown = held if isinstance(held, dict) else {}
    users = shown.get("userAssignedIdentities")
    own = principals.by_id(session, str(shown.get("principalId")))
    return RegistryPart(
        name=row.name, resource_group=group, sku=row.sku, location=row.location, tags=row.tags,
        content_trust="enabled" if row.trust_enabled else "disabled", admin_user=row.admin_enabled,
        label=None if row.label == row.name_key else row.label, policies=_policies(row),
        settings=RegistrySettings.model_validate({n: v for n, v in row.properties.items() if n in _SETTINGS}),
        system_identity=SystemIdentityPart(principal_id=own.id, client_id=own.app_id) if own else None,
        identities=sorted(users) if isinstance(users, dict) else [],
        scope_maps=[
            ScopeMapPart(name=one.name, actions=one.actions, description=one.description)
            for one in scope_maps.scope_maps(session, row.id, own=True)
        ],
        tokens=[
            TokenPart(name=one.name, scope_map=_map_name(session, row, one), status=one.status)
            for one in scope_maps.tokens(session, row.id)
        ],
    )  # fmt: skip


def _policies(row: registries.Registry) -> dict[str, dict[str, object]]:
    """Return those policies that are not as in a new registry."""
    found = {}
    for name, default in registries.default_policies("").items():
        own = {key: value for key, value in row.policies.get(name, default).items() if key != "lastUpdatedTime"}
        if own != {key: value for key, value in default.items() if key != "lastUpdatedTime"}:
            found[name] = own
    return found


def _map_name(session: Session, row: registries.Registry, token: scope_maps.RegistryToken) -> str:
    found = scope_maps.scope_map(session, row.id, token.scope_map_key)
    return found.name if found else token.scope_map_key
