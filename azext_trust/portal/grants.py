"""Role definitions and role assignments as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azext_trust.names import scopes
from azext_trust.portal import people, place
from azext_trust.portal.people import Person
from azext_trust.portal.visit import Visit, path

AUTHORIZATION = "/providers/Microsoft.Authorization"
WRITE = "Microsoft.Authorization/roleAssignments/write"
DELETE = "Microsoft.Authorization/roleAssignments/delete"


@dataclass(frozen=True)
class Role:
    """A role definition."""

    guid: str
    id: str
    name: str
    description: str
    kind: str
    permissions: list[dict[str, Any]]
    scopes: list[str]

    @property
    def picture(self) -> str:
        """The key of the text that says what kind of role it is."""
        return "role.builtin" if self.kind == "BuiltInRole" else "role.custom"


def role(row: dict[str, Any]) -> Role:
    """Return a role definition as ARM shows it."""
    held = row["properties"]
    return Role(
        str(row["name"]), str(row["id"]), str(held["roleName"]), str(held.get("description") or ""), str(held["type"]),
        list(held["permissions"]), list(held.get("assignableScopes") or ()),
    )  # fmt: skip


def roles(visit: Visit) -> dict[str, Role]:
    """Return the roles that can be assigned here, by GUID, in the order of their names."""
    found = visit.arm.listed(f"{path(visit.at.id)}{AUTHORIZATION}/roleDefinitions", "roleDefinitions")
    return {one.guid: one for one in sorted(map(role, found), key=lambda one: one.name.lower())}


@dataclass(frozen=True)
class Grant:
    """A role assignment.

    Attributes:
        guid: its name.
        scope: where it was made.
        role: the role's GUID.
        role_name: the role's name, or its GUID when the visitor cannot see the role.
        principal: the object id.
        type: the principal's type.
        person: who that is, None when the directory does not have them (any more).
        condition: its condition, or empty.
        here: whether it was made at the page's own scope, and is not inherited.
    """

    guid: str
    scope: str
    role: str
    role_name: str
    principal: str
    type: str
    person: Person | None
    condition: str
    here: bool

    @property
    def level(self) -> str:
        """The key of the text that says how high the scope is."""
        found = place.of(self.scope)
        if found:
            return f"kind.{found.kind}"
        return "kind.root" if scopes.canonical(self.scope) == "/" else "kind.management"

    @property
    def url(self) -> str:
        """The assignments' page of the scope, or empty where there is none."""
        found = place.of(self.scope)
        return f"{found.url}/iam/assignments" if found else ""


def grants(visit: Visit, rows: list[dict[str, Any]], known: dict[str, Role]) -> list[Grant]:
    """Return assignments as ARM shows them, with the names of roles and people, in the order of both.

    Args:
        visit: the request.
        rows: role assignments.
        known: the roles.
    """
    who = people.named(visit, [str(row["properties"]["principalId"]) for row in rows])
    own = scopes.key(visit.at.id)
    found = []
    for row in rows:
        held = row["properties"]
        guid = str(held["roleDefinitionId"]).rpartition("/")[2]
        found.append(
            Grant(
                str(row["name"]), str(held["scope"]), guid, known[guid].name if guid in known else guid,
                str(held["principalId"]), str(held["principalType"]), who.get(str(held["principalId"])),
                str(held.get("condition") or ""), scopes.key(str(held["scope"])) == own,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (one.role_name.lower(), (one.person.name if one.person else "~").lower()))


def held_by(visit: Visit, person_: Person) -> list[dict[str, Any]]:
    """Return the assignments that reach somebody here: their own, their groups', inherited ones."""
    where = f"{path(visit.at.id)}{AUTHORIZATION}/roleAssignments"
    if person_.type != "Group":
        text = f"atScope() and assignedTo('{person_.id}')"
        return visit.arm.listed(where, "roleAssignments", _filter=text)
    # assignedTo is for users and service principals only; a group's own are listed with those below, which go.
    rows = visit.arm.listed(where, "roleAssignments", _filter=f"principalId eq '{person_.id}'")
    above = set(scopes.textual_ancestors(scopes.key(visit.at.id)))
    return [row for row in rows if scopes.key(str(row["properties"]["scope"])) in above or not _inside(row)]


def _inside(row: dict[str, Any]) -> bool:
    return scopes.key(str(row["properties"]["scope"])).startswith("/subscriptions/")
