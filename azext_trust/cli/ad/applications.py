"""The handlers of ``ad app``."""

from __future__ import annotations

import copy
from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli import generic_update
from azext_trust.cli.ad.manifest import Manifest
from azext_trust.cli.context import Context
from azext_trust.clients.graph import quoted

logger = get_logger(__name__)


def create(
    context: Context, display_name: str, key_credentials: list[dict[str, Any]] | None = None, **given: Any
) -> dict[str, Any]:
    """Create an application; the one of the same name is changed instead, as az does.

    Args:
        context: the cloud.
        display_name: its name.
        key_credentials: certificates, already in Graph's form.
        given: fields of `Manifest`.

    Raises:
        CLIError: several applications have this name.
    """
    manifest = Manifest(display_name=display_name, **given).body()
    rows = context.graph.listed("/applications", f"startswith(displayName,{quoted(display_name)})")
    uris = set(given.get("identifier_uris") or ())
    same = [row for row in rows if row["displayName"] == display_name and uris <= set(row["identifierUris"])]
    if len(same) > 1:
        ids = ", ".join(row["id"] for row in same)
        raise CLIError(f"More than one application have the same display name '{display_name}': (id) {ids}, please remove "
                       "them first.")  # fmt: skip
    if not same:
        made: dict[str, Any] = context.graph.call(
            "POST", "/applications", {"keyCredentials": key_credentials or [], **manifest}
        )
        return made
    logger.warning("Found an existing application instance: (id) %s. We will patch it.", same[0]["id"])
    body = manifest if key_credentials is None else {**manifest, "keyCredentials": key_credentials}
    context.graph.call("PATCH", f"/applications/{same[0]['id']}", body)
    changed: dict[str, Any] = context.graph.call("GET", f"/applications/{same[0]['id']}")
    return changed


def listed(
    context: Context, display_name: str | None = None, filter_text: str | None = None, app_id: str | None = None,
    identifier_uri: str | None = None, all: bool = False, show_mine: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return applications."""
    if show_mine:
        return context.graph.owned("#microsoft.graph.application")
    filters = (
        filter_text,
        f"appId eq {quoted(app_id)}" if app_id else None,
        f"startswith(displayName,{quoted(display_name)})" if display_name else None,
        f"identifierUris/any(s:s eq {quoted(identifier_uri)})" if identifier_uri else None,
    )
    return first_hundred(context.graph.listed("/applications", *filters), all or any(filters))


def first_hundred(rows: list[dict[str, Any]], all_of_them: bool) -> list[dict[str, Any]]:
    """Return rows as az lists them: a hundred, with a warning, unless all are wanted or a filter was given."""
    if all_of_them or len(rows) <= 100:
        return rows
    logger.warning("The result is not complete. You can still use '--all' to get all of them with long latency expected, "
                   "or provide a filter through command arguments")  # fmt: skip
    return rows[:100]


def show(context: Context, id: str) -> dict[str, Any]:
    """Return an application."""
    return context.graph.application(id)


def update(
    context: Context, id: str, set_values: list[list[str]] | None = None, add_values: list[list[str]] | None = None,
    remove_values: list[list[str]] | None = None, force_string: bool = False, **given: Any,
) -> None:  # fmt: skip
    """Change an application."""
    body = Manifest(**given).body()
    if set_values or add_values or remove_values:
        before = context.graph.application(id)
        after = copy.deepcopy(before)
        generic_update.apply(after, set_values or [], add_values or [], remove_values or [], force_string)
        body |= {name: value for name, value in after.items() if value != before.get(name)}
    context.graph.call("PATCH", f"/applications/{context.graph.application_id(id)}", body)


def delete(context: Context, id: str) -> None:
    """Delete an application, and its service principal with it."""
    context.graph.call("DELETE", f"/applications/{context.graph.application_id(id)}")
