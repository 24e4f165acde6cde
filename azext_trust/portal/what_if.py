"""What an assignment would change, as the audit's what-if tells it: nothing is changed by asking (M23)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from azext_trust.audit.permitted import CAPABILITIES
from azext_trust.portal import audited
from azext_trust.portal.audited import Answer, Row
from azext_trust.portal.people import Person
from azext_trust.portal.visit import Visit

SHOWN = 50
"""Gains that a review lists; their number is told in any case."""
HELD, GAINED, CONDITION, LACKING, UNKNOWN = "held", "gained", "condition", "lacking", "unknown"


@dataclass
class Gained:
    """Somebody who would gain a capability, and in which registries."""

    row: Row
    registries: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outlook:
    """What would change.

    Attributes:
        after: the answer of what-if.
        before: who has each capability at the place now.
    """

    after: Answer
    before: Mapping[str, Answer]

    @property
    def problem(self) -> str:
        """Why it could not be told, or empty."""
        return self.after.problem

    @property
    def unknown(self) -> list[Row]:
        """What is not known."""
        return audited.together(self.after, *self.before.values())

    def gains(self) -> list[Gained]:
        """Return who gains what: of one person, way and capability all registries together."""
        found: dict[tuple[object, ...], Gained] = {}
        for row in self.after.value:
            if row["change"] == "gains":
                key = tuple(row[name] for name in ("principalId", "capability", "via", "role", "depends", "notes"))
                found.setdefault(key, Gained(row)).registries.append(str(row["registry"]))
        return list(found.values())

    def changes(self, person: Person) -> dict[str, str]:
        """Return by capability what the assignment does for somebody; conditions and denials are weighed."""
        gained: dict[str, bool] = {}
        for row in self.after.value:
            if row["principalId"] == person.id and row["change"] == "gains":
                gained[row["capability"]] = gained.get(row["capability"], True) and bool(row["depends"])
        return {name: self._change(person, name, gained.get(name)) for name in CAPABILITIES}

    def _change(self, person: Person, name: str, conditional: bool | None) -> str:
        if conditional is not None:
            return CONDITION if conditional else GAINED
        if any(row["principalId"] == person.id for row in self.before[name].value):
            return HELD
        return LACKING if self.before[name].complete and self.after.complete else UNKNOWN


def assigned(visit: Visit, role_id: str, members: Sequence[Person], condition: str) -> Outlook:
    """Return what would change if people were given a role at the page's place.

    Args:
        visit: the request.
        role_id: the role's resource id.
        members: who would be given it, and does not have it here: what-if refuses what exists.
        condition: under which condition, or empty.
    """
    change = {"change": "add-assignment", "role": role_id, "scope": visit.at.id}
    if condition:
        change["condition"] = condition
    changes = [{**change, "principalId": one.id} for one in members]
    after = audited.ask(visit, "what-if", changes=changes) if changes else Answer()
    before = {name: audited.ask(visit, "who-can", capability=name, scope=visit.at.id) for name in CAPABILITIES}
    return Outlook(after, before)
