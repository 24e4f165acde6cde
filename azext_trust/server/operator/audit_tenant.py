"""The tenant as questions see it, over the store and the index that a serving process keeps warm."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import select as core_select
from sqlmodel import col, select

from azext_trust.names import scopes
from azext_trust.rbac.index import Index
from azext_trust.rbac.questions.facts import Event, Lock, Person, Registry, ScopeToken, State, Stored
from azext_trust.rbac.questions.trust import Repository
from azext_trust.server.gate.call import Call
from azext_trust.server.operator import audit_tokens, audit_trust
from azext_trust.server.operator.audit_sight import LOG, READ, CallerSight
from azext_trust.server.store import activity, authorization, management_locks, principals, registries
from azext_trust.server.store.activity import ActivityEntry
from azext_trust.server.store.observations import ObservedEvent
from azext_trust.server.store.transaction import Transaction

_KEYS = 500
_PEOPLE = principals.DirectoryObject.__table__  # type: ignore[attr-defined]  # SQLModel's types do not know it
_PERSON = core_select(*(_PEOPLE.c[name] for name in ("id", "kind", "upn", "display_name", "app_id", "created")))


class Registries(Mapping[str, Registry]):
    """The registries a caller may read, by scope key; each is read when it is asked for, all when they are walked."""

    def __init__(self, transaction: Transaction, sight: CallerSight, call: Call) -> None:
        self._transaction, self._sight, self._call = transaction, sight, call
        self._known: dict[str, Registry | None] = {}
        self._all: dict[str, Registry] | None = None

    def named(self, name: str) -> Registry | None:
        """Return a registry by name or resource id."""
        session = self._transaction.session
        row = registries.by_scope(session, scopes.key(name)) if "/" in name else registries.by_name(session, name)
        return self.get(row.scope_key) if row is not None else None

    def _shown(
        self, row: registries.Registry, held: Mapping[str, tuple[ScopeToken, ...]] | None = None
    ) -> Registry | None:  # fmt: skip
        tokens = held if held is not None else audit_tokens.of(self._transaction.session, [row.id])
        found = registry_of(row, self._call, tokens.get(row.id, ()))
        return found if self._sight.may(READ, found.id) else None

    def __getitem__(self, key: str) -> Registry:
        if self._all is not None:
            return self._all[key]
        if key not in self._known:
            row = registries.by_scope(self._transaction.session, key)
            self._known[key] = self._shown(row) if row is not None else None
        found = self._known[key]
        if found is None:
            raise KeyError(key)
        return found

    def _read(self) -> dict[str, Registry]:
        if self._all is None:
            rows = self._transaction.session.exec(
                select(registries.Registry).order_by(col(registries.Registry.scope_key))
            )
            tokens = audit_tokens.of(self._transaction.session, None)
            shown = (self._shown(row, tokens) for row in rows)
            self._all = {row.key: row for row in shown if row is not None}
        return self._all

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def registry_of(row: registries.Registry, call: Call, tokens: tuple[ScopeToken, ...] = ()) -> Registry:
    """Return a registry's row as questions see it."""
    scope = scopes.registry_id(row.subscription_id, row.group_key, row.name)
    retention = row.policies.get("retentionPolicy", {})
    days = int(str(retention.get("days", 7))) if retention.get("status") == "enabled" else None
    host = str(row.properties.get("observedLoginServer") or call.settings.login_server(row.name))
    return Registry(
        scope, row.name, host, row.sku, row.trust_enabled, row.admin_enabled,
        row.properties.get("anonymousPullEnabled") is True,
        str(row.properties.get("roleAssignmentMode") or "LegacyRegistryPermissions"), days, tokens,
    )  # fmt: skip


class StoreTenant:
    """See `azext_trust.rbac.questions.facts.Tenant`.

    Args:
        transaction: a reading one; the tenant is as of its moment.
        call: who asks.
        index: the whole tenant's index as of that moment.
    """

    def __init__(self, transaction: Transaction, call: Call, index: Index) -> None:
        self._transaction = transaction
        self._caller_id = call.caller.id
        self.sight = CallerSight(transaction, call.caller, index)
        self._registries = Registries(transaction, self.sight, call)
        own = index if self.sight.reads_members else index.overlay(members=False)
        self.state = State(own, self._registries, tuple(_locks(transaction)))
        self.now: datetime = transaction.now()
        self._trust = audit_trust.Reader(transaction)

    def people(self, ids: Iterable[str]) -> Mapping[str, Person]:
        """Return who is known; names only to who may read the directory."""
        wanted = sorted(set(ids))
        found: dict[str, Person] = {}
        for at in range(0, len(wanted), _KEYS):
            query = _PERSON.where(_PEOPLE.c.id.in_(wanted[at : at + _KEYS]))
            for row in self._transaction.session.connection().execute(query):
                found[row.id] = self._person(row)
        return found

    def _person(self, row: Any) -> Person:
        if not self.sight.reads_members:
            return Person(row.id, row.kind)
        names = {principals.USER: row.upn, principals.SERVICE_PRINCIPAL: row.app_id}
        return Person(row.id, row.kind, names.get(row.kind, row.display_name) or "", row.display_name, row.app_id or "",
                      row.created)  # fmt: skip

    def find(self, name: str) -> list[Person]:
        """Return who is meant; an exact name wins over a display name."""
        session, key = self._transaction.session, name.lower()
        exact = principals.by_id(session, key)
        if exact is None and self.sight.reads_members:
            exact = principals.user_by_upn(session, name) or principals.service_principal_by_name(session, name)
        if exact is not None:
            return list(self.people([exact.id]).values())
        if not self.sight.reads_members:
            return []
        table = principals.DirectoryObject
        ids = session.exec(select(table.id).where(table.display_key == key).limit(20))
        return list(self.people(list(ids)).values())

    def stored(self, ids: Iterable[str]) -> Mapping[str, Stored]:
        """Return the records of role assignments."""
        found: dict[str, Stored] = {}
        wanted = sorted(set(ids))
        for at in range(0, len(wanted), _KEYS):
            query = select(authorization.Assignment).where(
                col(authorization.Assignment.id).in_(wanted[at : at + _KEYS])
            )
            for row in self._transaction.session.exec(query):
                found[row.id] = Stored(row.id, row.principal_type, row.created_on, row.created_by or "",
                                       row.description or "")  # fmt: skip
        return found

    def registry(self, name: str) -> Registry | None:
        """Return a registry by name or resource id."""
        return self._registries.named(name)

    def trust(self, registry: Registry) -> tuple[Repository, ...]:
        """Return a registry's repositories with their trust data, to who may read the registry."""
        return self._trust.of(registry) if self.sight.may(READ, registry.id) else ()

    def events(self, *, oldest_first: bool = False, outcome: str = "", operation: str = "") -> Iterator[Event]:
        """Yield the entries of the log that the caller may read: its own, and those at scopes whose log it may read.

        A twin has two logs: its own, and what it observed of the live cloud's.
        """
        wanted = {name: value for name, value in (("outcome", outcome), ("operation", operation)) if value}
        logs = (
            self._log(ActivityEntry, col(ActivityEntry.sequence), wanted, oldest_first),
            self._log(ObservedEvent, col(ObservedEvent.time), wanted, oldest_first),
        )
        merged = heapq.merge(*logs, key=lambda event: event.time, reverse=not oldest_first)
        for event in merged:
            if event.caller_id == self._caller_id or self._reads(event.scope):
                yield event

    def _log(
        self, table: type[ActivityEntry] | type[ObservedEvent], order: Any, wanted: Mapping[str, str], oldest_first: bool
    ) -> Iterator[Event]:  # fmt: skip
        query = select(table)
        for name, value in wanted.items():
            query = query.where(getattr(table, name) == value)
        ordered = query.order_by(order if oldest_first else order.desc()).execution_options(yield_per=1000)
        for row in self._transaction.session.exec(ordered):
            yield event_of(row) if isinstance(row, ActivityEntry) else observed(cast(ObservedEvent, row))

    def _reads(self, scope: str) -> bool:
        if not scope.startswith("/"):
            registry = self._registries.named(scope.partition("/")[0].partition(".")[0])
            return registry is not None and self.sight.may(LOG, registry.id)
        return self.sight.may(LOG, scope)


def event_of(row: ActivityEntry) -> Event:
    """Return an entry of the log as questions see it."""
    details = activity.details_of(row)
    return Event(
        row.time, row.operation, row.scope, row.outcome, row.caller_id, str(details.get("callerName") or ""),
        row.correlation_id, details, row.sequence,
    )  # fmt: skip


def observed(row: ObservedEvent) -> Event:
    """Return an entry of a live cloud's log as questions see it."""
    return Event(row.time, row.operation, row.scope, row.outcome, row.caller_id, row.caller_name, row.correlation_id,
                 row.details)  # fmt: skip


def _locks(transaction: Transaction) -> Iterator[Lock]:
    for row in transaction.session.exec(select(management_locks.ManagementLock)):
        yield Lock(row.scope, row.level, row.name)
