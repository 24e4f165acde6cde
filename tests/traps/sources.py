"""The tenant of traps in each of the forms an audit can meet: a store, Resource Manager and Graph, exported files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from azext_trust.names import scopes
from azext_trust.rbac import roles
from azext_trust.rbac.model import Permission, RoleDefinition
from tests.traps import world
from tests.traps.world import guid, place

SEED = f"""
tenant: {{id: {world.TENANT}, domain: contoso.com}}
subscription: {{id: {world.SUB_A}, name: A}}
users:
  - {{name: auditor@contoso.com, password: "Auditor-pass-1", roles: [{{role: Owner}}]}}
  - {{name: outsider@contoso.com, password: "Outside-pass-1"}}
directoryRoles: [{{role: Global Administrator, members: [auditor@contoso.com]}}]
"""
Row = dict[str, Any]


def principals() -> list[Row]:
    """Return the directory as Graph lists it; somebody new has the deleted one's name."""
    users = [
        {"id": guid(name), "displayName": name.title(), "userPrincipalName": f"{name}@contoso.com"}
        for name in world.PEOPLE
    ]
    users += [{"id": guid("again"), "displayName": "Deleted", "userPrincipalName": "deleted@contoso.com"}]
    groups = [{"id": guid(name), "displayName": name, "securityEnabled": True} for name in world.GROUPS]
    services = [
        {"id": guid(name), "displayName": name, "appId": guid(f"app {name}"), "servicePrincipalType": "Application",
         "servicePrincipalNames": [guid(f"app {name}")]}
        for name in world.SERVICES
    ]  # fmt: skip
    return [*users, *groups, *services]


def kind_of(name: str) -> str:
    """Return a principal's kind."""
    return "Group" if name in world.GROUPS else "ServicePrincipal" if name in world.SERVICES else "User"


def assignments() -> list[Row]:
    """Return the role assignments in az's form; names of deleted principals are empty, as az leaves them."""
    names = {row["id"]: row.get("userPrincipalName") or row.get("appId") or row["displayName"] for row in principals()}
    return [
        {"id": given.id, "name": given.name, "scope": place(given.at), "principalId": guid(given.who),
         "principalName": names.get(guid(given.who), ""), "principalType": kind_of(given.who),
         "roleDefinitionId": scopes.role_definition_id(world.SUB_A, given.role_id), "roleDefinitionName": given.role,
         "condition": given.condition, "conditionVersion": "2.0" if given.condition else None,
         "type": "Microsoft.Authorization/roleAssignments", "somethingNew": {"kept": True}}
        for given in world.ASSIGNMENTS
    ]  # fmt: skip


def _permission(one: Permission) -> Row:
    return {"actions": list(one.actions), "notActions": list(one.not_actions), "dataActions": list(one.data_actions),
            "notDataActions": list(one.not_data_actions)}  # fmt: skip


def _role(one: RoleDefinition) -> Row:
    return {
        "id": scopes.role_definition_id(world.SUB_A, one.id), "name": one.id, "roleName": one.name,
        "roleType": one.kind, "description": one.description, "assignableScopes": list(one.assignable_scopes),
        "permissions": [_permission(p) | {"condition": one.condition} for p in one.permissions],
        "type": "Microsoft.Authorization/roleDefinitions",
    }  # fmt: skip


def role_definitions() -> list[Row]:
    """Return all role definitions in az's form."""
    return [*map(_role, roles.built_in_roles().values()), *map(_role, own_roles())]


def own_roles() -> list[RoleDefinition]:
    """Return the custom roles."""
    found = []
    for name, given in world.ROLES.items():
        lists = [tuple(given.get(kind, ())) for kind in ("actions", "notActions", "dataActions", "notDataActions")]
        scope = (f"/subscriptions/{world.SUB_A}",)
        found.append(RoleDefinition(guid(name), name, "", "CustomRole", (Permission(*lists),), scope))
    return found


def denies() -> list[Row]:
    """Return the deny assignments in the REST form."""

    def named(names: tuple[str, ...]) -> list[Row]:
        return [{"id": name if name == world.EVERYBODY else guid(name), "type": "SystemDefined"} for name in names]

    return [
        {"name": guid(one.name), "type": "Microsoft.Authorization/denyAssignments",
         "id": f"{place(one.at)}/providers/Microsoft.Authorization/denyAssignments/{guid(one.name)}",
         "properties": {
             "denyAssignmentName": one.name, "scope": place(one.at), "doNotApplyToChildScopes": one.here_only,
             "permissions": [{"actions": list(one.actions), "notActions": [], "dataActions": [], "notDataActions": []}],
             "principals": named(one.who), "excludePrincipals": named(one.but), "isSystemProtected": True}}
        for one in world.DENIES
    ]  # fmt: skip


def registries() -> list[Row]:
    """Return the registries in az's form."""
    return [
        {"id": world.registry(name), "name": name, "loginServer": f"{name}.azurecr.io", "sku": {"name": "Premium"},
         "adminUserEnabled": said.get("admin", False), "anonymousPullEnabled": said.get("anonymous", False),
         "roleAssignmentMode": said.get("mode", "LegacyRegistryPermissions"), "location": "westeurope",
         "policies": {"trustPolicy": {"type": "Notary", "status": "enabled"}}, "type": f"{world.R}"}
        for name, said in world.REGISTRIES.items()
    ]  # fmt: skip


def management_groups() -> list[Row]:
    """Return where everything lies, as getEntities tells it."""
    rows = []
    for scope, parent in world.PARENTS.items():
        kind = (
            "/subscriptions"
            if scope.startswith("/subscriptions")
            else "/providers/Microsoft.Management/managementGroups"
        )
        rows.append({"id": scope, "name": scope.rsplit("/", 1)[1], "type": kind, "parent": {"id": parent},
                     "parentNameChain": []})  # fmt: skip
    return rows


def export(folder: Path) -> Path:
    """Write the tenant as a folder of exports; names of files say nothing."""
    people = principals()
    documents: dict[str, Any] = {
        "one": assignments(), "two.json": role_definitions(), "three": {"value": denies()}, "acr": registries(),
        "users": [row for row in people if "userPrincipalName" in row],
        "groups": [row for row in people if "securityEnabled" in row],
        "services": [row for row in people if "appId" in row], "entities": management_groups(),
        "classic": {"value": [
            {"id": f"/subscriptions/{sub}/providers/Microsoft.Authorization/classicAdministrators/x", "name": "x",
             "type": "Microsoft.Authorization/classicAdministrators",
             "properties": {"emailAddress": f"{name}@contoso.com", "role": "CoAdministrator"}}
            for name in world.CLASSIC for sub in (world.SUB_A, world.SUB_B)
        ]},
    }  # fmt: skip
    members = folder / "group-members"
    members.mkdir(parents=True)
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    by_id = {row["id"]: row for row in people}
    for group, names in world.GROUPS.items():
        rows = [by_id[guid(name)] for name in names]
        (members / f"{guid(group)}.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


def pages() -> list[tuple[str, list[Row]]]:
    """Return the tenant as a twin takes it, kind by kind."""
    from azext_trust.audit import twin_rows

    makers = (
        (management_groups(), twin_rows.entity), (registries(), _registry), (role_definitions(), twin_rows.role),
        (assignments(), twin_rows.assignment), (denies(), twin_rows.deny),
    )  # fmt: skip
    found: dict[str, list[Row]] = {
        "management-group": [{"name": world.TENANT, "displayName": "root", "parent": None}],
        "subscription": [{"id": sub, "name": sub[:4]} for sub in world.GROUPS_OF],
        "resource-group": [{"subscription": sub, "name": name} for sub, names in world.GROUPS_OF.items() for name in names],
    }  # fmt: skip
    for row in principals():
        kind = "User" if "userPrincipalName" in row else "Group" if "securityEnabled" in row else "ServicePrincipal"
        for name, made in twin_rows.person(kind)(row):
            found.setdefault(name, []).append(made)
    found["member"] = [
        {"group": guid(group), "member": guid(one)} for group, held in world.GROUPS.items() for one in held
    ]
    for rows, make in makers:
        for row in rows:
            for name, made in make(row):
                found.setdefault(name, []).append(made)
    found["classic"] = [{"name": f"{name}@contoso.com"} for name in world.CLASSIC]
    return list(found.items())


def _registry(row: Row) -> Any:
    from azext_trust.audit import twin_rows

    inner = {
        name: row[name]
        for name in ("loginServer", "adminUserEnabled", "anonymousPullEnabled", "roleAssignmentMode", "policies")
    }
    return twin_rows.registry({"id": row["id"], "name": row["name"], "sku": row["sku"], "properties": inner})
