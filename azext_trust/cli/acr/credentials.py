"""The handlers of ``acr credential``."""

from __future__ import annotations

from typing import Any

from knack.util import CLIError

from azext_trust.cli.acr.names import checked
from azext_trust.cli.context import Context


def show(context: Context, name: str, resource_group: str | None = None) -> dict[str, Any]:
    """Return the admin account's user name and passwords."""
    found: dict[str, Any] = context.arm.call(
        "POST", f"{_with_admin(context, name, resource_group)}/listCredentials", "registries"
    )
    return found


def renew(context: Context, name: str, password_name: str, resource_group: str | None = None) -> dict[str, Any]:
    """Replace one of the admin account's passwords."""
    path = f"{_with_admin(context, name, resource_group)}/regenerateCredential"
    found: dict[str, Any] = context.arm.call("POST", path, "registries", {"name": password_name})
    return found


def _with_admin(context: Context, name: str, group: str | None) -> str:
    """Return the id of a registry whose admin account is on.

    Raises:
        CLIError: it is off.
    """
    registry = context.arm.registry(checked(name), group)
    if not registry["properties"].get("adminUserEnabled"):
        raise CLIError(f"Run 'aztrust acr update -n {registry['name']} --admin-enabled true' to enable admin first.")
    return str(registry["id"])
