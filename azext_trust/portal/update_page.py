"""Change a registry's pricing plan."""

from __future__ import annotations

from starlette.responses import Response

from azext_trust.cloud.errors import HttpError
from azext_trust.portal.overview_page import WRITE, registry_of, resource
from azext_trust.portal.visit import Visit, path


def form(visit: Visit) -> Response:
    """Show the plan."""
    return _form(visit, str(registry_of(visit)["sku"]["name"]))


def _form(visit: Visit, sku: str, problem: str = "", status: int = 200) -> Response:
    return resource(
        visit, "update", "update", status, page_title="overview.update", sku=sku, problem=problem,
        lacks=visit.lacks(WRITE),
    )  # fmt: skip


def save(visit: Visit) -> Response:
    """Change the plan."""
    sku = visit.form("sku")
    try:
        visit.arm.update_registry(path(visit.at.id), {"sku": {"name": sku}})
    except HttpError as error:
        return _form(visit, sku, error.message, error.status)
    return visit.go(f"{visit.at.url}/overview", "toast.updated", name=visit.at.name, sku=sku)
