"""Trust data of registries: signed metadata, the server's own keys, the change feed; and its erasure (M4).

In every table `registry_id` is the registry's trust space (`registries.Registry.trust_space`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, func
from sqlalchemy import select as core_select
from sqlmodel import Field, Session, SQLModel, col, select

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


def loss(session: Session, registry: Registry) -> Loss:
    """Count what disabling content trust on a registry would destroy.

    A repository in which one role signs, as nearly all are, is counted along the index; a tag that several roles sign
    is one tag, which takes comparing them.
    """
    here = TrustMetadata.registry_id == registry.trust_space
    repositories = session.exec(select(func.count(func.distinct(TrustMetadata.gun))).where(here)).one()
    counts: dict[str, int] = {}
    shared: set[str] = set()
    for row in session.connection().execute(_COUNTS, {"space": registry.trust_space}):
        if row.gun in counts:
            shared.add(row.gun)
        counts[row.gun] = row.tags
    for gun in shared:
        counts[gun] = session.connection().execute(_DISTINCT, {"space": registry.trust_space, "gun": gun}).scalar() or 0
    return Loss(repositories, sum(counts.values()))


_TAGS = TrustTag.__table__  # type: ignore[attr-defined]
_COUNTS = (
    core_select(_TAGS.c.gun, _TAGS.c.role, func.count().label("tags"))
    .where(_TAGS.c.registry_id == bindparam("space"))
    .group_by(_TAGS.c.gun, _TAGS.c.role)
)
_DISTINCT = core_select(func.count(func.distinct(_TAGS.c.tag))).where(
    _TAGS.c.registry_id == bindparam("space"), _TAGS.c.gun == bindparam("gun")
)


def signed_digests(session: Session, space: str, gun: str, names: Iterable[str]) -> set[tuple[str, str]]:
    """Return (tag, digest) of those tags of a repository that trust data vouches for, whatever role signed them.

    Args:
        session: a reading one.
        space: the registry's trust space.
        gun: the repository, host included.
        names: tags.
    """
    query = select(TrustTag.tag, TrustTag.sha256).where(
        TrustTag.registry_id == space, TrustTag.gun == gun, col(TrustTag.tag).in_(list(names))
    )
    return {(tag, f"sha256:{sha256}") for tag, sha256 in session.exec(query)}


def erase(transaction: Transaction, registry: Registry) -> Loss:
    """Erase all trust data of a registry: every version of every role, the server's keys, the change feed.

    Part of the caller's transaction: all of it goes, or nothing. The registry gets a new trust space: what lies in the
    old one belongs to nobody from the commit on, however much it is. `wipe` deletes it and its bytes, and
    `Transaction.truncate` makes success wait for that.

    Returns:
        what was lost.
    """
    session = transaction.session
    lost = loss(session, registry)
    if registry.trust_enabled or holds_any(session, registry):
        # Where trust is on, rows that were deleted one by one before may have left bytes.
        wipe.ask(session)
        transaction.truncate = True
    registry.trust_space = str(uuid.uuid4())
    session.add(registry)
    return lost


def holds_any(session: Session, registry: Registry) -> bool:
    """Tell whether there is any row of a registry's trust data, keys that no root names yet among them."""
    return any(
        session.exec(select(table.registry_id).where(table.registry_id == registry.trust_space).limit(1)).first()
        for table in TABLES
    )


def finish_erasing(transaction: Transaction) -> None:
    """Let success wait for the bytes of an earlier erasure too: whoever asks for it again hears the truth."""
    if facts.get(transaction.session, facts.WIPE):
        transaction.truncate = True
