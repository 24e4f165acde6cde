"""Trust data of registries: signed metadata, the server's own keys, the change feed; and its erasure (M4)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Field, Session, SQLModel, col, delete, select

from azext_trust.server.store import facts, wipe
from azext_trust.server.store.registries import Registry
from azext_trust.server.store.transaction import Transaction


class TrustMetadata(SQLModel, table=True):
    """One version of one role's signed metadata, exactly as uploaded or signed here."""

    __tablename__ = "trust_metadata"

    registry_id: str = Field(primary_key=True)
    gun: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    sha256: str = Field(index=True)
    created: str
    content: bytes


class TrustTag(SQLModel, table=True):
    """A signed tag of the newest metadata: what is shown and counted without reading metadata."""

    __tablename__ = "trust_tag"

    registry_id: str = Field(primary_key=True)
    gun: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    tag: str = Field(primary_key=True)
    sha256: str
    length: int


class TrustKey(SQLModel, table=True):
    """A timestamp or snapshot key that the server made and keeps; the private half is encrypted (M17)."""

    __tablename__ = "trust_key"

    registry_id: str = Field(primary_key=True)
    gun: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    key_id: str = Field(primary_key=True)
    created: str
    public: bytes
    private_sealed: str


class TrustChange(SQLModel, table=True):
    """A line of the change feed."""

    __tablename__ = "trust_change"

    id: int | None = Field(default=None, primary_key=True)
    registry_id: str = Field(index=True)
    gun: str
    version: int
    sha256: str
    category: str
    created: str


TABLES = (TrustMetadata, TrustTag, TrustKey, TrustChange)


@dataclass(frozen=True)
class Loss:
    """What disabling content trust would destroy.

    Attributes:
        repositories: repositories with trust data.
        signed_tags: signed tags in all of them.
    """

    repositories: int
    signed_tags: int


def loss(session: Session, registry_id: str) -> Loss:
    """Count what disabling content trust on a registry would destroy."""
    repositories = session.exec(
        select(func.count(func.distinct(TrustMetadata.gun))).where(TrustMetadata.registry_id == registry_id)
    ).one()
    tags = select(TrustTag.gun, TrustTag.tag).where(TrustTag.registry_id == registry_id).distinct().subquery()
    return Loss(repositories, session.exec(select(func.count()).select_from(tags)).one())


def erase(transaction: Transaction, registry_id: str) -> Loss:
    """Delete all trust data of a registry: every version of every role, the server's keys, the change feed.

    Part of the caller's transaction: all of it goes, or nothing. `Transaction.truncate` makes success wait until no
    byte of it is left in the state's files.
    """
    session = transaction.session
    lost = loss(session, registry_id)
    rows = 0
    for table in TABLES:
        rows += session.connection().execute(delete(table).where(col(table.registry_id) == registry_id)).rowcount
    # Where trust is on, rows that were deleted one by one before may have left bytes.
    registry = session.get(Registry, registry_id)
    if rows or (registry is not None and registry.trust_enabled):
        wipe.ask(session)
        transaction.truncate = True
    return lost


def finish_erasing(transaction: Transaction) -> None:
    """Let success wait for the bytes of an earlier erasure too: whoever asks for it again hears the truth."""
    if facts.get(transaction.session, facts.WIPE):
        transaction.truncate = True
