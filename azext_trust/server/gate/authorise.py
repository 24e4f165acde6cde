"""May this caller do this here: role assignments for ARM, directory roles for Graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from sqlmodel import Session

from azext_trust.names import scopes
from azext_trust.rbac import decide as deciding
from azext_trust.rbac import directory, operations, roles, what_can
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import (
    ALL_SUBSCRIPTIONS,
    Decision,
    Facts,
    Principal,
    Query,
    RoleAssignment,
    RoleDefinition,
)
from azext_trust.rbac.scope_tree import management_group_key
from azext_trust.server.gate import tenant, warm
from azext_trust.server.gate.call import Caller
from azext_trust.server.gate.route import DIRECTORY
from azext_trust.server.store import authorization, principals, resources
from azext_trust.server.store.transaction import Transaction


@dataclass(frozen=True)
class Attributes:
    """What a role assignment condition may look at (rbac-semantics.md section 6)."""

    request: Mapping[str, object] = field(default_factory=dict)
    resource: Mapping[str, object] = field(default_factory=dict)


class Denied(Exception):
    """The caller's assignments do not allow the action.

    Args:
        action: the action that is missing.
        scope: where it is missing.
        decision: the evaluator's answer, nearest misses included; None where no role could give it.
    """

    def __init__(self, action: str, scope: str, decision: Decision | None = None) -> None:
        super().__init__(f"{action} over {scope}")
        self.action = action
        self.scope = scope
        self.decision = decision
        self.notes: dict[str, object] = {}


permission = tenant.permission
"""Returns a stored permission object in the evaluator's form."""
role_of = tenant.role
"""Returns a custom role in the evaluator's form."""


def scope_chain(transaction: Transaction, scope: str) -> tuple[str, ...]:
    """Return the scope keys from a scope up to ``/``, management groups included."""
    own = scopes.textual_ancestors(scopes.key(scope))
    chain = [scope_key for scope_key in own if scope_key != "/"]
    top = chain[-1] if chain else ""
    if top.startswith("/subscriptions/"):
        found = transaction.session.get(resources.Subscription, top.split("/")[2])
        chain += resources.management_chain(transaction.session, found.management_group if found else None)
    elif top.startswith(management_group_key("")):
        chain += resources.management_chain(transaction.session, top.rsplit("/", 1)[1])[1:]
    return (*chain, "/")


def facts_of(transaction: Transaction, caller: Caller) -> Facts:
    """Collect what concerns a caller from the store: groups, assignments at any scope, roles."""
    session = transaction.session
    groups = principals.group_chains(session, caller.id)
    assignments = tuple(tenant.assignments_of(session, [caller.id, *groups]))
    return Facts(_principal(caller), groups, assignments, _roles(session, assignments))


def _principal(caller: Caller) -> Principal:
    classic = ALL_SUBSCRIPTIONS if caller.classic_administrator else frozenset()
    kind = principals.USER if caller.kind == principals.USER else principals.SERVICE_PRINCIPAL
    return Principal(caller.id, kind, classic)


def _roles(session: Session, assignments: Iterable[RoleAssignment]) -> dict[str, RoleDefinition]:
    wanted = {assignment.role_id for assignment in assignments}
    known = roles.built_in_roles()
    found = {role_id: known[role_id] for role_id in wanted if role_id in known}
    if wanted - found.keys():
        found |= {row.id: role_of(row) for row in authorization.custom_roles(session, wanted - found.keys())}
    return found


class _Small:
    """An index of what concerns one caller at the scopes asked about, read from the store as it is needed."""

    def __init__(self, transaction: Transaction, caller: Caller) -> None:
        self._transaction = transaction
        self._groups = principals.group_chains(transaction.session, caller.id)
        self._holders = [caller.id, *self._groups]
        self._seen: set[str] = set()
        self._whole = False
        self.index = Index.of(Facts(_principal(caller), self._groups))

    def reach(self, scope: str) -> Index:
        """Bring in what lies between a scope and the root: management groups, assignments, deny assignments."""
        key = scopes.key(scope)
        if key in self._seen:
            return self.index
        session, chain = self._transaction.session, scope_chain(self._transaction, scope)
        textual = len(scopes.textual_ancestors(key)) if key != "/" else 0
        for inner, outer in pairwise(chain[textual - 1 :] if textual else ()):
            self.index.put_parent(inner, outer)
        new = [at for at in chain if at not in self._seen]
        if not self._whole:
            self._put(list(tenant.assignments_of(session, self._holders, new)))
        for row in authorization.denies_at(session, new):
            self.index.put_deny(tenant.deny(row))
        self._seen.update(chain)
        return self.index

    def whole(self) -> Index:
        """Bring in the caller's assignments at all other scopes: lists and nearest misses need them."""
        if not self._whole:
            self._put(list(tenant.assignments_of(self._transaction.session, self._holders)))
            self._whole = True
        return self.index

    def _put(self, assignments: list[RoleAssignment]) -> None:
        unknown = [row for row in assignments if self.index.role(row.role_id) is None]
        for role in _roles(self._transaction.session, unknown).values():
            self.index.put_role(role)
        self.index.put_assignments(assignments)


@dataclass
class Authoriser:
    """The decisions about one caller within one transaction.

    A serving process has the tenant's index warm. Elsewhere, and after this transaction has changed something, a small
    index is made of what concerns the caller; it is read once.
    """

    transaction: Transaction
    caller: Caller
    _small: _Small | None = None

    def decide(self, action: str, scope: str, attributes: Attributes | None = None) -> Decision:
        """Return the evaluator's decision, with its reasons; of a refusal with the nearest misses."""
        query = self._query(action, scope, attributes)
        with self._index(scope) as index:
            decision = deciding.decide(index, self.caller.id, query)
        if decision.grants:
            return decision
        with self._index(scope, whole=True) as index:
            return deciding.explain(index, self.caller.id, query)

    def allows(self, action: str, scope: str) -> bool:
        """Tell whether the caller may do this here."""
        with self._index(scope) as index:
            return deciding.allows(index, self.caller.id, self._query(action, scope, None))

    def require(self, action: str, scope: str, attributes: Attributes | None = None) -> None:
        """Go on only if the caller may do this here.

        Raises:
            Denied: it may not.
        """
        if action.startswith(DIRECTORY):
            if not directory.allowed(principals.directory_roles(self.transaction.session, self.caller.id), action,
                                     self.caller.kind):  # fmt: skip
                raise Denied(action, scope)
            return
        decision = self.decide(action, scope, attributes)
        if not decision.allowed:
            raise Denied(action, scope, decision)

    def principal_scopes(self) -> list[str]:
        """Return the scopes of all assignments that concern the caller, for lists of what it can reach."""
        with self._index("/", whole=True) as index:
            return [row.assignment.scope for row in what_can.held(index, self.caller.id)]

    def patterns(self, scope: str) -> list[str]:
        """Return the patterns of actions that the caller's roles hold at a scope; conditions and denies left aside."""
        with self._index(scope) as index:
            chain = index.tree.chain(scope)
            held = what_can.held(index, self.caller.id)
            roles_held = {row.role for row in held if row.role and scopes.key(row.assignment.scope) in chain}
        return sorted({pattern for role in roles_held for one in role.permissions for pattern in one.actions})

    def _query(self, action: str, scope: str, attributes: Attributes | None) -> Query:
        given = attributes or Attributes()
        return Query(
            action, operations.is_data_action(action), scope, given.request, given.resource,
            now=self.transaction.now(),
        )  # fmt: skip

    @contextmanager
    def _index(self, scope: str, *, whole: bool = False) -> Iterator[Index]:
        """Give an index that knows what a decision at a scope rests on, or also the caller's other assignments."""
        if self._small is None:
            with warm.borrowed(self.transaction) as index:
                if index is not None:
                    yield index
                    return
            self._small = _Small(self.transaction, self.caller)
        if whole:
            self._small.whole()
        yield self._small.reach(scope)
