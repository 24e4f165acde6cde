"""Trust data as audits see it: roles, keys, expiry and signed tags of every repository of a registry."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from sqlalchemy import Select, func, select, tuple_
from sqlmodel import SQLModel

from azext_trust.rbac.questions.facts import REGISTRIES, Registry
from azext_trust.rbac.questions.trust import Key, Metadata, Repository, SignedTag
from azext_trust.server.operator import audit_images
from azext_trust.server.store import registries
from azext_trust.server.store.activity import TABLE
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.store.trust import TrustKey, TrustMetadata, TrustTag
from azext_trust.tuf import roles
from azext_trust.tuf.overview import overview

Row = TypeVar("Row")
PUBLISHED = f"{REGISTRIES}/trustedCollections/write"
MOST_PUBLISHES = 20_000
"""How many of the newest publishes are looked at for who signed with which role."""
_METADATA, _KEYS, _TAGS, _REGISTRY = (
    SQLModel.metadata.tables[str(one.__tablename__)] for one in (TrustMetadata, TrustKey, TrustTag, registries.Registry)
)


class Reader:
    """Reads repositories with trust data; all registries at once, for most questions that need one need many.

    Args:
        transaction: a reading one.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._ids: dict[str, str] | None = None
        self._known: dict[str, tuple[Repository, ...]] = {}
        self._asked = 0

    def of(self, registry: Registry) -> tuple[Repository, ...]:
        """Return a registry's repositories, by name."""
        self._asked += 1
        if self._ids is None and self._asked == 1:
            # Questions about one registry are the most frequent: the others are read when a second one is asked for.
            row = registries.by_scope(self._transaction.session, registry.key)
            self._known[registry.key] = tuple(self._read([row.id]).get(row.id, ())) if row is not None else ()
        elif registry.key not in self._known:
            self._all()
        return self._known.get(registry.key, ())

    def _all(self) -> None:
        rows = self._rows(select(_REGISTRY.c.id, _REGISTRY.c.scope_key)).all()
        found = self._read(None)
        self._known = {key: tuple(found.get(name, ())) for name, key in rows}
        self._ids = {key: name for name, key in rows}

    def _rows(self, query: Select[Any]) -> Any:
        return self._transaction.session.connection().execute(query)

    def _read(self, ids: list[str] | None) -> dict[str, list[Repository]]:
        """Return the repositories of registries, or of all (None), by the registry's row id."""
        spaces = self._spaces(ids)
        wanted = None if ids is None else list(spaces)
        metadata, tags = _owned(self._metadata(wanted), spaces), _owned(self._tags(wanted), spaces)
        published = self._publishers()
        images = audit_images.read(self._transaction, ids)
        hosts = {registry_id: gun.partition("/")[0] for registry_id, gun in metadata}
        guns = metadata.keys() | tags.keys()
        guns |= {(one, f"{hosts.get(one, one)}/{name}") for one, name in images}
        found: dict[str, list[Repository]] = defaultdict(list)
        for registry_id, gun in sorted(guns):
            name = gun.partition("/")[2]
            held, manifests = images.get((registry_id, name), (None, None))
            found[registry_id].append(
                Repository(
                    gun, name, tuple(metadata.get((registry_id, gun), ())), tuple(tags.get((registry_id, gun), ())),
                    held, manifests, published.get(gun, {}),
                )
            )  # fmt: skip
        return found

    def _spaces(self, ids: list[str] | None) -> dict[str, str]:
        """Return trust space to registry: what lies in a space that no registry has was erased."""
        query = select(_REGISTRY.c.trust_space, _REGISTRY.c.id)
        if ids is not None:
            query = query.where(_REGISTRY.c.id.in_(ids))
        return {str(space): str(registry_id) for space, registry_id in self._rows(query)}

    def _metadata(self, ids: list[str] | None) -> dict[tuple[str, str], list[Metadata]]:
        own = [_METADATA.c[name] for name in ("registry_id", "gun", "role")]
        newest = select(*own, func.max(_METADATA.c.version)).group_by(*own)
        if ids is not None:
            newest = newest.where(_METADATA.c.registry_id.in_(ids))
        key = tuple_(*own, _METADATA.c.version)
        query = select(*own, _METADATA.c.version, _METADATA.c.content).where(key.in_(newest))
        read: dict[tuple[str, str], dict[str, bytes]] = defaultdict(dict)
        for registry_id, gun, role, _, content in self._rows(query):
            read[registry_id, gun][role] = bytes(content)
        servers = self._server_keys(ids)
        return {at: metadata_of(found, servers.get(at, frozenset())) for at, found in read.items()}

    def _server_keys(self, ids: list[str] | None) -> dict[tuple[str, str], frozenset[str]]:
        query = select(_KEYS.c.registry_id, _KEYS.c.gun, _KEYS.c.key_id)
        if ids is not None:
            query = query.where(_KEYS.c.registry_id.in_(ids))
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for registry_id, gun, key_id in self._rows(query):
            found[registry_id, gun].add(key_id)
        return {at: frozenset(held) for at, held in found.items()}

    def _tags(self, ids: list[str] | None) -> dict[tuple[str, str], list[SignedTag]]:
        query = select(*(_TAGS.c[name] for name in ("registry_id", "gun", "tag", "role", "sha256")))
        if ids is not None:
            query = query.where(_TAGS.c.registry_id.in_(ids))
        found: dict[tuple[str, str], list[SignedTag]] = defaultdict(list)
        for registry_id, gun, tag, role, digest in self._rows(query):
            found[registry_id, gun].append(SignedTag(tag, role, digest))
        return found

    def _publishers(self) -> dict[str, dict[str, frozenset[str]]]:
        """Return who published which role, as the log has it: GUN to role to object ids."""
        query = select(TABLE.c.scope, TABLE.c.caller_id, TABLE.c.details).where(
            TABLE.c.operation == PUBLISHED, TABLE.c.outcome == "Allowed"
        )
        newest = query.order_by(TABLE.c.sequence.desc()).limit(MOST_PUBLISHES)
        found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for scope, caller, details in self._rows(newest):
            after = _json(details).get("after")
            for role in _published(after if isinstance(after, Mapping) else {}):
                found[scope.strip("/")][role].add(caller)
        return {gun: {role: frozenset(who) for role, who in held.items()} for gun, held in found.items()}


def _owned(found: Mapping[tuple[str, str], Row], spaces: Mapping[str, str]) -> dict[tuple[str, str], Row]:
    """Return rows by registry and GUN that came by trust space and GUN."""
    return {(spaces[space], gun): rows for (space, gun), rows in found.items() if space in spaces}


def _published(after: Mapping[str, Any]) -> Iterator[str]:
    """Yield the roles whose key the publisher held: those it signed tags with, and root and targets it sent."""
    yield from after.get("signed") or {}
    yield from (role for role in after.get("versions") or {} if role in (roles.ROOT, roles.TARGETS))


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def metadata_of(contents: Mapping[str, bytes], servers: frozenset[str]) -> list[Metadata]:
    """Return roles as audits see them.

    Args:
        contents: the newest bytes of each role.
        servers: ids of the keys that the server holds.
    """
    found = []
    for one in overview(contents, tags=False):
        keys = tuple(Key(key.id, key.kind, key.size, key.expires) for key in one.keys)
        server = one.role in (roles.TIMESTAMP, roles.SNAPSHOT) and bool(servers & {key.id for key in keys})
        found.append(Metadata(one.role, one.version, one.expires, keys, one.threshold, server))
    return found
