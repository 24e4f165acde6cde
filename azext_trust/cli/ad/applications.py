"""The handlers of ``ad app``."""

from __future__ import annotations

from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.context import Context
from azext_trust.clients.graph import quoted

logger = get_logger(__name__)


def create(
    context: Context, display_name: str, identifier_uris: list[str] | None = None, sign_in_audience: str | None = None,
    key_credentials: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Create an application; the one of the same name is changed instead, as az does.

    Raises:
        CLIError: several applications have this name.
    """
    rows = context.graph.listed("/applications", f"startswith(displayName,{quoted(display_name)})")
    same = [row for row in rows if row["displayName"] == display_name]
    if len(same) > 1:
        ids = ", ".join(row["id"] for row in same)
        raise CLIError(f"More than one application have the same display name '{display_name}': (id) {ids}, please remove "
                       "them first.")  # fmt: skip
    body = {**_body(display_name, identifier_uris, sign_in_audience), "keyCredentials": key_credentials or []}
    if not same:
        made: dict[str, Any] = context.graph.call("POST", "/applications", body)
        return made
    logger.warning("Found an existing application instance: (id) %s. We will patch it.", same[0]["id"])
    context.graph.call("PATCH", f"/applications/{same[0]['id']}", body)
    changed: dict[str, Any] = context.graph.call("GET", f"/applications/{same[0]['id']}")
    return changed


def _body(name: str | None, uris: list[str] | None, audience: str | None) -> dict[str, Any]:
    wanted = {"displayName": name, "identifierUris": uris, "signInAudience": audience}
    return {key: value for key, value in wanted.items() if value is not None}


def listed(
    context: Context, display_name: str | None = None, filter_text: str | None = None, app_id: str | None = None,
    identifier_uri: str | None = None, all: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return applications."""
    return context.graph.listed(
        "/applications",
        f"appId eq {quoted(app_id)}" if app_id else None,
        f"startswith(displayName,{quoted(display_name)})" if display_name else None,
        f"identifierUris/any(s:s eq {quoted(identifier_uri)})" if identifier_uri else None,
        filter_text,
    )


def show(context: Context, id: str) -> dict[str, Any]:
    """Return an application."""
    return context.graph.application(id)


def update(
    context: Context, id: str, display_name: str | None = None, identifier_uris: list[str] | None = None,
    sign_in_audience: str | None = None,
) -> None:  # fmt: skip
    """Change an application."""
    found = context.graph.application(id)
    context.graph.call("PATCH", f"/applications/{found['id']}", _body(display_name, identifier_uris, sign_in_audience))


def delete(context: Context, id: str) -> None:
    """Delete an application, and its service principal with it."""
    context.graph.call("DELETE", f"/applications/{context.graph.application(id)['id']}")
