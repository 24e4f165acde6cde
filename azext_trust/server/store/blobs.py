"""Blobs: content known by its digest, once for the whole cloud, and which repository may see it.

A blob's row names where its bytes lie (`location`), and no location is ever used twice: deleting a row and deleting
bytes need not be one step, and an upload of the same content in between is never hurt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Connection, Index, func, update
from sqlmodel import Field, Session, SQLModel, col, delete, select

from azext_trust.server.store import clock
from azext_trust.server.store.statements import Statement

INLINE = 16 * 1024
"""Content of at most this many bytes lies in the database: an image's config costs one wait for the disk, not two."""


class Blob(SQLModel, table=True):
    """Stored content; where `location` is empty it lies in `BlobContent`.

    `created` is the machine's time in seconds: grace periods do not follow the cloud's clock.
    """

    __tablename__ = "blob"

    digest: str = Field(primary_key=True)
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    location: str
    created: int = Field(sa_column=Column(BigInteger, nullable=False))


def lying(session: Session) -> bool:
    """Tell whether bytes of any blob lie in the object store."""
    return session.exec(select(Blob.digest).where(Blob.location != "").limit(1)).first() is not None


class BlobContent(SQLModel, table=True):
    """The bytes of a small blob."""

    __tablename__ = "blob_content"

    digest: str = Field(primary_key=True)
    content: bytes


class BlobLink(SQLModel, table=True):
    """A repository holds a blob. `touched` is when a push last relied on it, in seconds of the machine's time."""

    __tablename__ = "blob_link"
    __table_args__ = (Index("ix_blob_link_registry", "registry_id", "digest"), Index("ix_blob_link_digest", "digest"))

    repository_id: int = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    registry_id: str
    touched: int = Field(sa_column=Column(BigInteger, nullable=False))


class BlobTrash(SQLModel, table=True):
    """Bytes that no row names any more and that are still to be deleted."""

    __tablename__ = "blob_trash"

    location: str = Field(primary_key=True)


class RegistryUsage(SQLModel, table=True):
    """How many bytes of blobs a registry holds, each blob counted once."""

    __tablename__ = "registry_usage"

    registry_id: str = Field(primary_key=True)
    bytes: int = Field(sa_column=Column(BigInteger, nullable=False))


@dataclass(frozen=True, slots=True)
class Found:
    """A blob as a repository sees it.

    Attributes:
        size: bytes.
        location: where they lie.
        touched: see `BlobLink`.
        readable: whether the repository may be read.
        repository_id: the repository.
    """

    size: int
    location: str
    touched: int
    readable: bool
    repository_id: int


_FIND = Statement(
    "SELECT b.size, b.location, l.touched, r.read_enabled, r.id FROM repository r"
    " JOIN blob_link l ON l.repository_id = r.id JOIN blob b ON b.digest = l.digest"
    " WHERE r.registry_id = :registry AND r.name = :name AND l.digest = :digest"
)


def find(connection: Connection, registry_id: str, repository: str, digest: str) -> Found | None:
    """Return a blob as a repository sees it, or None."""
    row = _FIND.first(connection, {"registry": registry_id, "name": repository, "digest": digest})
    return Found(row[0], row[1], row[2], bool(row[3]), row[4]) if row is not None else None


def sizes(session: Session, repository_id: int, digests: Iterable[str]) -> dict[str, int]:
    """Return the sizes of those of the digests that the repository holds."""
    query = select(Blob.digest, Blob.size).join(BlobLink, col(BlobLink.digest) == col(Blob.digest))
    query = query.where(BlobLink.repository_id == repository_id, col(Blob.digest).in_(list(digests)))
    return {row[0]: row[1] for row in session.connection().execute(query)}


@dataclass(frozen=True, slots=True)
class Arrival:
    """Content that comes to a repository.

    Attributes:
        registry_id: the registry.
        repository: the repository's name; its row is made when missing.
        digest: of the content.
        size: bytes.
        location: where they lie, empty for `content`; None for a blob that the registry holds already.
        most: bytes that the registry may hold.
        now: the moment in `clock.to_text` form, for a repository that is made.
        content: small content, which lies in the database.
    """

    registry_id: str
    repository: str
    digest: str
    size: int
    location: str | None
    most: int
    now: str
    content: bytes = b""


_REPOSITORY = "SELECT {} FROM repository WHERE registry_id = :registry_id AND name = :repository"
_STATE = Statement(
    f"SELECT ({_REPOSITORY.format('id')}), ({_REPOSITORY.format('write_enabled')}),"
    " (SELECT 1 FROM blob WHERE digest = :digest),"
    " (SELECT 1 FROM blob_link WHERE registry_id = :registry_id AND digest = :digest LIMIT 1),"
    " (SELECT bytes FROM registry_usage WHERE registry_id = :registry_id)"
)
_ADD_REPOSITORY = Statement(
    "INSERT INTO repository (registry_id, name, created, updated, delete_enabled, write_enabled, list_enabled,"
    " read_enabled) VALUES (:registry_id, :repository, :now, :now, true, true, true, true) RETURNING id"
)
_ADD_BLOB = Statement("INSERT INTO blob (digest, size, location, created) VALUES (:digest, :size, :location, :touched)")
_ADD_CONTENT = Statement("INSERT INTO blob_content (digest, content) VALUES (:digest, :content)")
_CONTENT = Statement("SELECT content FROM blob_content WHERE digest = :digest")
_ADD_LINK = Statement(
    "INSERT INTO blob_link (repository_id, digest, registry_id, touched)"
    " VALUES (:repository_id, :digest, :registry_id, :touched)"
    " ON CONFLICT (repository_id, digest) DO UPDATE SET touched = excluded.touched"
)
_GROW = Statement(
    "INSERT INTO registry_usage (registry_id, bytes) VALUES (:registry_id, :size)"
    " ON CONFLICT (registry_id) DO UPDATE SET bytes = registry_usage.bytes + excluded.bytes"
)


class Refused(Exception):
    """The repository is locked, or the registry may hold no more."""


class Missing(Exception):
    """The blob that the registry was to hold already is gone."""


def arrive(connection: Connection, arrival: Arrival) -> bool:
    """Let a repository hold content, in the caller's writing transaction.

    Returns:
        False when the content was there already: the bytes at `location` are not needed.

    Raises:
        Refused: the repository is locked, or the registry may hold no more.
        Missing: there is neither the blob nor new content.
    """
    values: dict[str, object] = {
        "registry_id": arrival.registry_id, "repository": arrival.repository, "digest": arrival.digest,
        "size": arrival.size, "location": arrival.location, "now": arrival.now, "touched": int(clock.machine().timestamp()),
        "content": arrival.content,
    }  # fmt: skip
    repository_id, writable, known, held, used = _STATE.first(connection, values) or (None,) * 5
    if repository_id is None:
        repository_id, writable = (_ADD_REPOSITORY.first(connection, values) or (None,))[0], True
    if not writable or (not held and (used or 0) + arrival.size > arrival.most):
        raise Refused
    if not known:
        if arrival.location is None:
            raise Missing
        _ADD_BLOB.run(connection, values).close()
        if not arrival.location:
            _ADD_CONTENT.run(connection, values).close()
    _ADD_LINK.run(connection, values | {"repository_id": repository_id}).close()
    if not held:
        _GROW.run(connection, values).close()
    return not known


def content_of(connection: Connection, digest: str) -> bytes | None:
    """Return the bytes of a small blob, or None when it has just been collected."""
    row = _CONTENT.first(connection, {"digest": digest})
    return bytes(row[0]) if row is not None else None


def touch(connection: Connection, repository_id: int, digests: Iterable[str]) -> None:
    """Note that a push relies on blobs now: collection leaves them alone for the grace period."""
    query = update(BlobLink).where(
        col(BlobLink.repository_id) == repository_id, col(BlobLink.digest).in_(list(digests))
    )
    connection.execute(query.values(touched=int(clock.machine().timestamp())))


def unlink(session: Session, registry_id: str, repository_id: int, digests: Iterable[str]) -> None:
    """Take blobs away from a repository; the bytes stay until they are collected."""
    for digest in digests:
        session.exec(
            delete(BlobLink).where(col(BlobLink.repository_id) == repository_id, col(BlobLink.digest) == digest)
        )
        held = select(BlobLink.digest).where(BlobLink.registry_id == registry_id, BlobLink.digest == digest).limit(1)
        blob = session.get(Blob, digest)
        if blob is not None and session.exec(held).first() is None:
            _GROW.run(session.connection(), {"registry_id": registry_id, "size": -blob.size}).close()


def usage(session: Session, registry_id: str) -> int:
    """Return how many bytes of blobs a registry holds."""
    found = session.get(RegistryUsage, registry_id)
    return found.bytes if found is not None else 0


def counted(session: Session, registry_id: str) -> int:
    """Count a registry's usage anew from its links."""
    held = select(BlobLink.digest).where(BlobLink.registry_id == registry_id).distinct().subquery()
    query = select(func.coalesce(func.sum(col(Blob.size)), 0)).where(col(Blob.digest).in_(select(held.c.digest)))
    return int(session.exec(query).one())
