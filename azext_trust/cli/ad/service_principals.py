"""The handlers of ``ad sp`` that are about one service principal."""

from __future__ import annotations

from typing import Any

from azext_trust.cli.ad.applications import first_hundred
from azext_trust.cli.context import Context
from azext_trust.clients.graph import quoted
from azext_trust.cloud.errors import GraphError


def create(context: Context, id: str) -> dict[str, Any]:
    """Create the service principal of an application."""
    try:
        app_id = context.graph.application(id)["appId"]
    except GraphError as error:
        if error.status != 404:
            raise
        app_id = id  # an application of another tenant: the service decides
    made: dict[str, Any] = context.graph.call("POST", "/servicePrincipals", {"appId": app_id, "accountEnabled": True})
    return made


def listed(
    context: Context, display_name: str | None = None, filter_text: str | None = None, spn: str | None = None,
    all: bool = False, show_mine: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return service principals."""
    if show_mine:
        return context.graph.owned("#microsoft.graph.servicePrincipal")
    filters = (
        filter_text,
        f"servicePrincipalNames/any(c:c eq {quoted(spn)})" if spn else None,
        f"startswith(displayName,{quoted(display_name)})" if display_name else None,
    )
    return first_hundred(context.graph.listed("/servicePrincipals", *filters), all or any(filters))


def show(context: Context, id: str) -> dict[str, Any]:
    """Return a service principal."""
    return context.graph.service_principal(id)


def delete(context: Context, id: str) -> None:
    """Delete a service principal; its application stays."""
    context.graph.call("DELETE", f"/servicePrincipals/{context.graph.service_principal_id(id)}")
