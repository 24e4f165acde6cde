"""What secrets and keys of applications and service principals have in common."""

from __future__ import annotations

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import errors, query
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction


def remove(transaction: Transaction, call: Call, owner_id: str, kind: str, noun: str) -> Reply:
    """Remove the credential whose ``keyId`` the body names (removePassword, removeKey).

    Args:
        transaction: the change.
        call: the request.
        owner_id: object id of the application or service principal.
        kind: ``secret`` or ``certificate``, as the store calls it.
        noun: ``password`` or ``key``, as Graph's error calls it.

    Raises:
        ServiceError: it has none of this id.
    """
    wanted = str(call.json().get("keyId") or "").lower()
    for row in principals.credentials(transaction.session, [owner_id], kind):
        if row.id == wanted:
            call.change(before={"keyId": row.id, "displayName": row.display_name})
            transaction.session.delete(row)
            return query.reply(call, None, 204)
    raise errors.bad_request(f"No {noun} credential found with keyId {wanted}.")
