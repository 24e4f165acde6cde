"""How many requests a caller may make: token buckets, as ARM's (Throttling Resource Manager requests)."""

from __future__ import annotations

import threading
from math import ceil

from azext_trust.server.arm import bodies, errors
from azext_trust.server.gate.call import Call
from azext_trust.server.store import options
from azext_trust.server.store.transaction import Transaction

_KINDS = {"GET": "read", "HEAD": "read", "DELETE": "delete"}
_NAME = "throttle"
"""Under this the buckets lie beside the store: two clouds in one process count apart."""


class Buckets:
    """The token buckets of one process for one cloud."""

    MOST = 10_000
    """How many are kept; what is forgotten is full again."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, str], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: tuple[str, str, str], most: int, now: float) -> float:
        """Take one token, and return how many are left; below zero: none was taken, and so much is missing.

        Args:
            key: caller, subscription and kind of request.
            most: how many tokens a full bucket holds, and how many come in a minute.
            now: the cloud's present, in seconds.
        """
        with self._lock:
            if len(self._held) >= self.MOST:
                self._held.clear()
            held, at = self._held.get(key, (float(most), now))
            held = min(float(most), held + max(0.0, now - at) * most / 60)
            self._held[key] = (held - 1 if held >= 1 else held, now)
            return held - 1


def admit(transaction: Transaction, call: Call) -> None:
    """Count a request against its caller's limit; each worker counts for itself.

    Raises:
        ServiceError: SubscriptionRequestsThrottled, with Retry-After in seconds.
    """
    most = options.get(transaction.session).requests_per_minute
    if not most:
        return
    kind = _KINDS.get(call.method, "write")
    subscription = bodies.subscription_of(call.path) or ""
    buckets = transaction.shared.setdefault(_NAME, Buckets())
    assert isinstance(buckets, Buckets)
    left = buckets.take((call.caller.id, subscription.lower(), kind), most, transaction.now().timestamp())
    if left < 0:
        seconds = max(1, ceil(-left * 60 / most))
        error = errors.refuse("throttled", kind=kind, subscription=subscription, actor=call.caller.id, seconds=seconds)
        error.headers["retry-after"] = str(seconds)
        raise error
