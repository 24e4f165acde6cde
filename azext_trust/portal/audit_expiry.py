"""Audit > Expiry: when signed metadata and the certificates of keys end, as a timeline and a table (M24)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from azext_trust.portal import audited, paging
from azext_trust.portal.audited import Row
from azext_trust.portal.visit import Visit

STATES = ("expired", "month", "quarter", "later")
"""How near an end is, from the nearest: gone by, within 30 days, within 90 days, later."""
_DAYS = (("expired", 0), ("month", 30), ("quarter", 90))
_TONES = {"expired": "high", "month": "medium", "quarter": "low", "later": "good"}
KINDS = ("root", "targets", "delegation", "snapshot", "timestamp", "key")


def show(visit: Visit) -> Response:
    """Show what ends when, the nearest first, a page at a time."""
    found = audited.report(visit, charts=True)
    now = datetime.fromisoformat(str(found.charts["now"])) if found.charts else visit.now
    rows = [{**row, "kind": kind(row), "state": state(row, now)} for row in found.charts.get("expiry", ())]
    wanted, text = visit.query("state"), visit.query("q").strip().lower()
    fitting = [row for row in rows if wanted in ("", row["state"]) and _holds(row, text)]
    shown, first, following = paging.sliced(visit, fitting)
    return audited.page(
        visit, "audit_expiry", "expiry", unknown=found.unknown, problem=found.problem, rows=shown, first=first,
        next=following, count=len(fitting), states=STATES, state=wanted, q=visit.query("q").strip(),
        counts=Counter(row["state"] for row in rows), chart=_chart(visit, rows, now),
    )  # fmt: skip


def kind(row: Row) -> str:
    """Return what ends: a role's metadata, or a key."""
    role = str(row["role"])
    return "key" if row["key"] else "delegation" if role.startswith("targets/") else role


def state(row: Row, now: datetime) -> str:
    """Return how near a row's end is."""
    end = datetime.fromisoformat(str(row["end"]))
    left = (end if end.tzinfo else end.replace(tzinfo=now.tzinfo)) - now
    return next((name for name, days in _DAYS if left < timedelta(days=days)), "later")


def _holds(row: Row, text: str) -> bool:
    return any(text in str(row[name]).lower() for name in ("registry", "repository", "role", "key"))


def _chart(visit: Visit, rows: list[Row], now: datetime) -> str:
    """Return the timeline's points: of one kind on one day all together."""
    if not rows:
        return ""
    words = visit.words
    counts = Counter((str(row["date"]), str(row["kind"]), str(row["state"])) for row in rows)
    points: list[dict[str, Any]] = [
        {"day": day, "label": words.known(f"expiry.kind.{name}", name), "group": words(f"expiry.{near}"),
         "tone": _TONES[near], "count": number}
        for (day, name, near), number in counts.items()
    ]  # fmt: skip
    order = [words.known(f"expiry.kind.{name}", name) for name in KINDS]
    return audited.chart(rows=points, now=now.isoformat(), order=order, today=words("expiry.today"),
                         groups=[words(f"expiry.{name}") for name in STATES], axis=words("expiry.number"))  # fmt: skip
