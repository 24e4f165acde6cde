"""Who can: every holder of a capability at a registry or at all of them, with the way that decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from azext_trust.rbac import bits
from azext_trust.rbac.capabilities import Needs
from azext_trust.rbac.model import Grant
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import roundabout, special, wording
from azext_trust.rbac.questions.answers import Answer, answer
from azext_trust.rbac.questions.asked import Asked, Place
from azext_trust.rbac.questions.facts import Person, Tenant, Unknown
from azext_trust.rbac.questions.rows import HolderRow
from azext_trust.rbac.questions.trust import keys_of
from azext_trust.rbac.who_can import Holders, Way, WhoCan

PUSH = "push"


class _Found(NamedTuple):
    """A holder before names are looked up."""

    place: Place
    id: str
    ways: tuple[Way, ...]
    depends: bool
    can_push: bool
    is_group: bool
    indirect: str = ""


class Questions:
    """The questions of one answer, kept so that what is worked out for one place helps the next.

    Args:
        tenant: the facts.
        asked: what is asked.
    """

    def __init__(self, tenant: Tenant, asked: Asked) -> None:
        self.tenant = tenant
        self.asked = asked
        self._kept: dict[Needs, WhoCan] = {}

    def ask(self, needs: Needs, scope: str) -> Holders:
        """Return who can do all of this at a scope."""
        question = self._kept.get(needs)
        if question is None:
            index, now = self.tenant.state.index, self.tenant.now
            question = self._kept[needs] = WhoCan(index, needs, request=self.asked.request, now=now)
        return question.at(scope)


def who_can(tenant: Tenant, asked: Asked) -> Answer:
    """Return who can do something, at one registry or at all.

    Raises:
        AskError: it cannot be asked so.
    """
    asking.check(asked)
    places, unknown = asking.places(tenant, asked)
    questions = Questions(tenant, asked)
    found: list[_Found] = []
    extra: list[HolderRow] = []
    for place in places:
        found += _at(questions, place, unknown)
        if place.registry is not None:
            extra += special.holders(place.registry, asked, unknown)
    rows = sorted(_rows(tenant, asked, found), key=_order)
    return answer([*rows, *extra], unknown)


def _order(row: HolderRow) -> tuple[str, bool, str, str]:
    """Return the place of a row: sources number principals differently, answers are the same."""
    return row.registry_id.lower(), row.indirect, (row.principal_name or "").lower(), row.principal_id


def _at(questions: Questions, place: Place, unknown: list[Unknown]) -> Iterator[_Found]:
    tenant, asked = questions.tenant, questions.asked
    needed = asking.needs(asked, place)
    unknown += tenant.sight.gaps(tenant.state.index.tree.chain(place.scope))
    if needed is None:
        return
    holders = questions.ask(needed, place.scope)
    unseen = holders.groups & tenant.sight.hidden_groups()
    unknown += hidden(tenant, holders)
    pushing = _pushers(questions, place)
    chosen = holders.people() | holders.people(depends=True) | (unseen & (holders.sure | holders.maybe))
    for number in bits.numbers(chosen):
        name = tenant.state.index.numbers.name(number)
        ways = holders.question.best(name, place.scope)
        is_group = bits.has(unseen, number)
        yield _Found(place, name, ways, bits.has(holders.maybe, number), bits.has(pushing, number), is_group)
    if asked.indirect:
        for name, way in roundabout.holders(questions.tenant, asked, place, chosen):
            number = tenant.state.index.numbers.of(name)
            yield _Found(place, name, (), False, bits.has(pushing, number), False, way)


def _pushers(questions: Questions, place: Place) -> int:
    needed = asking.needs_of(PUSH, place.registry)
    if needed is None or place.registry is None:
        return 0
    found = questions.ask(needed, place.scope)
    return found.sure | found.maybe


def hidden(tenant: Tenant, holders: Holders) -> Iterator[Unknown]:
    """Yield the groups that hold a part of what is needed and whose members are not known."""
    unseen = tenant.sight.hidden_groups()
    ids = (
        [tenant.state.index.numbers.name(number) for number in bits.numbers(holders.groups & unseen)] if unseen else []
    )
    people = tenant.people(ids) if ids else {}
    for group in ids:
        name = wording.label(group, people) or group
        yield Unknown(f"members of group {name} ({group})" if name != group else f"members of group {group}",
                      tenant.sight.why_hidden(group))  # fmt: skip


def _rows(tenant: Tenant, asked: Asked, found: list[_Found]) -> Iterator[HolderRow]:
    named = {one.id for one in found}
    named |= {group for one in found for way in one.ways for group in way.grant.group_chain}
    people = tenant.people(named)
    for one in found:
        person = people.get(one.id)
        decisive = deciding(one.ways)
        place = one.place
        keys: tuple[str, ...] = ()
        how = ""
        if asked.word == "sign" and place.registry is not None and person is not None:
            keys, how = keys_of(person, tenant.trust(place.registry))
        notes = (
            wording.obstacle(tenant.state, place.registry, asked.word),
            f"key {how}" if how else "", "its members are not known" if one.is_group else "",
        )  # fmt: skip
        assignment = decisive.assignment if decisive else None
        yield HolderRow(
            one.id, wording.label(one.id, people), person.kind if person else "Unknown", place.label, asked.word,
            one.indirect or way_of(decisive, people), decisive.role.name if decisive and decisive.role else None,
            tuple(dict.fromkeys(way.grant.role.name for way in reversed(one.ways) if way.grant.role)),
            assignment.scope if assignment else None, wording.assignment_id(assignment), ", ".join(keys) or None,
            one.can_push, one.depends,
            wording.condition(decisive) if decisive and decisive.condition == "depends" else None,
            bool(one.indirect), "; ".join(note for note in notes if note),
            place.registry.id if place.registry else place.scope,
        )  # fmt: skip


def deciding(ways: Iterable[Way]) -> Grant | None:
    """Return the grant that makes somebody a holder: of the last needed action the surest, nearest one.

    A capability's needs go from what many have to what few have: of a signer that is the right to sign.
    """
    found = list(ways)
    if not found:
        return None
    last = found[-1].action
    grants = [way.grant for way in found if way.action == last]
    return next((grant for grant in grants if grant.condition != "depends"), grants[0])


def way_of(grant: Grant | None, people: Mapping[str, Person]) -> str:
    """Return the way of a grant in words."""
    if grant is None:
        return wording.DIRECT
    if grant.assignment is None:
        return wording.CLASSIC
    return wording.via(grant.group_chain, people)
