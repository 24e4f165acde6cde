"""What can stop a request that its caller's roles allow: too many requests, and locks."""

from __future__ import annotations

from azext_trust.names import scopes
from azext_trust.server.arm import errors, throttle
from azext_trust.server.gate import route as routes
from azext_trust.server.gate.call import Call
from azext_trust.server.gate.route import Route
from azext_trust.server.store import management_locks
from azext_trust.server.store.transaction import Transaction

_KINDS = {"write": "write", "action": "write", "delete": "delete"}
"""How an action ends, and what a lock calls it: an action such as listCredentials counts as a write."""
_LOCKS = "microsoft.authorization/locks/"


def admitted(transaction: Transaction, call: Call, row: Route, scope: str) -> None:
    """Stop a request that is one too many, or that a lock forbids.

    Raises:
        ServiceError: SubscriptionRequestsThrottled or ScopeLocked.
    """
    if row.action == routes.ANONYMOUS:
        return
    throttle.admit(transaction, call)
    if row.action not in routes.ACCESS_RULES:
        unlocked(transaction, row.action, scope)


def unlocked(transaction: Transaction, action: str, scope: str) -> None:
    """Go on only if no lock forbids an action.

    A ReadOnly lock stops writes, actions and deletions at its scope and below; CanNotDelete stops deletions there; and
    whatever encloses a locked scope cannot be deleted (Lock your resources to protect your infrastructure). Locks
    themselves can always be removed.

    Raises:
        ServiceError: ScopeLocked.
    """
    kind = _KINDS.get(action.rpartition("/")[2])
    key = scopes.key(scope)
    if kind is None or action.lower().startswith(_LOCKS) or not key.startswith("/subscriptions/"):
        return
    chain = scopes.textual_ancestors(key)
    session = transaction.session
    held = management_locks.around(session, key, chain) if kind == "delete" else management_locks.at(session, chain)
    stops = [row for row in held if kind == "delete" or row.level == management_locks.READ_ONLY]
    if stops:
        locked = ",".join(dict.fromkeys(row.scope for row in stops))
        raise errors.refuse("scope_locked", scope=scope, kind=kind, locked=locked)
