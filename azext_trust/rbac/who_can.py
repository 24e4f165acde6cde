"""Who can do something somewhere, and by which ways: groups expanded, denials taken off, conditions told apart.

The question is about any request: a condition on attributes that were not given makes a holder one that `depends`.
Conditions are weighed one by one: two that no single request fulfils together still make a holder that depends.
Sets of principals are bits (see `bits`); what is worked out for a scope is used again for all scopes below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from azext_trust.rbac import bits, capabilities, decide, operations
from azext_trust.rbac.capabilities import Needs
from azext_trust.rbac.deciding import Deciding
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import Grant, Query

_REMEMBERED = 2048
"""How many scopes' sets are kept; questions in the order of scopes need the fewest."""


@dataclass(frozen=True, slots=True)
class Way:
    """One reason why somebody can: an action that is needed, and what grants it."""

    action: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who can.

    Attributes:
        id: object id.
        kind: as in the directory; ``Unknown`` for one that is not in it.
        depends: a condition decides, request by request.
        ways: every grant of every needed action.
    """

    id: str
    kind: str
    depends: bool
    ways: tuple[Way, ...]


class Reach(NamedTuple):
    """Sets of principals, as bits: who surely may, who may under a condition, whom an assignment names itself."""

    sure: int = 0
    maybe: int = 0
    named: int = 0

    def __or__(self, other: Reach) -> Reach:
        return Reach(self.sure | other.sure, self.maybe | other.maybe, self.named | other.named)


class WhoCan:
    """The question who can do all of this, to be asked at one scope or many.

    Args:
        index: what is known; not to be changed while this object is asked.
        needs: groups of actions: all groups are needed, of each any one action (`capabilities.needs`).
        request: attributes for ``@Request[..]`` that are known, a repository's name for instance.
        resource: attributes for ``@Resource[..]`` that are known.
        now: for ``@Environment[UtcNow]``.
    """

    def __init__(
        self, index: Index, needs: Needs, *, request: Mapping[str, object] | None = None,
        resource: Mapping[str, object] | None = None, now: datetime | None = None,
    ) -> None:  # fmt: skip
        self.index = index
        self.needs = needs
        self._queries = {
            action: Query(
                action, operations.is_data_action(action), "/", request or {}, resource or {}, {}, now, open=True
            )
            for group in needs
            for action in group
        }
        self._memory: dict[tuple[tuple[str, ...], str], Reach] = {}
        self._deciding = Deciding(index, self._queries)

    def at(self, scope: str) -> Holders:
        """Return who can at a scope."""
        chain = self.index.tree.chain(scope)
        if len(self._memory) > _REMEMBERED:
            self._memory = {key: value for key, value in self._memory.items() if key[0][0] in chain}
        sure = possible = -1
        named = 0
        for group in self.needs:
            found = Reach()
            for action in group:
                found |= self._allowed(chain, self._queries[action])
            sure &= found.sure
            possible &= found.sure | found.maybe
            named |= found.named
        if not self.needs:
            sure = possible = 0
        return Holders(self, scope, sure, possible & ~sure, named)

    def ways(self, principal_id: str, scope: str) -> tuple[Way, ...]:
        """Return the grants that let a principal do what is needed at a scope."""
        found = []
        for action, query in self._queries.items():
            query.scope = scope
            decision = decide.decide(self.index, principal_id, query)
            if decision.allowed:
                found += [Way(action, grant) for grant in decision.grants]
        return tuple(found)

    def best(self, principal_id: str, scope: str) -> tuple[Way, ...]:
        """Return for each action that a principal may do at a scope the one grant that decides (see `deciding`)."""
        return tuple([Way(action, grant) for action, grant in self._deciding.grants(principal_id, scope)])

    def _allowed(self, chain: tuple[str, ...], query: Query) -> Reach:
        index, action = self.index, query.action
        found = self._upward(chain, 0, query)
        denied = 0
        for deny in index.denies_over(chain, action, query.is_data_action):
            concerned = -1 if deny.everybody else self._expanded(deny.principals)
            denied |= concerned & ~self._expanded(deny.excluded)
        if not query.is_data_action:
            found |= Reach(sure=index.classic_over(chain))
        if index.strict_classic and action.lower() in capabilities.cancelled_by_classic():
            denied |= index.classic_over(chain)
        if denied:
            return Reach(found.sure & ~denied, found.maybe & ~denied, found.named & ~denied)
        return found

    def _expanded(self, named: int) -> int:
        return self._all(list(bits.numbers(named)))

    def _upward(self, chain: tuple[str, ...], at: int, query: Query) -> Reach:
        """Return the reach of the assignments at a scope and above it."""
        # What lies above hangs on the whole way: management groups in a circle look different from each side.
        key = (chain[at:], query.action)
        found = self._memory.get(key)
        if found is None:
            found = self._here(chain[at], query)
            if at + 1 < len(chain):
                found |= self._upward(chain, at + 1, query)
            if at:
                self._memory[key] = found
        return found

    def _here(self, scope: str, query: Query) -> Reach:
        index, roles = self.index, self.index.roles
        known = roles.to(query.action, query.is_data_action)
        holders: dict[str, list[int]] = {}
        for holder, assignments in index.at(scope).items():
            for assignment in assignments:
                answer = known.get(assignment.role_id) or roles.find(
                    assignment.role_id, query.action, query.is_data_action
                )
                if answer.pattern is not None:
                    verdict = decide.condition_verdict(index, assignment, query)
                    if verdict is not None:
                        holders.setdefault(verdict, []).append(holder)
        maybe = holders.pop("depends", [])
        sure = [holder for found in holders.values() for holder in found]
        return Reach(self._all(sure), self._all(maybe), bits.of(sure + maybe))

    def _all(self, holders: list[int]) -> int:
        """Return principals with all members of those that are groups."""
        groups = self.index.groups
        mask = 0
        alone = []
        for holder in holders:
            if groups.has_members(holder):
                mask |= groups.expanded(holder)
            else:
                alone.append(holder)
        return mask | bits.of(alone)


@dataclass(frozen=True, slots=True)
class Holders:
    """The answer: who can at a scope. Iterating yields each with its ways, worked out as asked.

    Attributes:
        question: what was asked.
        scope: where.
        sure: who can in any case, as bits; groups and deleted principals are among them.
        maybe: who can under a condition, as bits.
        named: whom an assignment that gives a part of it names itself, as bits.
    """

    question: WhoCan = field(repr=False)
    scope: str
    sure: int
    maybe: int
    named: int

    def __len__(self) -> int:
        return (self.people() | self.people(depends=True)).bit_count()

    def people(self, *, depends: bool = False) -> int:
        """Return, as bits, those in the directory who are no group: the sure ones, or those that depend."""
        return (self.maybe if depends else self.sure) & self.question.index.people()

    @property
    def groups(self) -> int:
        """As bits, the groups that hold at least a part of what is needed, nested ones included."""
        index = self.question.index
        mask = 0
        for number in bits.numbers(self.named):
            mask |= index.groups.expanded(number)
        return mask & index.everyone() & ~index.people()

    def ids(self, *, depends: bool = False) -> list[str]:
        """Return the object ids of the sure ones, or of those that depend; groups are expanded."""
        return self._names(self.people(depends=depends))

    def orphans(self) -> list[str]:
        """Return the ids that could, were they (still) in the directory."""
        return self._names((self.sure | self.maybe) & ~self.question.index.everyone())

    def assigned(self) -> Iterator[Holder]:
        """Yield the holders that an assignment names itself: groups as they are, not expanded."""
        return self._holders((self.sure | self.maybe) & self.named & self.question.index.everyone())

    def __iter__(self) -> Iterator[Holder]:
        return self._holders(self.people() | self.people(depends=True))

    def holder(self, principal_id: str) -> Holder | None:
        """Return one principal's part of the answer, None when it cannot."""
        number = self.question.index.numbers.known(principal_id)
        if number is None or not bits.has(self.sure | self.maybe, number):
            return None
        return next(self._holders(1 << number))

    def _holders(self, mask: int) -> Iterator[Holder]:
        index = self.question.index
        for number in bits.numbers(mask):
            name, principal = index.numbers.name(number), index.principal(number)
            ways = self.question.ways(name, self.scope)
            yield Holder(name, principal.kind if principal else "Unknown", bits.has(self.maybe, number), ways)

    def _names(self, mask: int) -> list[str]:
        name = self.question.index.numbers.name
        return [name(number) for number in bits.numbers(mask)]


def who_can(
    index: Index, needs: Needs, scope: str, *, request: Mapping[str, object] | None = None, now: datetime | None = None
) -> Holders:
    """Return who can do all of this at one scope (see `WhoCan`)."""
    return WhoCan(index, needs, request=request, now=now).at(scope)
