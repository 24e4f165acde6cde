"""The tenant as Graph shows it."""

from __future__ import annotations

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import errors, query
from azext_trust.server.store import facts
from azext_trust.server.store.transaction import Transaction


def _organization(transaction: Transaction) -> query.Body:
    domain = facts.get(transaction.session, facts.TENANT_DOMAIN)
    return {
        "id": transaction.tenant_id(), "deletedDateTime": None, "businessPhones": [], "countryLetterCode": "US",
        "displayName": facts.get(transaction.session, facts.TENANT_NAME), "tenantType": "AAD",
        "verifiedDomains": [
            {"capabilities": "", "isDefault": True, "isInitial": True, "name": domain, "type": "Managed"},
        ],
        "assignedPlans": [], "provisionedPlans": [],
    }  # fmt: skip


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the one organization."""
    return query.listing(call, "organization", [_organization(transaction)])


def show(transaction: Transaction, call: Call) -> Reply:
    """Return the organization by the tenant's id."""
    if call.params["id"].lower() != transaction.tenant_id().lower():
        raise errors.no_object(call.params["id"])
    return query.entity(call, "organization", _organization(transaction))


def _domain(transaction: Transaction) -> query.Body:
    return {
        "id": facts.get(transaction.session, facts.TENANT_DOMAIN), "authenticationType": "Managed",
        "availabilityStatus": None, "isAdminManaged": True, "isDefault": True, "isInitial": True, "isRoot": True,
        "isVerified": True, "supportedServices": [],
    }  # fmt: skip


def domains(transaction: Transaction, call: Call) -> Reply:
    """Return the one verified domain."""
    return query.listing(call, "domains", [_domain(transaction)])


def domain(transaction: Transaction, call: Call) -> Reply:
    """Return a domain by its name."""
    found = _domain(transaction)
    if call.params["id"].lower() != str(found["id"]).lower():
        raise errors.no_object(call.params["id"])
    return query.entity(call, "domains", found)
