"""Least privilege: what is assigned and was not used, and the smallest roles that keep what was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from azext_trust.names import scopes
from azext_trust.rbac import bits, operations
from azext_trust.rbac.model import RoleAssignment, RoleDefinition
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import fixes, happened, wording
from azext_trust.rbac.questions.answers import Answer, answer
from azext_trust.rbac.questions.asked import Asked
from azext_trust.rbac.questions.facts import Person, Registry, Tenant
from azext_trust.rbac.questions.rows import LeastRow

_MOST_SCOPES = 5
"""An assignment that was used in more places than this stays where it is."""
Used = dict[str, set[tuple[str, str]]]
"""Who used what where: object id to (action, scope)."""


def least(tenant: Tenant, asked: Asked) -> Answer:
    """Return the assignments that give more than was used, of one principal or of all.

    Raises:
        AskError: nobody is meant, or several are.
    """
    wanted = asking.principal(tenant, asked.assignee).id if asked.assignee else ""
    registry = _registry(tenant, asked)
    used = _used(tenant, asked.since)
    index = tenant.state.index
    rows = []
    for assignment in _assignments(tenant, wanted):
        if registry is not None and index.tree.chain(assignment.scope)[0] not in index.tree.chain(registry.id):
            continue
        found = _judged(tenant, assignment, used)
        if found is not None:
            rows.append(found)
    people = tenant.people({row.assignment.principal_id for row in rows})
    unknown = [*tenant.sight.elsewhere(), *tenant.sight.log()]
    return answer([row.told(people.get(row.assignment.principal_id)) for row in rows], unknown)


def _registry(tenant: Tenant, asked: Asked) -> Registry | None:
    if not asked.registry:
        return None
    found = asking.one_registry(tenant, asked.registry)
    return found.registry if isinstance(found, asking.Place) else None


def _assignments(tenant: Tenant, wanted: str) -> Iterator[RoleAssignment]:
    """Yield assignments of a principal and its groups, or all, of those that may be shown; who is deleted uses nothing."""
    index = tenant.state.index
    if wanted:
        number = index.numbers.known(wanted)
        holders = index.groups.closure(number) if number is not None else set()
        found: Iterable[RoleAssignment] = (row for holder in sorted(holders) for row in index.held(holder))
    else:
        found = index.assignments()
    for row in found:
        number = index.numbers.known(row.principal_id)
        if number is not None and index.principal(number) is not None and tenant.sight.shows(row.scope):
            yield row


def _used(tenant: Tenant, since: str) -> Used:
    used: Used = defaultdict(set)
    hosts = happened.by_host(tenant.state)
    for event in tenant.events(outcome="Allowed"):
        if since and event.time < since:
            break
        need = happened.need_of(tenant.state, event, hosts)
        for action in (action for group in need.needs for action in group[:1]) if need else ():
            known = operations.operations().get(action.lower())
            used[need.who].add((known.name if known else action, need.scope))  # type: ignore[union-attr]  # looped over
    return used


@dataclass(frozen=True)
class _Judged:
    """An assignment with what became of it."""

    assignment: RoleAssignment
    role: RoleDefinition
    used: tuple[str, ...]
    unused: int
    suggestion: str
    roles: tuple[RoleDefinition, ...] = ()
    scopes: tuple[str, ...] = field(default=())

    def told(self, person: Person | None) -> LeastRow:
        """Return the row, with the commands."""
        name = wording.label(self.assignment.principal_id, {person.id: person} if person else {})
        kind = person.kind if person else ""
        own = wording.assignment_id(self.assignment)
        assert own is not None
        commands = [
            fixes.grant_command(role.name, self.assignment.principal_id, kind, scope)
            for role in self.roles for scope in self.scopes
            if (role.id, scopes.key(scope)) != (self.role.id, scopes.key(self.assignment.scope))
        ]  # fmt: skip
        return LeastRow(
            self.assignment.principal_id, name, self.role.name, self.assignment.scope, own, self.used, self.unused,
            self.suggestion, tuple(role.name for role in self.roles), self.scopes,
            (*commands, fixes.revoke_command(own)), "reads are not in the log: what was only read does not count as used",
        )  # fmt: skip


def _judged(tenant: Tenant, assignment: RoleAssignment, used: Used) -> _Judged | None:
    """Return what an assignment should become; None when it is as small as can be, or only lets read."""
    index = tenant.state.index
    role = index.role(assignment.role_id)
    if role is None:
        return None
    given = fixes.known_operations(role)
    writes = {name for name in given if not name.lower().endswith("/read")}
    if not writes:
        return None
    at = index.tree.chain(assignment.scope)[0]
    number = index.numbers.of(assignment.principal_id)
    holders = (index.numbers.name(one) for one in bits.numbers(index.groups.expanded(number)))
    mine = {
        (action, scope) for holder in holders for action, scope in used.get(holder, ())
        if fixes.gives(role, action) and at in index.tree.chain(scope)
    }  # fmt: skip
    actions = tuple(sorted({action for action, _ in mine}))
    unused = len(writes - set(actions))
    if not mine:
        return _Judged(assignment, role, (), unused, "remove")
    return _smaller(tenant, assignment, role, mine, unused)


def _smaller(
    tenant: Tenant, assignment: RoleAssignment, role: RoleDefinition, mine: set[tuple[str, str]], unused: int
) -> _Judged | None:  # fmt: skip
    actions = tuple(sorted({action for action, _ in mine}))
    places = _narrowest(tenant, mine)
    narrower = places if 0 < len(places) <= _MOST_SCOPES and assignment.condition is None else ()
    narrower = () if {scopes.key(one) for one in narrower} == {scopes.key(assignment.scope)} else narrower
    chosen = fixes.roles_for(tenant.state.index, actions, assignment.scope)
    smaller = bool(chosen) and sum(map(fixes.weight, chosen)) < fixes.weight(role) and assignment.condition is None
    if not smaller and not narrower:
        return None
    kept = chosen if smaller else (role,)
    where = narrower or (assignment.scope,)
    return _Judged(assignment, role, actions, unused, "replace" if smaller else "narrow", kept, where)


def _narrowest(tenant: Tenant, mine: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the registries, or other resources, at which an assignment was used."""
    found: dict[str, str] = {}
    for _, scope in mine:
        chain = tenant.state.index.tree.chain(scope)
        registry = next((key for key in chain if key in tenant.state.registries), None)
        if registry is None:
            # What is not about a registry may have made or removed the resource: it needs the scope above it.
            return ()
        found[registry] = tenant.state.registries[registry].id
    return tuple(found[key] for key in sorted(found))
