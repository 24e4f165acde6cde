"""Trust data as audits see it: roles, keys, expiry and signed tags of every repository of a registry."""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import Select, func, select, tuple_
from sqlmodel import SQLModel

from azext_trust.rbac.questions.facts import REGISTRIES, Registry
from azext_trust.rbac.questions.trust import Key, Metadata, Repository, SignedTag
from azext_trust.server.store import registries
from azext_trust.server.store.activity import TABLE
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.store.trust import TrustKey, TrustMetadata, TrustTag
from azext_trust.tuf import keys as tuf_keys
from azext_trust.tuf import roles
from azext_trust.tuf.errors import MalformedMetadata, UnusableKey

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
        metadata, tags = self._metadata(ids), self._tags(ids)
        published = self._publishers()
        found: dict[str, list[Repository]] = defaultdict(list)
        for registry_id, gun in sorted(metadata.keys() | tags.keys()):
            found[registry_id].append(
                Repository(
                    gun, gun.partition("/")[2], tuple(metadata.get((registry_id, gun), ())),
                    tuple(tags.get((registry_id, gun), ())), publishers=published.get(gun, {}),
                )
            )  # fmt: skip
        return found

    def _metadata(self, ids: list[str] | None) -> dict[tuple[str, str], list[Metadata]]:
        own = [_METADATA.c[name] for name in ("registry_id", "gun", "role")]
        newest = select(*own, func.max(_METADATA.c.version)).group_by(*own)
        if ids is not None:
            newest = newest.where(_METADATA.c.registry_id.in_(ids))
        key = tuple_(*own, _METADATA.c.version)
        query = select(*own, _METADATA.c.version, _METADATA.c.content).where(key.in_(newest))
        read: dict[tuple[str, str], dict[str, tuple[int, Mapping[str, Any]]]] = defaultdict(dict)
        for registry_id, gun, role, version, content in self._rows(query):
            read[registry_id, gun][role] = (version, _fields(bytes(content)))
        servers = self._server_keys(ids)
        return {at: list(_of_repository(found, servers.get(at, frozenset()))) for at, found in read.items()}

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


def _fields(content: bytes) -> Mapping[str, Any]:
    """Return what is signed. It was validated when it was stored; keys that cannot be read are passed by later."""
    found = _json(content.decode("utf-8", "replace")).get("signed")
    return found if isinstance(found, Mapping) else {}


def _of_repository(
    found: Mapping[str, tuple[int, Mapping[str, Any]]], servers: frozenset[str]
) -> Iterator[Metadata]:  # fmt: skip
    root = found.get(roles.ROOT, (0, {}))[1]
    for role, (version, fields) in sorted(found.items()):
        held = _root_role(root, role) if role in roles.BASE_ROLES else _delegated(found, role)
        keys = tuple(key for key in map(_key, held[0]) if key is not None)
        server = role in (roles.TIMESTAMP, roles.SNAPSHOT) and bool(servers & {key.id for key in keys})
        expires = str(fields.get("expires", ""))
        yield Metadata(role, version, expires[:19] + "Z" if expires else "", keys, held[1], server)
    for role in _unsigned(found):
        held = _delegated(found, role)
        yield Metadata(role, 0, "", tuple(key for key in map(_key, held[0]) if key is not None), held[1])


Held = tuple[list[tuple[str, str, str]], int]
"""Keys as id, kind and public half; and the threshold."""


def _listed(keys: object, ids: object) -> list[tuple[str, str, str]]:
    if not isinstance(keys, Mapping) or not isinstance(ids, list):
        return []
    return [
        (str(name), str(keys[name]["keytype"]), str(keys[name]["keyval"]["public"]))
        for name in ids if isinstance(keys.get(name), Mapping)
    ]  # fmt: skip


def _root_role(root: Mapping[str, Any], role: str) -> Held:
    said = (root.get("roles") or {}).get(role) or {}
    return _listed(root.get("keys"), said.get("keyids")), int(said.get("threshold", 1))


def _delegated(found: Mapping[str, tuple[int, Mapping[str, Any]]], role: str) -> Held:
    parent = found.get(roles.parent(role), (0, {}))[1]
    given = parent.get("delegations") or {}
    for one in given.get("roles") or ():
        if one.get("name") == role:
            return _listed(given.get("keys"), one.get("keyids")), int(one.get("threshold", 1))
    return [], 1


def _unsigned(found: Mapping[str, tuple[int, Mapping[str, Any]]]) -> Iterator[str]:
    """Yield delegations that have no metadata of their own yet."""
    for role, (_, fields) in found.items():
        if roles.is_targets(role):
            for one in (fields.get("delegations") or {}).get("roles") or ():
                if str(one.get("name")) not in found:
                    yield str(one.get("name"))


@lru_cache(maxsize=65536)
def _key(said: tuple[str, str, str]) -> Key | None:
    """Return a key as audits name it: by the id that it has without a certificate."""
    name, kind, public = said
    try:
        held = tuf_keys.PublicKey(kind, base64.b64decode(public))
        bare = held.bare() if kind.endswith("-x509") else held
        material = tuf_keys.material(bare)
        own = bare.id
    except (UnusableKey, MalformedMetadata, binascii.Error, ValueError):
        return Key(name, kind)
    size = material.key_size if isinstance(material, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) else 256
    ends = ""
    if kind.endswith("-x509"):
        ends = x509.load_pem_x509_certificate(held.public).not_valid_after_utc.isoformat()
    return Key(own, kind.removesuffix("-x509"), size, ends)
