"""What ``ad app create`` and ``ad app update`` can say of an application, as Graph takes it (application resource type)."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from knack.util import CLIError


@dataclass(frozen=True)
class Manifest:
    """What was given on the command line; None is what was not. JSON comes as text, or as ``@FILE`` or a file's path."""

    display_name: str | None = None
    identifier_uris: list[str] | None = None
    is_fallback_public_client: bool | None = None
    service_management_reference: str | None = None
    sign_in_audience: str | None = None
    requested_access_token_version: int | None = None
    key_value: str | None = None
    key_type: str | None = None
    key_usage: str | None = None
    key_display_name: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    web_home_page_url: str | None = None
    web_redirect_uris: list[str] | None = None
    enable_id_token_issuance: bool | None = None
    enable_access_token_issuance: bool | None = None
    public_client_redirect_uris: list[str] | None = None
    app_roles: str | None = None
    optional_claims: str | None = None
    required_resource_accesses: str | None = None

    def body(self) -> dict[str, Any]:
        """Return the members of what was given.

        Raises:
            CLIError: a JSON value or a date cannot be read.
        """
        grants = {
            "enableIdTokenIssuance": self.enable_id_token_issuance,
            "enableAccessTokenIssuance": self.enable_access_token_issuance,
        }
        web = {
            "homePageUrl": self.web_home_page_url, "redirectUris": self.web_redirect_uris,
            "implicitGrantSettings": _given(grants) or None,
        }  # fmt: skip
        return _given(
            {
                "displayName": self.display_name, "identifierUris": self.identifier_uris,
                "isFallbackPublicClient": self.is_fallback_public_client,
                "serviceManagementReference": self.service_management_reference,
                "signInAudience": self.sign_in_audience,
                "api": _given({"requestedAccessTokenVersion": self.requested_access_token_version}) or None,
                "keyCredentials": self._keys(), "web": _given(web) or None,
                "publicClient": _given({"redirectUris": self.public_client_redirect_uris}) or None,
                "appRoles": _roles(self.app_roles), "optionalClaims": _part(self.optional_claims, "optionalClaims"),
                "requiredResourceAccess": _part(self.required_resource_accesses, "requiredResourceAccess"),
            }
        )  # fmt: skip

    def _keys(self) -> list[dict[str, Any]] | None:
        if not self.key_value:
            return None
        start = _moment(self.start_date) if self.start_date else datetime.now(UTC)
        end = _moment(self.end_date) if self.end_date else start + timedelta(days=364)
        key = {
            "@odata.type": "#microsoft.graph.keyCredential", "displayName": self.key_display_name,
            "endDateTime": f"{end:%Y-%m-%dT%H:%M:%SZ}", "key": self.key_value, "keyId": str(uuid.uuid4()),
            "startDateTime": f"{start:%Y-%m-%dT%H:%M:%SZ}", "type": self.key_type or "AsymmetricX509Cert",
            "usage": self.key_usage or "Verify",
        }  # fmt: skip
        return [key]


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CLIError(f"'{text}' is no date: 2027-12-31 or 2027-12-31T11:59:59+00:00 is needed.") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _part(text: str | None, member: str) -> Any:
    """Return a JSON value; of a full manifest the member that is meant."""
    if text is None:
        return None
    path = text.removeprefix("@")
    try:
        value = json.loads(Path(path).expanduser().read_text(encoding="utf-8") if _is_file(path) else text)
    except (OSError, ValueError) as error:
        raise CLIError(f"Failed to parse string as JSON: {text}\nError detail: {error}") from None
    return value.get(member, value) if isinstance(value, dict) else value


def _is_file(text: str) -> bool:
    return len(text) < 4096 and not text.lstrip().startswith(("[", "{")) and Path(text).expanduser().is_file()


def _roles(text: str | None) -> Any:
    roles = _part(text, "appRoles")
    for role in roles if isinstance(roles, list) else []:
        role.setdefault("id", str(uuid.uuid4()))
    return roles
