"""Repository permissions: add a token, make its passwords, add a scope map."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from azext_trust.clients.arm import segment
from azext_trust.cloud.errors import HttpError
from azext_trust.portal.overview_page import resource
from azext_trust.portal.visit import Visit, path

_R = "Microsoft.ContainerRegistry/registries"
TOKENS, MAPS, PASSWORDS = f"{_R}/tokens/write", f"{_R}/scopeMaps/write", f"{_R}/generateCredentials/action"


def token_form(visit: Visit) -> Response:
    """Show the empty form of a token."""
    return _token_form(visit)


def _token_form(visit: Visit, problem: str = "", status: int = 200) -> Response:
    maps = visit.arm.listed(f"{path(visit.at.id)}/scopeMaps", "registries")
    return resource(
        visit, "token_add", "tokens", status, page_title="tokens.add", maps=maps, problem=problem,
        lacks=visit.lacks(TOKENS),
    )  # fmt: skip


def create_token(visit: Visit) -> Response:
    """Create a token; its passwords are made on the page that follows."""
    name, at = visit.form("name").strip(), path(visit.at.id)
    enabled = "disabled" if visit.form("status") == "disabled" else "enabled"
    properties = {"scopeMapId": f"{visit.at.id}/scopeMaps/{visit.form('map')}", "status": enabled}
    try:
        visit.arm.call("PUT", f"{at}/tokens/{segment(name)}", "registries", {"properties": properties})
    except HttpError as error:
        return _token_form(visit, error.message, error.status)
    return visit.go(f"{visit.at.url}/token?name={segment(name)}", "toast.token", name=name)


def token(visit: Visit) -> Response:
    """Show a token."""
    return _token(visit)


def _token(visit: Visit, made: list[dict[str, Any]] | None = None, problem: str = "", status: int = 200) -> Response:
    found = visit.arm.call("GET", f"{path(visit.at.id)}/tokens/{segment(visit.query('name'))}", "registries")
    return resource(
        visit, "token", "tokens", status, page_title="menu.tokens", token=found, made=made or [], problem=problem,
        names=("password1", "password2"), lacks=visit.lacks(TOKENS), lacks_new=visit.lacks(PASSWORDS),
    )  # fmt: skip


def change_token(visit: Visit) -> Response:
    """Switch a token on or off, or make one of its passwords, which is shown this once."""
    what, at, name = visit.form("do"), path(visit.at.id), visit.query("name")
    try:
        if what in ("enabled", "disabled"):
            body = {"properties": {"status": what}}
            visit.arm.call("PATCH", f"{at}/tokens/{segment(name)}", "registries", body)
            return visit.go(f"{visit.at.url}/token?name={segment(name)}", f"toast.token.{what}", name=name)
        asked = {"tokenId": f"{visit.at.id}/tokens/{name}", "name": what}
        if visit.form("expiry"):
            asked["expiry"] = f"{visit.form('expiry')}T00:00:00Z"
        made = visit.arm.call("POST", f"{at}/generateCredentials", "registries", asked)
    except HttpError as error:
        return _token(visit, None, error.message, error.status)
    return _token(visit, [row for row in made["passwords"] if row.get("value") and row["name"] == what])


def map_form(visit: Visit) -> Response:
    """Show the empty form of a scope map."""
    return _map_form(visit)


def _map_form(visit: Visit, problem: str = "", status: int = 200) -> Response:
    given = {name: visit.form(name) for name in ("name", "description", "actions")}
    return resource(
        visit, "scope_map_add", "scope-maps", status, page_title="maps.add", given=given, problem=problem,
        lacks=visit.lacks(MAPS),
    )  # fmt: skip


def create_map(visit: Visit) -> Response:
    """Create a scope map; each line names an action."""
    actions = [line.strip() for line in visit.form("actions").splitlines() if line.strip()]
    properties = {"actions": actions, "description": visit.form("description").strip()}
    where = f"{path(visit.at.id)}/scopeMaps/{segment(visit.form('name').strip())}"
    try:
        visit.arm.call("PUT", where, "registries", {"properties": properties})
    except HttpError as error:
        return _map_form(visit, error.message, error.status)
    return visit.go(f"{visit.at.url}/scope-maps", "toast.map", name=visit.form("name").strip())
