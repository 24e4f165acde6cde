"""Repositories of registries. One is seen while it holds a manifest; its row may come before and stay after."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, col, select

from azext_trust.server.store.locks import Locks
from azext_trust.server.store.manifests import Manifest


class Repository(Locks, table=True):
    """A repository of a registry."""

    __tablename__ = "repository"
    __table_args__ = (UniqueConstraint("registry_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    registry_id: str = Field(index=True)
    name: str
    created: str
    updated: str

    @property
    def key(self) -> int:
        """The id of a stored row."""
        assert self.id is not None
        return self.id


def by_name(session: Session, registry_id: str, name: str) -> Repository | None:
    """Return a repository's row, seen or not."""
    return session.exec(
        select(Repository).where(Repository.registry_id == registry_id, Repository.name == name)
    ).first()


def seen(session: Session, registry_id: str, name: str) -> Repository | None:
    """Return a repository that holds a manifest which is not deleted, or None."""
    query = select(Repository).where(Repository.registry_id == registry_id, Repository.name == name, _holds(""))
    return session.exec(query).first()


def made(session: Session, registry_id: str, name: str, now: str) -> Repository:
    """Return a repository's row, made when missing. Part of a writing transaction.

    Args:
        session: a writing one.
        registry_id: the registry.
        name: a valid repository name.
        now: the moment, in `clock.to_text` form.
    """
    found = by_name(session, registry_id, name)
    if found is None:
        found = Repository(registry_id=registry_id, name=name, created=now, updated=now)
        session.add(found)
        session.flush()
    return found


def listed(session: Session, registry_id: str, last: str, limit: int, *, deleted: bool = False) -> list[str]:
    """Return the names of repositories in order, those after `last`; hidden ones are left out.

    Args:
        session: a reading one.
        registry_id: the registry.
        last: where the page before ended, or empty.
        limit: how many at most.
        deleted: those that hold a soft-deleted manifest instead of a live one.
    """
    query = select(Repository.name).where(
        Repository.registry_id == registry_id, col(Repository.name) > last, _holds("deleted" if deleted else "")
    )
    if not deleted:
        query = query.where(col(Repository.list_enabled).is_(True))
    return list(session.exec(query.order_by(col(Repository.name)).limit(limit)))


def _holds(state: str):  # type: ignore[no-untyped-def]  # SQLAlchemy's expression types are not nameable here
    live = col(Manifest.deleted) == "" if not state else col(Manifest.deleted) != ""
    return select(Manifest.digest).where(col(Manifest.repository_id) == col(Repository.id), live).exists()
