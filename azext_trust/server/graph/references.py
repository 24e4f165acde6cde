"""References to directory objects by their address (OData @odata.id, @odata.bind)."""

from __future__ import annotations

from azext_trust.server.gate.call import Call
from azext_trust.server.graph import errors
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction

MOST = 20
"""References in one request."""


def found(transaction: Transaction, name: str) -> principals.DirectoryObject:
    """Return the object with this id or user principal name.

    Raises:
        ServiceError: Request_ResourceNotFound.
    """
    row = principals.by_id(transaction.session, name) or principals.user_by_upn(transaction.session, name)
    if row is None:
        raise errors.no_object(name)
    return row


def addressed(transaction: Transaction, address: object) -> principals.DirectoryObject:
    """Return the object at an address, ``https://../v1.0/directoryObjects/ID``.

    Raises:
        ServiceError: no address, or no such object.
    """
    if not isinstance(address, str) or "/" not in address:
        raise errors.bad_request("The property '@odata.id' must hold the address of a directory object.")
    return found(transaction, address.rstrip("/").rpartition("/")[2])


def referenced(transaction: Transaction, call: Call) -> principals.DirectoryObject:
    """Return the object that a $ref request names."""
    return addressed(transaction, call.json().get("@odata.id"))


def bound(transaction: Transaction, body: dict[str, object], name: str) -> list[str]:
    """Return the ids of the objects that ``name@odata.bind`` refers to.

    Raises:
        ServiceError: more than twenty, or one that does not exist.
    """
    given = body.get(f"{name}@odata.bind")
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > MOST:
        raise errors.bad_request(f"The number of references in '{name}@odata.bind' must be at most {MOST}.")
    return [addressed(transaction, address).id for address in given]
