"""What findings look at: a tenant at the registries that are examined, with what several of them need worked out once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from azext_trust.rbac import bits, capabilities
from azext_trust.rbac.index import Index
from azext_trust.rbac.questions import wording
from azext_trust.rbac.questions.facts import Event, Person, Registry, Tenant
from azext_trust.rbac.who_can import Holders, WhoCan

SIGN_ACTIONS = tuple(
    group[0] for group in capabilities.needs("sign") or ()
    if group not in (capabilities.needs("push") or ()) + (capabilities.needs("pull") or ())
)  # fmt: skip
"""The actions that make a signer, beside those that let push and pull."""
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
MOST_EVENTS = 20_000
"""How many of the newest entries of the log are looked at."""


class View:
    """A tenant as findings see it.

    Args:
        tenant: the facts.
        registries: those that are examined.
    """

    def __init__(self, tenant: Tenant, registries: Sequence[Registry]) -> None:
        self.tenant = tenant
        self.registries = registries
        index, now = self.index, tenant.now
        self._signing = WhoCan(index, tuple((action,) for action in SIGN_ACTIONS), now=now)
        self._asking: dict[capabilities.Needs, WhoCan] = {}
        self._people: dict[str, Person] = {}
        self._signers: dict[str, Holders | None] = {}

    @property
    def index(self) -> Index:
        """Who may do what."""
        return self.tenant.state.index

    def signing(self, registry: Registry) -> Holders:
        """Return who holds the rights that make a signer, whether or not it may push."""
        return self._signing.at(registry.id)

    def holders(self, registry: Registry, word: str) -> Holders | None:
        """Return who has a capability at a registry, None where nobody can."""
        needed = capabilities.needs(word, registry.mode)
        if needed is None:
            return None
        if needed not in self._asking:
            self._asking[needed] = WhoCan(self.index, needed, now=self.tenant.now)
        return self._asking[needed].at(registry.id)

    def signers(self, registry: Registry) -> list[Person]:
        """Return who may sign at a registry."""
        found = self.holders(registry, "sign")
        return self.people([] if found is None else self.ids(found.people() | found.people(depends=True)))

    def ids(self, mask: int) -> list[str]:
        """Return the object ids of principals given as bits."""
        return [self.index.numbers.name(number) for number in bits.numbers(mask)]

    def people(self, ids: list[str]) -> list[Person]:
        """Return principals, looked up once; who is not known is given by its id alone."""
        missing = [name for name in ids if name not in self._people]
        if missing:
            known = self.tenant.people(missing)
            self._people.update({name: known.get(name, Person(name, "Unknown")) for name in missing})
        return [self._people[name] for name in ids]

    def label(self, principal_id: str) -> str:
        """Return what to call somebody."""
        return wording.label(principal_id, {one.id: one for one in self.people([principal_id])}) or principal_id

    def kind(self, principal_id: str) -> str:
        """Return what kind of principal somebody is."""
        return self.people([principal_id])[0].kind

    @cached_property
    def keys(self) -> frozenset[str]:
        """The scope keys of the registries that are examined."""
        return frozenset(one.key for one in self.registries)

    @cached_property
    def chain_keys(self) -> frozenset[str]:
        """The scope keys of these registries and of all that lies above them."""
        return frozenset(key for one in self.registries for key in self.index.tree.chain(one.id))

    @cached_property
    def events(self) -> list[Event]:
        """The newest entries of the log, newest first."""
        found: list[Event] = []
        for event in self.tenant.events():
            if len(found) == MOST_EVENTS:
                break
            found.append(event)
        return found

    def below(self, scope: str) -> Iterator[Registry]:
        """Yield the registries at a scope or below it."""
        key = self.index.tree.chain(scope)[0]
        for one in self.registries:
            if key in self.index.tree.chain(one.id):
                yield one
