"""Operations that take time, for pollers to be rehearsed: 201 or 202 first, the end when the cloud's clock says so.

What is asked for is done at once and in one transaction; only the telling takes time (`Options.long_running_seconds`).
An operation's address says when it began, so nothing is kept about it and any worker can answer.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from azext_trust.server.arm import bodies
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import options
from azext_trust.server.store.transaction import Transaction

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def _ticks(moment: datetime) -> int:
    """Return a moment as .NET counts it, in steps of 100 nanoseconds: so Azure writes ``t``."""
    return int((moment - _EPOCH) / timedelta(microseconds=1)) * 10


def _done(transaction: Transaction, call: Call) -> bool:
    began = call.query.get("t", "")
    if not began.isdigit() or len(began) > 18:
        return True
    seconds = options.get(transaction.session).long_running_seconds
    return _ticks(transaction.now() - timedelta(seconds=seconds)) >= int(began)


def _address(transaction: Transaction, call: Call, path: str) -> str:
    version = f"api-version={call.api_version}"
    return f"{call.settings.origin}{path}?{version}&t={_ticks(transaction.now())}"


def created(transaction: Transaction, call: Call, reply: Reply, path: str, kind: str) -> Reply:
    """Turn the answer to a creation into one that is polled, if the cloud is set so.

    Args:
        transaction: tells the options and the clock.
        call: the request.
        reply: what is answered otherwise.
        path: the resource's path.
        kind: how operation ids begin, ``registries``.
    """
    if not options.get(transaction.session).long_running_seconds:
        return reply
    reply.status = 201
    name = f"{kind}-{uuid.uuid1()}"
    reply.headers["azure-asyncoperation"] = _address(transaction, call, f"{path}/operationStatuses/{name}")
    return reply


def deleted(transaction: Transaction, call: Call, path: str, kind: str) -> Reply:
    """Return the answer to a deletion: 200, or 202 with a Location to be polled if the cloud is set so."""
    if not options.get(transaction.session).long_running_seconds:
        return bodies.reply(call, None)
    reply = bodies.reply(call, None, 202)
    reply.headers["location"] = _address(transaction, call, f"{path}/{kind}-{uuid.uuid1()}")
    return reply


def status(transaction: Transaction, call: Call) -> Reply:
    """Return how far an operation is (Azure-AsyncOperation)."""
    done = _done(transaction, call)
    reply = bodies.reply(call, {"status": "Succeeded" if done else "Creating"})
    if not done:
        reply.headers["azure-asyncoperation"] = f"{call.settings.origin}{call.path}?{call.raw_query}"
    return reply


def result(transaction: Transaction, call: Call) -> Reply:
    """Return 202 with the Location again while an operation runs, then 200 (Location)."""
    if _done(transaction, call):
        return bodies.reply(call, None, 200)
    reply = bodies.reply(call, None, 202)
    reply.headers |= {"location": f"{call.settings.origin}{call.path}?{call.raw_query}", "retry-after": "1"}
    return reply


def state_of(transaction: Transaction, created_at: datetime) -> str:
    """Return the provisioning state of something made at a moment."""
    seconds = options.get(transaction.session).long_running_seconds
    return "Creating" if transaction.now() < created_at + timedelta(seconds=seconds) else "Succeeded"
