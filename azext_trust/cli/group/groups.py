"""The handlers of ``group``."""

from __future__ import annotations

import time
from typing import Any

from knack.util import CLIError

from azext_trust.cli import generic_update
from azext_trust.cli.context import Context
from azext_trust.clients.arm import segment
from azext_trust.cloud.errors import HttpError

_MEMBERS = ("managedBy", "tags", "type")


def _path(context: Context, name: str = "") -> str:
    return f"{context.arm.root}/resourcegroups" + (f"/{segment(name)}" if name else "")


def _shown(raw: dict[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(_MEMBERS), **raw}


def create(
    context: Context, name: str, location: str, tags: dict[str, str] | None = None, managed_by: str | None = None
) -> dict[str, Any]:
    """Create a resource group, or change its tags."""
    wanted = {"location": location, "tags": tags, "managedBy": managed_by}
    body = {key: value for key, value in wanted.items() if value is not None}
    return _shown(context.arm.call("PUT", _path(context, name), "resources", body))


def update(
    context: Context, name: str, tags: dict[str, str] | None = None, set_values: list[list[str]] | None = None,
    add_values: list[list[str]] | None = None, remove_values: list[list[str]] | None = None,
    force_string: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Read a resource group, change it and put it back, as az does."""
    body: dict[str, Any] = _shown(context.arm.call("GET", _path(context, name), "resources"))
    generic_update.apply(body, set_values or [], add_values or [], remove_values or [], force_string)
    if tags is not None:
        body["tags"] = tags
    return _shown(context.arm.call("PUT", _path(context, name), "resources", body))


def wait(
    context: Context, name: str, created: bool = False, updated: bool = False, deleted: bool = False,
    exists: bool = False, interval: int = 30, timeout: int = 3600,
) -> None:  # fmt: skip
    """Wait until a group is there, or gone.

    Raises:
        CLIError: no condition was given, or the time ran out.
    """
    if not (created or updated or deleted or exists):
        raise CLIError("incorrect usage: specify --created | --updated | --deleted | --exists | --custom")
    deadline = time.monotonic() + timeout
    while _there(context, name) == deleted:
        if time.monotonic() + interval > deadline:
            raise CLIError(f"Wait operation timed-out after {timeout} seconds")
        time.sleep(interval)


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
    return _there(context, name)


def _there(context: Context, name: str) -> bool:
    try:
        context.arm.call("HEAD", _path(context, name), "resources")
    except HttpError as error:
        if error.status == 404:
            return False
        raise
    return True


def delete(
    context: Context, name: str, yes: bool = False, no_wait: bool = False, force_deletion_types: str | None = None
) -> None:
    """Delete a resource group with all that is in it."""
    context.confirm("Are you sure you want to perform this operation?", yes)
    query = {"forceDeletionTypes": force_deletion_types} if force_deletion_types else {}
    (context.arm.call if no_wait else context.arm.finish)("DELETE", _path(context, name), "resources", **query)
