"""What-if followed by the real change agrees with diff, on the tenant of traps and random changes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from azext_trust.audit import source
from azext_trust.audit.collected import Collected
from azext_trust.audit.errors import QuestionError
from azext_trust.rbac.questions import differences
from azext_trust.rbac.questions.asked import Asked
from tests.properties.test_changes import facts
from tests.traps import changed

BEFORE = changed.rows()
KINDS: dict[str, list[dict[str, Any]]] = {}
for _one in changed.possible():
    KINDS.setdefault(_one["change"], []).append(_one)
one_change = st.one_of([st.sampled_from(of_kind) for of_kind in KINDS.values()])


def told(answer: dict[str, Any]) -> list[str]:
    """Return what moved, in no order; the deciding path of several may be another one."""
    assert answer["complete"], answer["unknown"]
    keys = ("change", "principalId", "principalType", "capability", "registry", "depends", "notes", "registryId")
    return sorted(str([row[key] for key in keys]) for row in answer["value"])


@given(st.lists(one_change, min_size=1, max_size=3))
def test_what_if_then_diff(changes: list[dict[str, Any]]) -> None:
    """M23: what was foretold is what then differs; the facts are the same before and after the question."""
    before = changed.facts(BEFORE)
    known = facts(before.state.index)
    foretold: dict[str, Any] = {}
    with suppress(QuestionError):
        foretold = source.evaluated("what-if", {"changes": changes}, before)
    # Two changes may exclude one another: somebody deleted cannot be given a role.
    assume(foretold)
    assert facts(before.state.index) == known
    after = changed.facts(changed.applied(BEFORE, changes))
    seen: dict[str, Any] = differences.diff(before, after, Asked()).document()
    # Files that hold no assignment of a subscription cannot tell whether it has none, and the answer says so.
    assume(not any(gap["why"] == Collected().no_assignments for gap in seen["unknown"]))
    assert told(foretold) == told(seen)
