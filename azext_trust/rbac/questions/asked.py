"""What is asked, and where: words of the command line or of a query to capabilities, places and people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from azext_trust.names import scopes
from azext_trust.names.guids import is_guid
from azext_trust.rbac import capabilities
from azext_trust.rbac.capabilities import Needs
from azext_trust.rbac.questions.answers import AskError, NotThere
from azext_trust.rbac.questions.facts import REPOSITORY_NAME, Person, Registry, Tenant, Unknown

WORDS = ("sign", "push", "pull", "delete", "manage-policy", "grant")
"""The capabilities that are asked for when none is named."""
ALIASES = {"purge": "manage-policy"}
"""Other words for capabilities: whoever manages the policy can purge all trust data."""


@dataclass(frozen=True)
class Asked:
    """A question's words; empty where one was not said.

    Attributes:
        capability: one of `capabilities.names`, or ``purge``.
        action: an action of any provider, instead of a capability.
        registry: name or resource id.
        scope: a resource id, for actions on other resources.
        repository: one repository: conditions on others do not count.
        assignee: user name, object id, appId, service principal name or display name.
        indirect: also who can only by a way round.
        changes: a change file's rows.
        since: only entries of the log after this moment (ISO 8601).
        correlation_id: one entry of the log.
        rules: the rules of a gate (`gates.RULES`) with their limits.
        baseline: who signed before, as ``registry/principal id``, or ``/principal id`` for any registry.
        charts: of a report, also what its pictures are drawn from.
    """

    capability: str = ""
    action: str = ""
    registry: str = ""
    scope: str = ""
    repository: str = ""
    assignee: str = ""
    indirect: bool = False
    changes: Sequence[Mapping[str, object]] = field(default=())
    since: str = ""
    correlation_id: str = ""
    rules: Mapping[str, object] = field(default_factory=dict)
    baseline: frozenset[str] = frozenset()
    charts: bool = False

    @property
    def word(self) -> str:
        """The capability without its aliases, or the action."""
        return self.action or ALIASES.get(self.capability, self.capability)

    @property
    def request(self) -> dict[str, object]:
        """Attributes of the request that are known."""
        return {REPOSITORY_NAME: self.repository} if self.repository else {}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is asked about: a registry, or any other scope."""

    scope: str
    label: str
    registry: Registry | None


def check(asked: Asked) -> None:
    """Go on only with one thing to ask for.

    Raises:
        AskError: neither or both of capability and action are named, or there is no such capability.
    """
    if bool(asked.capability) == bool(asked.action):
        raise AskError("Name a capability or --action ACTION, one of the two.")
    if asked.capability and asked.word not in capabilities.names():
        known = ", ".join((*WORDS, *ALIASES))
        raise AskError(f"'{asked.capability}' is no capability: {known}; for any other right name its --action.")
    if asked.action and asked.action.count("/") < 1:
        raise AskError(f"'{asked.action}' is no action, which looks like Microsoft.ContainerRegistry/registries/read.")


def needs(asked: Asked, place: Place) -> Needs | None:
    """Return the actions that are needed somewhere; None where nobody can have the capability."""
    return needs_of(asked.word, place.registry)


def needs_of(word: str, registry: Registry | None) -> Needs | None:
    """Return the actions that a capability or an action needs at a registry, or at any other scope (None)."""
    if "/" in word:
        return ((word,),)
    return capabilities.needs(word, registry.mode if registry else capabilities.LEGACY)


def places(tenant: Tenant, asked: Asked) -> tuple[list[Place], list[Unknown]]:
    """Return where the question is about, and where nothing can be said.

    Raises:
        NotThere: the registry does not exist.
    """
    found: list[Place] = []
    unknown: list[Unknown] = []
    for place in _named(tenant, asked):
        if isinstance(place, Unknown):
            unknown.append(place)
            continue
        why = tenant.sight.blocked(place.scope)
        if why:
            unknown.append(Unknown(f"who may do what at {place.label}", why, place.scope))
        else:
            found.append(place)
    if not asked.registry and not asked.scope:
        unknown += tenant.sight.elsewhere()
    return found, unknown


def _named(tenant: Tenant, asked: Asked) -> Iterator[Place | Unknown]:
    if asked.scope:
        scope = scopes.canonical(asked.scope)
        registry = tenant.state.registries.get(scopes.key(scope))
        yield Place(scope, registry.name if registry else scope, registry)
    elif asked.registry:
        yield one_registry(tenant, asked.registry)
    else:
        yield from (Place(row.id, row.name, row) for row in tenant.state.registries.values())


def one_registry(tenant: Tenant, name: str) -> Place | Unknown:
    """Return a registry by name or resource id; unknown when it may be one that could not be seen.

    Raises:
        NotThere: there is none.
    """
    found = tenant.registry(name)
    if found is not None:
        return Place(found.id, found.name, found)
    if any(True for _ in tenant.sight.elsewhere()):
        return Unknown(f"registry {name}", "it may not be read, or there is none of this name")
    raise NotThere(f"The registry '{name}' could not be found.")


def principal(tenant: Tenant, name: str) -> Person:
    """Return who is meant.

    Raises:
        NotThere: nobody has this name.
        AskError: several have.
    """
    if not name:
        raise AskError("Name somebody: --assignee WHO.")
    found = tenant.find(name)
    if len(found) > 1:
        ids = ", ".join(sorted(person.id for person in found))
        raise AskError(f"Several principals are called '{name}': name one by its object id: {ids}.")
    if found:
        return found[0]
    if is_guid(name):
        return Person(name.lower(), "Unknown")
    raise NotThere(f"Cannot find user, group or service principal for '{name}'.")
