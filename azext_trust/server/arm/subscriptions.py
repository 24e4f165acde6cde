"""Tenants and subscriptions, as far as the caller's assignments reach."""

from __future__ import annotations

from azext_trust.names import scopes
from azext_trust.server.arm import bodies, errors, versions
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import facts, resources
from azext_trust.server.store.transaction import Transaction


def tenants(transaction: Transaction, call: Call) -> Reply:
    """Return the one tenant: everybody signed in is in it."""
    tenant = transaction.tenant_id()
    domain = facts.get(transaction.session, facts.TENANT_DOMAIN)
    name = facts.get(transaction.session, facts.TENANT_NAME)
    value = {
        "id": f"/tenants/{tenant}", "tenantId": tenant, "countryCode": "US", "displayName": name, "domains": [domain],
        "tenantCategory": "Home", "defaultDomain": domain, "tenantType": "AAD",
    }  # fmt: skip
    return bodies.reply(call, {"value": [value]})


def _reached(transaction: Transaction, call: Call) -> list[resources.Subscription]:
    """Return the subscriptions at, above or below which the caller holds any role."""
    authoriser = Authoriser(transaction, call.caller)
    held = {scopes.key(scope) for scope in authoriser.principal_scopes()}
    found = []
    for row in resources.subscriptions(transaction.session):
        own = f"/subscriptions/{row.id}"
        above = {"/", own, *resources.management_chain(transaction.session, row.management_group)}
        if call.caller.classic_administrator or held & above or any(scope.startswith(own + "/") for scope in held):
            found.append(row)
    return found


def _body(transaction: Transaction, row: resources.Subscription) -> dict[str, object]:
    return {
        "id": f"/subscriptions/{row.id}", "authorizationSource": "RoleBased", "managedByTenants": [],
        "subscriptionId": row.id, "tenantId": transaction.tenant_id(), "displayName": row.name, "state": row.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off",
        },
    }  # fmt: skip


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the subscriptions any role of the caller reaches."""
    found = [_body(transaction, row) for row in _reached(transaction, call)]
    return bodies.reply(call, {"value": found, "count": {"type": "Total", "value": len(found)}})


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one subscription."""
    wanted = call.params["subscription"]
    row = next((row for row in _reached(transaction, call) if row.id == wanted.lower()), None)
    if row is None:
        raise errors.no_subscription(wanted)
    return bodies.reply(call, _body(transaction, row))


def locations(transaction: Transaction, call: Call) -> Reply:
    """Return the regions."""
    base = f"/subscriptions/{call.params['subscription']}/locations"
    return bodies.reply(call, {"value": [_region(base, region) for region in versions.regions()]})


def _region(base: str, region: versions.Data) -> dict[str, object]:
    name, paired = region["name"], region["pairedRegion"]
    metadata: dict[str, object] = {
        "regionType": "Physical", "regionCategory": "Recommended" if region["zones"] else "Other",
        **{member: region[member] for member in (
            "geography", "geographyGroup", "longitude", "latitude", "physicalLocation")},
        "pairedRegion": [{"name": paired, "id": f"{base}/{paired}"}] if paired else [],
    }  # fmt: skip
    shown: dict[str, object] = {
        "id": f"{base}/{name}", "name": name, "type": "Region", "displayName": region["displayName"],
        "regionalDisplayName": region["regionalDisplayName"], "metadata": metadata,
    }  # fmt: skip
    if region["zones"]:
        shown["availabilityZoneMappings"] = [
            {"logicalZone": logical, "physicalZone": f"{name}-az{physical}"}
            for logical, physical in (("1", 3), ("2", 1), ("3", 2))
        ]
    return shown
