"""Sweeping up: what policies say may go, and the bytes that nobody needs. Never what a running push relies on.

A push is kept safe in three ways: a repository is left alone while an upload to it goes on, and for a grace period after
a push last brought a blob or asked for one; an upload stays as long as bytes come, and for a while after; and bytes are
deleted only when no row names them, at a location that is never used again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, delete, select

from azext_trust.server.store import blobs, clock, contents, facts, imports, manifests
from azext_trust.server.store.blobs import Blob, BlobContent, BlobLink, BlobTrash, RegistryUsage
from azext_trust.server.store.manifests import Manifest, ManifestReference
from azext_trust.server.store.registries import Registry
from azext_trust.server.store.repositories import Repository
from azext_trust.server.store.tags import DeletedTag, Tag
from azext_trust.server.store.transaction import Store, Transaction

GRACE_SECONDS = 24 * 3600
"""How long a repository is left alone after a push touched it, and bytes that no row names."""
LEASE_SECONDS = 3600
"""For how long after its last byte an upload counts as going on."""
UPLOAD_SECONDS = 7 * 24 * 3600
"""How long an upload stays that nobody goes on with."""


@dataclass
class Swept:
    """What was removed.

    Attributes:
        manifests: by retention, or when their soft deletion ended.
        links: blobs that repositories held and no manifest needs.
        blobs: that no repository holds any more.
        bytes: how large those were.
        uploads: that nobody went on with.
        orphans: bytes that a crash had left behind.
    """

    manifests: int = 0
    links: int = 0
    blobs: int = 0
    bytes: int = 0
    uploads: int = 0
    orphans: int = 0


def sweep(store: Store, grace_seconds: float = GRACE_SECONDS, upload_seconds: float = UPLOAD_SECONDS) -> Swept:
    """Apply the policies of every registry and delete what nobody needs.

    Args:
        store: the state.
        grace_seconds: how long after its last use a blob is left alone.
        upload_seconds: how long an idle upload is left alone.
    """
    swept = Swept()
    with store.write(moves=facts.CONTENT) as transaction:
        _forget_lost_registries(transaction)
        imports.forget_old(transaction.session)
        swept.manifests = _retire(transaction)
        before = int(clock.machine().timestamp() - grace_seconds)
        going_on = {one.name.partition(".")[0] for one in store.contents.uploads() if one.idle < LEASE_SECONDS}
        swept.links = _unlink(transaction.session, before, going_on)
        sizes = _condemn(transaction.session, before)
        swept.blobs, swept.bytes = len(sizes), sum(sizes)
    _empty_trash(store)
    _sweep_contents(store, swept, grace_seconds, upload_seconds)
    return swept


def _forget_lost_registries(transaction: Transaction) -> None:
    """Remove what registries held that no longer exist."""
    session = transaction.session
    known = select(Registry.id)
    lost = select(Repository.id).where(col(Repository.registry_id).not_in(known))
    for table in (Manifest, ManifestReference, Tag, DeletedTag, BlobLink):
        session.exec(delete(table).where(col(table.repository_id).in_(lost)))
    session.exec(delete(Repository).where(col(Repository.registry_id).not_in(known)))
    session.exec(delete(RegistryUsage).where(col(RegistryUsage.registry_id).not_in(known)))


def _retire(transaction: Transaction) -> int:
    """Delete untagged manifests past retention, and soft-deleted ones past theirs; both go by the cloud's clock."""
    count = 0
    for registry in transaction.session.exec(select(Registry)).all():
        count += _retire_untagged(transaction, registry) + _end_soft_deletion(transaction, registry)
    return count


def _days_ago(transaction: Transaction, days: object) -> str:
    return clock.to_text(transaction.now() - timedelta(days=float(str(days))))


def _retire_untagged(transaction: Transaction, registry: Registry) -> int:
    """Delete manifests that have had no tag for the policy's days; those untagged before it began are left alone."""
    policy = registry.policies.get("retentionPolicy", {})
    if policy.get("status") != "enabled" or registry.sku != "Premium":
        return 0
    session, end = transaction.session, _days_ago(transaction, policy.get("days", 7))
    query = (
        select(Manifest.repository_id, Manifest.digest)
        .join(Repository, col(Repository.id) == col(Manifest.repository_id))
        .where(
            Repository.registry_id == registry.id, Manifest.deleted == "", Manifest.untagged != "",
            col(Manifest.untagged) <= end, col(Manifest.untagged) >= str(policy.get("lastUpdatedTime", "")),
            col(Manifest.delete_enabled).is_(True), col(Manifest.write_enabled).is_(True),
            col(Repository.delete_enabled).is_(True), col(Repository.write_enabled).is_(True),
        )
    )  # fmt: skip
    count = 0
    for repository_id, digest in session.exec(query).all():
        # A manifest of an index or one with a subject lives and dies with that.
        if not manifests.referring(session, repository_id, digest) and not _about(session, repository_id, digest):
            manifests.erase(session, repository_id, digest)
            count += 1
    return count


def _about(session: Session, repository_id: int, digest: str) -> bool:
    """Tell whether a manifest is about another one that is there: a signature is never tagged."""
    subject = session.exec(
        select(Manifest.subject).where(Manifest.repository_id == repository_id, Manifest.digest == digest)
    ).first()
    return bool(subject) and bool(manifests.present(session, repository_id, [str(subject)]))


def _end_soft_deletion(transaction: Transaction, registry: Registry) -> int:
    policy = registry.policies.get("softDeletePolicy", {})
    session, end = transaction.session, _days_ago(transaction, policy.get("retentionDays", 7))
    own = select(Repository.id).where(Repository.registry_id == registry.id)
    ended = col(Manifest.deleted) <= end
    query = select(Manifest.repository_id, Manifest.digest).where(
        col(Manifest.repository_id).in_(own), Manifest.deleted != "", ended
    )
    found = session.exec(query).all()
    for repository_id, digest in found:
        manifests.erase(session, repository_id, digest)
    session.exec(delete(DeletedTag).where(col(DeletedTag.repository_id).in_(own), col(DeletedTag.deleted) <= end))
    return len(found)


def _unlink(session: Session, before: int, going_on: set[str]) -> int:
    """Take blobs away from repositories whose manifests do not refer to them, unless a push may be about to."""
    touched = select(BlobLink.digest).where(
        col(BlobLink.repository_id) == col(Repository.id), col(BlobLink.touched) >= before
    )
    count = 0
    for repository in session.exec(select(Repository).where(~touched.exists())).all():
        if contents.owner(repository.registry_id, repository.name) not in going_on:
            loose = _loose(session, repository.key)
            blobs.unlink(session, repository.registry_id, repository.key, loose)
            count += len(loose)
    return count


def _loose(session: Session, repository_id: int) -> list[str]:
    needed = select(ManifestReference.target).where(
        col(ManifestReference.repository_id) == repository_id,
        col(ManifestReference.target) == col(BlobLink.digest),
    )
    return list(session.exec(select(BlobLink.digest).where(BlobLink.repository_id == repository_id, ~needed.exists())))


def _condemn(session: Session, before: int) -> list[int]:
    """Delete the rows of blobs that no repository holds, and return their sizes; their bytes go to the trash."""
    held = select(BlobLink.digest).where(col(BlobLink.digest) == col(Blob.digest)).exists()
    found = session.exec(select(Blob).where(col(Blob.created) < before, ~held)).all()
    for blob in found:
        if blob.location:
            session.add(BlobTrash(location=blob.location))
        session.exec(delete(BlobContent).where(col(BlobContent.digest) == blob.digest))
        session.delete(blob)
    session.flush()
    return [blob.size for blob in found]


def _empty_trash(store: Store) -> None:
    with store.read() as transaction:
        locations = list(transaction.session.exec(select(BlobTrash.location)))
    for location in locations:
        store.contents.delete(location)
    if locations:
        with store.write(moves="") as transaction:
            for at in range(0, len(locations), 500):
                part = locations[at : at + 500]
                transaction.session.exec(delete(BlobTrash).where(col(BlobTrash.location).in_(part)))


def _sweep_contents(store: Store, swept: Swept, grace_seconds: float, upload_seconds: float) -> None:
    """Delete idle uploads, and bytes that no row has named for the grace period."""
    for upload in list(store.contents.uploads()):
        if upload.idle >= upload_seconds and store.contents.abandon(upload.name):
            swept.uploads += 1
    idle = [lying.name for lying in store.contents.locations() if lying.idle >= grace_seconds]
    for at in range(0, len(idle), 500):
        part = idle[at : at + 500]
        with store.read() as transaction:
            query = select(Blob.location).where(col(Blob.location).in_(part))
            named = set(transaction.session.exec(query))
        for location in part:
            if location not in named:
                store.contents.delete(location)
                swept.orphans += 1
