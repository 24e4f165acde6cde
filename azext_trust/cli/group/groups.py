"""The handlers of ``group``."""

from __future__ import annotations

from typing import Any

from azext_trust.cli.context import Context
from azext_trust.cloud.errors import HttpError

_MEMBERS = ("managedBy", "tags", "type")


def _path(context: Context, name: str = "") -> str:
    return f"{context.arm.root}/resourcegroups" + (f"/{name}" if name else "")


def _shown(raw: dict[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(_MEMBERS), **raw}


def create(context: Context, name: str, location: str, tags: dict[str, str] | None = None) -> dict[str, Any]:
    """Create a resource group, or change its tags."""
    body = {"location": location, **({"tags": tags} if tags is not None else {})}
    return _shown(context.arm.call("PUT", _path(context, name), "resources", body))


def listed(context: Context, tag: str | None = None) -> list[dict[str, Any]]:
    """Return the resource groups of the subscription, perhaps those with a tag only."""
    query = {}
    if tag:
        key, _, value = tag.partition("=")
        query = {"_filter": f"tagname eq '{key}'" + (f" and tagvalue eq '{value}'" if value else "")}
    return [_shown(row) for row in context.arm.listed(_path(context), "resources", **query)]


def show(context: Context, name: str) -> dict[str, Any]:
    """Return a resource group."""
    return _shown(context.arm.call("GET", _path(context, name), "resources"))


def exists(context: Context, name: str) -> bool:
    """Tell whether a resource group exists."""
    try:
        context.arm.call("HEAD", _path(context, name), "resources")
    except HttpError as error:
        if error.status == 404:
            return False
        raise
    return True


def delete(context: Context, name: str, yes: bool = False, no_wait: bool = False) -> None:
    """Delete a resource group with all that is in it."""
    context.confirm("Are you sure you want to perform this operation?", yes)
    context.arm.call("DELETE", _path(context, name), "resources")
