"""Create a container registry."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from azext_trust.clients.arm import REGISTRY, segment
from azext_trust.cloud.errors import HttpError
from azext_trust.portal import place as places
from azext_trust.portal.registries_pages import subscriptions
from azext_trust.portal.visit import Visit, path

_FIELDS = {"subscription": "", "group": "", "name": "", "location": "westeurope", "sku": "Premium"}


def form(visit: Visit) -> Response:
    """Show the empty form."""
    return _form(visit, dict(_FIELDS))


def _form(visit: Visit, given: dict[str, str], problem: str = "", status: int = 200) -> Response:
    reached = subscriptions(visit)
    if not given["subscription"] and reached:
        given["subscription"] = str(reached[0]["subscriptionId"])
    root = f"/subscriptions/{segment(given['subscription'])}"
    locations = _readable(visit, f"{root}/locations")
    groups = [str(row["name"]) for row in _readable(visit, f"{root}/resourceGroups")]
    return visit.page(
        "create", status, subscriptions=reached, groups=groups, locations=locations, given=given, problem=problem,
        suffix=visit.connection.profile.acr_suffix,
    )  # fmt: skip


def _readable(visit: Visit, where: str) -> list[dict[str, Any]]:
    """Return a list, empty when the visitor may not read it: the form can be sent all the same."""
    try:
        return visit.arm.listed(where, "subscriptions" if where.endswith("locations") else "resources")
    except HttpError as error:
        if error.status not in (403, 404):
            raise
        return []


def create(visit: Visit) -> Response:
    """Create the registry, and its resource group when there is none of that name."""
    given = {name: visit.form(name).strip() or otherwise for name, otherwise in _FIELDS.items()}
    where = places.of(f"/subscriptions/{given['subscription']}/resourceGroups/{given['group']}")
    made = places.of(f"{where.id}/providers/{REGISTRY}/{given['name']}") if where else None
    if where is None or made is None:
        return _form(visit, given, visit.words("create.bad"), 400)
    body = {"location": given["location"], "sku": {"name": given["sku"]}, "properties": {"adminUserEnabled": False}}
    try:
        _ensure_group(visit, where.id, given["location"])
        _check_free(visit, given)
        visit.arm.call("PUT", path(made.id), "registries", body)
    except HttpError as error:
        return _form(visit, given, error.message, error.status)
    return visit.go(f"{made.url}/overview", "toast.created", name=given["name"])


def _ensure_group(visit: Visit, group_id: str, location: str) -> None:
    try:
        visit.arm.call("GET", path(group_id), "resources")
    except HttpError as error:
        # Who may not read a group may still be allowed to create in it: then ARM itself answers below.
        if error.status != 404:
            return
        visit.arm.call("PUT", path(group_id), "resources", {"location": location})


def _check_free(visit: Visit, given: dict[str, str]) -> None:
    """Stop before a PUT would replace a registry that exists; who may not ask is told by the PUT itself."""
    where = f"/subscriptions/{segment(given['subscription'])}/providers/Microsoft.ContainerRegistry"
    try:
        found = visit.arm.call(
            "POST", f"{where}/checkNameAvailability", "registries", {"name": given["name"], "type": REGISTRY}
        )
    except HttpError as error:
        if error.status != 403:
            raise
        return
    if not found["nameAvailable"]:
        raise HttpError(409, str(found.get("reason")), str(found.get("message")))
