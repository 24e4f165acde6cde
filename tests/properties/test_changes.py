"""An index moved by changes equals one built from the outcome; an overlay equals really applying."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from azext_trust.rbac import decide as deciding
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import Decision
from azext_trust.rbac.who_can import who_can
from tests.properties import worlds
from tests.properties.reference import Ask
from tests.properties.test_decide import agree, query_of

Asked = list[tuple[str, Ask]]
asked_many = st.lists(st.tuples(st.sampled_from(worlds.EVERYONE), worlds.asks), min_size=2, max_size=8)
NEEDS = ((worlds.ACTIONS[0][0], worlds.ACTIONS[3][0]), (worlds.ACTIONS[1][0],))


def answers(index: Index, asked: Asked) -> list[object]:
    """Return what an index says: decisions with their reasons, and who can."""
    found: list[object] = [deciding.explain(index, who, query_of(ask)) for who, ask in asked]
    for scope in worlds.SCOPES[4:10]:
        holders = who_can(index, NEEDS, scope)
        found.append((sorted(holders.ids()), sorted(holders.ids(depends=True)), sorted(holders.orphans())))
    return [_unordered(one) for one in found]


def _unordered(answer: object) -> object:
    if isinstance(answer, Decision):
        return answer._replace(grants=tuple(sorted(answer.grants, key=str)))
    return answer


@given(worlds.histories, worlds.sequels, asked_many)
def test_moved_index_equals_referee(
    history: tuple[worlds.Change, ...], more: tuple[worlds.Change, ...], asked: Asked
) -> None:
    """M22: caches filled between the changes do not outlive them."""
    world = worlds.world_of(history, more)
    index = worlds.index_of(history, *((one,) for one in more), asking=lambda index: answers(index, asked))
    for who, ask in asked:
        agree(world, index, who, ask)


@given(worlds.histories, worlds.sequels, asked_many)
def test_moved_index_equals_rebuilt_index(
    history: tuple[worlds.Change, ...], more: tuple[worlds.Change, ...], asked: Asked
) -> None:
    """M22: the same answers as an index that never saw what is gone."""
    moved = worlds.index_of(history, more, asking=lambda index: answers(index, asked))
    assert facts(moved) == facts(rebuilt(moved))
    assert answers(moved, asked) == answers(rebuilt(moved), asked)


@given(worlds.histories, worlds.sequels, asked_many)
def test_overlay_equals_applying(
    history: tuple[worlds.Change, ...], more: tuple[worlds.Change, ...], asked: Asked
) -> None:
    """M23: what-if says what the real change then does, and leaves the index as it was."""
    base = worlds.index_of(history, asking=lambda index: answers(index, asked))
    before, known, version = answers(base, asked), facts(base), base.version
    overlay = base.overlay()
    for change in more:
        worlds.move(overlay, change)
        answers(overlay, asked[:1])
    assert answers(overlay, asked) == answers(worlds.index_of(history, more), asked)
    assert (answers(base, asked), facts(base), base.version) == (before, known, version)


@given(worlds.histories, worlds.sequels, worlds.sequels, asked_many)
def test_overlay_over_overlay(
    history: tuple[worlds.Change, ...], more: tuple[worlds.Change, ...], most: tuple[worlds.Change, ...], asked: Asked
) -> None:  # fmt: skip
    """M23: a what-if can start from a what-if."""
    upper = worlds.index_of(history).overlay()
    for change in more:
        worlds.move(upper, change)
    top = upper.overlay()
    for change in most:
        worlds.move(top, change)
    assert answers(top, asked) == answers(worlds.index_of(history, more, most), asked)
    assert answers(upper, asked) == answers(worlds.index_of(history, more), asked)


def facts(index: Index) -> list[object]:
    """Return everything an index was told, for comparison."""
    return [
        sorted(map(str, rows))
        for rows in (
            index.assignments(),
            index.denies(),
            index.principals(),
            index.role_definitions(),
            index.memberships(),
            index.tree.parents(),
        )
    ]


def rebuilt(index: Index) -> Index:
    """Return a new index of the same facts."""
    new = Index(strict_classic=index.strict_classic)
    for principal in index.principals():
        new.put_principal(principal)
    for group, member in index.memberships():
        new.put_member(group, member)
    for scope, parent in index.tree.parents():
        new.put_parent(scope, parent)
    for role in index.role_definitions():
        new.put_role(role)
    new.put_assignments(index.assignments())
    for deny in index.denies():
        new.put_deny(deny)
    return new
