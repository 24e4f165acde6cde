"""Audit > Why: each path from somebody over groups, assignment, role and scope to a right, as picture and table (M22)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from starlette.responses import Response

from azext_trust.audit.permitted import CAPABILITIES
from azext_trust.names import scopes
from azext_trust.portal import audited, paging
from azext_trust.portal.audited import Row
from azext_trust.portal.overview_page import registry_of
from azext_trust.portal.place import REGISTRY
from azext_trust.portal.visit import Visit

EFFECTS = ("grants", "denies", "removes", "misses")
"""What a path does, from what counts most in the picture."""
MISSING = "missing"
"""What a permission is called that nothing grants."""
MOST_NODES = 25
"""Nodes of one column in the picture; the table has all."""


def show(visit: Visit) -> Response:
    """Show why somebody can do something here or cannot."""
    if visit.at.kind == REGISTRY:
        registry_of(visit)
    who = visit.query("who").strip()
    capability = visit.query("capability") if visit.query("capability") in CAPABILITIES else "sign"
    given: dict[str, Any] = {
        "capabilities": CAPABILITIES, "capability": capability, "who": who, "verdict": None, "rows": [], "chart": "",
        "first": "", "next": "", "problem": "", "asked": bool(who), "count": 0,
    }  # fmt: skip
    return audited.page(visit, "audit_why", "why", **(given | (_answered(visit, capability, who) if who else {})))


def _answered(visit: Visit, capability: str, who: str) -> dict[str, Any]:
    words = {"capability": capability, "assignee": who, "scope": visit.at.id}
    verdict, paths = audited.ask(visit, "can", **words), audited.ask(visit, "why", **words)
    rows, first, following = paging.sliced(visit, paths.value)
    missing = verdict.value[0]["missing"] if verdict.value else ()
    return {
        "verdict": verdict.value[0] if verdict.value else None, "problem": verdict.problem or paths.problem,
        "rows": rows, "first": first, "next": following, "count": len(paths.value),
        "unknown": audited.together(verdict, paths), "chart": _chart(visit, paths.value, missing),
    }  # fmt: skip


class Graph:
    """The picture of paths: nodes in columns, principal first, then as many columns of groups as are needed.

    Args:
        rows: the paths.
        missing: actions that nothing grants: they stand there, unconnected unless something came near.
    """

    def __init__(self, rows: list[Row], missing: Iterable[str] = ()) -> None:
        self.depth = max((len(row["groupIds"]) for row in rows), default=0)
        self._nodes: dict[tuple[int, str], Row] = {}
        self._edges: dict[tuple[str, str], str] = {}
        for row in sorted(rows, key=lambda row: EFFECTS.index(row["effect"])):
            self._path(row)
        for action in missing:
            last = len(self.columns) - 1
            self._node(last, action, _short(action), MISSING)
            self._nodes[last, action]["effect"] = MISSING

    @property
    def columns(self) -> list[str]:
        """The keys of the columns' headings."""
        return ["principal", *["group"] * self.depth, "assignment", "role", "scope", "permission"]

    @property
    def nodes(self) -> list[Row]:
        """The nodes with their places, at most so many in each column."""
        kept: list[Row] = []
        for column in range(len(self.columns)):
            kept += [node for (at, _), node in self._nodes.items() if at == column][:MOST_NODES]
        return kept

    @property
    def edges(self) -> list[Row]:
        """What connects them, with the effect of the surest path that goes there."""
        return [{"source": a, "target": b, "effect": effect} for (a, b), effect in self._edges.items()]

    def _path(self, row: Row) -> None:
        steps = [self._node(column, name, label, row["effect"]) for column, name, label in self._steps(row)]
        for a, b in pairwise(steps):
            self._edges.setdefault((a, b), row["effect"])

    def _steps(self, row: Row) -> Iterator[tuple[int, str, str]]:
        yield 0, row["principalId"], row["principalName"] or row["principalId"]
        names = str(row["via"]).split(" > ")
        ids = list(row["groupIds"])
        for column, group in enumerate(ids, 1):
            yield column, group, names[column - 1] if len(names) == len(ids) else group
        after = self.depth + 1
        if row["assignmentId"]:
            yield after, row["assignmentId"], str(row["assignmentId"]).rsplit("/", 1)[1][:8]
        if row["role"] or row["roleId"]:
            yield after + 1, row["roleId"] or row["role"], row["role"] or row["roleId"]
        if row["scope"]:
            yield after + 2, scopes.key(row["scope"]), str(row["scope"]).rsplit("/", 1)[1] or "/"
        yield after + 3, row["action"], _short(row["action"])

    def _node(self, column: int, name: str, label: str, effect: str) -> str:
        key = f"{column} {name}"
        self._nodes.setdefault(
            (column, name), {"key": key, "column": column, "label": label, "id": name, "effect": effect}
        )
        return key


def _short(action: str) -> str:
    """Return the end of an action's name: ``push/write``."""
    return "/".join(action.split("/")[-2:])


def _chart(visit: Visit, rows: list[Row], missing: Iterable[str]) -> str:
    drawn = Graph(rows, missing)
    if not drawn.edges:
        return ""
    words = visit.words
    return audited.chart(
        nodes=drawn.nodes, edges=drawn.edges, columns=[words("graph." + name) for name in drawn.columns],
        effects={name: words(f"effect.{name}") for name in (*EFFECTS, MISSING)},
    )  # fmt: skip
