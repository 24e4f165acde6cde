"""What a question may look at: an index of who may do what, and the facts around it.

A tenant comes from a server's store, from Resource Manager and Graph, or from exported files; questions do not know
which. What a source could not see is part of the facts (`Sight`): an answer then says that it is not complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from azext_trust.names import scopes
from azext_trust.rbac.capabilities import ABAC, LEGACY
from azext_trust.rbac.index import Index

if TYPE_CHECKING:
    from azext_trust.rbac.questions.trust import Repository

READ_ONLY, CAN_NOT_DELETE = "ReadOnly", "CanNotDelete"
"""The two levels of a lock."""
REGISTRIES = "Microsoft.ContainerRegistry/registries"
REPOSITORY_NAME = f"{REGISTRIES}/repositories:name"
"""The attribute that conditions on repositories look at."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as people know it.

    Attributes:
        id: object id, lower case.
        kind: ``User``, ``Group``, ``ServicePrincipal``; ``Unknown`` for one that is in no directory (any more).
        name: user principal name, appId or display name; empty when it is not known.
        display_name: as shown in the portal.
        app_id: a service principal's appId.
        since: when it was made, in ISO 8601, or empty.
    """

    id: str
    kind: str
    name: str = ""
    display_name: str = ""
    app_id: str = ""
    since: str = ""

    @property
    def label(self) -> str:
        """What to call it: user name, display name, else the id."""
        return (self.name if self.kind == "User" else self.display_name or self.name) or self.id


@dataclass(frozen=True, slots=True)
class ScopeToken:
    """A repository-scoped token: its scope map's actions are ``repositories/team/web/content/read`` and alike."""

    name: str
    enabled: bool
    scope_map: str
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry as far as access depends on it.

    Attributes:
        id: resource id, as written.
        name: its name.
        login_server: host, with the port where there is one.
        sku: ``Basic``, ``Standard`` or ``Premium``.
        trust: content trust is enabled.
        admin: the admin account is enabled.
        anonymous: anybody may pull.
        mode: its ``roleAssignmentMode``.
        retention: days after which untagged manifests are deleted, None when the policy is off.
        tokens: its repository-scoped tokens; None when they could not be read.
    """

    id: str
    name: str
    login_server: str = ""
    sku: str = "Premium"
    trust: bool = False
    admin: bool = False
    anonymous: bool = False
    mode: str = LEGACY
    retention: int | None = None
    tokens: tuple[ScopeToken, ...] | None = ()

    @property
    def key(self) -> str:
        """The form in which it is compared."""
        return scopes.key(self.id)

    @property
    def abac(self) -> bool:
        """Whether permissions are those on repositories."""
        return self.mode == ABAC


@dataclass(frozen=True, slots=True)
class Lock:
    """A management lock."""

    scope: str
    level: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a role assignment besides its meaning; times in ISO 8601 or empty."""

    id: str
    principal_type: str = ""
    created_on: str = ""
    created_by: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the activity log.

    Attributes:
        time: ISO 8601.
        operation: the action's name, for instance ``Microsoft.ContainerRegistry/registries/push/write``.
        scope: the resource concerned; of trust data the GUN.
        outcome: ``Allowed``, ``Denied`` or ``Failed``.
        caller_id: object id, or a word such as ``anonymous``.
        caller_name: as the log has it.
        correlation_id: as the caller was told.
        details: what else the log holds.
        sequence: its place in the log, 0 where logs have none.
    """

    time: str
    operation: str
    scope: str
    outcome: str
    caller_id: str
    caller_name: str = ""
    correlation_id: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """What could not be read, and why; `scope` where it lies at one place."""

    what: str
    why: str
    scope: str | None = None


class Sight(Protocol):
    """What a source could see."""

    def blocked(self, scope: str) -> str:
        """Return why nothing can be said about access at a scope, empty when something can."""
        ...

    def shows(self, scope: str) -> bool:
        """Tell whether an assignment at a scope may be shown."""
        ...

    def gaps(self, chain: tuple[str, ...]) -> Iterable[Unknown]:
        """Return what is missing for a full answer at the first scope of a chain (members of groups apart)."""
        ...

    def hidden_groups(self) -> int:
        """Return, as bits, the groups whose members are not known."""
        ...

    def why_hidden(self, group_id: str) -> str:
        """Return why a group's members are not known."""
        ...

    def elsewhere(self) -> Iterable[Unknown]:
        """Return what is missing for a question about all places."""
        ...

    def log(self) -> Iterable[Unknown]:
        """Return what of the activity log could not be read."""
        ...


@dataclass
class State:
    """What a change can move: assignments and all that, settings of registries, locks."""

    index: Index
    registries: Mapping[str, Registry]
    locks: tuple[Lock, ...] = ()


class Tenant(Protocol):
    """All the facts there are, read when a question needs them."""

    @property
    def state(self) -> State:
        """Index, registries by scope key, locks."""
        ...

    @property
    def now(self) -> datetime:
        """The present of that cloud."""
        ...

    @property
    def sight(self) -> Sight:
        """What could be seen."""
        ...

    def people(self, ids: Iterable[str]) -> Mapping[str, Person]:
        """Return those of the ids that are known, by id."""
        ...

    def find(self, name: str) -> list[Person]:
        """Return who is meant by a user name, object id, appId, service principal name or display name."""
        ...

    def stored(self, ids: Iterable[str]) -> Mapping[str, Stored]:
        """Return the records of role assignments, by id."""
        ...

    def registry(self, name: str) -> Registry | None:
        """Return the registry of a name or resource id, None when it is not seen."""
        ...

    def trust(self, registry: Registry) -> tuple[Repository, ...]:
        """Return the repositories of a registry with their trust data; empty where nothing is known of them."""
        ...

    def events(self, *, oldest_first: bool = False, outcome: str = "", operation: str = "") -> Iterator[Event]:
        """Yield entries of the activity log that may be read, newest first unless told otherwise."""
        ...
