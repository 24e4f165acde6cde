"""Audit > Who can: the matrix of people and capabilities at one place; each cell leads to why (M22)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.responses import Response

from azext_trust.audit.permitted import CAPABILITIES
from azext_trust.portal import audited, paging
from azext_trust.portal.audited import Answer, Row
from azext_trust.portal.overview_page import registry_of
from azext_trust.portal.place import REGISTRY
from azext_trust.portal.visit import Visit

EXPLAINED = ("User", "ServicePrincipal", "Group")
"""Kinds of principals about whom one can ask why: an admin account or a token holds no roles."""
HELD, CONDITION, INDIRECT, NO, UNKNOWN = "held", "condition", "indirect", "no", "unknown"
"""The states of a cell."""


@dataclass
class Holder:
    """A row of the matrix: somebody, and by capability the row of the answer that says so."""

    id: str
    name: str
    type: str
    cells: dict[str, Row] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """The ids of their signing keys."""
        return [key for key in str(dict(self.cells.get("sign") or {}).get("key") or "").split(", ") if key]

    @property
    def explained(self) -> bool:
        """Whether one can ask why."""
        return self.type in EXPLAINED


def show(visit: Visit) -> Response:
    """Show who can what; a cell of which the service knows nothing says so."""
    if visit.at.kind == REGISTRY:
        registry_of(visit)
    answers = holders(visit)
    wanted = visit.query("q").strip().lower()
    rows = [row for row in matrix(answers) if wanted in row.name.lower() or wanted == row.id]
    shown, first, following = paging.sliced(visit, rows)
    unseen = {name: not one.complete for name, one in answers.items()}
    return audited.page(
        visit, "audit_who_can", "who-can", unknown=audited.together(*answers.values()), q=visit.query("q").strip(),
        problem=next((one.problem for one in answers.values() if one.problem), ""), capabilities=CAPABILITIES,
        rows=[(row, {name: state(row.cells.get(name), unseen[name]) for name in CAPABILITIES}) for row in shown],
        first=first, next=following, count=len(rows), chart=_chart(visit, answers), obstacles=_obstacles(answers),
        nothing=all(unseen.values()) and not rows and not wanted,
    )  # fmt: skip


def holders(visit: Visit) -> dict[str, Answer]:
    """Return who has each capability at the page's place, ways round included."""
    return {
        name: audited.ask(visit, "who-can", capability=name, scope=visit.at.id, indirect=True) for name in CAPABILITIES
    }


def matrix(answers: Mapping[str, Answer]) -> list[Holder]:
    """Return the people of several answers, by name; of somebody's ways to one capability the surest counts."""
    found: dict[str, Holder] = {}
    for name, answer in answers.items():
        for row in answer.value:
            key = str(row["principalId"])
            label = str(row["principalName"] or key)
            holder = found.setdefault(key, Holder(key, label, str(row["principalType"])))
            held = holder.cells.get(name)
            if held is None or _order(row) < _order(held):
                holder.cells[name] = row
    return sorted(found.values(), key=lambda one: (one.name.lower(), one.id))


def _order(row: Row) -> tuple[bool, bool]:
    return bool(row["indirect"]), bool(row["depends"])


def state(row: Row | None, unseen: bool) -> str:
    """Return the state of a cell.

    Args:
        row: what the answer says of this one, None when it is not in it.
        unseen: whether the answer is not complete: who is not in it may have the capability all the same.
    """
    if row is None:
        return UNKNOWN if unseen else NO
    return INDIRECT if row["indirect"] else CONDITION if row["depends"] else HELD


def _obstacles(answers: Mapping[str, Answer]) -> list[tuple[str, str]]:
    """Return what the service notes about all holders of a capability: content trust is off, a lock stands there."""
    found = []
    for name, answer in answers.items():
        notes = [set(str(row["notes"]).split("; ")) - {""} for row in answer.value if not row["indirect"]]
        found += [(name, note) for note in sorted(set.intersection(*notes))] if len(notes) > 1 else []
    return found


def _chart(visit: Visit, answers: Mapping[str, Answer]) -> str:
    words = visit.words
    counts = Counter((name, state(row, False)) for name, answer in answers.items() for row in answer.value)
    tones = {HELD: "good", CONDITION: "medium", INDIRECT: "high"}
    drawn = [
        {"label": words(f"can.{name}"), "group": words(f"cell.{kind}"), "tone": tones[kind], "count": counts[name, kind]}
        for name in CAPABILITIES for kind in tones if counts[name, kind]
    ]  # fmt: skip
    return audited.chart(rows=drawn, axis=words("audit.principals")) if drawn else ""
