"""Reading and writing trust data of one repository: versions of metadata, tags, server keys, change feed.

The tables are in `trust`. Nothing here is ever written over: a version of a role is inserted once, and the newest is
the highest. What was superseded is deleted in time (`prune`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection
from sqlmodel import Session, col, delete, func, select

from azext_trust.server.store import clock
from azext_trust.server.store.statements import Statement
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.store.trust import TrustChange, TrustKey, TrustMetadata, TrustTag


@dataclass(frozen=True)
class Repository:
    """Whose trust data: a registry's row id, and the GUN."""

    registry_id: str
    gun: str


def _here(
    table: type[TrustMetadata] | type[TrustTag] | type[TrustKey], of: Repository
) -> tuple[ColumnElement[bool], ...]:
    return col(table.registry_id) == of.registry_id, col(table.gun) == of.gun


# Metadata


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a role's metadata.

    Attributes:
        version: its number.
        created: when it was stored, in `clock.to_text` form.
        content: the bytes.
        sha256: their digest, in hex.
    """

    version: int
    created: str
    content: bytes
    sha256: str


_HERE = "registry_id = :registry_id AND gun = :gun AND role = :role"
_OF_ROLE = f"SELECT version, created, content, sha256 FROM trust_metadata WHERE {_HERE}"
_NEWEST = Statement(f"{_OF_ROLE} ORDER BY version DESC LIMIT 1")
_OF_VERSION = Statement(f"{_OF_ROLE} AND version = :version")
_OF_DIGEST = Statement(f"{_OF_ROLE} AND sha256 = :sha256 LIMIT 1")
_OF_GUN = "trust_metadata AS {} WHERE {}.registry_id = :registry_id AND {}.gun = :gun"
_ROLES = Statement(
    f"WITH RECURSIVE named(role) AS (SELECT min(a.role) FROM {_OF_GUN.replace('{}', 'a')} UNION ALL"
    f" SELECT (SELECT min(b.role) FROM {_OF_GUN.replace('{}', 'b')} AND b.role > named.role) FROM named"
    " WHERE named.role IS NOT NULL), newest(role, version) AS (SELECT named.role,"
    f" (SELECT max(c.version) FROM {_OF_GUN.replace('{}', 'c')} AND c.role = named.role)"
    " FROM named WHERE named.role IS NOT NULL)"
    " SELECT newest.role, newest.version, CASE WHEN length(d.content) <= :small THEN d.content END"
    " FROM newest JOIN trust_metadata AS d ON d.registry_id = :registry_id AND d.gun = :gun AND d.role = newest.role"
    " AND d.version = newest.version"
)
"""One step through the primary key for each role, however many versions there are."""
_SMALL = 64 * 1024
"""Contents of at most so many bytes come with the list of roles."""
_ADD = Statement(
    "INSERT INTO trust_metadata (registry_id, gun, role, version, sha256, created, content)"
    " VALUES (:registry_id, :gun, :role, :version, :sha256, :created, :content)"
)


def _one(connection: Connection, query: Statement, of: Repository, role: str, **more: object) -> Version | None:
    asked = {"registry_id": of.registry_id, "gun": of.gun, "role": role, **more}
    found = query.first(connection, asked)
    return Version(found[0], found[1], bytes(found[2]), found[3]) if found else None


def newest(session: Session, of: Repository, role: str) -> Version | None:
    """Return the newest version of a role."""
    return _one(session.connection(), _NEWEST, of, role)


def of_version(session: Session, of: Repository, role: str, version: int) -> Version | None:
    """Return one version of a role."""
    return _one(session.connection(), _OF_VERSION, of, role, version=version)


def of_digest(session: Session, of: Repository, role: str, sha256: str) -> Version | None:
    """Return the version of a role that has a digest, in lower-case hex."""
    return _one(session.connection(), _OF_DIGEST, of, role, sha256=sha256)


class Newest(Mapping[str, bytes]):
    """The newest bytes of every role; contents are fetched when they are asked for.

    Args:
        session: of the transaction in which all of them are one moment.
        of: whose they are.
    """

    def __init__(self, session: Session, of: Repository) -> None:
        self._connection = session.connection()
        self._of = of
        asked = {"registry_id": of.registry_id, "gun": of.gun, "small": _SMALL}
        found = _ROLES.rows(self._connection, asked)
        self._versions: dict[str, int] = {role: version for role, version, _ in found}
        self._read = {role: bytes(content) for role, _, content in found if content is not None}

    def __getitem__(self, role: str) -> bytes:
        if role not in self._read:
            found = _one(self._connection, _OF_VERSION, self._of, role, version=self._versions[role])
            assert found is not None  # the version was seen in this transaction
            self._read[role] = found.content
        return self._read[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __len__(self) -> int:
        return len(self._versions)

    def __contains__(self, role: object) -> bool:
        return role in self._versions


def add(
    transaction: Transaction, of: Repository, role: str, version: int, content: bytes, sha256: str | None = None
) -> Version:  # fmt: skip
    """Insert a version of a role; with a timestamp goes a line of the change feed.

    A second writer of the same version fails on the primary key, and its whole transaction with it.

    Args:
        transaction: a writing one.
        of: whose metadata.
        role: the role.
        version: its number.
        content: the bytes.
        sha256: their digest in hex, where it is known already.
    """
    now, digest = transaction.now_text(), sha256 or hashlib.sha256(content).hexdigest()
    row = {
        "registry_id": of.registry_id, "gun": of.gun, "role": role, "version": version, "sha256": digest,
        "created": now, "content": content,
    }  # fmt: skip
    _ADD.done(transaction.session.connection(), row)
    if role == "timestamp":
        _feed(transaction, of, version, digest, "update")
    return Version(version, now, content, digest)


KEPT = timedelta(hours=1)
"""How long superseded metadata can still be fetched by digest.

A reader asks by digest within seconds for what a timestamp announced; a proxy may show it that timestamp for five
minutes more (its Cache-Control). An hour is twelve times that (docs/decisions/0007-signed-metadata-by-hand.md).
"""
_OLDEST = Statement(f"SELECT version, created FROM trust_metadata WHERE {_HERE} ORDER BY version LIMIT 8")
_BELOW = Statement(f"DELETE FROM trust_metadata WHERE {_HERE} AND version < :current")


def prune(transaction: Transaction, of: Repository, roles: Iterable[str]) -> None:
    """Delete what was superseded longer than `KEPT` ago; what was the newest then, and all since, stays.

    Looks from the oldest on, and no further than it deletes: however many versions an hour brings, a publish looks at
    a few.

    Args:
        transaction: a writing one.
        of: whose metadata.
        roles: the roles that have just got a new version. Of root every version stays: clients follow the chain.
    """
    connection = transaction.session.connection()
    moment = clock.to_text(transaction.now() - KEPT)
    for role in roles:
        here = {"registry_id": of.registry_id, "gun": of.gun, "role": role}
        oldest = _OLDEST.rows(connection, here) if role != "root" else []
        current = max((version for version, created in oldest if created <= moment), default=None)
        if current is not None and current > oldest[0][0]:
            _BELOW.done(connection, {**here, "current": current})


def remove(transaction: Transaction, of: Repository) -> int:
    """Delete all metadata and tags of a repository and return how many versions there were.

    The server's keys stay, as with the reference (dct-wire-contract.md section 4); a purge of the registry takes them.
    """
    session = transaction.session
    here = _here(TrustMetadata, of)
    count = session.exec(select(func.count()).select_from(TrustMetadata).where(*here)).one()
    session.exec(delete(TrustMetadata).where(*here))
    session.exec(delete(TrustTag).where(*_here(TrustTag, of)))
    if count:
        _feed(transaction, of, 0, "", "deletion")
    return count


# Tags


_PUT_TAG = Statement(
    "INSERT INTO trust_tag (registry_id, gun, role, tag, sha256, length)"
    " VALUES (:registry_id, :gun, :role, :tag, :sha256, :length) ON CONFLICT (registry_id, gun, role, tag)"
    " DO UPDATE SET sha256 = excluded.sha256, length = excluded.length"
)
_DROP_TAG = Statement(f"DELETE FROM trust_tag WHERE {_HERE} AND tag = :tag")


def change_tags(
    session: Session, of: Repository, role: str, signed: Mapping[str, tuple[str, int]], removed: Iterable[str]
) -> None:
    """Bring the table of signed tags up to date: only what changes is touched.

    Args:
        session: of a writing transaction.
        of: whose tags.
        role: who signs them.
        signed: tag to digest (hex) and length.
        removed: tags that the role signs no more.
    """
    here = {"registry_id": of.registry_id, "gun": of.gun, "role": role}
    connection = session.connection()
    _DROP_TAG.each(connection, [{**here, "tag": tag} for tag in removed])
    rows = [{**here, "tag": tag, "sha256": sha256, "length": length} for tag, (sha256, length) in signed.items()]
    _PUT_TAG.each(connection, rows)


# Keys


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key of the server, see `trust.TrustKey`."""

    role: str
    key_id: str
    created: str
    public: bytes
    private_sealed: str


_KEYS = Statement(
    "SELECT role, key_id, created, public, private_sealed FROM trust_key"
    " WHERE registry_id = :registry_id AND gun = :gun ORDER BY created DESC, key_id"
)


def keys(session: Session, of: Repository) -> list[HeldKey]:
    """Return the server's keys of a repository, newest first."""
    found = _KEYS.rows(session.connection(), {"registry_id": of.registry_id, "gun": of.gun})
    return [HeldKey(role, key, created, bytes(public), sealed) for role, key, created, public, sealed in found]


def forget_keys(session: Session, of: Repository, key_ids: Iterable[str]) -> None:
    """Delete keys of the server."""
    session.exec(delete(TrustKey).where(*_here(TrustKey, of), col(TrustKey.key_id).in_(list(key_ids))))


# Change feed


_FEED = Statement(
    "INSERT INTO trust_change (registry_id, gun, version, sha256, category, created)"
    " VALUES (:registry_id, :gun, :version, :sha256, :category, :created)"
)


def _feed(transaction: Transaction, of: Repository, version: int, digest: str, category: str) -> None:
    line = {
        "registry_id": of.registry_id, "gun": of.gun, "version": version, "sha256": digest, "category": category,
        "created": transaction.now_text(),
    }  # fmt: skip
    _FEED.done(transaction.session.connection(), line)


def changes(session: Session, registry_id: str, gun: str, after: int, count: int) -> list[TrustChange]:
    """Return lines of a registry's change feed, oldest first (notary sqldb.go GetChanges).

    Args:
        session: a reading one.
        registry_id: whose feed.
        gun: one repository's lines only, or empty.
        after: the line after which to begin; negative begins at the newest and goes back.
        count: how many lines; negative goes back from `after`, or from the newest when that is 0.
    """
    query = select(TrustChange).where(TrustChange.registry_id == registry_id)
    if gun:
        query = query.where(TrustChange.gun == gun)
    if after >= 0 and count >= 0:
        ahead = query.where(col(TrustChange.id) > after).order_by(col(TrustChange.id))
        return list(session.exec(ahead.limit(count)))
    if after > 0:
        query = query.where(col(TrustChange.id) < after)
    back = query.order_by(col(TrustChange.id).desc()).limit(abs(count))
    return list(session.exec(back))[::-1]
