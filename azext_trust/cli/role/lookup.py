"""Scopes, roles and principals as they are typed, to what Resource Manager takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from knack.util import CLIError

from azext_trust.cli.context import Context
from azext_trust.clients.arm import segment
from azext_trust.names.guids import is_guid

AUTHORIZATION = "/providers/Microsoft.Authorization"


def scope_of(context: Context, scope: str | None, group: str | None) -> str:
    """Return the scope that was meant: the one given, the group, else the subscription.

    Raises:
        CLIError: both were given, or it is no scope.
    """
    if scope and group:
        raise CLIError(
            f'Resource group "{group}" is redundant because scope is supplied'
            if group.lower() in scope.lower()
            else f'Resource group "{group}" contradicts the scope "{scope}"'
        )
    if scope:
        _known_subscription(context, scope)
        # az asks even for what is no scope: the service says so.
        return scope if scope.startswith("/") else f"/{scope}"
    return context.arm.root + (f"/resourceGroups/{segment(group)}" if group else "")


def _known_subscription(context: Context, scope: str) -> None:
    """Go on only with a scope of a subscription that the signed-in user has, as az does.

    Raises:
        CLIError: it is of another one.
    """
    named = re.match(
        "/subscriptions/([^/]+)/", scope
    )  # the slash behind it is az's: a bare subscription is not looked up
    known = {row["id"].lower() for row in context.connection.accounts.all()}
    if named and named[1].lower() not in known:
        raise CLIError(f"Subscription '{named[1]}' not found. Check the spelling and casing and try again.")


def at(scope: str) -> str:
    """Return a scope as the beginning of a path."""
    return scope.rstrip("/")


def role_id(context: Context, role: str, scope: str) -> str:
    """Return the full id of a role given by id, GUID or name.

    Raises:
        CLIError: no role has this name, or several have.
    """
    if role.lower().startswith("/subscriptions/") or "/roledefinitions/" in role.lower():
        return role
    if is_guid(role):
        return f"{context.arm.root}{AUTHORIZATION}/roleDefinitions/{role}"
    found = definitions(context, scope, role)
    if not found:
        raise CLIError(f"Role '{role}' doesn't exist.")
    if len(found) > 1:
        ids = [row["id"] for row in found]
        raise CLIError(f"More than one role matches the given name '{role}'. Please pick a value from '{ids}'")
    return str(found[0]["id"])


def definitions(context: Context, scope: str, name: str | None = None) -> list[dict[str, Any]]:
    """Return the role definitions at a scope, or those of one name."""
    query = {"_filter": f"roleName eq '{name}'"} if name else {}
    return context.arm.listed(f"{at(scope)}{AUTHORIZATION}/roleDefinitions", "roleDefinitions", **query)


def object_id(context: Context, assignee: str | None, given: str | None) -> str | None:
    """Return the object id of an assignee, None when none was given.

    Raises:
        CLIError: both were given.
    """
    if assignee and given:
        raise CLIError("Usage error: Provide only one of --assignee or --assignee-object-id.")
    return given or (context.graph.assignee(assignee)[0] if assignee else None)


def json_argument(text: str, what: str) -> dict[str, Any]:
    """Return the object that was given as JSON, or as the path of a file of it.

    Raises:
        CLIError: it is neither.
    """
    path = Path(text).expanduser() if len(text) < 4096 and "{" not in text else None
    try:
        found = json.loads(path.read_text(encoding="utf-8") if path else text)
    except OSError as error:
        raise CLIError(f"{what} is neither JSON nor a file: {text!r}: {error.strerror}.") from None
    except ValueError as error:
        raise CLIError(f"{what} is not valid JSON: {error}.") from None
    if not isinstance(found, dict):
        raise CLIError(f"{what} must be a JSON object.")
    return found
