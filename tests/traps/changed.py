"""The tenant of traps as rows that a change really changes: a referee of what-if, written apart from it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from azext_trust.audit import recognise
from azext_trust.audit.collected import Collected, tenant
from azext_trust.rbac.questions.held import HeldTenant
from tests.traps import sources, world
from tests.traps.sources import Row
from tests.traps.world import guid, place

NOW = datetime(2026, 11, 25, tzinfo=UTC)
Rows = dict[str, Any]


def rows() -> Rows:
    """Return the tenant's rows by kind, and its members by group."""
    return {
        "assignments": sources.assignments(), "roles": sources.role_definitions(), "denies": sources.denies(),
        "registries": sources.registries(), "people": sources.principals(), "entities": sources.management_groups(),
        "locks": [], "classic": list(world.CLASSIC),
        "members": {guid(group): [guid(one) for one in held] for group, held in world.GROUPS.items()},
    }  # fmt: skip


def facts(given: Rows) -> HeldTenant:
    """Return the tenant that rows make."""
    found = Collected(listed={"User", "Group", "ServicePrincipal"})
    for kind in ("assignments", "roles", "denies", "registries", "people", "entities", "locks"):
        for row in given[kind]:
            recognise.take(found, row)
    found.classic = {f"{name}@contoso.com": {"*"} for name in given["classic"]}
    found.members = {group: list(held) for group, held in given["members"].items()}
    recognise.settle(found)
    return tenant(found, NOW)


def applied(given: Rows, changes: list[Row]) -> Rows:
    """Return the rows after changes were really made."""
    made = copy.deepcopy(given)
    for at, change in enumerate(changes):
        _HOW[change["change"]](made, change, at)
    return made


def _add(made: Rows, change: Row, at: int) -> None:
    kinds = {row["id"]: row for row in made["people"]}
    role = next(row for row in made["roles"] if row["roleName"] == change["role"])
    known = kinds[change["principalId"]]
    made["assignments"].append({
        "id": f"{change['scope']}/providers/Microsoft.Authorization/roleAssignments/{guid(f'added {at}')}",
        "name": guid(f"added {at}"), "scope": change["scope"], "principalId": change["principalId"],
        "principalName": known.get("userPrincipalName") or known.get("appId") or known["displayName"],
        "roleDefinitionId": role["id"], "roleDefinitionName": role["roleName"], "condition": None,
        "conditionVersion": None, "type": "Microsoft.Authorization/roleAssignments",
        "principalType": "User" if "userPrincipalName" in known else "Group" if "securityEnabled" in known
        else "ServicePrincipal",
    })  # fmt: skip


def _remove(made: Rows, change: Row, at: int) -> None:
    made["assignments"] = [row for row in made["assignments"] if row["id"] != change["id"]]


def _add_member(made: Rows, change: Row, at: int) -> None:
    made["members"][change["groupId"]].append(change["memberId"])


def _remove_member(made: Rows, change: Row, at: int) -> None:
    made["members"][change["groupId"]].remove(change["memberId"])


def _delete(made: Rows, change: Row, at: int) -> None:
    who = change["principalId"]
    gone = next(row for row in made["people"] if row["id"] == who)
    made["people"].remove(gone)
    made["classic"] = [name for name in made["classic"] if f"{name}@contoso.com" != gone.get("userPrincipalName")]
    made["members"] = {
        group: [one for one in held if one != who] for group, held in made["members"].items() if group != who
    }


def _role(made: Rows, change: Row, at: int) -> None:
    next(row for row in made["roles"] if row["roleName"] == change["role"])["permissions"] = change["permissions"]


def _deny(made: Rows, change: Row, at: int) -> None:
    made["denies"] = [row for row in made["denies"] if row["properties"]["denyAssignmentName"] != change["name"]]


def _registry(made: Rows, change: Row, at: int) -> None:
    row = next(row for row in made["registries"] if row["name"] == change["registry"])
    if "roleAssignmentMode" in change:
        row["roleAssignmentMode"] = change["roleAssignmentMode"]
    elif "status" in change:
        row["policies"] = {"trustPolicy": {"type": "Notary", "status": change["status"]}}
    else:
        row["sku"] = {"name": change["sku"]}


def _lock(made: Rows, change: Row, at: int) -> None:
    made["locks"].append({
        "id": f"{change['scope']}/providers/Microsoft.Authorization/locks/what-if", "name": "what-if",
        "type": "Microsoft.Authorization/locks", "level": change["level"], "notes": None,
    })  # fmt: skip


def _unlock(made: Rows, change: Row, at: int) -> None:
    made["locks"] = [row for row in made["locks"]
                     if not row["id"].startswith(change["scope"] + "/providers/Microsoft.Authorization/locks/")
                     or row["level"] != change["level"]]  # fmt: skip


_HOW: dict[str, Callable[[Rows, Row, int], None]] = {
    "add-assignment": _add, "remove-assignment": _remove, "add-member": _add_member, "remove-member": _remove_member,
    "delete-principal": _delete, "role-permissions": _role, "remove-deny": _deny, "registry-mode": _registry,
    "trust-policy": _registry, "sku": _registry, "add-lock": _lock, "remove-lock": _unlock,
}  # fmt: skip


def possible() -> list[Row]:
    """Return changes of every kind that can be made."""
    people = [guid(name) for name in (*world.PEOPLE, *world.SERVICES, *world.GROUPS)]
    places = [place(name) for name in ("plain", "doors", "rg:prod", "sub:a", "mg:corp")]
    roles = ("AcrPush", "AcrImageSigner", "Owner", "Half Sign", "All Data", "Reader")
    return [
        *({"change": "add-assignment", "principalId": who, "role": role, "scope": scope}
          for who in people for role in roles for scope in places),
        *({"change": "remove-assignment", "id": given.id} for given in world.ASSIGNMENTS),
        *({"change": "remove-member", "groupId": guid(group), "memberId": guid(one)}
          for group, held in world.GROUPS.items() for one in held),
        *({"change": "add-member", "groupId": guid(group), "memberId": guid(one)}
          for group in world.GROUPS for one in (*world.PEOPLE, *world.GROUPS) if one not in world.GROUPS[group]),
        *({"change": "delete-principal", "principalId": who} for who in people),
        *({"change": "role-permissions", "role": role, "permissions": [{"actions": [action], "dataActions": [action]}]}
          for role in world.ROLES for action in ("*", f"{world.R}/*", f"{world.R}/sign/write")),
        *({"change": "remove-deny", "name": one.name} for one in world.DENIES),
        *({"change": "registry-mode", "registry": name, "roleAssignmentMode": mode}
          for name in world.REGISTRIES for mode in ("LegacyRegistryPermissions", "AbacRepositoryPermissions")),
        *({"change": "trust-policy", "registry": name, "status": status}
          for name in world.REGISTRIES for status in ("enabled", "disabled")),
        *({"change": "add-lock", "scope": scope, "level": level}
          for scope in places[:4] for level in ("ReadOnly", "CanNotDelete")),
    ]  # fmt: skip
