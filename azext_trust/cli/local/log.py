"""The handlers of ``local log``."""

from __future__ import annotations

from typing import Any

from azext_trust.cli.context import Context
from azext_trust.cloud.errors import CloudError

_PAGE = 1000


def listed(context: Context, last: int | None = None, outcome: str | None = None) -> list[dict[str, Any]]:
    """Return the entries of the activity log."""
    if last and not outcome:
        return [_shown(row) for row in context.operator.call("GET", "log", last=str(last))["value"]]
    rows: list[dict[str, Any]] = []
    after = 0
    while True:
        page = context.operator.call("GET", "log", after=str(after), limit=str(_PAGE))["value"]
        rows += [_shown(row) for row in page if not outcome or row["outcome"] == outcome]
        if len(page) < _PAGE:
            return rows[-last:] if last else rows
        after = page[-1]["sequence"]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    details = row["details"]
    who = details.get("callerName") or row["callerId"]
    return {"caller": who, "missing": details.get("missing"), "reason": details.get("reason"), **row}


def verify(context: Context, head: str | None = None) -> dict[str, Any]:
    """Check the log's chain.

    Raises:
        CloudError: it was tampered with, or does not hold the head that was noted.
    """
    found: dict[str, Any] = context.operator.call("GET", "log/verify", **({"head": head} if head else {}))
    if not found["valid"]:
        raise CloudError(f"The activity log was tampered with: {found['problem']}")
    return {name: found[name] for name in ("entries", "head", "valid")}
