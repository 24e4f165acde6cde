"""The handlers of ``acr scope-map``: what repository-scoped tokens may do."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from knack.util import CLIError

from azext_trust.cli.acr.names import checked
from azext_trust.cli.context import Context
from azext_trust.cli.shape import flattened

_KIND = "registries"
_MEMBERS = ("actions", "creationDate", "description", "provisioningState", "systemData")
REPOSITORY_ACTIONS = ("content/delete", "content/read", "content/write", "metadata/read", "metadata/write")
GATEWAY_ACTIONS = ("config/read", "config/write", "message/read", "message/write")


def shown(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a scope map as az prints it: whether it is the system's own, also called ``type``, is left out."""
    properties = {name: value for name, value in (raw.get("properties") or {}).items() if name != "type"}
    return flattened({**raw, "properties": properties}, _MEMBERS)


def path(context: Context, registry: str, group: str | None, name: str = "") -> str:
    """Return the path of a registry's scope maps, or of one."""
    return f"{context.arm.find_registry(checked(registry), group)}/scopeMaps" + (
        f"/{quote(name, safe='')}" if name else ""
    )


def actions(repositories: list[list[str]] | None, gateways: list[list[str]] | None) -> list[str]:
    """Return actions on the wire from ``REPOSITORY ACTION [ACTION ...]`` lists.

    Raises:
        CLIError: a list names no action, or one that is not offered.
    """
    found: list[str] = []
    for prefix, lists, known in (
        ("repositories", repositories, REPOSITORY_ACTIONS), ("gateway", gateways, GATEWAY_ACTIONS),
    ):  # fmt: skip
        for words in lists or []:
            found += _of_one(prefix, words, known)
    return found


def _of_one(prefix: str, words: list[str], known: tuple[str, ...]) -> list[str]:
    name, rest = words[0], [word.lower() for word in words[1:]]
    if not rest:
        raise CLIError(f'At least one action must be specified with "{name.lower()}".')
    for word in rest:
        if word not in known:
            raise CLIError(f'Invalid action "{word}" provided. \nValid actions are {{{str(sorted(known))[1:-1]}}}.')
    return [f"{prefix}/{name}/{word}" for word in rest]


def create(
    context: Context, name: str, registry: str, repository: list[list[str]] | None = None,
    gateway: list[list[str]] | None = None, description: str | None = None, resource_group: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Create a scope map."""
    properties = {"actions": actions(repository, gateway), **({"description": description} if description else {})}
    body = {"properties": properties}
    return shown(context.arm.finish("PUT", path(context, registry, resource_group, name), _KIND, body))


def show(context: Context, name: str, registry: str, resource_group: str | None = None) -> dict[str, Any]:
    """Return a scope map."""
    return shown(context.arm.call("GET", path(context, registry, resource_group, name), _KIND))


def listed(context: Context, registry: str, resource_group: str | None = None) -> list[dict[str, Any]]:
    """Return the scope maps of a registry."""
    return [shown(row) for row in context.arm.listed(path(context, registry, resource_group), _KIND)]


def update(
    context: Context, name: str, registry: str, add_repository: list[list[str]] | None = None,
    remove_repository: list[list[str]] | None = None, add_gateway: list[list[str]] | None = None,
    remove_gateway: list[list[str]] | None = None, description: str | None = None, resource_group: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Add actions to a scope map and take others away.

    Raises:
        CLIError: there is nothing to change, or an action is both added and removed.
    """
    if not (add_repository or remove_repository or add_gateway or remove_gateway or description):
        raise CLIError("No scope map properties to update.")
    added, removed = set(actions(add_repository, add_gateway)), set(actions(remove_repository, remove_gateway))
    both = sorted(action.partition("/")[2] for action in added & removed)
    if both:
        raise CLIError(f"Update ambiguity. Duplicate actions were provided with --add and --remove arguments.\n{both}")
    place = path(context, registry, resource_group, name)
    held = context.arm.call("GET", place, _KIND)["properties"]["actions"]
    properties = {
        "actions": sorted((set(held) | added) - removed),
        **({"description": description} if description else {}),
    }
    return shown(context.arm.finish("PATCH", place, _KIND, {"properties": properties}))


def delete(context: Context, name: str, registry: str, resource_group: str | None = None, yes: bool = False) -> None:
    """Delete a scope map."""
    context.confirm(
        f"Deleting the scope map '{name}' will remove its permissions with associated tokens. Proceed?", yes
    )
    context.arm.finish("DELETE", path(context, registry, resource_group, name), _KIND)
