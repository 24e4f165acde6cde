"""The list of container registries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import RedirectResponse, Response

from azext_trust.clients.arm import REGISTRY
from azext_trust.portal import place as places
from azext_trust.portal.paging import sliced
from azext_trust.portal.place import Place
from azext_trust.portal.visit import Visit, path


@dataclass(frozen=True)
class Row:
    """A registry in a list."""

    name: str
    sku: str
    location: str
    subscription: str
    place: Place


def home(visit: Visit) -> Response:
    """Go to the registries: that is what this portal is for."""
    return RedirectResponse("/portal/registries", 302)


def subscriptions(visit: Visit) -> list[dict[str, Any]]:
    """Return the subscriptions that any role of the visitor reaches."""
    return visit.arm.listed("/subscriptions", "subscriptions")


def registries(visit: Visit, scope: str, subscription: str) -> list[Row]:
    """Return the registries under a scope that the visitor may read; the generic list shows those and no others."""
    found = visit.arm.listed(f"{path(scope)}/resources", "resources", _filter=f"resourceType eq '{REGISTRY}'")
    return [
        Row(row["name"], row["sku"]["name"], row["location"], subscription, places.registry(row["id"])) for row in found
    ]


def listed(visit: Visit) -> Response:
    """Show the registries, those whose name holds what was typed."""
    wanted = visit.query("q").strip()
    reached = subscriptions(visit)
    rows = [
        row
        for found in reached
        for row in registries(visit, str(found["id"]), str(found["displayName"]))
        if wanted.lower() in row.name.lower()
    ]
    rows.sort(key=lambda row: (row.name.lower(), row.place.id))
    shown, first, following = sliced(visit, rows)
    return visit.page(
        "registries", q=wanted, rows=shown, first=first, next=following,
        subscriptions=", ".join(str(row["displayName"]) for row in reached),
    )  # fmt: skip
