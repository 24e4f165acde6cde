"""What the audit answers the visitor: rows, whether they are all, and what is not known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from azext_trust.cloud.errors import HttpError
from azext_trust.names import scopes
from azext_trust.portal.overview_page import registry_of, resource
from azext_trust.portal.place import REGISTRY
from azext_trust.portal.registries_pages import registries
from azext_trust.portal.visit import Visit

Row = dict[str, Any]
MOST_UNKNOWN = 50
"""How many things that are not known a page names; their number is told in any case."""


@dataclass(frozen=True)
class Answer:
    """An answer of the audit (docs/audit.md).

    Attributes:
        value: the rows.
        unknown: what could not be read, and why; the answer is complete when there is none.
        charts: of a report, the tables of its pictures.
        problem: why the question was refused, or empty.
    """

    value: list[Row] = field(default_factory=list)
    unknown: list[Row] = field(default_factory=list)
    charts: Row = field(default_factory=dict)
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Whether the rows are all there is."""
        return not self.unknown and not self.problem


def ask(visit: Visit, question: str, **words: Any) -> Answer:
    """Ask with the visitor's own token; a question that is refused is an answer with a problem.

    Args:
        visit: the request.
        question: ``who-can``, ``why`` ...
        words: the question's words, as the service's description names them.
    """
    try:
        found = visit.operator.audit(question, words)
    except HttpError as error:
        return Answer(problem=error.message)
    return Answer(list(found["value"]), list(found["unknown"]), dict(found.get("charts") or {}))


def together(*answers: Answer) -> list[Row]:
    """Return what any of several answers does not know, each thing once."""
    return list({(row["what"], row["why"]): row for one in answers for row in one.unknown}.values())


def report(visit: Visit, *, charts: bool = False) -> Answer:
    """Return the report on the page's place: of a group or subscription the part that concerns it.

    Raises:
        HttpError: the place is not there, or the visitor may not read it.
    """
    words: Row = {"charts": charts}
    if visit.at.kind == REGISTRY:
        registry_of(visit)
        return ask(visit, "report", registry=visit.at.id, **words)
    found = ask(visit, "report", **words)
    value = [row for row in found.value if concerns(visit.at.id, str(row["scope"]))]
    unknown = [row for row in found.unknown if not row["scope"] or concerns(visit.at.id, str(row["scope"]))]
    shown = dict(found.charts)
    if charts and shown:
        names = {row.name for row in registries(visit, visit.at.id, "")}
        shown["expiry"] = [row for row in shown["expiry"] if row["registry"] in names]
    return Answer(value, unknown, shown, found.problem)


def concerns(scope: str, other: str) -> bool:
    """Tell whether what stands at another scope concerns this one: it lies inside it, or above it."""
    own, key = scopes.key(scope), scopes.key(other)
    inside = key == own or key.startswith(own + "/")
    return inside or own.startswith(key.rstrip("/") + "/") or key.startswith("/providers/microsoft.management/")


def page(visit: Visit, template: str, tab: str, *, unknown: Sequence[Row] = (), **values: Any) -> Response:
    """Return one of the tabs of the audit.

    Args:
        visit: the request.
        template: the page's template.
        tab: its name.
        unknown: what the page's answers do not know.
        values: what the template names.
    """
    given: Row = {
        "tab": tab,
        "unknown": list(unknown[:MOST_UNKNOWN]),
        "unknown_count": len(unknown),
        "page_title": "menu.audit",
    }
    return resource(visit, template, "audit", **(given | values))


def chart(**data: Any) -> str:
    """Return what a picture is drawn from, as JSON for an attribute; templates escape it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
