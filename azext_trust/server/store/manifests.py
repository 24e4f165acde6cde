"""Manifests with their content, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import JSON, BigInteger, Column, Index, func
from sqlalchemy.orm import defer
from sqlmodel import Field, Session, SQLModel, col, delete, select
from sqlmodel.sql.expression import SelectOfScalar

from azext_trust.server.store.locks import Locks
from azext_trust.server.store.pages import End, page
from azext_trust.server.store.tags import Tag

BLOB, MANIFEST = "blob", "manifest"
"""What a manifest may refer to."""
PASSED, QUARANTINED = "Passed", "Quarantined"


class Manifest(Locks, table=True):
    """A manifest of a repository, exactly as pushed.

    `deleted` is the moment of its soft deletion, or empty; `untagged` since when it has no tag, or empty. Both are
    in `clock.to_text` form. `image_size` counts what it refers to, in bytes.
    """

    __tablename__ = "manifest"
    __table_args__ = (Index("ix_manifest_subject", "repository_id", "subject"),)

    repository_id: int = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    media_type: str
    content: bytes
    size: int
    image_size: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    config_media_type: str | None = None
    artifact_type: str | None = None
    subject: str | None = None
    architecture: str | None = None
    os: str | None = None
    annotations: dict[str, str] | None = Field(default=None, sa_column=Column(JSON))
    created: str
    updated: str
    untagged: str = Field(default="", index=True)
    deleted: str = Field(default="", index=True)
    quarantine_state: str = PASSED
    quarantine_details: str | None = None


class ManifestReference(SQLModel, table=True):
    """A manifest refers to a blob (config, layer) or to another manifest (an index does)."""

    __tablename__ = "manifest_reference"
    __table_args__ = (Index("ix_manifest_reference_target", "repository_id", "target"),)

    repository_id: int = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    kind: str


def _lean() -> SelectOfScalar[Manifest]:
    """Select manifests without their content, which may be megabytes each."""
    return select(Manifest).options(defer(Manifest.content, raiseload=True))  # type: ignore[arg-type]  # a column it is


def by_digest(session: Session, repository_id: int, digest: str, *, deleted: bool = False) -> Manifest | None:
    """Return a manifest that is live, or one that is soft-deleted."""
    found = session.get(Manifest, (repository_id, digest))
    return found if found is not None and bool(found.deleted) == deleted else None


def present(session: Session, repository_id: int, digests: Iterable[str]) -> set[str]:
    """Return those of the digests that are live manifests of the repository."""
    query = select(Manifest.digest).where(
        Manifest.repository_id == repository_id, Manifest.deleted == "", col(Manifest.digest).in_(list(digests))
    )
    return set(session.exec(query))


def counted(session: Session, repository_id: int) -> int:
    """Return how many live manifests a repository holds."""
    query = select(func.count()).select_from(Manifest)
    return session.exec(query.where(Manifest.repository_id == repository_id, Manifest.deleted == "")).one()


def refer(session: Session, manifest: Manifest, blobs: Iterable[str], manifests: Iterable[str]) -> None:
    """Write down what a new manifest refers to."""
    kinds = dict.fromkeys(blobs, BLOB) | dict.fromkeys(manifests, MANIFEST)
    session.add_all(
        ManifestReference(repository_id=manifest.repository_id, digest=manifest.digest, target=target, kind=kind)
        for target, kind in kinds.items()
    )


def referring(session: Session, repository_id: int, target: str) -> list[str]:
    """Return the digests of the manifests, live or soft-deleted, that refer to a blob or manifest."""
    query = select(ManifestReference.digest).where(
        ManifestReference.repository_id == repository_id, ManifestReference.target == target
    )
    return list(session.exec(query))


def referrers(session: Session, repository_id: int, subject: str, artifact_type: str | None) -> list[Manifest]:
    """Return the live manifests whose subject this digest is, all or those of an artifact type, oldest first."""
    query = _lean().where(Manifest.repository_id == repository_id, Manifest.subject == subject, Manifest.deleted == "")
    if artifact_type:
        query = query.where(Manifest.artifact_type == artifact_type)
    return list(session.exec(query.order_by(col(Manifest.created), col(Manifest.digest))))


def listed(
    session: Session, repository_id: int, *, newest_first: bool | None, after: End | None, limit: int
) -> list[Manifest]:
    """Return a page (`pages.page`) of a repository's live manifests that are not hidden."""
    query = _lean().where(
        Manifest.repository_id == repository_id, Manifest.deleted == "", col(Manifest.list_enabled).is_(True)
    )
    digest, updated = col(Manifest.digest), col(Manifest.updated)
    return list(session.exec(page(query, digest, updated, newest_first=newest_first, after=after, limit=limit)))


def all_of(session: Session, repository_id: int) -> list[Manifest]:
    """Return all live manifests of a repository, without their content."""
    query = _lean().where(Manifest.repository_id == repository_id, Manifest.deleted == "")
    return list(session.exec(query.order_by(col(Manifest.digest))))


def soft_deleted(session: Session, repository_id: int) -> list[Manifest]:
    """Return a repository's soft-deleted manifests, the first deleted first."""
    query = _lean().where(Manifest.repository_id == repository_id, Manifest.deleted != "")
    return list(session.exec(query.order_by(col(Manifest.deleted), col(Manifest.digest))))


def erase(session: Session, repository_id: int, digest: str) -> None:
    """Delete a manifest for good, with what it refers to written down and the tags that name it."""
    for table in (ManifestReference, Tag, Manifest):
        session.exec(delete(table).where(col(table.repository_id) == repository_id, col(table.digest) == digest))


def note_untagged(session: Session, repository_id: int, digest: str, now: str) -> None:
    """Bring `untagged` of a manifest up to date after a tag came or went."""
    found = session.get(Manifest, (repository_id, digest))
    if found is None:
        return
    tagged = session.exec(
        select(Tag.name).where(Tag.repository_id == repository_id, Tag.digest == digest).limit(1)
    ).first()
    found.untagged = "" if tagged is not None else found.untagged or now
    session.flush()
