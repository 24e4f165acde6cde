"""The facts of a tenant, arranged so that questions are cheap; moved by each change, never rebuilt for a question.

`decide`, `who_can` and `what_can` ask it; `overlay` gives a copy-on-write index for what-if. Principals are numbers
inside (see `memberships.Numbers`), ids and scope keys are in lower case.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import NamedTuple

from azext_trust.rbac import bits, capabilities, layer
from azext_trust.rbac.memberships import Memberships, Numbers
from azext_trust.rbac.model import (
    ALL_SUBSCRIPTIONS,
    EVERYBODY,
    GROUP,
    DenyAssignment,
    Facts,
    Principal,
    RoleAssignment,
    RoleDefinition,
)
from azext_trust.rbac.permissions import Answers
from azext_trust.rbac.scope_tree import ScopeTree

_REMEMBERED = 65536
"""For how many scopes the groups above them are kept; whoever asks for ever new ones must not fill the memory."""


class Deny(NamedTuple):
    """A deny assignment with its principals as bits."""

    assignment: DenyAssignment
    everybody: bool
    principals: int
    excluded: int

    def concerns(self, who: int) -> bool:
        """Tell whether it is about a principal, given as bits together with its groups."""
        return (self.everybody or bool(self.principals & who)) and not self.excluded & who


class Index:
    """What is known about who may do what.

    Args:
        strict_classic: a classic administrator's flag cancels what an assignment gives of content trust (M9);
            None for the reading that capabilities.json names.

    Attributes:
        numbers: ids and their numbers.
        groups: who is in which group.
        tree: which scope lies in which.
        roles: what roles say about actions.
        denials: what deny assignments say about actions.
        version: moves with every change.
        below: the index that this one lies over, or None.
    """

    def __init__(self, *, strict_classic: bool | None = None) -> None:
        self.strict_classic = capabilities.strict_classic() if strict_classic is None else strict_classic
        self.numbers = Numbers()
        self.groups = Memberships()
        self.tree = ScopeTree()
        self.roles = Answers()
        self.denials = Answers()
        self.version = 0
        self.below: Index | None = None
        self._roles: MutableMapping[str, RoleDefinition] = {}
        self._principals: MutableMapping[int, Principal] = {}
        self._assignments: MutableMapping[str, RoleAssignment] = {}
        self._at: MutableMapping[str, dict[int, tuple[RoleAssignment, ...]]] = {}
        self._held: MutableMapping[int, list[RoleAssignment]] = {}
        self._denies: MutableMapping[str, DenyAssignment] = {}
        self._denies_at: MutableMapping[str, dict[str, Deny]] = {}
        self._classic: MutableMapping[int, frozenset[str]] = {}
        self._groups_at: MutableMapping[str, int] = {}
        self._groups_over: dict[str, int] = {}
        self._people: int | None = None
        self._everyone: int | None = None

    def overlay(self, *, members: bool = True) -> Index:
        """Return an index over this one: it starts equal and is changed alone.

        Args:
            members: whether it knows who is in which group; for who may not read that.

        INVARIANT: this index is not changed while overlays of it are asked; `version` shows it.
        """
        above = Index(strict_classic=self.strict_classic)
        above.numbers, above.groups, above.tree = self.numbers.overlay(), self.groups.overlay(), self.tree.overlay()
        above.roles, above.denials = self.roles.overlay(), self.denials.overlay()
        above.version, above.below = self.version, self
        above._people, above._everyone = self._people, self._everyone
        above._roles, above._principals = layer.over(self._roles), layer.over(self._principals)
        above._assignments, above._at = layer.over(self._assignments), layer.over(self._at)
        above._groups_at = layer.over(self._groups_at)
        above._held, above._classic = layer.over(self._held), layer.over(self._classic)
        above._denies, above._denies_at = layer.over(self._denies), layer.over(self._denies_at)
        if not members:
            above.groups, above._groups_at = Memberships(), {}
        return above

    # Principals and groups

    def put_principal(self, principal: Principal) -> None:
        """Add somebody to the directory, or change what is known about it."""
        number = self.numbers.of(principal.id)
        self._principals[number] = principal
        if principal.classic_administrator_of:
            self._classic[number] = principal.classic_administrator_of
        else:
            self._classic.pop(number, None)
        self._people = self._everyone = None
        self.version += 1

    def remove_principal(self, principal_id: str) -> None:
        """Delete somebody from the directory, with all memberships; assignments stay, orphaned."""
        number = self.numbers.known(principal_id)
        if number is not None:
            self.groups.remove_all(number)
            self._principals.pop(number, None)
            self._classic.pop(number, None)
            self._people = self._everyone = None
            self.version += 1

    def put_member(self, group_id: str, member_id: str) -> None:
        """Add a direct member to a group."""
        group = self.numbers.of(group_id)
        if not self.groups.has_members(group):
            self._groups_at, self._groups_over = {}, {}
        self.groups.add(group, self.numbers.of(member_id))
        self.version += 1

    def put_members(self, edges: Iterable[tuple[str, str]]) -> None:
        """Add many direct members, given with their groups: group first."""
        of = self.numbers.of
        self.groups.add_all((of(group), of(member)) for group, member in edges)
        self._groups_at, self._groups_over = {}, {}
        self.version += 1

    def remove_member(self, group_id: str, member_id: str) -> None:
        """Take a direct member out of a group."""
        self.groups.remove(self.numbers.of(group_id), self.numbers.of(member_id))
        self.version += 1

    def principal(self, number: int) -> Principal | None:
        """Return who has a number; None when it is in nobody's directory (any more)."""
        return self._principals.get(number)

    def principals(self) -> Iterable[Principal]:
        """Return everybody in the directory, groups included."""
        return self._principals.values()

    def memberships(self) -> Iterable[tuple[str, str]]:
        """Yield every group with each of its direct members."""
        name = self.numbers.name
        return ((name(group), name(member)) for group, member in self.groups.edges())

    def people(self) -> int:
        """Return, as bits, everybody in the directory who is no group."""
        if self._people is None:
            self._people = bits.of(n for n, principal in self._principals.items() if principal.kind != GROUP)
        return self._people

    def everyone(self) -> int:
        """Return, as bits, everybody in the directory, groups included."""
        if self._everyone is None:
            self._everyone = bits.of(self._principals)
        return self._everyone

    # Scopes

    def put_parent(self, scope: str, parent: str | None) -> None:
        """Say which management group a subscription or management group lies in; None for the tenant root."""
        self.tree.put_parent(scope, parent)
        self._groups_over = {}
        self.version += 1

    # Roles and assignments

    def put_role(self, role: RoleDefinition) -> None:
        """Add a role definition, or change it."""
        self._roles[role.id] = role
        self.roles.put(role.id, role.permissions)
        self.version += 1

    def remove_role(self, role_id: str) -> None:
        """Remove a role definition; assignments of it then give nothing."""
        self._roles.pop(role_id, None)
        self.roles.remove(role_id)
        self.version += 1

    def role(self, role_id: str) -> RoleDefinition | None:
        """Return a role definition."""
        return self._roles.get(role_id)

    def role_definitions(self) -> Iterable[RoleDefinition]:
        """Return all role definitions."""
        return self._roles.values()

    def put_assignment(self, assignment: RoleAssignment) -> None:
        """Add a role assignment; one with the same id is replaced."""
        if assignment.id in self._assignments:
            self.remove_assignment(assignment.id)
        number, scope = self.numbers.of(assignment.principal_id), self.tree.chain(assignment.scope)[0]
        there = layer.writable(self._at, scope, dict)
        there[number] = (*there.get(number, ()), assignment)
        layer.writable(self._held, number, list).append(assignment)
        self._assignments[assignment.id] = assignment
        self._moved(scope)

    def put_assignments(self, assignments: Iterable[RoleAssignment]) -> None:
        """Add many role assignments; a million of them take seconds, so what each would look up is at hand here."""
        of, chain, writable = self.numbers.of, self.tree.chain, layer.writable
        known, places, holders = self._assignments, self._at, self._held
        for assignment in assignments:
            if assignment.id in known:
                self.remove_assignment(assignment.id)
            number = of(assignment.principal_id)
            there = writable(places, chain(assignment.scope)[0], dict)
            before = there.get(number)
            there[number] = (*before, assignment) if before else (assignment,)
            writable(holders, number, list).append(assignment)
            known[assignment.id] = assignment
        self._groups_at, self._groups_over = {}, {}
        self.version += 1

    def remove_assignment(self, assignment_id: str) -> None:
        """Remove a role assignment; nothing happens when there is none."""
        assignment = self._assignments.pop(assignment_id, None)
        if assignment is None:
            return
        number, scope = self.numbers.of(assignment.principal_id), self.tree.chain(assignment.scope)[0]
        there = layer.writable(self._at, scope, dict)
        left = tuple(row for row in there[number] if row.id != assignment_id)
        if left:
            there[number] = left
        else:
            del there[number]
        held = layer.writable(self._held, number, list)
        del held[next(at for at, row in enumerate(held) if row.id == assignment_id)]
        self._moved(scope)

    def assignment(self, assignment_id: str) -> RoleAssignment | None:
        """Return a role assignment."""
        return self._assignments.get(assignment_id)

    def assignments(self) -> Iterable[RoleAssignment]:
        """Return all role assignments."""
        return self._assignments.values()

    def at(self, scope_key: str) -> dict[int, tuple[RoleAssignment, ...]]:
        """Return the assignments at exactly a scope, by the number of who is assigned. Not to be changed."""
        return self._at.get(scope_key, _EMPTY)

    def held(self, number: int) -> Iterable[RoleAssignment]:
        """Return the assignments of exactly this principal, at any scope."""
        return self._held.get(number, ())

    def groups_at(self, scope_key: str) -> int:
        """Return, as bits, the groups that are assigned at exactly a scope; kept until a change there."""
        found = self._groups_at.get(scope_key)
        if found is None:
            there = self._at.get(scope_key)
            if not there:
                return 0
            found = self._groups_at[scope_key] = bits.of(filter(self.groups.has_members, there))
        return found

    def groups_over(self, chain: tuple[str, ...]) -> int:
        """Return, as bits, the groups that are assigned anywhere in a chain; kept until an assignment changes."""
        found = self._groups_over.get(chain[0])
        if found is None:
            if len(self._groups_over) >= _REMEMBERED:
                self._groups_over = {}
            found = 0
            for key in chain:
                found |= self.groups_at(key)
            self._groups_over[chain[0]] = found
        return found

    def _moved(self, scope_key: str) -> None:
        """Forget what was worked out about the assignments at a scope."""
        layer.forget(self._groups_at, scope_key)
        if self._groups_over:
            self._groups_over = {}
        self.version += 1

    # Deny assignments

    def put_deny(self, deny: DenyAssignment) -> None:
        """Add a deny assignment; one with the same id is replaced."""
        self.remove_deny(deny.id)
        self._denies[deny.id] = deny
        self.denials.put(deny.id, deny.permissions)
        layer.writable(self._denies_at, self.tree.chain(deny.scope)[0], dict)[deny.id] = Deny(
            deny, EVERYBODY in deny.principals, bits.of(map(self.numbers.of, deny.principals)),
            bits.of(map(self.numbers.of, deny.exclude_principals)),
        )  # fmt: skip
        self.version += 1

    def remove_deny(self, deny_id: str) -> None:
        """Remove a deny assignment; nothing happens when there is none."""
        deny = self._denies.pop(deny_id, None)
        if deny is not None:
            self.denials.remove(deny_id)
            del layer.writable(self._denies_at, self.tree.chain(deny.scope)[0], dict)[deny_id]
            self.version += 1

    def denies(self) -> Iterable[DenyAssignment]:
        """Return all deny assignments."""
        return self._denies.values()

    def denies_over(self, chain: tuple[str, ...], action: str, is_data_action: bool) -> list[Deny]:
        """Return the deny assignments that cover an action at the first scope of a chain, nearest first."""
        found: list[Deny] = []
        for scope in chain:
            for deny in self._denies_at.get(scope, _NO_DENIES).values():
                covers = scope == chain[0] or not deny.assignment.do_not_apply_to_child_scopes
                if covers and self.denials.find(deny.assignment.id, action, is_data_action).pattern is not None:
                    found.append(deny)
        return found

    # Classic administrators

    def is_classic(self, number: int, chain: tuple[str, ...]) -> bool:
        """Tell whether a principal is a classic administrator of the subscription that a chain passes."""
        held = self._classic.get(number)
        return held is not None and _covers(held, chain)

    def classic_over(self, chain: tuple[str, ...]) -> int:
        """Return, as bits, the classic administrators of the subscription that a chain passes."""
        return bits.of(number for number, held in self._classic.items() if _covers(held, chain))

    @classmethod
    def of(cls, facts: Facts) -> Index:
        """Return an index of what concerns one principal only."""
        index = cls()
        index.put_principal(facts.principal)
        for chain in facts.groups.values():
            for group, member in zip(chain, (facts.principal.id, *chain), strict=False):
                index.put_member(group, member)
        for role in facts.roles.values():
            index.put_role(role)
        for assignment in facts.assignments:
            index.put_assignment(assignment)
        return index


_EMPTY: dict[int, tuple[RoleAssignment, ...]] = {}
_NO_DENIES: dict[str, Deny] = {}


def _covers(subscriptions: frozenset[str], chain: tuple[str, ...]) -> bool:
    inside = (key for key in chain if key.startswith("/subscriptions/") and key.count("/") == 2)
    return any(
        subscriptions is ALL_SUBSCRIPTIONS or "*" in subscriptions or key[15:] in subscriptions for key in inside
    )
