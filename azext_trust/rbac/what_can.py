"""What a principal can do: its assignments with the way to each, and its verdicts on many actions at a scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from azext_trust.rbac import decide, operations
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import Decision, Query, RoleAssignment, RoleDefinition


@dataclass(frozen=True, slots=True)
class Held:
    """An assignment that concerns a principal.

    Attributes:
        assignment: the assignment.
        role: its role; None when the definition is not known.
        group_chain: the groups between principal and assignment; empty when it is assigned itself.
    """

    assignment: RoleAssignment
    role: RoleDefinition | None
    group_chain: tuple[str, ...]


def held(index: Index, principal_id: str) -> list[Held]:
    """Return every assignment of a principal and its groups, at any scope, in the order of scopes."""
    number = index.numbers.known(principal_id)
    if number is None:
        return []
    found = [
        Held(
            assignment, index.role(assignment.role_id),
            tuple(map(index.numbers.name, index.groups.chain(number, holder))),
        )
        for holder in index.groups.closure(number)
        for assignment in index.held(holder)
    ]  # fmt: skip
    return sorted(found, key=lambda row: (index.tree.chain(row.assignment.scope)[::-1], row.assignment.id))


def effective(
    index: Index, principal_id: str, scope: str, actions: Iterable[str], *, now: datetime | None = None
) -> Mapping[str, Decision]:
    """Return the decision on each action at a scope; conditions on a request make it one that `depends`."""
    return {
        action: decide.decide(
            index, principal_id, Query(action, operations.is_data_action(action), scope, now=now, open=True)
        )
        for action in actions
    }
