"""The evaluator gives the same answers as the referee, on random tenants."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from azext_trust.rbac import decide as deciding
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import Decision, Query
from tests.properties import reference, worlds
from tests.properties.reference import Ask, World


def query_of(ask: Ask) -> Query:
    """Return a question in the evaluator's form."""
    return Query(ask.action, ask.data, ask.scope, dict(ask.request), open=ask.open)


def agree(world: World, index: Index, who: str, ask: Ask) -> None:
    """Compare verdict and reasons of both."""
    right, found = reference.decide(world, who, ask), deciding.explain(index, who, query_of(ask))
    grants = {grant.assignment.id if grant.assignment else "classic": grant for grant in found.grants}
    assert found.allowed == right.allowed
    assert set(grants) == right.grants
    assert {name for name, grant in grants.items() if grant.condition == "depends"} == right.depends
    assert (found.denied_by.id if found.denied_by else None) in (
        right.denied_by if right.grants and right.denied_by else {None}
    )
    assert found.condition_refused == (right.condition and not right.grants)
    _ways_are_there(world, who, found)


def _ways_are_there(world: World, who: str, found: Decision) -> None:
    for grant in found.grants:
        chain = [*reversed(grant.group_chain), who]
        assert all(edge in world.members for edge in pairwise(chain))
        assert grant.assignment is None or chain[0] == grant.assignment.principal_id


@given(
    worlds.histories,
    st.booleans(),
    st.lists(st.tuples(st.sampled_from((*worlds.EVERYONE, "deleted")), worlds.asks), min_size=1, max_size=8),
)
def test_same_verdict_and_reasons(
    history: tuple[worlds.Change, ...], strict: bool, asked: list[tuple[str, Ask]]
) -> None:
    """M12, M22: verdict, grants, conditions, deny assignments, group paths."""
    world, index = worlds.world_of(history, strict=strict), worlds.index_of(history, strict=strict)
    for who, ask in asked:
        agree(world, index, who, ask)
