"""What stands outside this cloud: its lists are empty, everything else is refused with the reason."""

from __future__ import annotations

from azext_trust.server.arm import bodies, errors
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store.transaction import Transaction

REASONS = {
    "agentpools": "ACR Tasks do not run here",
    "tasks": "ACR Tasks do not run here",
    "taskruns": "ACR Tasks do not run here",
    "runs": "ACR Tasks do not run here",
    "schedulerun": "ACR Tasks do not run here",
    "listbuildsourceuploadurl": "ACR Tasks do not run here",
    "connectedregistries": "there are no connected registries here",
    "replications": "a registry has one region here",
    "webhooks": "registries send no webhooks here",
    "cacherules": "there is no artifact cache here",
    "credentialsets": "there is no artifact cache here",
    "privateendpointconnections": "there are no virtual networks here",
    "privatelinkresources": "there are no virtual networks here",
    "exportpipelines": "there are no transfer pipelines here",
    "importpipelines": "there are no transfer pipelines here",
    "pipelineruns": "there are no transfer pipelines here",
    "packages": "archives are not kept here",
    "deployments": "templates are not deployed here; create the resources one by one",
    "links": "resources are not linked here",
    "moveresources": "resources are not moved here",
    "validatemoveresources": "resources are not moved here",
    "tags": "set tags on the resource itself, with az group update or az resource tag",
    "diagnosticsettings": "there is no Azure Monitor here; the activity log is kept without it",
}
"""Why a type or action is not offered, by its name in lower case."""


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return an empty list: there is none of these."""
    return bodies.reply(call, {"value": []})


def refused(transaction: Transaction, call: Call) -> Reply:
    """Refuse with the reason.

    Raises:
        ServiceError: ResourceTypeNotSupported.
    """
    kind, reason = _kind(call.path)
    raise errors.refuse("not_offered", kind=kind, reason=reason)


def _kind(path: str) -> tuple[str, str]:
    parts = [part for part in path.split("/") if part]
    at = next((at for at in range(len(parts) - 1, -1, -1) if parts[at].lower() in REASONS), len(parts) - 1)
    name = parts[at]
    provider = next((parts[i + 1] for i in range(at - 1, -1, -1) if parts[i].lower() == "providers"), "")
    inside = f"{provider}/registries/{name}" if "registries" in [part.lower() for part in parts[:at]] else ""
    return inside or f"{provider or 'Microsoft.Resources'}/{name}", REASONS.get(name.lower(), "it has no part here")
