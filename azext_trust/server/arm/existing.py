"""Whether a scope exists: subscriptions, resource groups, management groups, registries, identities."""

from __future__ import annotations

from azext_trust.names import scopes
from azext_trust.server.arm import errors, versions
from azext_trust.server.store import identities, registries, resources
from azext_trust.server.store.transaction import Transaction

MANAGEMENT = "/providers/microsoft.management/managementgroups/"


def require(transaction: Transaction, scope: str) -> None:
    """Go on only if a scope exists; resource types that are not offered here do not.

    Args:
        transaction: a transaction.
        scope: a scope in any spelling.

    Raises:
        ServiceError: SubscriptionNotFound, ResourceGroupNotFound, ResourceNotFound, or the management group's.
    """
    parts = scopes.canonical(scope)[1:].split("/")
    lower = [part.lower() for part in parts]
    if lower == [""]:
        return
    if scopes.key(scope).startswith(MANAGEMENT):
        if transaction.session.get(resources.ManagementGroup, lower[3]) is None:
            raise errors.refuse("no_management_group", name=parts[3])
        return
    if lower[0] != "subscriptions" or len(parts) < 2:
        raise errors.no_resource(scope, "", "")
    if transaction.session.get(resources.Subscription, lower[1]) is None:
        raise errors.no_subscription(parts[1])
    if len(parts) > 3 and lower[2] == "resourcegroups":
        if resources.resource_group(transaction.session, parts[1], parts[3]) is None:
            raise errors.no_group(parts[3])
        if len(parts) > 4:
            _require_resource(transaction, scope, parts)


def _require_resource(transaction: Transaction, scope: str, parts: list[str]) -> None:
    # Children of a registry are not looked for: nothing can be had by a role or lock on one that does not exist.
    top = scopes.key("/".join(parts[:8]))
    session = transaction.session
    if registries.by_scope(session, top) is None and identities.by_scope(session, top) is None:
        try:
            named = scopes.ResourceId.parse(scope)
        except ValueError:
            raise errors.no_resource(scope, "", parts[3]) from None
        provider = versions.namespace(named.provider) or named.provider
        kind = f"{provider}/{'/'.join(named.types)}"
        raise errors.no_resource(kind, "/".join(named.names), parts[3])
