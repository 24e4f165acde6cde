"""Audit: who can what in a registry and why, what is wrong with it, and the report with its charts."""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse, Response

from azext_trust.portal.overview_page import resource
from azext_trust.portal.visit import Visit

WORDS = ("sign", "push", "pull", "delete", "manage-policy", "grant")
"""The columns of the matrix, as the audit service names them."""
SANDBOX = {
    # The report draws its charts by scripts of its own: it may do so as nobody, not as the portal.
    "content-security-policy": "sandbox allow-scripts allow-modals; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'none'",
    # Browsers refuse a sandboxed page that asks for a group of windows of its own (HTML, section 7.1.3).
    "cross-origin-opener-policy": "unsafe-none",
}


def _ask(visit: Visit, question: str, **words: Any) -> dict[str, Any]:
    return visit.operator.audit(question, {**words, "registry": visit.at.id})


def who_can(visit: Visit) -> Response:
    """Show principals by capabilities: each cell is the way by which somebody can."""
    found: dict[str, dict[str, Any]] = {}
    unknown: list[dict[str, Any]] = []
    for word in WORDS:
        answer = _ask(visit, "who-can", capability=word)
        unknown += [row for row in answer["unknown"] if row not in unknown]
        for row in answer["value"]:
            one = found.setdefault(row["principalId"], {**row, "ways": {}})
            one["ways"][word] = row
    rows = sorted(found.values(), key=lambda row: (-len(row["ways"]), str(row["principalName"]).lower()))
    return resource(visit, "audit_who_can", "audit/who-can", page_title="menu.audit.who", rows=rows, unknown=unknown,
                    capabilities=WORDS)  # fmt: skip


def why(visit: Visit) -> Response:
    """Show every path by which somebody can do something here, and what was taken away."""
    word = visit.query("capability") if visit.query("capability") in WORDS else WORDS[0]
    answer = visit.operator.audit("why", {"registry": visit.at.id, "capability": word, "assignee": visit.query("who")})
    rows = answer["value"]
    name = next((row["principalName"] for row in rows if row["principalName"]), visit.query("who"))
    return resource(visit, "audit_why", "audit/who-can", page_title="menu.audit.who", rows=rows, word=word, name=name,
                    unknown=answer["unknown"])  # fmt: skip


def findings(visit: Visit) -> Response:
    """Show what is wrong with access and content trust here, and what cures it."""
    answer = _ask(visit, "report")
    return resource(visit, "audit_findings", "audit/findings", page_title="menu.audit.findings", rows=answer["value"],
                    unknown=answer["unknown"])  # fmt: skip


def report(visit: Visit) -> Response:
    """Show the report as one page with charts, the same that ``aztrust audit report -o html`` prints."""
    from azext_trust.audit import page

    return HTMLResponse(page.render(_ask(visit, "report", charts=True)), headers=SANDBOX)
