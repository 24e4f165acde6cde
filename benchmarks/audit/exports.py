"""A made-up tenant as the files that az exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from azext_trust.names import scopes
from azext_trust.rbac.model import RoleDefinition
from benchmarks.rbac.tenants import Size, Tenant

Row = dict[str, Any]


def write(folder: Path, assignments: int) -> int:
    """Write a tenant's export into a folder and return how many bytes it has."""
    tenant = Tenant(Size.of(assignments))
    (folder / "group-members").mkdir(parents=True)
    people: list[Row] = [{"id": name, "displayName": f"User {at}", "userPrincipalName": f"user{at}@contoso.com"}
              for at, name in enumerate(tenant.people)]  # fmt: skip
    groups: list[Row] = [{"id": name, "displayName": f"Group {at}", "securityEnabled": True}
              for at, name in enumerate(tenant.groups)]  # fmt: skip
    documents: dict[str, list[Row]] = {
        "assignments": list(_assignments(tenant)), "definitions": [_role(role) for role in tenant.roles],
        "users": people, "groups": groups, "principals": [], "registries": [_registry(one) for one in tenant.registries],
        "entities": [_entity(scope, parent) for scope, parent in tenant.parents],
    }  # fmt: skip
    held: dict[str, list[Row]] = {group: [] for group in tenant.groups}
    by_id: dict[str, Row] = {str(row["id"]): row for row in (*people, *groups)}
    for group, member in tenant.members:
        held[group].append(by_id[member])
    for name, rows in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(rows, indent=2))
    for group, rows in held.items():
        (folder / "group-members" / f"{group}.json").write_text(json.dumps(rows, indent=2))
    return sum(path.stat().st_size for path in folder.rglob("*.json"))


def _assignments(tenant: Tenant) -> Any:
    groups, names = set(tenant.groups), {role.id: role.name for role in tenant.roles}
    for row in tenant.assignments():
        yield {
            "condition": row.condition, "conditionVersion": row.condition_version, "createdBy": "", "createdOn": "",
            "delegatedManagedIdentityResourceId": None, "description": None,
            "id": scopes.role_assignment_id(row.scope, row.id), "name": row.id, "principalId": row.principal_id,
            "principalName": f"name of {row.principal_id}",
            "principalType": "Group" if row.principal_id in groups else "User",
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{row.role_id}",
            "roleDefinitionName": names[row.role_id], "scope": row.scope,
            "type": "Microsoft.Authorization/roleAssignments", "updatedBy": "", "updatedOn": "",
        }  # fmt: skip


def _role(role: RoleDefinition) -> Row:
    permissions = [
        {"actions": list(one.actions), "notActions": list(one.not_actions), "dataActions": list(one.data_actions),
         "notDataActions": list(one.not_data_actions), "condition": None, "conditionVersion": None}
        for one in role.permissions
    ]  # fmt: skip
    return {"assignableScopes": list(role.assignable_scopes), "description": role.description, "name": role.id,
            "id": f"/providers/Microsoft.Authorization/roleDefinitions/{role.id}", "permissions": permissions,
            "roleName": role.name, "roleType": role.kind, "type": "Microsoft.Authorization/roleDefinitions"}  # fmt: skip


def _registry(scope: str) -> Row:
    name = scope.rsplit("/", 1)[1]
    return {"id": scope, "name": name, "loginServer": f"{name}.azurecr.io", "sku": {"name": "Premium"},
            "adminUserEnabled": False, "location": "westeurope", "type": "Microsoft.ContainerRegistry/registries",
            "policies": {"trustPolicy": {"status": "enabled", "type": "Notary"}}}  # fmt: skip


def _entity(scope: str, parent: str) -> Row:
    kind = "/subscriptions" if scope.startswith("/subscriptions") else "Microsoft.Management/managementGroups"
    return {"id": scope, "name": scope.rsplit("/", 1)[1], "type": kind, "parent": {"id": parent}}
