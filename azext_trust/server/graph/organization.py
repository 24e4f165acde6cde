"""The tenant as Graph shows it."""

from __future__ import annotations

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import query
from azext_trust.server.store import facts
from azext_trust.server.store.transaction import Transaction


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the one organization."""
    domain = facts.get(transaction.session, facts.TENANT_DOMAIN)
    body: query.Body = {
        "id": transaction.tenant_id(), "displayName": facts.get(transaction.session, facts.TENANT_NAME),
        "tenantType": "AAD",
        "verifiedDomains": [
            {"capabilities": "", "isDefault": True, "isInitial": True, "name": domain, "type": "Managed"},
        ],
    }  # fmt: skip
    return query.listing(call, "organization", [body])


def domains(transaction: Transaction, call: Call) -> Reply:
    """Return the one verified domain."""
    domain = facts.get(transaction.session, facts.TENANT_DOMAIN)
    body: query.Body = {"id": domain, "authenticationType": "Managed", "isDefault": True, "isVerified": True}
    return query.listing(call, "domains", [body])
