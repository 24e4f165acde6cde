"""Resource providers: what types there are, in which versions and regions."""

from __future__ import annotations

from azext_trust.server.arm import bodies, errors, versions
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store.transaction import Transaction

_REGISTRY_TYPES = ("registries", "registries/scopeMaps", "registries/tokens", "checkNameAvailability")
_TYPES: dict[str, dict[str, tuple[str, ...]]] = {
    "Microsoft.ContainerRegistry": dict.fromkeys(_REGISTRY_TYPES, versions.REGISTRY),
    "Microsoft.Authorization": dict.fromkeys(
        ("roleAssignments", "roleDefinitions", "denyAssignments", "permissions", "classicAdministrators"),
        versions.AUTHORIZATION,
    ),
    "Microsoft.Resources": dict.fromkeys(("resourceGroups", "subscriptions", "tenants"), versions.RESOURCES),
    "Microsoft.ManagedIdentity": {"userAssignedIdentities": versions.IDENTITY},
}


def _body(call: Call, namespace: str) -> dict[str, object]:
    regions = [name.title() for name in versions.LOCATIONS]
    return {
        "id": f"/subscriptions/{call.params['subscription']}/providers/{namespace}", "namespace": namespace,
        "resourceTypes": [
            {"resourceType": name, "locations": regions, "apiVersions": list(reversed(known)),
             "capabilities": "SupportsTags, SupportsLocation"}
            for name, known in _TYPES[namespace].items()
        ],
        "registrationState": "Registered", "registrationPolicy": "RegistrationRequired",
    }  # fmt: skip


def _found(call: Call) -> str:
    wanted = call.params["namespace"].lower()
    found = next((name for name in _TYPES if name.lower() == wanted), None)
    if found is None:
        raise errors.no_provider(call.params["namespace"])
    return found


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the providers this cloud has."""
    return bodies.reply(call, {"value": [_body(call, name) for name in _TYPES]})


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one provider."""
    return bodies.reply(call, _body(call, _found(call)))


def register(transaction: Transaction, call: Call) -> Reply:
    """Register a provider: all of them are registered here."""
    return bodies.reply(call, _body(call, _found(call)))
