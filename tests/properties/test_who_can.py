"""Who can and what can agree with asking the referee about everybody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from azext_trust.rbac import what_can, what_if
from azext_trust.rbac.model import Grant
from azext_trust.rbac.who_can import WhoCan
from tests.properties import reference, worlds
from tests.properties.reference import Ask, World

Needs = tuple[tuple[str, ...], ...]
_PLANES = dict(worlds.ACTIONS)
needs = st.lists(
    st.lists(st.sampled_from([name for name, _ in worlds.ACTIONS]), min_size=1, max_size=2).map(tuple),
    min_size=1, max_size=3,
).map(tuple)  # fmt: skip
requests = worlds.requests.map(dict)


def right(world: World, wanted: Needs, scope: str, request: dict[str, object]) -> tuple[set[str], set[str]]:
    """Return who surely can and who perhaps can, by asking about each person and action."""
    sure, perhaps = set(), set()
    for who in worlds.PEOPLE:
        found = [[_of(world, who, action, scope, request) for action in group] for group in wanted]
        if all("yes" in group for group in found):
            sure.add(who)
        elif all("yes" in group or "perhaps" in group for group in found):
            perhaps.add(who)
    return sure, perhaps


def _of(world: World, who: str, action: str, scope: str, request: dict[str, object]) -> str:
    verdict = reference.decide(world, who, Ask(action, _PLANES[action], scope, tuple(request.items()), True))
    if not verdict.allowed:
        return "no"
    return "perhaps" if verdict.grants == verdict.depends else "yes"


@given(worlds.histories, needs, requests, st.booleans())
def test_who_can(history: tuple[worlds.Change, ...], wanted: Needs, request: dict[str, object], strict: bool) -> None:
    """M22: the sets of who can, at every scope, are those of asking one by one."""
    world, index = worlds.world_of(history, strict=strict), worlds.index_of(history, strict=strict)
    question = WhoCan(index, wanted, request=request)
    people = {who for who in worlds.PEOPLE if who in world.principals}
    for scope in worlds.SCOPES:
        sure, perhaps = right(world, wanted, scope, request)
        holders = question.at(scope)
        assert set(holders.ids()) == sure & people
        assert set(holders.ids(depends=True)) == perhaps & people


@given(worlds.histories, needs)
def test_ways_of_a_holder(history: tuple[worlds.Change, ...], wanted: Needs) -> None:
    """M22: each holder comes with every assignment that gives a part of it."""
    world, index = worlds.world_of(history), worlds.index_of(history)
    for scope in worlds.SCOPES[4:9]:
        for holder in WhoCan(index, wanted).at(scope):
            found = {
                (way.action, way.grant.assignment.id if way.grant.assignment else "classic") for way in holder.ways
            }
            expected = set()
            for action in {action for group in wanted for action in group}:
                verdict = reference.decide(world, holder.id, Ask(action, _PLANES[action], scope, (), True))
                expected |= {(action, name) for name in verdict.grants if verdict.allowed}
            assert found == expected


@given(worlds.histories)
def test_what_can_a_principal_do(history: tuple[worlds.Change, ...]) -> None:
    """M22: every assignment of a principal and its groups, with a way to it."""
    world, index = worlds.world_of(history), worlds.index_of(history)
    for who in worlds.EVERYONE:
        concerned = {who, *reference.groups(world, who)}
        expected = {row.id for row in world.assignments.values() if row.principal_id in concerned}
        rows = what_can.held(index, who)
        assert {row.assignment.id for row in rows} == expected
        assert all(not row.group_chain or row.group_chain[-1] == row.assignment.principal_id for row in rows)


@given(worlds.histories, st.sampled_from(worlds.SCOPES), st.lists(worlds.asks, min_size=1, max_size=3))
def test_effective(history: tuple[worlds.Change, ...], scope: str, asked: list[Ask]) -> None:
    """M22: a principal's verdicts on many actions are those of single questions."""
    world, index = worlds.world_of(history), worlds.index_of(history)
    for who in worlds.PEOPLE:
        found = what_can.effective(index, who, scope, [ask.action for ask in asked])
        for action, decision in found.items():
            assert (
                decision.allowed == reference.decide(world, who, Ask(action, _PLANES[action], scope, (), True)).allowed
            )


@given(worlds.histories, worlds.sequels, needs)
def test_difference(history: tuple[worlds.Change, ...], more: tuple[worlds.Change, ...], wanted: Needs) -> None:
    """M23: who gains and who loses is the same by bits, by ids, and by the referee."""
    before = worlds.index_of(history)
    after = before.overlay()
    for change in more:
        worlds.move(after, change)
    other = worlds.index_of(history, more)
    for scope in worlds.SCOPES[4:10]:
        asked = [WhoCan(index, wanted).at(scope) for index in (before, after, other)]
        found = what_if.difference(asked[0], asked[1])
        assert found == what_if.difference(asked[0], asked[2])
        was, now = ({*holders.ids(), *holders.ids(depends=True)} for holders in asked[:2])
        assert (set(found.gains), set(found.loses)) == (now - was, was - now)


@given(worlds.histories, needs, requests, st.booleans())
def test_best_way(history: tuple[worlds.Change, ...], wanted: Needs, request: dict[str, object], strict: bool) -> None:
    """M22: the one grant that decides is one of all of them, for the same actions, and the surest, nearest of them."""
    index = worlds.index_of(history, strict=strict)
    question = WhoCan(index, wanted, request=request)
    for scope in worlds.SCOPES[4:10]:
        for who in worlds.PEOPLE:
            found, best = question.ways(who, scope), question.best(who, scope)
            assert {way.action for way in best} == {way.action for way in found}
            for way in best:
                grants = [one.grant for one in found if one.action == way.action]
                assert way.grant in grants
                surest = [grant for grant in grants if grant.condition != "depends"] or grants
                assert _place(way.grant) == _place(surest[0])


def _place(grant: Grant) -> str:
    return grant.assignment.scope.lower().rstrip("/") if grant.assignment else ""
