"""Access control (IAM): roles with their permissions in full, and deny assignments."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from azext_trust.cloud.errors import HttpError
from azext_trust.portal import grants, people
from azext_trust.portal.access_pages import tab
from azext_trust.portal.visit import Visit, path


def matching(known: dict[str, grants.Role], text: str, kind: str = "") -> list[grants.Role]:
    """Return the roles whose name, description or permissions hold a text, and that are of a kind."""
    wanted = text.lower()
    return [
        role
        for role in known.values()
        if kind in ("", role.kind)
        and (wanted in role.name.lower() or wanted in role.description.lower() or _gives(role, wanted))
    ]


def _gives(role: grants.Role, wanted: str) -> bool:
    planes = ("actions", "dataActions")
    return any(wanted in str(text).lower() for row in role.permissions for plane in planes for text in row[plane])


def listed(visit: Visit) -> Response:
    """Show the roles."""
    text, kind = visit.query("q").strip(), visit.query("type")
    return tab(visit, "iam_roles", "roles", q=text, roles=matching(grants.roles(visit), text, kind))


def show(visit: Visit) -> Response:
    """Show a role with all its permissions.

    Raises:
        HttpError: there is no such role here.
    """
    wanted = visit.query("id").lower()
    where = f"{path(visit.at.id)}{grants.AUTHORIZATION}/roleDefinitions/{path(wanted)}"
    found = grants.role(visit.arm.call("GET", where, "roleDefinitions"))
    return tab(visit, "iam_role", "roles", role=found)


def denies(visit: Visit) -> Response:
    """Show the deny assignments that reach this place."""
    where = f"{path(visit.at.id)}{grants.AUTHORIZATION}/denyAssignments"
    try:
        rows, why = visit.arm.listed(where, "denyAssignments"), ""
    except HttpError as error:
        rows, why = [], error.message
    ids = [str(who["id"]) for row in rows for who in _named(row)]
    return tab(visit, "iam_denies", "denies", rows=rows, why=why, who=people.named(visit, ids))


def _named(row: dict[str, Any]) -> list[dict[str, Any]]:
    held = row["properties"]
    return [*held.get("principals", ()), *held.get("excludePrincipals", ())]
