"""What a caller may see of the tenant: audits show no more than the caller could read through ARM and Graph.

An answer about a place takes the three rights of rbac-semantics.md section 11 there. With them all assignments at the
place and above it show, as Resource Manager shows them from below.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from azext_trust.names import scopes
from azext_trust.rbac import bits, decide, directory, what_can
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import GROUP, Query
from azext_trust.rbac.questions.facts import Unknown
from azext_trust.server.gate.call import Caller
from azext_trust.server.store import observations, principals, resources
from azext_trust.server.store.transaction import Transaction

READ = "Microsoft.ContainerRegistry/registries/read"
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments/read"
ROLES = "Microsoft.Authorization/roleDefinitions/read"
LOG = "Microsoft.Insights/eventtypes/values/read"
MEMBERS = "microsoft.directory/groups/members/read"


class CallerSight:
    """The sight of a caller; see `azext_trust.rbac.questions.facts.Sight`.

    Args:
        transaction: a reading one.
        caller: who asks; the holder of the operator key sees everything.
        index: the whole tenant's, for decisions about the caller.
    """

    def __init__(self, transaction: Transaction, caller: Caller, index: Index) -> None:
        self._transaction = transaction
        self._caller = caller
        self._index = index
        self._known: dict[tuple[str, str], bool] = {}
        self.everything = caller.kind == "Operator"

    def may(self, action: str, scope: str) -> bool:
        """Tell whether the caller may do something at a scope."""
        if self.everything:
            return True
        key = (action, scopes.key(scope))
        if key not in self._known:
            query = Query(action, False, scope, now=self._transaction.now())
            self._known[key] = decide.allows(self._index, self._caller.id, query)
        return self._known[key]

    def missing(self, scope: str) -> str:
        """Return the first of the three rights that the caller lacks at a scope, empty when it has them."""
        return next((action for action in (READ, ASSIGNMENTS, ROLES) if not self.may(action, scope)), "")

    def blocked(self, scope: str) -> str:
        """Return why nothing can be told of access at a scope."""
        missing = self.missing(scope)
        return f"{missing} is missing there" if missing else ""

    def shows(self, scope: str) -> bool:
        """Tell whether an assignment at a scope may be shown: with the right there, or below it."""
        if self.may(ASSIGNMENTS, scope):
            return True
        key = scopes.key(scope)
        return any(
            self.may(ASSIGNMENTS, subscription) and key in self._index.tree.chain(subscription)
            for subscription in self.subscriptions
        )

    def gaps(self, chain: tuple[str, ...]) -> Iterable[Unknown]:
        """Return what a twin lacks: of a cloud of its own the store knows all where the caller may look."""
        return self._unobserved

    @cached_property
    def reads_members(self) -> bool:
        """Whether the caller may read who is in which group."""
        if self.everything:
            return True
        held = principals.directory_roles(self._transaction.session, self._caller.id)
        return directory.allowed(held, MEMBERS, self._caller.kind)

    @cached_property
    def _groups(self) -> int:
        of = self._index.numbers.of
        return bits.of(of(one.id) for one in self._index.principals() if one.kind == GROUP)

    def hidden_groups(self) -> int:
        """Return all groups, as bits, for who may not read their members."""
        return 0 if self.reads_members else self._groups

    def why_hidden(self, group_id: str) -> str:
        """Return the permission of the directory that is missing."""
        return f"{MEMBERS} is missing"

    @cached_property
    def subscriptions(self) -> list[str]:
        """The subscriptions that any role of the caller reaches, as Resource Manager lists them."""
        rows = [f"/subscriptions/{row.id}" for row in resources.subscriptions(self._transaction.session)]
        if self.everything:
            return rows
        held = [row.assignment.scope for row in what_can.held(self._index, self._caller.id)]
        keys = {self._index.tree.chain(scope)[0] for scope in held}
        inside = {"/".join(key.split("/")[:3]) for key in keys if key.startswith("/subscriptions/")}
        number = self._index.numbers.known(self._caller.id)
        return [
            row for row in rows
            if row in inside or not keys.isdisjoint(self._index.tree.chain(row))
            or (number is not None and self._index.is_classic(number, self._index.tree.chain(row)))
        ]  # fmt: skip

    def elsewhere(self) -> Iterable[Unknown]:
        """Return the subscriptions of which the caller sees a part at most."""
        if not self.subscriptions:
            return [Unknown("subscriptions", "no role of yours reaches any")]
        missing = [
            Unknown(f"access in {one} as a whole", f"{self.missing(one)} is missing there", one)
            for one in self.subscriptions if self.missing(one)
        ]  # fmt: skip
        return [*missing, *self._unobserved]

    @cached_property
    def _unobserved(self) -> list[Unknown]:
        """What a twin could not read of the live cloud, or has not read yet."""
        session = self._transaction.session
        whole = session.get(observations.Observation, observations.RUN)
        rest = []
        if whole is not None and not whole.done:
            rest = [Unknown(f"the rest of {whole.next}", "the twin's reading has not ended: pull again")]
        return [*rest, *(Unknown(row.step, row.problem) for row in observations.problems(session))]

    def log(self) -> Iterable[Unknown]:
        """Return the subscriptions whose activity log the caller may not read."""
        return [
            Unknown(f"activity log of {one}", f"{LOG} is missing there", one)
            for one in self.subscriptions if not self.may(LOG, one)
        ]  # fmt: skip
