"""Who gains and who loses what: between the facts and a change thought of, or between two sets of facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from azext_trust.names import scopes as scope_names
from azext_trust.rbac import what_if
from azext_trust.rbac.capabilities import Needs
from azext_trust.rbac.model import Grant
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import changes, holders, special, wording
from azext_trust.rbac.questions.answers import Answer, AskError, answer
from azext_trust.rbac.questions.asked import ALIASES, WORDS, Asked, Place
from azext_trust.rbac.questions.facts import Person, Registry, State, Tenant, Unknown
from azext_trust.rbac.questions.rows import ChangeRow
from azext_trust.rbac.who_can import Holders, WhoCan

GAINS, LOSES = "gains", "loses"


@dataclass(frozen=True)
class Side:
    """The facts before, or after, with what they can say about names."""

    tenant: Tenant
    state: State

    def people(self, ids: Iterable[str]) -> Mapping[str, Person]:
        """Return who is known."""
        return self.tenant.people(ids)


def what_if_changed(tenant: Tenant, asked: Asked) -> Answer:
    """Return who would gain and who would lose what; nothing is changed.

    Raises:
        ChangeError: a change cannot be made.
        AskError: it cannot be asked so.
    """
    words = _words(asked)
    changed = changes.make(tenant, asked.changes)
    places, unknown = asking.places(tenant, asked)
    moved = [place for place in places if place.registry is None or changed.moved(place.registry)]
    before, after = Side(tenant, tenant.state), Side(tenant, changed.state)
    rows: list[ChangeRow] = []
    for place in moved:
        unknown += tenant.sight.gaps(tenant.state.index.tree.chain(place.scope))
    for word in words:
        rows += _of_word(word, asked, before, after, [place.scope for place in moved], unknown)
    return answer(rows, unknown)


def diff(old: Tenant, new: Tenant, asked: Asked) -> Answer:
    """Return who gained and who lost what between two sets of facts.

    Raises:
        AskError: it cannot be asked so.
    """
    words = _words(asked)
    unknown: list[Unknown] = []
    scopes: dict[str, str] = {}
    for tenant in (old, new):
        if asked.registry and _is_in_neither(asked.registry, old, new):
            asking.one_registry(tenant, asked.registry)
        places, more = _places_of(tenant, asked)
        unknown += more
        scopes |= {tenant.state.index.tree.chain(place.scope)[0]: place.scope for place in places}
        for place in places:
            unknown += tenant.sight.gaps(tenant.state.index.tree.chain(place.scope))
    rows: list[ChangeRow] = []
    for word in words:
        rows += _of_word(word, asked, Side(old, old.state), Side(new, new.state), scopes.values(), unknown)
    return answer(rows, unknown)


def _is_in_neither(name: str, old: Tenant, new: Tenant) -> bool:
    return not any(row.name.lower() == name.lower() or row.id.lower() == name.lower()
                   for tenant in (old, new) for row in tenant.state.registries.values())  # fmt: skip


def _places_of(tenant: Tenant, asked: Asked) -> tuple[list[Place], list[Unknown]]:
    """Return the places that one side knows: a registry may have come or gone."""
    try:
        return asking.places(tenant, asked)
    except AskError:
        return [], []


def _words(asked: Asked) -> tuple[str, ...]:
    if not asked.capability and not asked.action:
        return WORDS
    asking.check(asked)
    return (ALIASES.get(asked.word, asked.word),)


def _of_word(
    word: str, asked: Asked, before: Side, after: Side, scopes: Iterable[str], unknown: list[Unknown]
) -> Iterator[ChangeRow]:  # fmt: skip
    """Yield the rows of one capability; the questions are kept, so that places in order help one another."""
    old, new = _Asking(before, asked, word), _Asking(after, asked, word)
    found: list[_Moved] = []
    for scope in scopes:
        found += _moves(old, new, scope, unknown)
    ids = {one.id for one in found} | {group for one in found for group in one.chain}
    people = {**before.people(ids), **after.people(ids)}
    yield from sorted((one.row(word, people) for one in found), key=_order)
    for scope in scopes:
        yield from _special(old, new, scope, asked, word)


def _order(row: ChangeRow) -> tuple[str, str, str, str]:
    return row.registry_id.lower(), row.change, (row.principal_name or "").lower(), row.principal_id


class _Asking:
    """One side's answers about one capability."""

    def __init__(self, side: Side, asked: Asked, word: str) -> None:
        self.side, self.asked, self.word = side, asked, word
        self._kept: dict[Needs, WhoCan] = {}

    def registry(self, scope: str) -> Registry | None:
        return self.side.state.registries.get(scope_names.key(scope))

    def at(self, scope: str) -> Holders | None:
        """Return who can at a scope; None is nobody: there is no such registry (any more), or no such right in it."""
        registry = self.registry(scope)
        if registry is None and not self.asked.scope:
            return None
        needed = asking.needs_of(self.word, registry)
        if needed is None:
            return None
        if needed not in self._kept:
            state, now = self.side.state, self.side.tenant.now
            self._kept[needed] = WhoCan(state.index, needed, request=self.asked.request, now=now)
        return self._kept[needed].at(scope)

    def obstacle(self, scope: str) -> str:
        return wording.obstacle(self.side.state, self.registry(scope), self.word)


@dataclass(frozen=True)
class _Moved:
    """A gain or a loss before names are looked up."""

    change: str
    id: str
    kind: str
    place: Place
    grant: Grant | None
    depends: bool
    notes: str

    @property
    def chain(self) -> tuple[str, ...]:
        return self.grant.group_chain if self.grant else ()

    def row(self, word: str, people: Mapping[str, Person]) -> ChangeRow:
        assignment = self.grant.assignment if self.grant else None
        role = self.grant.role.name if self.grant and self.grant.role else None
        return ChangeRow(
            self.change, self.id, wording.label(self.id, people), self.kind, word, self.place.label,
            holders.way_of(self.grant, people), role, assignment.scope if assignment else None, self.depends,
            self.notes, self.place.registry.id if self.place.registry else self.place.scope,
        )  # fmt: skip


def _moves(old: _Asking, new: _Asking, scope: str, unknown: list[Unknown]) -> Iterator[_Moved]:
    before, after = old.at(scope), new.at(scope)
    registry = new.registry(scope) or old.registry(scope)
    place = Place(scope, registry.name if registry else scope, registry)
    for asking_side, found in ((old, before), (new, after)):
        hidden = asking_side.side.tenant.sight.hidden_groups()
        if found is not None and hidden:
            unknown += holders.hidden(asking_side.side.tenant, found)
    stopped, stops = old.obstacle(scope), new.obstacle(scope)
    # What stands in everybody's way counts where it came or went; where it stays, roles are compared all the same.
    notes = ""
    if bool(stopped) != bool(stops):
        before, after = (None if stopped else before), (None if stops else after)
        notes = stops or f"no longer: {stopped}"
    difference = what_if.difference(before, after)
    for name in difference.gains:
        yield _moved(GAINS, name, after, place, notes)
    for name in difference.loses:
        yield _moved(LOSES, name, before, place, notes)
    for name in difference.depends:
        sure = after is not None and not _depends(after, name)
        yield _moved(GAINS if sure else LOSES, name, after, place,
                     "without a condition now" if sure else "only under a condition now")  # fmt: skip


def _moved(change: str, name: str, found: Holders | None, place: Place, notes: str) -> _Moved:
    assert found is not None  # who gains can afterwards, who loses could before
    index = found.question.index
    number = index.numbers.of(name)
    principal = index.principal(number)
    grant = holders.deciding(found.question.best(name, place.scope))
    return _Moved(change, name, principal.kind if principal else "Unknown", place, grant, _depends(found, name), notes)


def _depends(found: Holders, name: str) -> bool:
    number = found.question.index.numbers.known(name)
    return number is not None and bool(found.maybe >> number & 1)


def _special(old: _Asking, new: _Asking, scope: str, asked: Asked, word: str) -> Iterator[ChangeRow]:
    """Yield gains and losses of those whom no assignment makes: the admin account, anonymous pull, tokens."""
    one = Asked(capability=word) if "/" not in word else Asked(action=word)
    sides = []
    for side in (old, new):
        registry = side.registry(scope)
        sides.append({row.principal_id.lower(): row for row in special.holders(registry, one, [])} if registry else {})
    for change, here, there in ((GAINS, sides[1], sides[0]), (LOSES, sides[0], sides[1])):
        for name, row in here.items():
            if name not in there:
                yield ChangeRow(change, row.principal_id, row.principal_name, row.principal_type, word, row.registry,
                                row.via, None, row.scope, row.depends, row.notes, row.registry_id)  # fmt: skip
