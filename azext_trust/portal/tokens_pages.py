"""Repository permissions: tokens and scope maps. A token can neither push nor pull signed images (M10)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from azext_trust.portal import paging
from azext_trust.portal.overview_page import resource
from azext_trust.portal.visit import Visit, path


def tokens(visit: Visit) -> Response:
    """Show the tokens of a registry."""
    return _listed(visit, "tokens", "menu.tokens")


def maps(visit: Visit) -> Response:
    """Show the scope maps of a registry."""
    return _listed(visit, "scopeMaps", "menu.maps")


def _listed(visit: Visit, noun: str, title: str) -> Response:
    def ask(token: str) -> dict[str, Any]:
        more = {"_skiptoken": token} if token else {}
        found: dict[str, Any] = visit.arm.call("GET", f"{path(visit.at.id)}/{noun}", "registries", **more)
        return found

    cut = paging.cut(visit, ask, lambda row: True)
    page = "tokens" if noun == "tokens" else "scope-maps"
    return resource(
        visit, "tokens" if noun == "tokens" else "scope_maps", page, page_title=title, rows=cut.rows, first=cut.first,
        next=cut.next, lacks=visit.lacks(f"Microsoft.ContainerRegistry/registries/{noun}/write"),
    )  # fmt: skip
