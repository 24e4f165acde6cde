"""What is deleted, and how: for good, or kept for a while where soft deletion is on."""

from __future__ import annotations

from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors
from azext_trust.server.store import manifests, repositories, tags
from azext_trust.server.store.transaction import Transaction

SOFT = "softDeletePolicy"


def tag(transaction: Transaction, call: RegistryCall, repository: repositories.Repository, name: str) -> bool:
    """Remove a tag; its manifest stays, untagged perhaps.

    Returns:
        False when there is no such tag.

    Raises:
        ServiceError: it is locked.
    """
    session, now = transaction.session, transaction.now_text()
    found = tags.by_name(session, repository.key, name)
    if found is None:
        return False
    if not repository.removable() or not found.removable():
        raise errors.disallowed()
    if call.here.enabled(SOFT):
        _keep(transaction, found, now)
    session.delete(found)
    session.flush()
    manifests.note_untagged(session, repository.key, found.digest, now)
    repository.updated = now
    call.change(before={"repository": repository.name, "tag": name, "digest": found.digest})
    return True


def _keep(transaction: Transaction, found: tags.Tag, now: str) -> None:
    transaction.session.add(
        tags.DeletedTag(repository_id=found.repository_id, name=found.name, digest=found.digest, deleted=now)
    )


def manifest(transaction: Transaction, call: RegistryCall, repository: repositories.Repository, digest: str) -> None:
    """Delete a manifest with its tags, and all that is about it: signatures, attestations.

    Raises:
        ServiceError: it is not there, or it, a tag of it or its repository is locked.
    """
    found = manifests.by_digest(transaction.session, repository.key, digest)
    if found is None:
        raise errors.no_manifest(digest)
    graph = _graph(transaction, found)
    held = tags.of_manifests(transaction.session, repository.key, [one.digest for one in graph])
    locked = [one for one in graph if not one.removable()]
    locked_tags = [one for named in held.values() for one in named if not one.removable()]
    if not repository.removable() or locked or locked_tags:
        raise errors.disallowed()
    for one in graph:
        _remove(transaction, call, one, held.get(one.digest, []))
    repository.updated = transaction.now_text()
    names = [one.name for one in held.get(digest, [])]
    call.change(before={"repository": repository.name, "digest": digest, "tags": names, "manifests": len(graph)})


def _graph(transaction: Transaction, root: manifests.Manifest) -> list[manifests.Manifest]:
    """Return a manifest and, without end, what names it as its subject."""
    found, waiting = {root.digest: root}, [root.digest]
    while waiting:
        for one in manifests.referrers(transaction.session, root.repository_id, waiting.pop(), None):
            if one.digest not in found:
                found[one.digest] = one
                waiting.append(one.digest)
    return list(found.values())


def _remove(transaction: Transaction, call: RegistryCall, found: manifests.Manifest, named: list[tags.Tag]) -> None:
    session, now = transaction.session, transaction.now_text()
    if not call.here.enabled(SOFT):
        manifests.erase(session, found.repository_id, found.digest)
        return
    for one in named:
        _keep(transaction, one, now)
        session.delete(one)
    found.deleted = now
    session.flush()


def repository(
    transaction: Transaction, call: RegistryCall, found: repositories.Repository
) -> tuple[list[str], list[str]]:
    """Delete all that a repository holds.

    Returns:
        the digests of its manifests and the names of its tags.

    Raises:
        ServiceError: it, a manifest or a tag of it is locked.
    """
    session = transaction.session
    held = manifests.all_of(session, found.key)
    named = tags.of_manifests(session, found.key, [one.digest for one in held])
    everything = [found, *held, *(one for group in named.values() for one in group)]
    if not all(one.removable() for one in everything):
        raise errors.disallowed()
    for one in held:
        _remove(transaction, call, one, named.get(one.digest, []))
    digests, names = [one.digest for one in held], sorted(one.name for group in named.values() for one in group)
    call.change(before={"repository": found.name, "manifests": len(digests), "tags": names[:100]})
    return digests, names
