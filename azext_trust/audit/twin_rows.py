"""Rows of a live cloud in the form in which a local store takes them (`server/operator/observe.py`)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from azext_trust.audit import shapes
from azext_trust.names import scopes
from azext_trust.rbac.model import Permission

Row = dict[str, Any]
Made = Iterator[tuple[str, Row]]
"""Kind and row."""
_GROUPS = "/providers/microsoft.management/managementgroups/"


def subscription(raw: Mapping[str, Any]) -> Made:
    """Return a subscription."""
    yield "subscription", {"id": raw["subscriptionId"], "name": raw["displayName"], "state": raw.get("state")}


def entity(raw: Mapping[str, Any]) -> Made:
    """Return a management group, or where a subscription lies (``getEntities``), and the groups above it.

    The list holds only what the caller may see; the chains of names tell of what lies above.
    """
    flat = shapes.flat(raw)
    parent = shapes.last(str((flat.get("parent") or {}).get("id") or "")) or None
    above, shown = flat.get("parentnamechain") or [], flat.get("parentdisplaynamechain") or []
    for at, name in enumerate(above):
        title = shown[at] if len(shown) == len(above) else None
        yield "management-group", {"name": name, "displayName": title, "parent": above[at - 1] if at else None}
    if str(raw.get("type", "")).lower().endswith("managementgroups"):
        yield "management-group", {"name": raw["name"], "displayName": flat.get("displayname"), "parent": parent}
    else:
        yield (
            "subscription",
            {"id": raw["name"], "name": flat.get("displayname") or raw["name"], "managementGroup": parent},
        )


def resource_group(raw: Mapping[str, Any]) -> Made:
    """Return a resource group."""
    yield "resource-group", {"subscription": raw["id"].split("/")[2], "name": raw["name"],
                             "location": raw.get("location"), "tags": raw.get("tags")}  # fmt: skip


def registry(raw: Mapping[str, Any]) -> Made:
    """Return a registry; settings that are not understood are kept under its properties."""
    flat, made = shapes.flat(raw), shapes.registry(shapes.flat(raw))
    known = {"loginServer", "adminUserEnabled", "policies", "provisioningState", "creationDate"}
    policies = {k: v for k, v in (flat.get("policies") or {}).items() if k != "trustPolicy"}
    yield "registry", {
        "id": made.id, "sku": made.sku, "admin": made.admin, "trust": made.trust, "location": raw.get("location"),
        "tags": raw.get("tags"), "policies": policies, "loginServer": made.login_server,
        "properties": {k: v for k, v in (raw.get("properties") or {}).items() if k not in known},
    }  # fmt: skip


def scope_map(raw: Mapping[str, Any]) -> Made:
    """Return a scope map, unless every registry has it."""
    if (raw.get("properties") or {}).get("type") == "SystemDefined":
        return
    flat = shapes.flat(raw)
    key, actions = shapes.scope_map(flat)
    yield "scope-map", {
        "registry": key.rpartition("/scopemaps/")[0], "name": raw["name"], "description": flat.get("description"),
        "actions": list(actions), "created": flat.get("creationdate"),
    }  # fmt: skip


def token(raw: Mapping[str, Any]) -> Made:
    """Return a repository-scoped token; passwords are never listed."""
    flat = shapes.flat(raw)
    registry, made, _ = shapes.token(flat)
    yield "token", {"registry": registry, "name": made.name, "scopeMap": made.scope_map, "enabled": made.enabled,
                    "created": flat.get("creationdate")}  # fmt: skip


def lock(raw: Mapping[str, Any]) -> Made:
    """Return a management lock."""
    flat = shapes.flat(raw)
    made = shapes.lock(flat)
    yield "lock", {"scope": made.scope, "name": made.name, "level": made.level, "notes": flat.get("notes")}


def role(raw: Mapping[str, Any]) -> Made:
    """Return a role definition."""
    flat = shapes.flat(raw)
    made = shapes.role(flat)
    yield "role", {
        "id": made.id, "name": made.name, "description": made.description,
        "permissions": [_permission(one) for one in made.permissions], "assignableScopes": list(made.assignable_scopes),
        "createdOn": flat.get("createdon"), "updatedOn": flat.get("updatedon"),
    }  # fmt: skip


def _permission(one: Permission) -> dict[str, list[str]]:
    return {"actions": list(one.actions), "notActions": list(one.not_actions), "dataActions": list(one.data_actions),
            "notDataActions": list(one.not_data_actions)}  # fmt: skip


def assignment(raw: Mapping[str, Any]) -> Made:
    """Return a role assignment."""
    flat = shapes.flat(raw)
    made = shapes.assignment(flat)
    yield "assignment", {
        "id": made.row.id, "scope": made.row.scope, "roleId": made.row.role_id, "principalId": made.row.principal_id,
        "principalType": made.stored.principal_type, "description": made.stored.description or None,
        "condition": made.row.condition, "conditionVersion": made.row.condition_version,
        "createdOn": flat.get("createdon"), "createdBy": flat.get("createdby"), "updatedOn": flat.get("updatedon"),
    }  # fmt: skip


def deny(raw: Mapping[str, Any]) -> Made:
    """Return a deny assignment."""
    flat = shapes.flat(raw)
    made = shapes.deny(flat)
    yield "deny", {
        "id": made.id, "name": made.name, "scope": made.scope, "description": flat.get("description"),
        "permissions": [_permission(one) for one in made.permissions],
        "principals": flat.get("principals") or [], "excludePrincipals": flat.get("excludeprincipals") or [],
        "onlyThisScope": made.do_not_apply_to_child_scopes, "systemProtected": bool(flat.get("issystemprotected")),
    }  # fmt: skip


def classic(raw: Mapping[str, Any]) -> Made:
    """Return a classic administrator, by user name."""
    yield "classic", {"name": shapes.text(shapes.flat(raw), "emailaddress")}


def person(kind: str) -> Callable[[Mapping[str, Any]], Made]:
    """Return what makes rows of a directory list: ``User``, ``Group``, ``ServicePrincipal``."""

    def made(raw: Mapping[str, Any]) -> Made:
        yield "principal", {
            "id": raw["id"], "kind": kind, "displayName": raw.get("displayName"), "upn": raw.get("userPrincipalName"),
            "appId": raw.get("appId") if kind == "ServicePrincipal" else None,
            "enabled": raw.get("accountEnabled"), "created": raw.get("createdDateTime"),
            "raw": {name: value for name, value in raw.items() if name.startswith("@") is False},
        }  # fmt: skip
        for name in raw.get("servicePrincipalNames") or ():
            yield "name", {"name": name, "principal": raw["id"]}

    return made


def event(raw: Mapping[str, Any]) -> Made:
    """Return an entry of the activity log."""
    made = shapes.event(shapes.flat(raw))
    if made is not None:
        own = str(raw.get("eventDataId") or "") or f"{made.time} {made.correlation_id} {made.operation}"
        yield "event", {
            "key": hashlib.sha256(own.encode()).hexdigest(), "time": made.time, "operation": made.operation,
            "scope": scopes.canonical(made.scope), "outcome": made.outcome, "callerId": made.caller_id,
            "callerName": made.caller_name, "correlationId": made.correlation_id, "details": dict(made.details),
        }  # fmt: skip
