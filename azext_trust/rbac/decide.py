"""The decision: default deny, roles add up, notActions subtract locally, a deny assignment beats them all.

rbac-semantics.md section 1. `decide` gives the verdict with every grant; `explain` also says what nearly allowed a refused one.
"""

from __future__ import annotations

import heapq
import operator
from collections.abc import Iterable

from azext_trust.rbac import bits, capabilities
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import EVERYBODY, Decision, DenyAssignment, Grant, Miss, Query, RoleAssignment
from azext_trust.rbac.permissions import NOTHING, Answer

__all__ = ["CLASSIC", "EVERYBODY", "NEAREST", "allows", "condition_verdict", "decide", "denied", "explain"]

NEAREST = 20
"""How many misses a refusal names at most."""
CLASSIC = Grant(None, None, "*")
"""What a classic administrator's flag grants on the control plane."""
_KINDS = ("condition", "classic", "notActions", "plane", "scope")
_RANK = {kind: rank for rank, kind in enumerate(_KINDS)}
_NO = Decision(False)
_CONDITION = Decision(False, condition_refused=True)
_NOBODY = Decision(False, misses=(Miss("principal", None, None, "there is no such principal in the directory"),))


def decide(index: Index, principal_id: str, query: Query) -> Decision:
    """Decide whether a principal may do something somewhere, and say why it may; `explain` also says why it may not.

    Args:
        index: what is known.
        principal_id: object id, lower case. Who is not in the directory may do nothing.
        query: action, plane, scope and attributes.
    """
    number = index.numbers.known(principal_id)
    if number is None or index.principal(number) is None:
        return _NOBODY
    chain = index.tree.chain(query.scope)
    groups = index.groups.groups_of(number)
    if index.strict_classic and _cancelled(index, number, chain, query.action):
        return _NO
    granting, refused = _granting(index, number, groups, chain, query)
    if not query.is_data_action and index.is_classic(number, chain):
        # A classic administrator passes the control plane of its subscription as Owner does, never the data plane.
        granting.append(None)
    if not granting:
        return _CONDITION if refused else _NO
    stopped = _denied(index, groups | 1 << number, chain, query)
    return Decision(stopped is None, tuple([_grant(index, number, found) for found in granting]), stopped)


def explain(index: Index, principal_id: str, query: Query) -> Decision:
    """Decide, and for a refusal find what nearly allowed it, nearest first."""
    decision = decide(index, principal_id, query)
    number = index.numbers.known(principal_id)
    if decision.grants or decision.misses or number is None:
        return decision
    return decision._replace(misses=tuple(_misses(index, number, index.tree.chain(query.scope), query)))


def allows(index: Index, principal_id: str, query: Query) -> bool:
    """Tell whether a principal may do something somewhere."""
    return decide(index, principal_id, query).allowed


Granting = tuple[RoleAssignment, int, str, str]
"""An assignment, the number of who holds it, the pattern that matched, the verdict of its condition."""


def _granting(
    index: Index, number: int, groups: int, chain: tuple[str, ...], query: Query
) -> tuple[list[Granting | None], bool]:
    """Return the assignments that grant it, nearest scope first, and whether a condition stood in the way of one."""
    action, is_data_action, roles = query.action, query.is_data_action, index.roles
    known = roles.to(action, is_data_action)
    found: list[Granting | None] = []
    refused = False
    for holder, assignment in _assigned(index, number, groups, chain):
        answer = known.get(assignment.role_id) or roles.find(assignment.role_id, action, is_data_action)
        if answer.pattern is not None:
            verdict = condition_verdict(index, assignment, query)
            if verdict is None:
                refused = True
            else:
                found.append((assignment, holder, answer.pattern, verdict))
    return found, refused


def _assigned(index: Index, number: int, groups: int, chain: tuple[str, ...]) -> list[tuple[int, RoleAssignment]]:
    """Return the assignments of a principal and its groups that reach a scope, with the number of who is assigned.

    One intersection of bits leaves the few groups that are assigned anywhere in the chain.
    """
    holders = [number, *bits.few(groups & index.groups_over(chain))]
    found: list[tuple[int, RoleAssignment]] = []
    for key in chain:
        there = index.at(key)
        if there:
            for holder in holders:
                assignments = there.get(holder)
                if assignments:
                    found += [(holder, assignment) for assignment in assignments]
    return found


def condition_verdict(index: Index, assignment: RoleAssignment, query: Query) -> str | None:
    """Return what the conditions of an assignment and of its role say: empty, ``holds``, ``depends``, None for no."""
    role = index.role(assignment.role_id)
    if assignment.condition is None and (role is None or role.condition is None):
        return ""
    # Few assignments have a condition: who meets none does not pay for reading the grammar's module.
    from azext_trust.rbac import conditions

    verdict = "holds"
    for text in (assignment.condition, role.condition if role else None):
        if text:
            found = conditions.holds(text, query)
            if found is False:
                return None
            verdict = "depends" if found is None else verdict
    return verdict


def _grant(index: Index, number: int, granting: Granting | None) -> Grant:
    if granting is None:
        return CLASSIC
    assignment, holder, pattern, verdict = granting
    way = () if holder == number else tuple(map(index.numbers.name, index.groups.chain(number, holder)))
    return Grant(assignment, index.role(assignment.role_id), pattern, way, verdict)


def _cancelled(index: Index, number: int, chain: tuple[str, ...], action: str) -> bool:
    """The strict reading of M9: the flag takes away what makes a signer, whatever is assigned."""
    return action.lower() in capabilities.cancelled_by_classic() and index.is_classic(number, chain)


def denied(index: Index, number: int, who: int, chain: tuple[str, ...], query: Query) -> bool:
    """Tell whether something is taken from a principal (its number, and with its groups as bits), whatever grants it."""
    cancelled = index.strict_classic and _cancelled(index, number, chain, query.action)
    return cancelled or _denied(index, who, chain, query) is not None


def _denied(index: Index, who: int, chain: tuple[str, ...], query: Query) -> DenyAssignment | None:
    for deny in index.denies_over(chain, query.action, query.is_data_action):
        if deny.concerns(who):
            return deny.assignment
    return None


def _misses(index: Index, number: int, chain: tuple[str, ...], query: Query) -> Iterable[Miss]:
    """Return what nearly allowed it: at the right scope first, then by the distance between the scopes."""
    near = {scope: at for at, scope in enumerate(chain)}
    granted = "classic" if index.strict_classic and _cancelled(index, number, chain, query.action) else "condition"
    known = index.roles.to(query.action, query.is_data_action)
    ranked: list[tuple[int, int, str, RoleAssignment | None, Answer]] = []
    for holder in index.groups.closure(number):
        for assignment in index.held(holder):
            answer = known.get(assignment.role_id) or index.roles.find(
                assignment.role_id, query.action, query.is_data_action
            )
            if answer != NOTHING:
                kind, distance = _kind(near, index.tree.chain(assignment.scope), answer, granted)
                if kind:
                    ranked.append((_RANK[kind], distance, assignment.id, assignment, answer))
    if query.is_data_action and index.is_classic(number, chain):
        ranked.append((_RANK["plane"], 0, "", None, NOTHING))
    for rank, _, _, nearest, said in heapq.nsmallest(NEAREST, ranked, key=_FIRST_THREE):
        yield _miss(index, _KINDS[rank], nearest, said)


_FIRST_THREE = operator.itemgetter(0, 1, 2)


def _kind(near: dict[str, int], other: tuple[str, ...], answer: Answer, granted: str) -> tuple[str, int]:
    """Return what stands in the way, and how many steps lead from the scope over the common one to the other."""
    if other[0] in near:
        return granted if answer.pattern else "notActions" if answer.removed_by else "plane", near[other[0]]
    if not answer.pattern:
        return "", 0
    return "scope", next(near[scope] + at for at, scope in enumerate(other) if scope in near)


def _miss(index: Index, kind: str, assignment: RoleAssignment | None, answer: Answer) -> Miss:
    if assignment is None:
        return Miss(kind, None, None, "a classic administrator has no data action")
    role = index.role(assignment.role_id)
    texts = (assignment.condition, role.condition if role else None)
    detail = {
        "condition": " AND ".join(text for text in texts if text),
        "classic": "a classic administrator may not sign",
        "notActions": f"{answer.removed_by} takes it away",
        "plane": f"{answer.other_plane} is of the other plane",
        "scope": f"assigned at {assignment.scope}",
    }[kind]
    return Miss(kind, assignment, role, detail)
