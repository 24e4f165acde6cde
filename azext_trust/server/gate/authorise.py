"""May this caller do this here: role assignments for ARM, directory roles for Graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from azext_trust.names import scopes
from azext_trust.rbac import decide as deciding
from azext_trust.rbac import directory, operations, roles
from azext_trust.rbac.model import (
    Decision,
    DenyAssignment,
    Facts,
    Permission,
    Principal,
    Query,
    RoleAssignment,
    RoleDefinition,
)
from azext_trust.server.gate.call import Caller
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


def permission(raw: Mapping[str, list[str]]) -> Permission:
    """Return a stored permission object in the evaluator's form."""
    return Permission(
        tuple(raw.get("actions", ())), tuple(raw.get("notActions", ())),
        tuple(raw.get("dataActions", ())), tuple(raw.get("notDataActions", ())),
    )  # fmt: skip


def role_of(custom: authorization.CustomRole) -> RoleDefinition:
    """Return a custom role in the evaluator's form."""
    return RoleDefinition(
        custom.id, custom.name, custom.description, "CustomRole",
        tuple(permission(p) for p in custom.permissions), tuple(custom.assignable_scopes),
    )  # fmt: skip


def scope_chain(transaction: Transaction, scope: str) -> tuple[str, ...]:
    """Return the scope keys from a scope up to ``/``, management groups included."""
    own = scopes.textual_ancestors(scopes.key(scope))
    chain = [scope_key for scope_key in own if scope_key != "/"]
    top = chain[-1] if chain else ""
    if top.startswith("/subscriptions/"):
        found = transaction.session.get(resources.Subscription, top.split("/")[2])
        chain += resources.management_chain(transaction.session, found.management_group if found else None)
    elif top.startswith("/providers/microsoft.management/managementgroups/"):
        chain += resources.management_chain(transaction.session, top.rsplit("/", 1)[1])[1:]
    return (*chain, "/")


def facts_of(transaction: Transaction, caller: Caller) -> Facts:
    """Collect what the evaluator needs to know about a caller: groups, assignments, roles."""
    session = transaction.session
    groups = principals.group_chains(session, caller.id)
    rows = authorization.assignments_of(session, [caller.id, *groups])
    wanted = {row.role_id for row in rows}
    known = roles.built_in_roles()
    found = {role_id: known[role_id] for role_id in wanted if role_id in known}
    found |= {row.id: role_of(row) for row in authorization.custom_roles(session, wanted - found.keys())}
    classic = frozenset(s.id for s in resources.subscriptions(session)) if caller.classic_administrator else frozenset()
    return Facts(
        Principal(caller.id, "User" if caller.kind == principals.USER else "ServicePrincipal", groups, classic),
        tuple(
            RoleAssignment(row.id, row.scope, row.role_id, row.principal_id, row.condition, row.condition_version)
            for row in rows
        ),
        found,
    )


def _denies(transaction: Transaction, chain: Iterable[str]) -> tuple[DenyAssignment, ...]:
    return tuple(
        DenyAssignment(
            row.id, row.name, row.scope, tuple(permission(p) for p in row.permissions),
            tuple(p["id"] for p in row.principals), tuple(p["id"] for p in row.exclude_principals),
            row.only_this_scope,
        )
        for row in authorization.denies_at(transaction.session, chain)
    )  # fmt: skip


@dataclass
class Authoriser:
    """The decisions about one caller within one transaction: facts are read once."""

    transaction: Transaction
    caller: Caller
    _facts: Facts | None = None
    _chains: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _denied: dict[tuple[str, ...], tuple[DenyAssignment, ...]] = field(default_factory=dict)

    def decide(self, action: str, scope: str, attributes: Attributes | None = None) -> Decision:
        """Return the evaluator's decision, with its reasons."""
        if self._facts is None:
            self._facts = facts_of(self.transaction, self.caller)
        key = scopes.key(scope)
        chain = self._chains.get(key)
        if chain is None:
            chain = self._chains[key] = scope_chain(self.transaction, scope)
        denies = self._denied.get(chain)
        if denies is None:
            denies = self._denied[chain] = _denies(self.transaction, chain)
        known = operations.operations().get(action.lower())
        given = attributes or Attributes()
        facts = Facts(self._facts.principal, self._facts.assignments, self._facts.roles, denies)
        query = Query(
            action, bool(known and known.is_data_action), scope, chain, given.request, given.resource,
            self.transaction.now(),
        )  # fmt: skip
        return deciding.decide(facts, query)

    def allows(self, action: str, scope: str) -> bool:
        """Tell whether the caller may do this here."""
        return self.decide(action, scope).allowed

    def require(self, action: str, scope: str, attributes: Attributes | None = None) -> None:
        """Go on only if the caller may do this here.

        Raises:
            Denied: it may not.
        """
        if action.startswith("microsoft.directory/"):
            if not directory.allowed(principals.directory_roles(self.transaction.session, self.caller.id), action,
                                     self.caller.kind):  # fmt: skip
                raise Denied(action, scope)
            return
        decision = self.decide(action, scope, attributes)
        if not decision.allowed:
            raise Denied(action, scope, decision)

    def principal_scopes(self) -> list[str]:
        """Return the scopes of all assignments that concern the caller, for lists of what it can reach."""
        if self._facts is None:
            self._facts = facts_of(self.transaction, self.caller)
        return [assignment.scope for assignment in self._facts.assignments]

    def patterns(self, scope: str) -> list[str]:
        """Return the patterns of actions that the caller's roles hold at a scope; conditions and denies left aside."""
        if self._facts is None:
            self._facts = facts_of(self.transaction, self.caller)
        chain = scope_chain(self.transaction, scope)
        held = (a for a in self._facts.assignments if scopes.key(a.scope) in chain and a.role_id in self._facts.roles)
        roles_held = (self._facts.roles[assignment.role_id] for assignment in held)
        return sorted({pattern for role in roles_held for one in role.permissions for pattern in one.actions})
