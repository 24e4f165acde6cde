"""The handlers of ``role assignment`` (az-wire-contract.md section 5, M7)."""

from __future__ import annotations

from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.context import Context
from azext_trust.cli.role import lookup
from azext_trust.cli.shape import flattened
from azext_trust.cloud.errors import CloudError, HttpError
from azext_trust.names.guids import new_guid

logger = get_logger(__name__)
_KIND = "roleAssignments"
_MEMBERS = (
    "condition", "conditionVersion", "createdBy", "createdOn", "delegatedManagedIdentityResourceId", "description",
    "principalId", "principalType", "roleDefinitionId", "scope", "systemData", "updatedBy", "updatedOn",
)  # fmt: skip
_KEPT = ("roleDefinitionId", "principalId", "principalType", "description", "condition", "conditionVersion")


def _path(scope: str, name: str = "") -> str:
    return f"{lookup.at(scope)}{lookup.AUTHORIZATION}/roleAssignments" + (f"/{name}" if name else "")


def create(
    context: Context, role: str, scope: str, assignee: str | None = None, assignee_object_id: str | None = None,
    assignee_principal_type: str | None = None, condition: str | None = None, condition_version: str | None = None,
    description: str | None = None, assignment_name: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Grant a role; an assignment that exists already is returned as it is.

    Raises:
        CLIError: the options do not fit together.
        azext_trust.cloud.errors.CloudError: the assignee or the role does not exist, or the service refused.
    """
    if bool(assignee) == bool(assignee_object_id):
        raise CLIError("usage error: --assignee STRING | --assignee-object-id GUID")
    if assignee_principal_type and not assignee_object_id:
        raise CLIError("usage error: --assignee-object-id GUID --assignee-principal-type TYPE")
    if condition_version and not condition:
        raise CLIError("usage error: When --condition-version is set, --condition must be set as well.")
    scope = lookup.scope_of(context, scope, None)
    principal, kind = _principal(context, assignee, assignee_object_id, assignee_principal_type)
    wanted = {
        "roleDefinitionId": lookup.role_id(context, role, scope), "principalId": principal, "principalType": kind,
        "description": description, "condition": condition,
        "conditionVersion": (condition_version or "2.0") if condition else None,
    }  # fmt: skip
    body = {"properties": {name: value for name, value in wanted.items() if value is not None}}
    try:
        made = context.arm.call("PUT", _path(scope, assignment_name or new_guid()), _KIND, body)
    except HttpError as error:
        if error.code != "RoleAssignmentExists":
            raise
        return listed(context, assignee_object_id=principal, role=role, scope=scope)[0]
    return flattened(made, _MEMBERS)


def _principal(context: Context, assignee: str | None, given: str | None, kind: str | None) -> tuple[str, str | None]:
    if assignee:
        return context.graph.assignee(assignee)
    if kind:
        return str(given), kind
    logger.warning("RBAC service might reject creating role assignment without --assignee-principal-type in the future. "
                   "Better to specify --assignee-principal-type manually.")  # fmt: skip
    found = context.graph.by_ids([str(given)])
    return str(given), _kind(found[0]) if found else None


def _kind(row: dict[str, Any]) -> str:
    kind = str(row["@odata.type"]).rpartition(".")[2]
    return kind[0].upper() + kind[1:]


def listed(
    context: Context, all: bool = False, assignee: str | None = None, assignee_object_id: str | None = None,
    role: str | None = None, scope: str | None = None, resource_group: str | None = None,
    include_inherited: bool = False, include_groups: bool = False, fill_principal_name: bool = True,
    fill_role_definition_name: bool = True,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return role assignments: at the scope, above it too, or all of the subscription.

    Raises:
        CLIError: the options do not fit together.
    """
    if all and (resource_group or scope):
        raise CLIError("group or scope are not required when --all is used")
    place = None if all else lookup.scope_of(context, scope, resource_group)
    who = lookup.object_id(context, assignee, assignee_object_id)
    rows = [_shown(row) for row in _found(context, place, who, role, include_inherited, include_groups)]
    if rows and fill_role_definition_name:
        _name_roles(context, rows, place or context.arm.root)
    if rows and fill_principal_name:
        _name_principals(context, rows)
    return rows


def _shown(raw: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flattened(raw).items() if value is not None}


def _found(
    context: Context, scope: str | None, who: str | None, role: str | None, inherited: bool, groups: bool
) -> list[dict[str, Any]]:
    """Ask and sift as az does: the service takes only one filter at a time."""
    terms = ["atScope()"] if scope else []
    if who and (groups or not scope):
        terms.append(f"assignedTo('{who}')" if groups else f"principalId eq '{who}'")
    query = {"_filter": " and ".join(terms)} if terms else {}
    rows = context.arm.listed(_path(scope or context.arm.root), _KIND, **query)
    if scope and not inherited:
        rows = [row for row in rows if row["properties"]["scope"].lower() == scope.lower()]
    if rows and role:
        wanted = lookup.role_id(context, role, scope or context.arm.root).lower()
        rows = [row for row in rows if row["properties"]["roleDefinitionId"].lower() == wanted]
    if who and not groups:
        rows = [row for row in rows if row["properties"]["principalId"] == who]
    return rows


def _name_roles(context: Context, rows: list[dict[str, Any]], scope: str) -> None:
    names = {row["id"].lower(): row["properties"]["roleName"] for row in lookup.definitions(context, scope)}
    for row in rows:
        row["roleDefinitionName"] = names.get(row["roleDefinitionId"].lower())


def _name_principals(context: Context, rows: list[dict[str, Any]]) -> None:
    try:
        found = context.graph.by_ids(sorted({row["principalId"] for row in rows}))
    except CloudError as error:
        # Whoever may read assignments need not be able to read the directory.
        logger.warning("Failed to query the names of the principals: %s", error)
        return
    names = {row["id"]: row.get("userPrincipalName") or _first_name(row) for row in found}
    for row in rows:
        row["principalName"] = names.get(row["principalId"], "")


def _first_name(row: dict[str, Any]) -> str:
    names = row.get("servicePrincipalNames")
    return str(names[0] if names else row.get("displayName") or "")


def delete(
    context: Context, ids: list[str] | None = None, assignee: str | None = None, assignee_object_id: str | None = None,
    role: str | None = None, scope: str | None = None, resource_group: str | None = None,
    include_inherited: bool = False, yes: bool = False,
) -> None:  # fmt: skip
    """Take roles away.

    Raises:
        CLIError: nothing says which, or none matches.
    """
    if ids:
        for one in ids:
            context.arm.call("DELETE", one, _KIND)
        return
    if not any((assignee, assignee_object_id, role, scope, resource_group)):
        raise CLIError("Please provide at least one of these arguments: --ids, --assignee, --assignee-object-id, --role, "
                       "--resource-group, --scope")  # fmt: skip
    place = lookup.scope_of(context, scope, resource_group)
    who = lookup.object_id(context, assignee, assignee_object_id)
    rows = _found(context, place, who, role, include_inherited, False)
    if not rows:
        raise CLIError("No matched assignments were found to delete")
    for row in rows:
        context.arm.call("DELETE", row["id"], _KIND)


def update(context: Context, role_assignment: str) -> dict[str, Any]:
    """Change description or condition of an assignment.

    Raises:
        CLIError: the JSON does not name one, or the condition's version would go down.
    """
    wanted = lookup.json_argument(role_assignment, "--role-assignment")
    scope, name = wanted.get("scope"), wanted.get("name")
    if not scope or not name:
        raise CLIError("'scope' and 'name' are required in the role assignment JSON.")
    before = context.arm.call("GET", _path(scope, name), _KIND)["properties"]
    if str(before.get("conditionVersion")).startswith("2.") and str(wanted.get("conditionVersion")).startswith("1."):
        raise CLIError("Condition version cannot be downgraded to '1.X'.")
    merged = {key: wanted[key] if wanted.get(key) is not None else before.get(key) for key in _KEPT}
    body = {"properties": {key: value for key, value in merged.items() if value is not None}}
    return flattened(context.arm.call("PUT", _path(scope, name), _KIND, body), _MEMBERS)
