"""Blobs: content known by its digest, once for the whole cloud, and which repository may see it.

A blob's row names where its bytes lie (`location`), and no location is ever used twice: deleting a row and deleting
bytes need not be one step, and an upload of the same content in between is never hurt.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, func, insert, update
from sqlmodel import Field, Session, SQLModel, col, delete, select

from azext_trust.server.store.repositories import Repository


class Blob(SQLModel, table=True):
    """Stored content. `created` is the machine's time in seconds: grace periods do not follow the cloud's clock."""

    __tablename__ = "blob"

    digest: str = Field(primary_key=True)
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    location: str
    created: int = Field(sa_column=Column(BigInteger, nullable=False))


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


_FIND = (
    sqlalchemy.select(
        col(Blob.size), col(Blob.location), col(BlobLink.touched), col(Repository.read_enabled), col(Repository.id)
    )
    .join(BlobLink, col(BlobLink.digest) == col(Blob.digest))
    .join(Repository, col(Repository.id) == col(BlobLink.repository_id))
)


class Found:
    """A blob as a repository sees it.

    Attributes:
        size: bytes.
        location: where they lie.
        touched: see `BlobLink`.
        readable: whether the repository may be read.
        repository_id: the repository.
    """

    __slots__ = ("location", "readable", "repository_id", "size", "touched")

    def __init__(self, size: int, location: str, touched: int, readable: bool, repository_id: int) -> None:
        self.size, self.location, self.touched = size, location, touched
        self.readable, self.repository_id = readable, repository_id


def find(session: Session, registry_id: str, repository: str, digest: str) -> Found | None:
    """Return a blob as a repository sees it, or None."""
    query = _FIND.where(
        col(Repository.registry_id) == registry_id, col(Repository.name) == repository, col(Blob.digest) == digest
    )
    row = session.connection().execute(query).first()
    return Found(row[0], row[1], row[2], row[3], int(row[4] or 0)) if row is not None else None


def sizes(session: Session, repository_id: int, digests: Iterable[str]) -> dict[str, int]:
    """Return the sizes of those of the digests that the repository holds."""
    query = select(Blob.digest, Blob.size).join(BlobLink, col(BlobLink.digest) == col(Blob.digest))
    query = query.where(BlobLink.repository_id == repository_id, col(Blob.digest).in_(list(digests)))
    return {row[0]: row[1] for row in session.connection().execute(query)}


def add(session: Session, digest: str, size: int, location: str) -> bool:
    """Write down stored content; False when it was there already, and the bytes at `location` are not needed."""
    connection = session.connection()
    if connection.execute(select(Blob.digest).where(Blob.digest == digest)).first() is not None:
        return False
    connection.execute(insert(Blob).values(digest=digest, size=size, location=location, created=int(time.time())))
    return True


def link(session: Session, registry_id: str, repository_id: int, digest: str, size: int) -> None:
    """Let a repository hold a blob; the registry's usage grows when no repository of it held the blob before."""
    connection, now = session.connection(), int(time.time())
    values = {"repository_id": repository_id, "digest": digest, "registry_id": registry_id, "touched": now}
    if _touched(session, repository_id, [digest], now):
        return
    held = select(BlobLink.digest).where(BlobLink.registry_id == registry_id, BlobLink.digest == digest).limit(1)
    if connection.execute(held).first() is None:
        _grow(session, registry_id, size)
    connection.execute(insert(BlobLink).values(**values))


def _touched(session: Session, repository_id: int, digests: list[str], now: int) -> int:
    query = update(BlobLink).where(col(BlobLink.repository_id) == repository_id, col(BlobLink.digest).in_(digests))
    return session.connection().execute(query.values(touched=now)).rowcount


def touch(session: Session, repository_id: int, digests: Iterable[str]) -> None:
    """Note that a push relies on blobs now: collection leaves them alone for the grace period."""
    _touched(session, repository_id, list(digests), int(time.time()))


def unlink(session: Session, registry_id: str, repository_id: int, digests: Iterable[str]) -> None:
    """Take blobs away from a repository; the bytes stay until they are collected."""
    for digest in digests:
        session.exec(
            delete(BlobLink).where(col(BlobLink.repository_id) == repository_id, col(BlobLink.digest) == digest)
        )
        held = select(BlobLink.digest).where(BlobLink.registry_id == registry_id, BlobLink.digest == digest).limit(1)
        blob = session.get(Blob, digest)
        if blob is not None and session.exec(held).first() is None:
            _grow(session, registry_id, -blob.size)


def _grow(session: Session, registry_id: str, by: int) -> None:
    connection = session.connection()
    query = update(RegistryUsage).where(col(RegistryUsage.registry_id) == registry_id)
    if not connection.execute(query.values(bytes=col(RegistryUsage.bytes) + by)).rowcount:
        connection.execute(insert(RegistryUsage).values(registry_id=registry_id, bytes=by))


def usage(session: Session, registry_id: str) -> int:
    """Return how many bytes of blobs a registry holds."""
    query = select(RegistryUsage.bytes).where(RegistryUsage.registry_id == registry_id)
    return int(session.connection().execute(query).scalar() or 0)


def holds(session: Session, registry_id: str, digest: str) -> bool:
    """Tell whether any repository of a registry holds a blob."""
    query = select(BlobLink.digest).where(BlobLink.registry_id == registry_id, BlobLink.digest == digest).limit(1)
    return session.connection().execute(query).first() is not None


def counted(session: Session, registry_id: str) -> int:
    """Count a registry's usage anew from its links."""
    held = select(BlobLink.digest).where(BlobLink.registry_id == registry_id).distinct().subquery()
    query = select(func.coalesce(func.sum(col(Blob.size)), 0)).where(col(Blob.digest).in_(select(held.c.digest)))
    return int(session.exec(query).one())
