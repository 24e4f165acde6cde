"""Tags of repositories, and the tags that soft deletion keeps."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Index, func
from sqlmodel import Field, Session, SQLModel, col, delete, select

from azext_trust.server.store.locks import Locks
from azext_trust.server.store.pages import End, page


class Tag(Locks, table=True):
    """A tag: a name for a manifest, which may move."""

    __tablename__ = "tag"
    __table_args__ = (Index("ix_tag_digest", "repository_id", "digest"),)

    repository_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    digest: str
    created: str
    updated: str


class DeletedTag(SQLModel, table=True):
    """A tag that was deleted or moved away while soft deletion was on; one name may be here many times."""

    __tablename__ = "deleted_tag"

    id: int | None = Field(default=None, primary_key=True)
    repository_id: int = Field(index=True)
    name: str
    digest: str
    deleted: str


def by_name(session: Session, repository_id: int, name: str) -> Tag | None:
    """Return a tag."""
    return session.get(Tag, (repository_id, name))


def put(session: Session, repository_id: int, name: str, digest: str, now: str) -> None:
    """Make a tag or move it."""
    found = session.get(Tag, (repository_id, name))
    if found is None:
        session.add(Tag(repository_id=repository_id, name=name, digest=digest, created=now, updated=now))
    else:
        found.digest, found.updated = digest, now
    session.flush()


def names(session: Session, repository_id: int, last: str, limit: int | None) -> list[str]:
    """Return tag names in order, those after `last`; hidden ones are left out."""
    query = select(Tag.name).where(
        Tag.repository_id == repository_id, col(Tag.name) > last, col(Tag.list_enabled).is_(True)
    )
    return list(session.exec(query.order_by(col(Tag.name)).limit(limit)))


def listed(
    session: Session, repository_id: int, *, newest_first: bool | None, after: End | None, limit: int, digest: str = ""
) -> list[Tag]:
    """Return a page (`pages.page`) of a repository's tags that are not hidden, or of those of one manifest."""
    name, updated = col(Tag.name), col(Tag.updated)
    query = select(Tag).where(Tag.repository_id == repository_id, col(Tag.list_enabled).is_(True))
    if digest:
        query = query.where(Tag.digest == digest)
    return list(session.exec(page(query, name, updated, newest_first=newest_first, after=after, limit=limit)))


def of_manifests(session: Session, repository_id: int, digests: Iterable[str]) -> dict[str, list[Tag]]:
    """Return the tags of manifests, by digest; each list in the order of names."""
    found: dict[str, list[Tag]] = {}
    query = select(Tag).where(Tag.repository_id == repository_id, col(Tag.digest).in_(list(digests)))
    for tag in session.exec(query.order_by(col(Tag.name))):
        found.setdefault(tag.digest, []).append(tag)
    return found


def counted(session: Session, repository_id: int) -> int:
    """Return how many tags a repository holds."""
    return session.exec(select(func.count()).select_from(Tag).where(Tag.repository_id == repository_id)).one()


def soft_deleted(session: Session, repository_id: int) -> list[DeletedTag]:
    """Return the tags that soft deletion keeps, the first deleted first."""
    query = select(DeletedTag).where(DeletedTag.repository_id == repository_id)
    return list(session.exec(query.order_by(col(DeletedTag.deleted), col(DeletedTag.id))))


def forget_deleted(session: Session, repository_id: int, name: str, digest: str) -> None:
    """Forget that a tag was deleted from a manifest: it is back."""
    session.exec(
        delete(DeletedTag).where(
            col(DeletedTag.repository_id) == repository_id,
            col(DeletedTag.name) == name,
            col(DeletedTag.digest) == digest,
        )
    )
