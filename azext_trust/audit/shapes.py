"""Rows as tools write them (Resource Manager, az, Resource Graph, Azure PowerShell, Graph), to facts.

Members are compared without regard to case, and what stands under ``properties`` counts as if it stood above.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azext_trust.audit.collected import Assigned
from azext_trust.names import scopes
from azext_trust.rbac.capabilities import ABAC, LEGACY
from azext_trust.rbac.model import EVERYBODY, DenyAssignment, Permission, RoleAssignment, RoleDefinition
from azext_trust.rbac.questions.facts import Event, Lock, Person, Registry, ScopeToken, Stored

Flat = Mapping[str, Any]
"""A row with its members' names in lower case."""


class BadRow(Exception):
    """A row lacks what it must have, or has it in a wrong form.

    Args:
        member: which member.
        message: what is wrong.
    """

    def __init__(self, member: str, message: str) -> None:
        super().__init__(f"{member}: {message}")
        self.member = member
        self.message = message


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with lower-case names, ``properties`` merged in; own members win over those of properties."""
    found = {name.lower(): value for name, value in row.items()}
    inner = found.get("properties")
    if isinstance(inner, Mapping):
        found = {**{name.lower(): value for name, value in inner.items()}, **found}
        # Of a role definition both have a type: the inner one says whether it is built in.
        if "type" in {name.lower() for name in inner}:
            found["roletype"] = next(value for name, value in inner.items() if name.lower() == "type")
    return found


def text(row: Flat, *names: str, default: str | None = None) -> str:
    """Return the first member that is text.

    Raises:
        BadRow: none is there, or it is something else.
    """
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value:
            return value
        if value not in (None, ""):
            raise BadRow(name, f"is {type(value).__name__}, not text")
    if default is None:
        raise BadRow(names[0], "is missing")
    return default


def _bool(row: Flat, *names: str) -> bool:
    return any(str(row.get(name)).lower() == "true" for name in names)


def last(resource_id: str) -> str:
    """Return the last part of an id, in lower case: the GUID of an assignment or a role."""
    return resource_id.rstrip("/").rsplit("/", 1)[-1].lower()


def _lower(row: Flat, name: str, key: str) -> Any:
    inner = row.get(name)
    return {k.lower(): v for k, v in inner.items()}.get(key) if isinstance(inner, Mapping) else None


# Authorization


def assignment(row: Flat) -> Assigned:
    """Return a role assignment (REST roleAssignments; az; ``Get-AzRoleAssignment``)."""
    shell = "roleassignmentid" in row or "objectid" in row
    name = text(row, "name", "roleassignmentname", "id", "roleassignmentid")
    scope = text(row, "scope")
    if not scope.startswith("/"):
        raise BadRow("scope", f"'{scope}' is no scope")
    who = text(row, "principalid", "objectid").lower()
    kind = text(row, "objecttype", "principaltype", default="")
    known_name = row.get("signinname") or row.get("principalname") if shell else row.get("principalname")
    stored = Stored(last(name), kind, text(row, "createdon", default=""), text(row, "createdby", default=""),
                    text(row, "description", default=""))  # fmt: skip
    made = RoleAssignment(
        last(name), scopes.canonical(scope), last(text(row, "roledefinitionid")), who,
        text(row, "condition", default="") or None, text(row, "conditionversion", default="") or None,
    )  # fmt: skip
    return Assigned(
        made, stored, "" if kind == "Unknown" else kind, known_name if isinstance(known_name, str) else None,
        kind == "Unknown", text(row, "roledefinitionname", default=""), text(row, "displayname", default=""),
    )  # fmt: skip


_LISTS = ("actions", "notactions", "dataactions", "notdataactions")


def permission(row: Mapping[str, Any]) -> Permission:
    """Return a permission object."""
    given = {name.lower(): value for name, value in row.items()}
    lists = []
    for name in _LISTS:
        texts = given.get(name) or []
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
            raise BadRow(name, "is no list of actions")
        lists.append(tuple(texts))
    return Permission(*lists)


def _permissions(row: Flat) -> tuple[Permission, ...]:
    given = row.get("permissions")
    if isinstance(given, list):
        return tuple(permission(one) for one in given if isinstance(one, Mapping))
    return (permission(row),)


def role(row: Flat) -> RoleDefinition:
    """Return a role definition (REST roleDefinitions; az; ``Get-AzRoleDefinition``)."""
    shell = "iscustom" in row
    scopes_given = row.get("assignablescopes") or []
    custom = _bool(row, "iscustom") or str(row.get("roletype", "")).lower() == "customrole"
    condition = next((p.get("condition") for p in row.get("permissions") or () if isinstance(p, Mapping)), None)
    return RoleDefinition(
        last(text(row, "id") if shell else text(row, "name", "id")),
        text(row, "name") if shell else text(row, "rolename"), text(row, "description", default=""),
        "CustomRole" if custom else "BuiltInRole", _permissions(row), tuple(str(one) for one in scopes_given),
        str(condition or row.get("condition") or "") or None,
    )  # fmt: skip


def deny(row: Flat) -> DenyAssignment:
    """Return a deny assignment (REST denyAssignments; ``Get-AzDenyAssignment``)."""
    return DenyAssignment(
        last(text(row, "name", "id")), text(row, "denyassignmentname"), scopes.canonical(text(row, "scope")),
        _permissions(row), tuple(_principals(row, "principals")), tuple(_principals(row, "excludeprincipals")),
        _bool(row, "donotapplytochildscopes"),
    )  # fmt: skip


def _principals(row: Flat, name: str) -> list[str]:
    found = []
    for one in row.get(name) or ():
        given = {key.lower(): value for key, value in one.items()} if isinstance(one, Mapping) else {"id": one}
        found.append(str(given.get("id") or given.get("objectid") or EVERYBODY).lower())
    return found


def lock(row: Flat) -> Lock:
    """Return a lock; its scope is what its id stands at."""
    name = text(row, "name")
    scope = re.split("/providers/Microsoft.Authorization/locks/", text(row, "id", "lockid"), flags=re.IGNORECASE)[0]
    return Lock(scopes.canonical(scope), text(row, "level"), name)


# Directory

_KINDS = {"user": "User", "group": "Group", "serviceprincipal": "ServicePrincipal"}


def person(row: Flat) -> Person:
    """Return a user, group or service principal (Graph; az ad; ``Get-AzAD...``)."""
    kind = person_kind(row)
    shown = text(row, "displayname", default="")
    app_id = text(row, "appid", default="") if kind == "ServicePrincipal" else ""
    name = {"User": text(row, "userprincipalname", default=""), "Group": shown}.get(kind, app_id)
    return Person(text(row, "id", "objectid").lower(), kind, name, shown, app_id,
                  text(row, "createddatetime", default=""))  # fmt: skip


def person_kind(row: Flat) -> str:
    """Return which kind of principal a directory row is about, empty when it is none."""
    said = str(row.get("@odata.type") or row.get("odatatype") or "").rpartition(".")[2].lower()
    if said:
        return _KINDS.get(said, "")
    if "userprincipalname" in row:
        return "User"
    if "serviceprincipalnames" in row or "serviceprincipaltype" in row or "serviceprincipalname" in row:
        return "ServicePrincipal"
    if row.keys() & {"securityenabled", "grouptypes", "mailenabled", "securityidentifier"} and "appid" not in row:
        return "Group"
    return ""


def principal_names(row: Flat) -> list[str]:
    """Return the further names a service principal is found by."""
    given = row.get("serviceprincipalnames") or row.get("serviceprincipalname") or []
    return [str(one).lower() for one in (given if isinstance(given, list) else [given])]


# Registries


def registry(row: Flat) -> Registry:
    """Return a registry (REST registries; az acr; ``Get-AzContainerRegistry``)."""
    sku = row.get("sku")
    mode = str(row.get("roleassignmentmode") or "")
    return Registry(
        scopes.canonical(text(row, "id")), text(row, "name"), text(row, "loginserver", default=""),
        str(sku.get("name", "")) if isinstance(sku, Mapping) else text(row, "skuname", default="Premium"),
        _policy(row, "trustpolicy") == "enabled", _bool(row, "adminuserenabled"), _bool(row, "anonymouspullenabled"),
        ABAC if mode.lower() in (ABAC.lower(), "rbac-abac") else LEGACY, _retention(row),
    )  # fmt: skip


def _policy(row: Flat, name: str) -> str:
    policies = row.get("policies")
    found = {k.lower(): v for k, v in policies.items()}.get(name) if isinstance(policies, Mapping) else None
    given = found.get("status") if isinstance(found, Mapping) else row.get(f"{name}status")
    return str(given or "disabled").lower()


def _retention(row: Flat) -> int | None:
    if _policy(row, "retentionpolicy") != "enabled":
        return None
    policies = {k.lower(): v for k, v in (row.get("policies") or {}).items()}
    days = (policies.get("retentionpolicy") or {}).get("days") or row.get("retentionpolicyday") or 7
    return int(days)


def token(row: Flat) -> tuple[str, ScopeToken, str]:
    """Return a registry's key, its token (without actions) and the key of the token's scope map."""
    own = scopes.key(text(row, "id"))
    scope_map = text(row, "scopemapid", default="")
    made = ScopeToken(text(row, "name"), text(row, "status", default="enabled").lower() == "enabled", last(scope_map))
    return own.rpartition("/tokens/")[0], made, scopes.key(scope_map)


def scope_map(row: Flat) -> tuple[str, tuple[str, ...]]:
    """Return the key of a scope map, and its actions."""
    return scopes.key(text(row, "id")), tuple(str(one) for one in row.get("actions") or ())


# Activity log

_OUTCOMES = {"succeeded": "Allowed", "started": "", "accepted": "Allowed", "failed": "Failed"}
_OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def event(row: Flat) -> Event | None:
    """Return an entry of the activity log; None for the first of the two that each operation has."""
    status = _value(row.get("status"))
    outcome = _OUTCOMES.get(status.lower(), "Allowed")
    if not outcome:
        return None
    sub = _value(row.get("substatus"))
    if outcome == "Failed" and ("forbidden" in sub.lower() or "AuthorizationFailed" in str(row.get("statusmessage"))):
        outcome = "Denied"
    authorization = row.get("authorization")
    held = authorization if isinstance(authorization, Mapping) else {}
    claims = row.get("claims")
    caller = str(claims.get(_OID, "")) if isinstance(claims, Mapping) else ""
    return Event(
        text(row, "eventtimestamp"), str(held.get("action") or _value(row.get("operationname"))),
        str(held.get("scope") or row.get("resourceid") or "/"), outcome, caller or text(row, "caller", default=""),
        text(row, "caller", default=""), text(row, "correlationid", default=""), _details(row),
    )  # fmt: skip


def _value(word: object) -> str:
    if isinstance(word, Mapping):
        return str(word.get("value") or "")
    return str(word or "")


def _details(row: Flat) -> dict[str, object]:
    """Return what an entry tells of before and after: Azure puts the new or the deleted object into responseBody."""
    import json

    body = row.get("responsebody") or row.get("requestbody")
    if not isinstance(body, str):
        return {}
    try:
        held = json.loads(body)
    except ValueError:
        return {}
    inner = held.get("properties") if isinstance(held, Mapping) else None
    gone = str(_value(row.get("operationname"))).lower().endswith("/delete")
    return {"before" if gone else "after": inner} if isinstance(inner, Mapping) else {}
