"""Manifests come to a repository: by a push, or with an import. What they refer to must be there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from azext_trust.server.registry import errors, manifest_form
from azext_trust.server.registry.manifest_form import Form
from azext_trust.server.store import blobs, manifests, repositories, tags
from azext_trust.server.store.contents import Contents
from azext_trust.server.store.transaction import Store, Transaction

Platform = tuple[str | None, str | None]
"""Architecture and operating system."""
_LARGEST_CONFIG = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where manifests come to.

    Attributes:
        registry_id: the registry.
        repository: the repository's name.
        quarantined: what comes has to pass quarantine first.
    """

    registry_id: str
    repository: str
    quarantined: bool


@dataclass(frozen=True, slots=True)
class Arriving:
    """A manifest on its way.

    Attributes:
        content: exactly as pushed.
        form: what it says.
        digest: of the content.
        platform: an image's, as far as its config tells.
    """

    content: bytes
    form: Form
    digest: str
    platform: Platform = (None, None)


def platform_of(store: Store, place: Place, form: Form) -> Platform:
    """Return an image's platform from its config; asked before the writing transaction begins."""
    config = form.config
    if config is None or config.media_type not in manifest_form.CONFIGS or config.size > _LARGEST_CONFIG:
        return None, None
    with store.read() as transaction:
        connection = transaction.session.connection()
        found = blobs.find(connection, place.registry_id, place.repository, config.digest)
        content = blobs.content_of(connection, config.digest) if found is not None and not found.location else None
    if found is None:
        return None, None
    try:
        return told_by(content if content is not None else _content(store.contents, found.location))
    except FileNotFoundError:
        return None, None


def _content(contents: Contents, location: str) -> bytes:
    reader = contents.open(location)
    try:
        return reader.read_at(0, _LARGEST_CONFIG)
    finally:
        reader.close()


def told_by(config: bytes) -> Platform:
    """Return what an image's config says of its platform; nothing when it cannot be read."""
    try:
        loaded = json.loads(config)
    except (ValueError, RecursionError):
        return None, None
    return (_word(loaded, "architecture"), _word(loaded, "os")) if isinstance(loaded, dict) else (None, None)


def _word(loaded: dict[str, Any], name: str) -> str | None:
    value = loaded.get(name)
    return value if isinstance(value, str) and value else None


def land(transaction: Transaction, place: Place, arriving: Arriving, tag: str) -> manifests.Manifest:
    """Let a repository hold a manifest, perhaps under a tag.

    Raises:
        ServiceError: the repository or the tag is locked, or something that the manifest refers to is missing.
    """
    session, now, digest = transaction.session, transaction.now_text(), arriving.digest
    repository = repositories.made(session, place.registry_id, place.repository, now)
    held = tags.by_name(session, repository.key, tag) if tag else None
    if not repository.write_enabled or (held is not None and not held.write_enabled and held.digest != digest):
        raise errors.disallowed()
    _complete(transaction, repository, arriving.form)
    stored = session.get(manifests.Manifest, (repository.key, digest))
    if stored is None:
        stored = _new(place, repository, arriving, now)
        session.add(stored)
        form = arriving.form
        manifests.refer(session, stored, (one.digest for one in form.blobs), (one.digest for one in form.manifests))
    stored.updated, stored.deleted, repository.updated = now, "", now
    session.flush()
    if tag:
        before = held.digest if held is not None else ""
        tags.put(session, repository.key, tag, digest, now)
        if before and before != digest:
            manifests.note_untagged(session, repository.key, before, now)
    manifests.note_untagged(session, repository.key, digest, now)
    return stored


def _complete(transaction: Transaction, repository: repositories.Repository, form: Form) -> None:
    """Check that the repository holds what a manifest refers to, and keep collection from it.

    Raises:
        ServiceError: a blob or manifest is missing.
    """
    session = transaction.session
    wanted = {one.digest: one for one in form.blobs}
    held = blobs.sizes(session, repository.key, wanted)
    for digest, one in wanted.items():
        if digest not in held and not one.elsewhere:
            raise errors.manifest_blob_unknown(digest)
        if digest in held and held[digest] != one.size:
            raise errors.manifest_invalid(f"the size of {digest} is {held[digest]}")
    children = {one.digest for one in form.manifests}
    missing = children - manifests.present(session, repository.key, children)
    if missing:
        raise errors.manifest_blob_unknown(min(missing))
    blobs.touch(session.connection(), repository.key, held)


def _new(
    place: Place, repository: repositories.Repository, arriving: Arriving, now: str
) -> manifests.Manifest:  # fmt: skip
    form, size = arriving.form, len(arriving.content)
    return manifests.Manifest(
        repository_id=repository.key, digest=arriving.digest, media_type=form.media_type, content=arriving.content,
        size=size, image_size=form.image_size + size,
        config_media_type=form.config.media_type if form.config else None, artifact_type=form.artifact_type,
        subject=form.subject, architecture=arriving.platform[0], os=arriving.platform[1],
        annotations=form.annotations or None, created=now, updated=now, untagged=now,
        quarantine_state=manifests.QUARANTINED if place.quarantined else manifests.PASSED,
    )  # fmt: skip
