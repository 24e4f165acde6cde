"""The handlers of ``cloud``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust import home
from azext_trust.cli.context import Context
from azext_trust.cloud import profile as profiles
from azext_trust.cloud.connect import Connection
from azext_trust.cloud.errors import CloudError
from azext_trust.cloud.profile import Profile

logger = get_logger(__name__)


def init(context: Context, seed: str | None = None) -> dict[str, Any]:
    """Found the embedded cloud from a seed; on one that exists, make what the seed names and is missing.

    Without a seed an existing cloud is left as it is. What was made up (passwords) and what differs is told on stderr.

    Raises:
        CloudError: the seed cannot be read or is wrong; the text names file and line. Nothing was changed.
    """
    client = context.operator
    client.connection.seed = Path(seed).expanduser().absolute() if seed else None
    return {"state": str(home.cloud_dir(context.state)), **client.call("GET", "status")}


def listed(_: Context) -> list[dict[str, Any]]:
    """Return all clouds."""
    return [_shown(profile) for profile in profiles.listed()]


def show(_: Context, name: str | None = None) -> dict[str, Any]:
    """Return one cloud, the active one unless named."""
    return _shown(profiles.named(name) if name else profiles.active())


def choose(_: Context, name: str) -> None:
    """Make a cloud the active one."""
    before = profiles.active().name
    profiles.use(name)
    after = profiles.active().name
    if before == after:
        return
    logger.warning("Switched active cloud to '%s'.", after)
    logger.warning("Use 'aztrust login' to log in to this cloud.")
    logger.warning("Use 'aztrust account set' to set the active subscription.")


def register(_: Context, name: str, arm: str, ca: str | None = None) -> None:
    """Register a cloud by what it says of itself.

    Raises:
        CloudError: it cannot be reached, is no cloud, or the name is taken.
    """
    if any(known.name.lower() == name.lower() for known in profiles.listed()):
        raise CloudError(f"The cloud '{name}' is already registered.")
    if not arm.startswith("https://"):
        raise CLIError(f"The resource management endpoint is an https address, not '{arm}'.")
    kept = str(Path(ca).expanduser().absolute()) if ca else ""
    if kept and not Path(kept).is_file():
        raise CLIError(f"The certificate authority file {ca} does not exist.")
    asked = Connection(Profile(name, "served", arm.rstrip("/"), "", "", ca=kept))
    answer = asked.send("GET", f"{arm.rstrip('/')}/metadata/endpoints?api-version=2022-09-01")
    try:
        metadata = answer.json()
    except ValueError:
        raise CloudError(f"{arm} does not describe a cloud: it answered {answer.status_code}.") from None
    if not isinstance(metadata, dict) or answer.status_code != 200:
        raise CloudError(f"{arm} does not describe a cloud: it answered {answer.status_code}.")
    profiles.register(profiles.from_metadata(name, arm, metadata, kept))


def unregister(_: Context, name: str) -> None:
    """Forget a cloud."""
    profiles.unregister(name)


def _shown(profile: Profile) -> dict[str, Any]:
    return {
        "endpoints": {
            "activeDirectory": profile.login, "activeDirectoryResourceId": profile.audience,
            "microsoftGraphResourceId": profile.graph, "resourceManager": profile.arm,
        },
        "ca": profile.ca or None, "isActive": profile.name == profiles.active().name, "kind": profile.kind,
        "name": profile.name, "suffixes": {"acrLoginServerEndpoint": f".{profile.acr_suffix}"},
    }  # fmt: skip
