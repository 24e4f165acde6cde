"""The handler of ``acr update``: what is given is sent, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli import generic_update
from azext_trust.cli.acr.names import checked
from azext_trust.cli.acr.settings import CLOSED, NO_REGIONAL, NO_RULES, Settings
from azext_trust.cli.acr.shape import registry, wire_policies
from azext_trust.cli.context import Context

logger = get_logger(__name__)
_OUTSIDE = ("tags", "sku", "identity")


def update(
    context: Context, name: str, resource_group: str | None = None, sku: str | None = None,
    tags: dict[str, str] | None = None, set_values: list[list[str]] | None = None,
    add_values: list[list[str]] | None = None, remove_values: list[list[str]] | None = None,
    force_string: bool = False, **settings: Any,
) -> dict[str, Any]:  # fmt: skip
    """Change a registry and return it."""
    arm = context.arm
    found = arm.find_registry(checked(name), resource_group)
    before = registry(arm.call("GET", found, "registries"))
    _check(before, sku or before["sku"]["name"], Settings(**settings))
    after = copy.deepcopy(before)
    generic_update.apply(after, set_values or [], add_values or [], remove_values or [], force_string)
    body: dict[str, Any] = {name: after.get(name) for name in _OUTSIDE if after.get(name) != before.get(name)}
    properties = _changed(before, after) | Settings(**settings).properties()
    if sku:
        body["sku"] = {"name": sku}
    if tags is not None:
        body["tags"] = tags
    if properties:
        body["properties"] = properties
    return registry(arm.update_registry(found, body))


def _check(before: dict[str, Any], sku: str, settings: Settings) -> None:
    """Refuse what az refuses before it asks the service.

    Raises:
        CLIError: network rules without Premium; regional endpoints without it, or together with content trust.
    """
    wanted = settings.properties()
    if settings.public_network_enabled is False:
        logger.warning(CLOSED)
    if "networkRuleSet" in wanted and before["sku"]["name"] != "Premium":
        raise CLIError(NO_RULES)
    if wanted.get("regionalEndpoints") == "Enabled":
        if sku != "Premium":
            raise CLIError(NO_REGIONAL)
        if before["policies"]["trustPolicy"]["status"] == "enabled":
            raise CLIError("Regional endpoints cannot be enabled when Content Trust is enabled. Please disable Content "
                           "Trust and try again.")  # fmt: skip


def _changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the properties that differ; of policies all that are there, as az sends them."""
    names = [name for name in after if name not in _OUTSIDE and after[name] != before.get(name)]
    changed = {name: after[name] for name in names}
    if isinstance(changed.get("policies"), dict):
        changed["policies"] = wire_policies(changed["policies"])
    return changed
