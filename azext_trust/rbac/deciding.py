"""The one grant for each needed action that makes somebody a holder: for lists of thousands, where all grants cost too much.

Of several grants the nearest one decides that takes no condition; `decide.decide` lists them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from azext_trust.rbac import bits, decide
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import Grant, Query, RoleAssignment

Granting = tuple[RoleAssignment, str, str]
"""An assignment, the pattern that matched, the verdict of its condition."""
_REMEMBERED = 4096
"""How many scopes' holders are kept."""


class Deciding:
    """Finds deciding grants at one scope after the other.

    Args:
        index: what is known; not to be changed while this object is asked.
        queries: the needed actions by name.
    """

    def __init__(self, index: Index, queries: Mapping[str, Query]) -> None:
        self._index = index
        self._queries = queries
        self._kept: dict[tuple[str, str], tuple[int, dict[int, Granting]]] = {}
        self._chains: dict[tuple[int, int], tuple[str, ...]] = {}

    def grants(self, principal_id: str, scope: str) -> Iterator[tuple[str, Grant]]:
        """Yield each action that a principal may do at a scope, with the grant that decides."""
        index = self._index
        number = index.numbers.known(principal_id)
        if number is None or index.principal(number) is None:
            return
        chain, who = index.tree.chain(scope), index.groups.groups_of(number) | 1 << number
        for action, query in self._queries.items():
            if not decide.denied(index, number, who, chain, query):
                found = self._nearest(number, who, chain, query)
                if found is not None:
                    yield action, self._grant(number, *found)
                elif not query.is_data_action and index.is_classic(number, chain):
                    yield action, decide.CLASSIC

    def _nearest(self, number: int, who: int, chain: tuple[str, ...], query: Query) -> tuple[int, Granting] | None:
        """Return the nearest grant, its holder's number first: one without open condition before one with."""
        depends: tuple[int, Granting] | None = None
        for key in chain:
            mask, held = self._at(key, query)
            if not mask & who:
                continue
            for holder in (number, *bits.numbers(mask & who & ~(1 << number))):
                found = held.get(holder)
                if found is not None:
                    if found[2] != "depends":
                        return holder, found
                    depends = depends or (holder, found)
        return depends

    def _at(self, key: str, query: Query) -> tuple[int, dict[int, Granting]]:
        """Return whom assignments at a scope let do something: as bits, and each with the best of its assignments."""
        known = self._kept.get((key, query.action))
        if known is None:
            if len(self._kept) > _REMEMBERED:
                self._kept.clear()
            held = dict(self._held(key, query))
            known = self._kept[key, query.action] = bits.of(held), held
        return known

    def _held(self, key: str, query: Query) -> Iterator[tuple[int, Granting]]:
        index, roles = self._index, self._index.roles
        for holder, assignments in index.at(key).items():
            best: Granting | None = None
            for one in assignments:
                answer = roles.find(one.role_id, query.action, query.is_data_action)
                verdict = None if answer.pattern is None else decide.condition_verdict(index, one, query)
                if verdict is not None and (best is None or best[2] == "depends" != verdict):
                    best = (one, str(answer.pattern), verdict)
            if best is not None:
                yield holder, best

    def _grant(self, number: int, holder: int, granting: Granting) -> Grant:
        assignment, pattern, verdict = granting
        return Grant(assignment, self._index.role(assignment.role_id), pattern, self._way(number, holder), verdict)

    def _way(self, number: int, holder: int) -> tuple[str, ...]:
        if number == holder:
            return ()
        if len(self._chains) > _REMEMBERED * 16:
            self._chains.clear()
        known = self._chains.get((number, holder))
        if known is None:
            names = map(self._index.numbers.name, self._index.groups.chain(number, holder))
            known = self._chains[number, holder] = tuple(names)
        return known
