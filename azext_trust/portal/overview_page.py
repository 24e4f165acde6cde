"""What a registry, a resource group or a subscription is."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from azext_trust.portal.place import GROUP, REGISTRY, SUBSCRIPTION
from azext_trust.portal.registries_pages import registries
from azext_trust.portal.visit import Visit, path

WRITE = "Microsoft.ContainerRegistry/registries/write"


def resource(visit: Visit, template: str, current: str, status: int = 200, **values: Any) -> Response:
    """Return a page about the visit's place, with its menu.

    Args:
        visit: the request.
        template: the page's template.
        current: the menu entry that is shown as chosen.
        status: HTTP status.
        values: what the template names; ``page_title`` is a key of the texts.
    """
    titles = {"overview": "menu.overview", "iam": "menu.iam", "activity": "menu.activity"}
    given = {"place_name": name_of(visit), "current": current, "page_title": titles.get(current, "menu.overview")}
    return visit.page(template, status, **(given | values))


def name_of(visit: Visit) -> str:
    """Return what the place is called: a subscription has a name beside its id."""
    if visit.at.kind != SUBSCRIPTION:
        return visit.at.name
    return subscription_name(visit)


def subscription_name(visit: Visit) -> str:
    """Return the name of the subscription that the place is, or is in."""
    found = visit.arm.call("GET", f"/subscriptions/{visit.at.subscription}", "subscriptions")
    return str(found["displayName"])


def registry_of(visit: Visit) -> dict[str, Any]:
    """Return the registry that the page is about.

    Raises:
        HttpError: there is none, or the visitor may not read it.
    """
    found: dict[str, Any] = visit.arm.call("GET", path(visit.at.id), "registries")
    return found


def trusted(registry: dict[str, Any]) -> bool:
    """Tell whether content trust is enabled."""
    return str(registry["properties"]["policies"]["trustPolicy"]["status"]) == "enabled"


def show(visit: Visit) -> Response:
    """Show the overview."""
    if visit.at.kind != REGISTRY:
        return _scope(visit)
    found = registry_of(visit)
    usages = visit.arm.call("GET", f"{path(visit.at.id)}/listUsages", "registries")["value"]
    shown = [row for row in usages if row["name"] in ("Size", "Tokens", "ScopeMaps")]
    return resource(
        visit, "overview", "overview", registry=found, trusted=trusted(found), usages=shown,
        lacks_write=visit.lacks(WRITE), subscription=subscription_name(visit),
    )  # fmt: skip


def _scope(visit: Visit) -> Response:
    # A subscription's own request answers whoever reaches anything in it; so does the resource list.
    kind = "resources" if visit.at.kind == GROUP else "subscriptions"
    facts = visit.arm.call("GET", path(visit.at.id), kind)
    return resource(visit, "scope", "overview", facts=facts, rows=registries(visit, visit.at.id, ""))
