"""The handlers of ``role definition``."""

from __future__ import annotations

from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.context import Context
from azext_trust.cli.role import lookup
from azext_trust.cli.shape import flattened
from azext_trust.names.guids import is_guid, new_guid

logger = get_logger(__name__)
_KIND = "roleDefinitions"
_MEMBERS = ("createdBy", "createdOn", "systemData", "updatedBy", "updatedOn")
_PERMISSIONS = ("actions", "notActions", "dataActions", "notDataActions")


def _shown(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a definition as az prints it: ``type`` is the resource type, the kind of role is ``roleType``."""
    properties = dict(raw["properties"])
    kind = properties.pop("type", None)
    found = flattened({**raw, "properties": properties}, _MEMBERS)
    found["permissions"] = [{"condition": None, "conditionVersion": None, **row} for row in found["permissions"]]
    return {**found, "roleType": kind}


def listed(
    context: Context, name: str | None = None, scope: str | None = None, resource_group: str | None = None,
    custom_role_only: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return role definitions that can be assigned at a scope."""
    rows = _found(context, lookup.scope_of(context, scope, resource_group), name)
    return [_shown(row) for row in rows if not custom_role_only or row["properties"]["type"] == "CustomRole"]


def _found(context: Context, scope: str, name: str | None) -> list[dict[str, Any]]:
    if name and is_guid(name):
        return [row for row in lookup.definitions(context, scope) if row["name"].lower() == name.lower()]
    return lookup.definitions(context, scope, name)


def show(context: Context, id: str | None = None, name: str | None = None, scope: str | None = None) -> dict[str, Any]:
    """Return one role definition, by id or by scope and GUID.

    Raises:
        CLIError: it is not said which.
    """
    if not id and not (scope and name):
        raise CLIError("Usage error: Provide --scope and --name, or --id")
    path = id or f"{lookup.at(str(scope))}{lookup.AUTHORIZATION}/roleDefinitions/{name}"
    return _shown(context.arm.call("GET", path, _KIND))


def create(context: Context, role_definition: str) -> dict[str, Any]:
    """Create a custom role.

    Raises:
        CLIError: it has no name or no assignable scope.
    """
    wanted = _wanted(role_definition)
    if not wanted.get("name"):
        raise CLIError("please provide role name")
    if not wanted.get("assignableScopes"):
        raise CLIError("please provide 'assignableScopes'")
    return _put(context, new_guid(), str(wanted["name"]), wanted)


def update(context: Context, role_definition: str) -> dict[str, Any]:
    """Change a custom role, named by its id or its name.

    Raises:
        CLIError: no role has this name.
    """
    wanted = _wanted(role_definition)
    if wanted.get("id"):
        return _put(
            context, str(wanted["id"]).rpartition("/")[2], str(wanted.get("roleName") or wanted["name"]), wanted
        )
    logger.warning('Role "id" is missing. Look for the role in the current subscription...')
    scopes = wanted.get("assignableScopes") or [context.arm.root]
    name = str(wanted.get("name"))
    rows = {row["name"]: row for scope in scopes for row in _found(context, scope, name)}
    if len(rows) != 1:
        raise CLIError(
            f'More than 2 definitions are found with the name of "{name}"'
            if rows
            else f'No definition was found with the name of "{name}"'
        )
    guid, row = next(iter(rows.items()))
    wanted.setdefault("assignableScopes", row["properties"]["assignableScopes"])
    return _put(context, guid, row["properties"]["roleName"], wanted)


def _wanted(text: str) -> dict[str, Any]:
    """Return the JSON with az's leniency: names may begin with a capital letter."""
    found = lookup.json_argument(text, "--role-definition")
    return {name[:1].lower() + name[1:]: value for name, value in found.items()}


def _put(context: Context, guid: str, name: str, wanted: dict[str, Any]) -> dict[str, Any]:
    permissions = wanted.get("permissions") or [{key: wanted[key] for key in _PERMISSIONS if wanted.get(key)}]
    scopes = wanted["assignableScopes"]
    properties = {
        "roleName": name, "description": wanted.get("description"), "assignableScopes": scopes, "permissions": permissions,
    }  # fmt: skip
    body = {"properties": {key: value for key, value in properties.items() if value is not None}}
    path = f"{lookup.at(scopes[0])}{lookup.AUTHORIZATION}/roleDefinitions/{guid}"
    return _shown(context.arm.call("PUT", path, _KIND, body))


def delete(
    context: Context, name: str, scope: str | None = None, resource_group: str | None = None,
    custom_role_only: bool = False, yes: bool = False,
) -> None:  # fmt: skip
    """Delete the custom roles of a name; a name that nothing has is no error, as in az."""
    place = lookup.scope_of(context, scope, resource_group)
    for row in _found(context, place, name):
        if not custom_role_only or row["properties"]["type"] == "CustomRole":
            context.arm.call("DELETE", row["id"], _KIND)
