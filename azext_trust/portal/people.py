"""Users, groups, service principals and managed identities: searched in the directory, named by id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from azext_trust.clients.graph import quoted
from azext_trust.cloud.errors import HttpError
from azext_trust.portal.visit import Visit

PRINCIPALS, IDENTITIES = "principals", "identities"
"""What the step Members offers: users, groups and service principals, or managed identities."""
FOUND = 20
"""Hits shown of each kind; whoever has more types more."""
_TYPES = {"user": "User", "group": "Group", "servicePrincipal": "ServicePrincipal"}


@dataclass(frozen=True)
class Person:
    """Somebody who can be given a role.

    Attributes:
        id: object id.
        type: ``User``, ``Group`` or ``ServicePrincipal``.
        name: display name.
        detail: user principal name or appId, or empty.
        identity: whether it is a managed identity.
    """

    id: str
    type: str
    name: str
    detail: str = ""
    identity: bool = False


def person(row: dict[str, Any], kind: str = "") -> Person:
    """Return a directory object.

    Args:
        row: as Graph shows it.
        kind: ``user``, ``group`` or ``servicePrincipal``; taken from the row when it says so itself.
    """
    noun = kind or str(row.get("@odata.type", "")).rpartition(".")[2]
    identity = row.get("servicePrincipalType") == "ManagedIdentity"
    detail = row.get("userPrincipalName") or row.get("appId") or ""
    return Person(
        str(row["id"]),
        _TYPES.get(noun, noun),
        str(row.get("displayName") or detail or row["id"]),
        str(detail),
        identity,
    )


def named(visit: Visit, ids: Iterable[str]) -> dict[str, Person]:
    """Return those of the ids that the directory has and the visitor may see."""
    return {key: person(row) for key, row in visit.names_of(list(ids)).items()}


def search(visit: Visit, text: str, offered: str = PRINCIPALS) -> list[Person]:
    """Return people whose name begins with a text; the directory searches, not the portal.

    Args:
        visit: the request.
        text: the beginning of a display name or user name, or an appId; empty for the first of each kind.
        offered: `PRINCIPALS` or `IDENTITIES`.

    Raises:
        HttpError: the visitor may not read the directory.
    """
    begins = f"startswith(displayName,{quoted(text)})" if text else ""
    if offered == IDENTITIES:
        kind = "servicePrincipalType eq 'ManagedIdentity'"
        return _asked(visit, "servicePrincipal", " and ".join(part for part in (kind, begins) if part))
    users = f"{begins} or startswith(userPrincipalName,{quoted(text)})" if text else ""
    applications = f"{begins} or appId eq {quoted(text)}" if text else ""
    found = _asked(visit, "user", users) + _asked(visit, "group", begins)
    return found + [one for one in _asked(visit, "servicePrincipal", applications) if not one.identity]


def _asked(visit: Visit, kind: str, condition: str) -> list[Person]:
    where = f"/{kind}s?$top={FOUND}" + (f"&$filter={quote(condition)}" if condition else "")
    return [person(row, kind) for row in visit.graph.call("GET", where)["value"]]


def search_or_why(visit: Visit, text: str, offered: str = PRINCIPALS) -> tuple[list[Person], str]:
    """Return the people found, or none and the directory's refusal."""
    try:
        return search(visit, text, offered), ""
    except HttpError as error:
        return [], error.message
