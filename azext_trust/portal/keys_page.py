"""Access keys: the admin account, switched on and off, its two passwords shown on demand and made anew."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from azext_trust.cloud.errors import HttpError
from azext_trust.portal.overview_page import WRITE, registry_of, resource
from azext_trust.portal.visit import Visit, path

LIST = "Microsoft.ContainerRegistry/registries/listCredentials/action"
REGENERATE = "Microsoft.ContainerRegistry/registries/regenerateCredential/action"
PASSWORDS = ("password", "password2")


def show(visit: Visit) -> Response:
    """Show whether the admin account is on; its passwords only when asked for, which ARM logs."""
    return _page(visit)


def _page(visit: Visit, held: dict[str, Any] | None = None, problem: str = "", status: int = 200) -> Response:
    found = registry_of(visit)
    return resource(
        visit, "keys", "access-keys", status, page_title="menu.keys", registry=found, held=held, problem=problem,
        admin=bool(found["properties"]["adminUserEnabled"]), names=PASSWORDS, lacks_write=visit.lacks(WRITE),
        lacks_list=visit.lacks(LIST), lacks_new=visit.lacks(REGENERATE),
    )  # fmt: skip


def change(visit: Visit) -> Response:
    """Switch the account, show its passwords, or make one anew."""
    what, where = visit.form("do"), path(visit.at.id)
    try:
        if what in ("on", "off"):
            visit.arm.update_registry(where, {"properties": {"adminUserEnabled": what == "on"}})
            return visit.go(f"{visit.at.url}/access-keys", f"toast.admin.{what}", name=visit.at.name)
        if what in PASSWORDS:
            held = visit.arm.call("POST", f"{where}/regenerateCredential", "registries", {"name": what})
        else:
            held = visit.arm.call("POST", f"{where}/listCredentials", "registries")
    except HttpError as error:
        return _page(visit, None, error.message, error.status)
    return _page(visit, held)
