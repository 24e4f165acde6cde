"""Who could sign when: the facts of now, with the activity log taken back entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from azext_trust.names import scopes
from azext_trust.rbac import capabilities
from azext_trust.rbac.findings.trust_data import moment
from azext_trust.rbac.findings.view import View
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import RoleAssignment
from azext_trust.rbac.questions.facts import Event, Registry
from azext_trust.rbac.who_can import WhoCan

MOST_STEPS = 400
"""How many changes are taken back."""
MOST_WORK = 20_000
"""How many times a registry is asked anew: large tenants show a shorter past."""
MOST_LINES = 6
"""How many registries have a line of their own: those where it moved most."""
_ASSIGNMENTS, _MEMBERS = "microsoft.authorization/roleassignments/", "microsoft.directory/groups/members"


def signers(view: View) -> list[dict[str, object]]:
    """Return how many could sign at each moment at which that moved: at all registries together, and at some.

    The first moment of a line is the beginning of what the log tells; every line ends now.
    """
    past = _Past(view)
    at = view.tenant.now.isoformat()
    lines: dict[str, list[tuple[str, int]]] = {"": [(at, past.total())]}
    for registry in view.registries:
        lines[registry.key] = [(at, past.counted(registry))]
    began = at
    for event in view.events:
        began = event.time
        for key, count in (past.take_back(event) or {}).items():
            lines[key].append((event.time, count))
        if past.done():
            break
    return list(_rows(view, lines, _before(began)))


def _before(time: str) -> str:
    """Return a day before the first entry: what was then, nothing in the log tells of."""
    found = moment(time)
    return (found - timedelta(days=1)).isoformat() if found else time


def _rows(view: View, lines: Mapping[str, list[tuple[str, int]]], began: str) -> Iterable[dict[str, object]]:
    names = {registry.key: registry.name for registry in view.registries}
    ranked = sorted((key for key in lines if key and len(lines[key]) > 1), key=lambda key: (-len(lines[key]), key))
    for key in ("", *ranked[:MOST_LINES]):
        name = names.get(key, "all registries")
        for at, (_, before) in enumerate(lines[key]):
            # Each count holds from the moment on at which the change was made, up to the next one.
            since = lines[key][at + 1][0] if at + 1 < len(lines[key]) else began
            yield {"registry": name, "time": since, "signers": before}
        yield {"registry": name, "time": lines[key][0][0], "signers": lines[key][0][1]}


class _Past:
    """The facts as they were; each entry that is taken back brings them a step further."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._index = view.index.overlay()
        self._steps = self._work = 0
        self._masks = {registry.key: self._mask(registry, self._question()) for registry in view.registries}

    def _question(self) -> dict[str, WhoCan]:
        asked = {}
        for mode in (capabilities.LEGACY, capabilities.ABAC):
            needed = capabilities.needs("sign", mode)
            if needed is not None:
                asked[mode] = WhoCan(self._index, needed, now=self._view.tenant.now)
        return asked

    def _mask(self, registry: Registry, asked: Mapping[str, WhoCan]) -> int:
        self._work += 1
        if registry.mode not in asked:
            return 0
        found = asked[registry.mode].at(registry.id)
        return found.people() | found.people(depends=True)

    def total(self) -> int:
        """Return how many could sign at any of the registries."""
        together = 0
        for mask in self._masks.values():
            together |= mask
        return together.bit_count()

    def counted(self, registry: Registry) -> int:
        """Return how many could sign at one registry."""
        return self._masks[registry.key].bit_count()

    def done(self) -> bool:
        """Tell whether it goes back no further."""
        return self._steps >= MOST_STEPS or self._work >= MOST_WORK

    def take_back(self, event: Event) -> dict[str, int] | None:
        """Undo an entry; return the counts that held before it where it moved them, None where it moved nothing."""
        undone = undo(self._index, event)
        if undone is None:
            return None
        self._steps += 1
        asked = self._question()
        concerned = self._view.registries if undone == "" else list(self._view.below(undone))
        moved: dict[str, int] = {}
        before = self.total()
        for registry in concerned:
            mask = self._mask(registry, asked)
            if mask != self._masks[registry.key]:
                self._masks[registry.key] = mask
                moved[registry.key] = mask.bit_count()
        if moved and self.total() != before:
            moved[""] = self.total()
        return moved or None


def undo(index: Index, event: Event) -> str | None:
    """Take an entry of the log back in an index of its own.

    Returns:
        The scope where access may have moved, empty for everywhere, None when the entry moved no access.
    """
    if event.outcome != "Allowed":
        return None
    operation = event.operation.lower()
    made, gone = event.details.get("after"), event.details.get("before")
    if operation.startswith(_ASSIGNMENTS):
        return _assignment(index, event.scope.rstrip("/").rsplit("/", 1)[-1].lower(), made, gone)
    if operation.startswith(_MEMBERS):
        return _member(index.remove_member, made) or _member(index.put_member, gone)
    return None


def _assignment(index: Index, name: str, made: object, gone: object) -> str | None:
    held: Any = gone if isinstance(gone, Mapping) else None
    there = index.assignment(name)
    if held is not None:
        role = str(held.get("roleDefinitionId", "")).rsplit("/", 1)[-1].lower()
        scope, who = str(held.get("scope") or "/"), str(held.get("principalId", "")).lower()
        index.put_assignment(RoleAssignment(name, scopes.canonical(scope), role, who, held.get("condition")))
        return scope
    if isinstance(made, Mapping) and there is not None:
        index.remove_assignment(name)
        return there.scope
    return None


def _member(change: Callable[[str, str], None], said: object) -> str | None:
    if isinstance(said, Mapping) and said.get("group") and said.get("member"):
        change(str(said["group"]).lower(), str(said["member"]).lower())
        return ""
    return None
