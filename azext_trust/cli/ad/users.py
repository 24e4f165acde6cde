"""The handlers of ``ad user`` and ``ad signed-in-user``."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from knack.util import CLIError

from azext_trust.cli.context import Context
from azext_trust.clients.graph import quoted


def _path(user: str) -> str:
    # A leading $ would be read as an OData segment.
    return f"/users('{quote(user, safe='@')}')" if user.startswith("$") else f"/users/{quote(user, safe='@')}"


def create(
    context: Context, display_name: str, password: str, user_principal_name: str, force_change: bool | None = None,
    mail_nickname: str | None = None, immutable_id: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Create a user."""
    body = {
        "userPrincipalName": user_principal_name, "displayName": display_name, "accountEnabled": True,
        "mailNickname": mail_nickname or user_principal_name.partition("@")[0],
        "passwordProfile": {"password": password, "forceChangePasswordNextSignIn": bool(force_change)},
    }  # fmt: skip
    more = {"onPremisesImmutableId": immutable_id} if immutable_id else {}
    made: dict[str, Any] = context.graph.call("POST", "/users", {**body, **more})
    return made


def listed(
    context: Context, display_name: str | None = None, filter_text: str | None = None, upn: str | None = None
) -> list[dict[str, Any]]:
    """Return users."""
    return context.graph.listed(
        "/users",
        f"userPrincipalName eq {quoted(upn)}" if upn else None,
        f"startswith(displayName,{quoted(display_name)})" if display_name else None,
        filter_text,
    )


def show(context: Context, id: str) -> dict[str, Any]:
    """Return a user."""
    found: dict[str, Any] = context.graph.call("GET", _path(id))
    return found


def update(
    context: Context, id: str, account_enabled: bool | None = None, display_name: str | None = None,
    force_change: bool | None = None, mail_nickname: str | None = None, password: str | None = None,
) -> None:  # fmt: skip
    """Change a user.

    Raises:
        CLIError: there is no new password to be changed on the next sign-in.
    """
    if force_change is not None and password is None:
        raise CLIError("usage error: --force-change-password-next-sign-in needs --password")
    profile = {"password": password, "forceChangePasswordNextSignIn": bool(force_change)} if password else None
    wanted = {
        "accountEnabled": account_enabled, "displayName": display_name, "mailNickname": mail_nickname,
        "passwordProfile": profile,
    }  # fmt: skip
    context.graph.call("PATCH", _path(id), {name: value for name, value in wanted.items() if value is not None})


def delete(context: Context, id: str) -> None:
    """Delete a user."""
    context.graph.call("DELETE", _path(id))


def member_groups(context: Context, id: str, security_enabled_only: bool = False) -> list[dict[str, Any]]:
    """Return id and name of the groups a user is in."""
    found = context.graph.call("POST", f"{_path(id)}/getMemberGroups", {"securityEnabledOnly": security_enabled_only})
    return [{"displayName": row["displayName"], "id": row["id"]} for row in context.graph.by_ids(found["value"])]


def signed_in(context: Context) -> dict[str, Any]:
    """Return the signed-in user."""
    found: dict[str, Any] = context.graph.call("GET", "/me")
    return found
