"""A tenant held in memory: from Resource Manager and Graph, from exported files, from tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from azext_trust.names import scopes
from azext_trust.rbac import bits
from azext_trust.rbac.index import Index
from azext_trust.rbac.questions.facts import Event, Person, Registry, State, Stored, Unknown
from azext_trust.rbac.questions.trust import Repository


@dataclass
class Gaps:
    """What a loader could not see.

    Attributes:
        closed: scope key to why nothing is known of access at it and below it.
        groups: group id to why its members are not known.
        roles: scope key to what roles are assigned there whose definitions are not known.
        at: scope key to what else is missing at it and below it.
        general: what is missing for questions about all places.
        everything: why nothing at all can be said, empty when something can.
        log: what of the activity log is missing.
    """

    closed: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    roles: dict[str, list[Unknown]] = field(default_factory=dict)
    at: dict[str, list[Unknown]] = field(default_factory=dict)
    general: list[Unknown] = field(default_factory=list)
    everything: str = ""
    log: list[Unknown] = field(default_factory=list)


class HeldSight:
    """The sight of a loader.

    Args:
        index: what was loaded; not changed afterwards.
        gaps: what was not.
    """

    def __init__(self, index: Index, gaps: Gaps) -> None:
        self._index = index
        self._gaps = gaps
        self._hidden: int | None = None

    def blocked(self, scope: str) -> str:
        """Return why nothing can be said about access at a scope."""
        if self._gaps.everything or not self._gaps.closed:
            return self._gaps.everything
        chain = self._index.tree.chain(scope)
        return next((self._gaps.closed[key] for key in chain if key in self._gaps.closed), "")

    def shows(self, scope: str) -> bool:
        """Show every assignment that was loaded."""
        return True

    def gaps(self, chain: tuple[str, ...]) -> Iterable[Unknown]:
        """Return what is missing at a place and above it."""
        found = self._gaps
        return [one for key in chain for one in (*found.roles.get(key, ()), *found.at.get(key, ()))]

    def hidden_groups(self) -> int:
        """Return, as bits, the groups whose members were not loaded."""
        if self._hidden is None:
            self._hidden = bits.of(self._index.numbers.of(group) for group in self._gaps.groups)
        return self._hidden

    def why_hidden(self, group_id: str) -> str:
        """Return why a group's members were not loaded."""
        return self._gaps.groups.get(group_id, "")

    def elsewhere(self) -> Iterable[Unknown]:
        """Return what is missing for questions about all places."""
        closed = [Unknown(f"who may do what at {key}", why, key) for key, why in self._gaps.closed.items()]
        return [*self._gaps.general, *closed]

    def log(self) -> Iterable[Unknown]:
        """Return what of the activity log is missing."""
        return self._gaps.log


@dataclass
class HeldTenant:
    """Facts in memory; see `facts.Tenant`.

    Attributes:
        state: index, registries, locks.
        now: the moment to decide for.
        sight: what was seen.
        directory: everybody by id.
        records: role assignments' records by id.
        log: entries of the activity log, oldest first.
        repositories: registry key to its repositories.
    """

    state: State
    now: datetime
    sight: HeldSight
    directory: dict[str, Person] = field(default_factory=dict)
    records: dict[str, Stored] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)
    repositories: dict[str, tuple[Repository, ...]] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    """Further names in lower case to object ids: service principal names."""

    def people(self, ids: Iterable[str]) -> Mapping[str, Person]:
        """Return those of the ids that are known."""
        return {name: self.directory[name] for name in ids if name in self.directory}

    def find(self, name: str) -> list[Person]:
        """Return who is meant; an exact name wins over a display name."""
        key = name.lower()
        if key in self.directory:
            return [self.directory[key]]
        exact = self.names.get(key) or [
            one.id for one in self.directory.values() if key in (one.name.lower(), one.app_id.lower())
        ]
        if exact:
            return [self.directory[one] for one in dict.fromkeys(exact) if one in self.directory]
        return [one for one in self.directory.values() if one.display_name.lower() == key]

    def stored(self, ids: Iterable[str]) -> Mapping[str, Stored]:
        """Return the records of role assignments."""
        return {name: self.records[name] for name in ids if name in self.records}

    def registry(self, name: str) -> Registry | None:
        """Return the registry of a name or resource id."""
        key = scopes.key(name) if "/" in name else ""
        rows = self.state.registries.values()
        return next((one for one in rows if one.key == key or one.name.lower() == name.lower()), None)

    def trust(self, registry: Registry) -> tuple[Repository, ...]:
        """Return a registry's repositories."""
        return self.repositories.get(scopes.key(registry.id), ())

    def events(self, *, oldest_first: bool = False, outcome: str = "", operation: str = "") -> Iterator[Event]:
        """Yield entries of the log."""
        rows = self.log if oldest_first else reversed(self.log)
        for row in rows:
            if (not outcome or row.outcome == outcome) and (not operation or row.operation == operation):
                yield row
