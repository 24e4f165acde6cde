"""Access control (IAM): check access, role assignments, remove one (M7)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from azext_trust.audit.permitted import CAPABILITIES, Permitted
from azext_trust.cloud.errors import HttpError
from azext_trust.names import scopes
from azext_trust.names.guids import is_guid
from azext_trust.portal import grants, paging, people
from azext_trust.portal.overview_page import registry_of, resource
from azext_trust.portal.people import Person
from azext_trust.portal.place import REGISTRY
from azext_trust.portal.visit import Visit, path

TYPES = ("User", "Group", "ServicePrincipal")


def tab(visit: Visit, template: str, name: str, status: int = 200, **values: Any) -> Response:
    """Return one of the tabs of Access control.

    Args:
        visit: the request.
        template: the page's template.
        name: the tab.
        status: HTTP status.
        values: what the template names.
    """
    given = {"tab": name, "lacks_add": visit.lacks(grants.WRITE), "lacks_remove": visit.lacks(grants.DELETE)}
    return resource(visit, template, "iam", status, **(given | values))


def check(visit: Visit) -> Response:
    """Show what somebody may do here; whoever has no one in mind looks themselves up."""
    wanted, text = visit.query("id"), visit.query("q").strip()
    found, why = people.search_or_why(visit, text) if text else ([], "")
    shown: dict[str, Any] = {"person": None}
    if is_guid(wanted):
        shown = _access(visit, _person(visit, wanted))
    return tab(visit, "iam_check", "check", q=text, found=found, why=why, own=visit.visitor.oid, **shown)


def _person(visit: Visit, wanted: str) -> Person:
    if wanted == visit.visitor.oid:
        return Person(wanted, "User", visit.visitor.display_name or visit.visitor.name, visit.visitor.name)
    return people.named(visit, [wanted]).get(wanted) or Person(wanted, "User", wanted)


def _access(visit: Visit, person: Person) -> dict[str, Any]:
    known = grants.roles(visit)
    held = grants.grants(visit, grants.held_by(visit, person), known)
    return {"person": person, "held": held, "capabilities": capabilities(visit, held, known)}


def mode_of(visit: Visit) -> str:
    """Return the registry's role assignment mode; above registries, the usual one."""
    usual = "LegacyRegistryPermissions"
    return (
        str(registry_of(visit)["properties"].get("roleAssignmentMode", usual)) if visit.at.kind == REGISTRY else usual
    )


def permitted(held: list[grants.Grant], known: dict[str, grants.Role]) -> Permitted:
    """Return what roles give together; those under a condition are left out, as nobody knows when it holds."""
    return Permitted(
        row for one in held if one.role in known and not one.condition for row in known[one.role].permissions
    )


def capabilities(
    visit: Visit, held: list[grants.Grant], known: dict[str, grants.Role]
) -> list[tuple[str, tuple[str, ...] | None]]:
    """Return each capability with the actions that are missing for it."""
    found, mode = permitted(held, known), mode_of(visit)
    return [(name, found.missing(name, mode)) for name in CAPABILITIES]


def assignments(visit: Visit) -> Response:
    """Show the assignments here and above, in groups by role, one page at a time."""
    text, known = visit.query("q").strip(), grants.roles(visit)
    people_found, why = people.search_or_why(visit, text) if text else ([], "")
    fits = _filter(visit, {one.id for one in people_found} if text else None)
    where = f"{path(visit.at.id)}{grants.AUTHORIZATION}/roleAssignments"

    def ask(token: str) -> dict[str, Any]:
        more = {"_skiptoken": token} if token else {}
        found: dict[str, Any] = visit.arm.call("GET", where, "roleAssignments", _filter="atScope()", **more)
        return found

    cut = paging.cut(visit, ask, fits)
    rows = grants.grants(visit, cut.rows, known)
    groups: dict[str, list[grants.Grant]] = {}
    for row in rows:
        groups.setdefault(row.role_name, []).append(row)
    return tab(
        visit, "iam_assignments", "assignments", q=text, why=why, groups=groups, count=len(rows), first=cut.first,
        next=cut.next, roles=list(known.values()), types=TYPES,
    )  # fmt: skip


def _filter(visit: Visit, ids: set[str] | None) -> Any:
    kind, role, where = visit.query("type"), visit.query("role"), visit.query("scope")
    own = scopes.key(visit.at.id)

    def fits(row: dict[str, Any]) -> bool:
        held = row["properties"]
        here = scopes.key(str(held["scope"])) == own
        return (
            (ids is None or held["principalId"] in ids)
            and kind in ("", held["principalType"])
            and role in ("", str(held["roleDefinitionId"]).rpartition("/")[2])
            and where in ("", "here" if here else "inherited")
        )

    return fits


def confirm(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """Ask before an assignment is removed."""
    name = visit.query("name")
    where = f"{path(visit.at.id)}{grants.AUTHORIZATION}/roleAssignments/{path(name)}"
    row = visit.arm.call("GET", where, "roleAssignments")
    grant = grants.grants(visit, [row], grants.roles(visit))[0]
    return tab(visit, "iam_remove", "assignments", status, grant=grant, problem=problem)


def remove(visit: Visit) -> Response:
    """Remove an assignment that was made here."""
    name = visit.query("name")
    where = f"{path(visit.at.id)}{grants.AUTHORIZATION}/roleAssignments/{path(name)}"
    try:
        visit.arm.call("DELETE", where, "roleAssignments")
    except HttpError as error:
        return confirm(visit, error.message, error.status)
    return visit.go(f"{visit.at.url}/iam/assignments", "toast.removed")
