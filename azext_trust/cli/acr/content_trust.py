"""The handlers of ``acr config content-trust``: the policy, and what changing it costs (M1, M2, M4, M5)."""

from __future__ import annotations

from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.audit import loss
from azext_trust.cli.acr.names import checked
from azext_trust.cli.acr.shape import registry as shown
from azext_trust.cli.acr.shape import wire_policies
from azext_trust.cli.context import Context

logger = get_logger(__name__)
_WARNINGS = (
    "This command group has been deprecated and will be removed in a future release. Learn more about the transition from "
    "Docker Content Trust to the Notary Project: https://aka.ms/acr/dctdeprecation",
    "Content Trust is being deprecated and will be completely removed on March 31, 2028. Refer to "
    "https://aka.ms/acr/dctdeprecation for details and transition guidance",
)
"""az 2.91's, for a cloud whose retirement switch has left `off` (acr-content-trust-facts.md section 3)."""
_RETIRED_QUESTION = (
    "Content Trust is being deprecated and will be completely removed on March 31, 2028. It cannot be enabled once "
    "disabled. Please submit a support ticket if you wish to disable and subsequently re-enable this feature. When "
    "disabled, your images will remain in the registry, but all your signatures will be deleted permanently. "
)
_QUESTION = "Disabling content trust deletes the signatures of registry '{name}' for good; its images stay. "


def show(context: Context, registry: str, resource_group: str | None = None) -> dict[str, Any]:
    """Return the content trust policy of a registry."""
    _warn(context)
    found: dict[str, Any] = _premium(context, registry, resource_group)["properties"]["policies"]["trustPolicy"]
    return found


def update(
    context: Context, registry: str, status: str | None = None, resource_group: str | None = None, yes: bool = False
) -> dict[str, Any]:
    """Enable or disable content trust; disabling asks first, naming what is lost.

    Raises:
        CLIError: the registry is not Premium, the user declined, or there is nobody to ask.
        azext_trust.cloud.errors.HttpError: the service refused.
    """
    _warn(context)
    before = _premium(context, registry, resource_group)
    policies = shown(before)["policies"]
    if status == "disabled" and policies["trustPolicy"]["status"] == "enabled" and not yes:
        context.confirm(_question(context, before), yes)
    if status:
        policies["trustPolicy"] = {**policies["trustPolicy"], "status": status}
    body = {"properties": {"policies": wire_policies(policies)}}
    after: dict[str, Any] = context.arm.update_registry(before["id"], body)["properties"]["policies"]["trustPolicy"]
    return after


def _warn(context: Context) -> None:
    if context.retirement != "off":
        for warning in _WARNINGS:
            logger.warning(warning)


def _premium(context: Context, name: str, group: str | None) -> dict[str, Any]:
    found = context.arm.registry(checked(name), group)
    if found["sku"]["name"] != "Premium":
        raise CLIError("Policies are only supported for managed registries in Premium SKU.")
    return found


def _question(context: Context, registry: dict[str, Any]) -> str:
    """Return the question, with the number of repositories and signed tags that would be lost."""
    lost = loss.of(context.connection, registry["id"])
    first = _QUESTION.format(name=registry["name"]) if context.retirement == "off" else _RETIRED_QUESTION
    named = f"Lost would be the trust data of {lost}. " if lost else ""
    return f"{first}{named}Are you sure you want to disable content trust?"
