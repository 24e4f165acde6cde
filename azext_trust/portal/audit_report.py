"""Audit > Report: the findings, the gravest first, each with its evidence and the command that cures it (M24)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from starlette.responses import Response

from azext_trust.portal import audited, paging
from azext_trust.portal.overview_page import registry_of
from azext_trust.portal.place import REGISTRY
from azext_trust.portal.visit import Visit

SEVERITIES = ("high", "medium", "low", "info")


def show(visit: Visit) -> Response:
    """Show the findings that fit the filters, a page at a time, and how many of each kind there are."""
    found = audited.report(visit)
    wanted, severity = visit.query("q").strip().lower(), visit.query("severity")
    rows = [row for row in found.value if severity in ("", row["severity"]) and _holds(visit, row, wanted)]
    shown, first, following = paging.sliced(visit, rows)
    counts = Counter(str(row["severity"]) for row in found.value)
    return audited.page(
        visit, "audit_report", "report", unknown=found.unknown, problem=found.problem, q=visit.query("q").strip(),
        severity=severity, severities=SEVERITIES, counts=counts, total=len(found.value), count=len(rows), rows=shown,
        first=first, next=following, chart=_chart(visit, found.value),
    )  # fmt: skip


def download(visit: Visit) -> Response:
    """Give a registry's report as one file with all its pictures (docs/audit.md), to keep or to send.

    It is never shown here: it has its scripts inside, which the portal's policy forbids.
    """
    from azext_trust.audit import page

    if visit.at.kind != REGISTRY:
        return Response("Not Found", 404, media_type="text/plain")
    registry_of(visit)
    found = visit.operator.audit("report", {"registry": visit.at.id, "charts": True})
    name = f"attachment; filename={visit.at.name}-audit.html"
    return Response(page.render(found), media_type="text/html", headers={"content-disposition": name})


def _holds(visit: Visit, row: audited.Row, wanted: str) -> bool:
    texts = (title(visit, row), row["registry"] or "", row["subject"], row["evidence"], row["cure"])
    return not wanted or any(wanted in str(text).lower() for text in texts)


def title(visit: Visit, row: audited.Row) -> str:
    """Return a finding's title in the visitor's language; one that is new here has the service's."""
    return visit.words.known(f"finding.{row['finding']}", str(row["title"]))


def _chart(visit: Visit, rows: list[audited.Row]) -> str:
    if not rows:
        return ""
    counts = Counter((title(visit, row), str(row["severity"])) for row in rows)
    drawn: list[dict[str, Any]] = [
        {"label": label, "group": visit.words(f"severity.{severity}"), "tone": severity, "count": number}
        for (label, severity), number in counts.items()
    ]
    return audited.chart(rows=drawn, axis=visit.words("audit.findings"))
