"""The activity log: who did what, when, allowed or denied, as ARM tells it (real-responses.md section 4.4)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from azext_trust.portal import paging
from azext_trust.portal.overview_page import resource
from azext_trust.portal.place import GROUP, REGISTRY
from azext_trust.portal.visit import Visit

SPANS = {"1h": 1, "6h": 6, "24h": 24, "7d": 168, "30d": 720, "90d": 2160}
"""Timespans by name, in hours; Azure keeps 90 days."""
STATUSES = ("Started", "Succeeded", "Failed")
_VALUES = "providers/Microsoft.Insights/eventtypes/management/values"


def show(visit: Visit) -> Response:
    """Show the events of a place in a timespan; ARM filters by time and place, the page by the rest."""
    span = visit.query("span") if visit.query("span") in SPANS else "24h"
    condition = _condition(visit, span)

    def ask(token: str) -> dict[str, Any]:
        more = {"_skiptoken": token} if token else {}
        where = f"/subscriptions/{visit.at.subscription}/{_VALUES}"
        found: dict[str, Any] = visit.arm.call("GET", where, "activity", _filter=condition, **more)
        return found

    cut = paging.cut(visit, ask, lambda row: _fits(visit, row))
    return resource(
        visit, "activity", "activity", rows=[_shown(row) for row in cut.rows], first=cut.first, next=cut.next,
        span=span, spans=SPANS, statuses=STATUSES,
    )  # fmt: skip


def _condition(visit: Visit, span: str) -> str:
    since, until = visit.now - timedelta(hours=SPANS[span]), visit.now + timedelta(minutes=1)
    parts = [f"eventTimestamp ge '{_text(since)}'", f"eventTimestamp le '{_text(until)}'"]
    if visit.at.kind == GROUP:
        parts.append(f"resourceGroupName eq '{visit.at.group}'")
    if visit.at.kind == REGISTRY:
        parts.append(f"resourceUri eq '{visit.at.id}'")
    return " and ".join(parts)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _value(row: dict[str, Any], name: str) -> str:
    held = row.get(name)
    return str(held.get("localizedValue") or held.get("value") or "") if isinstance(held, dict) else str(held or "")


def _fits(visit: Visit, row: dict[str, Any]) -> bool:
    operation, caller, status = visit.query("operation"), visit.query("caller"), visit.query("status")
    named = f"{_value(row, 'operationName')} {dict(row.get('operationName') or {}).get('value', '')}"
    return (
        operation.strip().lower() in named.lower()
        and caller.strip().lower() in str(row.get("caller") or "").lower()
        and status in ("", dict(row.get("status") or {}).get("value"))
    )


def _shown(row: dict[str, Any]) -> dict[str, str]:
    return {
        "operation": _value(row, "operationName"), "status": str(dict(row.get("status") or {}).get("value", "")),
        "time": str(row.get("eventTimestamp") or ""), "caller": str(row.get("caller") or ""),
        "scope": str(dict(row.get("authorization") or {}).get("scope") or row.get("resourceId") or ""),
        "details": json.dumps(row, indent=1, ensure_ascii=False),
    }  # fmt: skip
