"""The handler of ``acr import``: the image comes, its signatures do not (M20)."""

from __future__ import annotations

from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.acr.names import checked
from azext_trust.cli.context import Context
from azext_trust.cli.progress import Progress

logger = get_logger(__name__)
_REGISTRY = "Microsoft.ContainerRegistry/registries"


def run(
    context: Context, name: str, source: str, registry: str | None = None, username: str | None = None,
    password: str | None = None, target_tags: list[str] | None = None, resource_group: str | None = None,
    repository: list[str] | None = None, force: bool = False, no_wait: bool = False,
) -> Any:  # fmt: skip
    """Import an image from another registry.

    Raises:
        CLIError: the source is no image of a registry, or a user name came without its password.
    """
    if username and not password:
        raise CLIError("Authentication failed. Please provide password.")
    target = context.arm.registry(checked(name), resource_group)
    origin, own = _source(context, source, registry, username, password)
    image = str(origin["sourceImage"])
    body = {
        "source": origin, "mode": "Force" if force else "NoForce",
        "targetTags": target_tags or ([] if repository else [image.partition("@")[0]]),
        "untaggedTargetRepositories": repository or [],
    }  # fmt: skip
    if any(_trusted(row) for row in (target, own)):
        logger.warning("Signatures of Docker Content Trust are not imported: '%s' arrives unsigned.", image)
    if no_wait:
        logger.warning("Import has started. Due to no-wait option, failures will not be reflected.")
        return context.arm.call("POST", f"{target['id']}/importImage", "registries", body)
    with Progress("Importing image..."):
        return context.arm.finish("POST", f"{target['id']}/importImage", "registries", body)


def _trusted(registry: dict[str, Any] | None) -> bool:
    policies = (registry or {}).get("properties", {}).get("policies") or {}
    return bool(policies.get("trustPolicy", {}).get("status") == "enabled")


def _source(
    context: Context, source: str, registry: str | None, username: str | None, password: str | None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the source as Resource Manager takes it (ImportSource of the REST reference), and its registry if known."""
    if registry and registry.lower().startswith("/subscriptions/"):
        return {"resourceId": registry, "sourceImage": source}, None
    if registry:
        own = _own(context, registry)
        if own is None:
            raise CLIError("The source container registry can not be found in the current subscription. Please provide a "
                           "valid address and/or credentials.")  # fmt: skip
        image = _without(source, own["properties"]["loginServer"])
        return {"resourceId": own["id"], "sourceImage": image}, own
    host, image = _split(source)
    if password:
        credentials = {"password": password, **({"username": username} if username else {})}
        return {"registryUri": host, "sourceImage": image, "credentials": credentials}, None
    own = _own(context, host)
    return {**({"resourceId": own["id"]} if own else {"registryUri": host}), "sourceImage": image}, own


def _own(context: Context, name: str) -> dict[str, Any] | None:
    """Return the registry of the subscription with this name or login server."""
    for row in context.arm.listed(f"{context.arm.root}/providers/{_REGISTRY}", "registries"):
        if name.lower() in (row["name"].lower(), row["properties"]["loginServer"].lower()):
            return row
    return None


def _without(source: str, host: str) -> str:
    if not source.lower().startswith(f"{host.lower()}/"):
        return source
    logger.warning('The login server name of "%s" in the "--source" argument will be ignored as "--registry" already '
                   "supplies the same information", host)  # fmt: skip
    return source[len(host) + 1 :]


def _split(source: str) -> tuple[str, str]:
    host, slash, image = source.partition("/")
    if not slash or not host:
        raise CLIError(
            "Source cannot be found. Please provide a valid image and source registry or a fully qualified source."
        )
    if "." not in host:
        raise CLIError("Login server of the registry is not valid because it is not a fully qualified domain name.")
    return host, image
