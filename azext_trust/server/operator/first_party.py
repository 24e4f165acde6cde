"""Microsoft's own applications that every tenant has a service principal of (first_party.json)."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from sqlmodel import Session

from azext_trust.server.store import principals

OWNER = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""Microsoft's own tenant: what these service principals show as their application's owner."""


def is_one(row: principals.DirectoryObject) -> bool:
    """Tell whether a service principal is one of Microsoft's: it is no part of a dump."""
    return row.properties.get("appOwnerOrganizationId") == OWNER


def found(session: Session, now: str) -> None:
    """Give a new tenant the service principals that it has from the beginning.

    Args:
        session: a writing session.
        now: the moment, in `clock.to_text` form.
    """
    rows: list[dict[str, Any]] = json.loads(Path(__file__).with_name("first_party.json").read_text(encoding="utf-8"))
    for row in rows:
        made = principals.DirectoryObject(
            id=str(uuid.uuid4()), kind=principals.SERVICE_PRINCIPAL, display_name=row["displayName"],
            display_key=row["displayName"].lower(), app_id=row["appId"], created=now,
            properties={
                "appOwnerOrganizationId": OWNER, "oauth2PermissionScopes": _scopes(row["scopes"]),
                "appRoles": _roles(row["roles"]), "signInAudience": "AzureADMultipleOrgs",
            },
        )  # fmt: skip
        session.add(made)
        session.flush()
        principals.set_service_principal_names(session, made.id, [row["appId"], *row["names"]])


def _scopes(names: dict[str, str]) -> list[dict[str, object]]:
    return [
        {
            "adminConsentDescription": name, "adminConsentDisplayName": name, "id": scope, "isEnabled": True,
            "type": "User", "userConsentDescription": name, "userConsentDisplayName": name, "value": name,
        }
        for scope, name in names.items()
    ]  # fmt: skip


def _roles(names: dict[str, str]) -> list[dict[str, object]]:
    return [
        {
            "allowedMemberTypes": ["Application"], "description": name, "displayName": name, "id": role,
            "isEnabled": True, "origin": "Application", "value": name,
        }
        for role, name in names.items()
    ]  # fmt: skip
