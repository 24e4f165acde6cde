"""The whole world as one document: what two states are compared by. Secrets and trust metadata stay inside."""

from __future__ import annotations

import json

from sqlmodel import select

from azext_trust.rbac import roles
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import authorization, facts, principals, registries, resources, trust
from azext_trust.server.store.transaction import Transaction


def world(transaction: Transaction, call: Call) -> Reply:
    """Return tenant, people, groups, resources, registries and assignments, each list in a stable order."""
    session = transaction.session
    names = {row.id: row.upn or row.display_name for row in session.exec(select(principals.DirectoryObject))}
    return Reply(
        {
            "tenant": {"domain": facts.get(session, facts.TENANT_DOMAIN)},
            "retirement": transaction.retirement(),
            "subscriptions": [{"id": row.id, "name": row.name} for row in resources.subscriptions(session)],
            **_directory(transaction, names),
            "resourceGroups": sorted(
                ({"name": row.name, "location": row.location} for row in session.exec(select(resources.ResourceGroup))),
                key=lambda row: row["name"],
            ),
            "registries": [_registry(transaction, row) for row in _registries(transaction)],
            "assignments": _assignments(transaction, names),
        }
    )


def _directory(transaction: Transaction, names: dict[str, str]) -> dict[str, object]:
    session = transaction.session
    rows = sorted(session.exec(select(principals.DirectoryObject)), key=lambda row: (row.kind, names[row.id]))
    members: dict[str, list[str]] = {}
    for edge in session.exec(select(principals.Membership)):
        members.setdefault(edge.group_id, []).append(names[edge.member_id])
    return {
        "users": [
            {"name": row.upn, "displayName": row.display_name, "enabled": row.enabled,
             "classicAdministrator": row.classic_administrator}
            for row in rows if row.kind == principals.USER
        ],
        "groups": _ordered([
            {"name": row.display_name, "members": sorted(members.get(row.id, []))}
            for row in rows if row.kind == principals.GROUP
        ], "name"),
        "applications": _ordered([
            {"name": row.display_name,
             "names": [n for n in principals.service_principal_names(session, row.id) if n != row.app_id]}
            for row in rows if row.kind == principals.SERVICE_PRINCIPAL
        ], "name"),
        "directoryRoles": sorted(
            ({"role": row.role, "member": names[row.principal_id]}
             for row in session.exec(select(principals.DirectoryRoleMember))),
            key=lambda row: (row["role"], row["member"]),
        ),
    }  # fmt: skip


def _ordered(rows: list[dict[str, object]], *names: str) -> list[dict[str, object]]:
    """Sort rows by these members, and where they are equal by all they say: ids are no part of a dump."""
    return sorted(rows, key=lambda row: ([str(row[name]) for name in names], json.dumps(row, sort_keys=True)))


def _registries(transaction: Transaction) -> list[registries.Registry]:
    return sorted(transaction.session.exec(select(registries.Registry)), key=lambda row: row.scope_key)


def _registry(transaction: Transaction, row: registries.Registry) -> dict[str, object]:
    lost = trust.loss(transaction.session, row)
    policies = {
        name: {member: value for member, value in policy.items() if member != "lastUpdatedTime"}
        for name, policy in row.policies.items()
    }
    return {
        "name": row.name, "scope": row.scope_key, "location": row.location, "sku": row.sku, "tags": row.tags,
        "contentTrust": "enabled" if row.trust_enabled else "disabled", "adminUser": row.admin_enabled,
        "policies": policies, "properties": row.properties, "signedTags": lost.signed_tags,
        "repositoriesWithTrust": lost.repositories,
    }  # fmt: skip


def _assignments(transaction: Transaction, names: dict[str, str]) -> list[dict[str, object]]:
    known = {role_id: role.name for role_id, role in roles.built_in_roles().items()}
    known |= {row.id: row.name for row in authorization.custom_roles(transaction.session)}
    rows: list[dict[str, object]] = [
        {"assignee": names.get(row.principal_id, "(deleted)"), "role": known.get(row.role_id, row.role_id),
         "scope": row.scope_key, "condition": row.condition}
        for row in transaction.session.exec(select(authorization.Assignment))
    ]  # fmt: skip
    return _ordered(rows, "scope", "assignee", "role")
