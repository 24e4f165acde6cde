"""The handlers of ``acr token``: credentials that reach some repositories only. They never sign, nor read signatures (M10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.acr import scope_maps
from azext_trust.cli.acr.names import checked
from azext_trust.cli.context import Context
from azext_trust.cli.shape import flattened

logger = get_logger(__name__)
_KIND = "registries"
_MEMBERS = ("creationDate", "credentials", "provisioningState", "scopeMapId", "status", "systemData", "type")


def _shown(raw: dict[str, Any]) -> dict[str, Any]:
    found = flattened(raw, _MEMBERS)
    held = found["credentials"] or {}
    passwords = [
        {"creationTime": None, "expiry": None, "name": None, "value": None, **p} for p in held.get("passwords", [])
    ]
    return {**found, "credentials": {"certificates": None, **held, "passwords": passwords}}


def _registry(context: Context, registry: str, group: str | None) -> str:
    return context.arm.find_registry(checked(registry), group)


def _path(context: Context, registry: str, group: str | None, name: str) -> str:
    return f"{_registry(context, registry, group)}/tokens/{quote(name, safe='')}"


def create(
    context: Context, name: str, registry: str, scope_map: str | None = None,
    repository: list[list[str]] | None = None, gateway: list[list[str]] | None = None, status: str = "enabled",
    no_passwords: bool = False, expiration: str | None = None, expiration_in_days: int | None = None,
    resource_group: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Create a token, with a scope map of its own unless one is named, and two passwords.

    Raises:
        CLIError: options that exclude each other.
    """
    if bool(repository or gateway) == bool(scope_map):
        raise CLIError("usage error: can't use --scope-map and --repository | --gateway")
    if no_passwords and (expiration or expiration_in_days):
        raise CLIError("usage error: --no-passwords and expiration arguments are mutually exclusive.")
    if expiration and expiration_in_days:
        raise CLIError("usage error: --expiration and --expiration-in-days are mutually exclusive.")
    place = _registry(context, registry, resource_group)
    map_name = scope_map or f"{name}-scope-map"
    if not scope_map:
        properties = {"actions": scope_maps.actions(repository, gateway), "description": f"Created by token: {name}"}
        context.arm.finish("PUT", f"{place}/scopeMaps/{quote(map_name, safe='')}", _KIND, {"properties": properties})
    body = {"properties": {"scopeMapId": f"{place}/scopeMaps/{map_name}", "status": status}}
    made = context.arm.finish("PUT", f"{place}/tokens/{quote(name, safe='')}", _KIND, body)
    if no_passwords:
        return _shown(made)
    held = _generate(context, place, name, "", _ends(expiration, expiration_in_days))
    server = context.arm.call("GET", place, _KIND)["properties"]["loginServer"]
    logger.warning("Please store your generated credentials safely. Meanwhile you can use it through "
                   '"docker login %s -u %s -p %s".', server, held["username"], held["passwords"][0]["value"])  # fmt: skip
    return {**_shown(made), "credentials": held}


def _ends(expiration: str | None, days: int | None) -> str | None:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" if days else expiration


def _generate(context: Context, place: str, name: str, which: str, expiry: str | None) -> dict[str, Any]:
    wanted = {"tokenId": f"{place}/tokens/{name}", "name": which or None, "expiry": expiry}
    body = {key: value for key, value in wanted.items() if value}
    found: dict[str, Any] = context.arm.finish("POST", f"{place}/generateCredentials", _KIND, body)
    return found


def show(context: Context, name: str, registry: str, resource_group: str | None = None) -> dict[str, Any]:
    """Return a token."""
    return _shown(context.arm.call("GET", _path(context, registry, resource_group, name), _KIND))


def listed(context: Context, registry: str, resource_group: str | None = None) -> list[dict[str, Any]]:
    """Return the tokens of a registry."""
    return [_shown(row) for row in context.arm.listed(f"{_registry(context, registry, resource_group)}/tokens", _KIND)]


def update(
    context: Context, name: str, registry: str, scope_map: str | None = None, status: str = "enabled",
    resource_group: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Give a token another scope map, or switch it on or off."""
    place = _registry(context, registry, resource_group)
    wanted = {"scopeMapId": f"{place}/scopeMaps/{scope_map}" if scope_map else None, "status": status}
    body = {"properties": {key: value for key, value in wanted.items() if value}}
    return _shown(context.arm.finish("PATCH", f"{place}/tokens/{quote(name, safe='')}", _KIND, body))


def delete(context: Context, name: str, registry: str, resource_group: str | None = None, yes: bool = False) -> None:
    """Delete a token."""
    context.confirm(
        f"Deleting the token '{name}' will invalidate access to anyone using its credentials. Proceed?", yes
    )
    context.arm.finish("DELETE", _path(context, registry, resource_group, name), _KIND)


def generate_credentials(
    context: Context, name: str, registry: str, password1: bool = False, password2: bool = False,
    expiration: str | None = None, expiration_in_days: int | None = None, resource_group: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Make one password of a token anew, or both."""
    which = "" if password1 == password2 else "password1" if password1 else "password2"
    place = _registry(context, registry, resource_group)
    return _generate(context, place, name, which, _ends(expiration, expiration_in_days))


def delete_credentials(
    context: Context, name: str, registry: str, password1: bool = False, password2: bool = False,
    resource_group: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Take passwords of a token away.

    Raises:
        CLIError: none was named, or the token has not got it.
    """
    if not (password1 or password2):
        raise CLIError("No credentials to delete.")
    place = _path(context, registry, resource_group, name)
    held = {p["name"] for p in context.arm.call("GET", place, _KIND)["properties"]["credentials"]["passwords"]}
    gone = {word for word, wanted in (("password1", password1), ("password2", password2)) if wanted}
    for word in sorted(gone - held):
        raise CLIError(f"Unable to perform operation. {word.title()} credential doesn't exist.")
    body = {"properties": {"credentials": {"passwords": [{"name": word} for word in sorted(held - gone)]}}}
    return _shown(context.arm.finish("PATCH", place, _KIND, body))
