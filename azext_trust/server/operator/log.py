"""The activity log for the operator: read it, check its chain."""

from __future__ import annotations

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.operator import errors
from azext_trust.server.store import activity
from azext_trust.server.store.transaction import Transaction


def entries(transaction: Transaction, call: Call) -> Reply:
    """Return entries in order: ``?after=<sequence>&limit=<n>``, or the newest ``?last=<n>``."""
    try:
        after, limit = int(call.query.get("after", "0")), int(call.query.get("limit", "1000"))
        last = int(call.query.get("last", "0"))
    except ValueError:
        raise errors.bad_value("after", "after, limit and last are whole numbers.") from None
    session = transaction.session
    rows = activity.recent(session, last) if last > 0 else list(activity.entries(session, after, max(1, limit)))
    return Reply({"value": [_shape(row) for row in rows]})


def _shape(row: activity.ActivityEntry) -> dict[str, object]:
    return {
        "sequence": row.sequence, "time": row.time, "operation": row.operation, "scope": row.scope,
        "outcome": row.outcome, "callerId": row.caller_id, "correlationId": row.correlation_id,
        "details": activity.details_of(row), "digest": row.digest,
    }  # fmt: skip


def verify(transaction: Transaction, call: Call) -> Reply:
    """Check the whole chain, and ``?head=<digest>`` noted earlier."""
    found = activity.verify(transaction.session, transaction.vault, call.query.get("head") or None)
    return Reply({"valid": not found.problem, "entries": found.entries, "head": found.head, "problem": found.problem})
