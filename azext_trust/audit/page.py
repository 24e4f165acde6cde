"""The report as one page: findings as tables, four pictures by Vega, nothing fetched from anywhere.

Vega and Vega-Lite (``static/``, brought by ``scripts/vendor``) draw in the reader's browser from the small tables of
`rbac.findings.charts`: nothing is drawn here, so that a large report costs no more than its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azext_trust import __version__

STATIC = Path(__file__).with_name("static")
MOST_BYTES = 3_000_000
"""How much text of findings a page holds: with Vega it stays under 5 MB. The gravest findings come first."""
_OVERHEAD = 160
"""About what a row's markup takes."""
_MOST_UNKNOWN = 50
SEVERITIES = ("high", "medium", "low", "info")


@dataclass
class Kind:
    """The findings of one kind: those that are shown, and how many more there are."""

    title: str
    severity: str
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    more: int = 0


def render(report: Mapping[str, Any]) -> str:
    """Return the page of a report.

    Args:
        report: an answer with its ``charts``.
    """
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_read("report.html"))
    rows, charts, unknown = report["value"], report["charts"], report["unknown"]
    return template.render(
        style=_read("report.css"), script=_read("report.js"), vega=_read("vega.min.js"),
        vega_lite=_read("vega-lite.min.js"), data=_embedded(charts), version=__version__, kinds=_kinds(rows),
        severities=[{"name": name, "count": sum(row["severity"] == name for row in rows)} for name in SEVERITIES],
        capabilities=charts.get("capabilities", []), examined=charts.get("examined", 0),
        when=str(charts.get("now", ""))[:16].replace("T", " "), unknown=unknown[:_MOST_UNKNOWN],
        more_unknown=max(0, len(unknown) - _MOST_UNKNOWN),
    )  # fmt: skip


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _embedded(value: object) -> str:
    """Return JSON that cannot end the script element it stands in (HTML, section 4.12.1.3)."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _kinds(rows: Iterable[Mapping[str, Any]]) -> list[Kind]:
    found: dict[str, Kind] = {}
    size = 0
    for row in rows:
        kind = found.setdefault(row["finding"], Kind(row["title"], row["severity"]))
        size += sum(len(str(row[name] or "")) for name in ("registry", "subject", "evidence", "cure")) + _OVERHEAD
        if size <= MOST_BYTES:
            kind.rows.append(row)
        else:
            kind.more += 1
    return list(found.values())
