"""The activity log for the operator: read it, check its chain."""

from __future__ import annotations

import re

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.operator import errors
from azext_trust.server.store import activity, verification
from azext_trust.server.store.transaction import Store, Transaction

_DIGEST = re.compile("[0-9a-f]{64}")


def entries(transaction: Transaction, call: Call) -> Reply:
    """Return entries in order: ``?after=<sequence>&limit=<n>``, or the newest ``?last=<n>``."""
    after, limit, last = (
        _number(call, name, default) for name, default in (("after", 0), ("limit", 1000), ("last", 0))
    )
    session = transaction.session
    rows = activity.recent(session, last) if last else list(activity.entries(session, after, max(1, limit)))
    return Reply({"value": [_shape(row) for row in rows]})


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not re.fullmatch("[0-9]{1,15}", text):
        raise errors.bad_value(name, f"'{name}' is a whole number, not '{text}'.")
    return int(text)


def _shape(row: activity.ActivityEntry) -> dict[str, object]:
    return {
        "sequence": row.sequence, "time": row.time, "operation": row.operation, "scope": row.scope,
        "outcome": row.outcome, "callerId": row.caller_id, "correlationId": row.correlation_id,
        "details": activity.details_of(row), "digest": row.digest,
    }  # fmt: skip


def verify(store: Store, call: Call) -> Reply:
    """Check the whole chain, and ``?head=<digest>`` noted earlier."""
    head = call.query.get("head", "").strip().lower()
    if head and not _DIGEST.fullmatch(head):
        raise errors.bad_value("head", f"A head is a digest of 64 hexadecimal digits, not '{head}'.")
    found = verification.verify(store, head)
    return Reply({"valid": not found.problem, "entries": found.entries, "head": found.head, "problem": found.problem})
