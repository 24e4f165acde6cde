"""Managed identities in the directory, as their resource provider makes them."""

from __future__ import annotations

import uuid

from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Store


def add(store: Store, resource_id: str, *, enabled: bool = True) -> principals.DirectoryObject:
    """Add the service principal of a user-assigned identity.

    Args:
        store: the state.
        resource_id: the identity's resource id.
        enabled: whether it may sign in.
    """
    name = resource_id.rpartition("/")[2]
    row = principals.DirectoryObject(
        id=str(uuid.uuid4()), kind=principals.SERVICE_PRINCIPAL, display_name=name, display_key=name.lower(),
        app_id=str(uuid.uuid4()), enabled=enabled, created="",
        properties={"servicePrincipalType": "ManagedIdentity",
                    "alternativeNames": ["isExplicit=True", resource_id]},
    )  # fmt: skip
    with store.write() as transaction:
        transaction.session.add(row)
        transaction.session.flush()
        principals.set_service_principal_names(transaction.session, row.id, [str(row.app_id)])
    return row
