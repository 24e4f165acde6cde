"""The endpoints of this cloud, as clients discover them (az-wire-contract.md section 1)."""

from __future__ import annotations

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store.transaction import Transaction


def endpoints(transaction: Transaction, call: Call) -> Reply:
    """Return the cloud's endpoints: one object, or an array of one for the older api-version."""
    settings = call.settings
    origin = settings.origin
    if call.api_version < "2018-01-01":
        return Reply(_first_form(call))
    port = "" if settings.port == 443 else f":{settings.port}"
    cloud: dict[str, object] = {
        "name": "aztrust", "portal": f"{origin}/portal",
        "authentication": {
            "loginEndpoint": settings.login_endpoint, "identityProvider": "AAD",
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
        },
        "resourceManager": origin, "microsoftGraphResourceId": f"{origin}/", "graphAudience": f"{origin}/",
        "graph": f"{origin}/", "gallery": f"{origin}/", "batch": f"{origin}/", "media": origin,
        "sqlManagement": f"{origin}/", "vmImageAliasDoc": f"{origin}/aliases.json",
        "suffixes": {
            "acrLoginServer": settings.suffix + port, "storage": f"core.{settings.host}",
            "keyVaultDns": f"vault.{settings.host}", "sqlServerHostname": f"database.{settings.host}",
        },
    }  # fmt: skip
    return Reply([cloud] if call.api_version < "2022-09-01" else cloud)


def _first_form(call: Call) -> dict[str, object]:
    """Return the endpoints as api-version 2015-01-01 has them: az asked for these until about 2.60."""
    origin = call.settings.origin
    return {
        "galleryEndpoint": f"{origin}/", "graphEndpoint": f"{origin}/", "portalEndpoint": f"{origin}/portal",
        "authentication": {
            "loginEndpoint": call.settings.login_endpoint,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
        },
    }  # fmt: skip
