"""The handlers of ``hosts``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from knack.util import CLIError

from azext_trust import home
from azext_trust.cli.context import Context

if TYPE_CHECKING:
    from azext_trust.hosting.host_entries import Places, Plan


def _plan(context: Context, registries: list[str] | None, address: str, port: int | None) -> tuple[Plan, Places]:
    """Return what the local cloud needs on this machine.

    Raises:
        CLIError: the cloud was never served, so there is no authority yet; or it has no registry.
    """
    from azext_trust.hosting.host_entries import Places, Plan

    state = home.cloud_dir(context.state)
    ca = state / "ca" / "ca.pem"
    if not ca.exists():
        raise CLIError(f"There is no authority {ca} yet: run 'aztrust serve' once.")
    names = registries or [row["name"] for row in context.operator.call("GET", "dump")["registries"]]
    if not names:
        raise CLIError("The local cloud has no registry yet. Create one, or name some with --registry.")
    published = _published(state)
    suffix = published.get("suffix", "azurecr.io")
    hosts = tuple(f"{name.split('.')[0].lower()}.{suffix}" for name in names)
    chosen = port or urlsplit(published.get("origin", "https://localhost")).port or 443
    return Plan(address, hosts, chosen, ca), Places.of_this_machine()


def _published(state: Path) -> dict[str, Any]:
    """Return what a server that runs on this cloud directory publishes, empty when none does."""
    try:
        found: dict[str, Any] = json.loads((state / "serving.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def show(
    context: Context, registry: list[str] | None = None, address: str = "127.0.0.1", port: int | None = None
) -> None:
    """Print what to write, and where."""
    from azext_trust.hosting.host_entries import shown

    sys.stdout.write(shown(*_plan(context, registry, address, port)))


def add(
    context: Context, registry: list[str] | None = None, address: str = "127.0.0.1", port: int | None = None
) -> list[str]:
    """Write it, and return the files that were written.

    Raises:
        CLIError: a file cannot be written.
    """
    from azext_trust.hosting import host_entries

    try:
        return host_entries.add(*_plan(context, registry, address, port))
    except host_entries.EntriesError as error:
        raise CLIError(str(error)) from None


def remove(context: Context) -> list[str]:
    """Undo it, and return the files that were changed.

    Raises:
        CLIError: a file cannot be written.
    """
    from azext_trust.hosting import host_entries

    try:
        return host_entries.remove(host_entries.Places.of_this_machine())
    except host_entries.EntriesError as error:
        raise CLIError(str(error)) from None
