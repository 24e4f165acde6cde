"""What soft deletion keeps: listed, and restored (``az acr manifest list-deleted``, ``restore``)."""

from __future__ import annotations

from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors, paging
from azext_trust.server.store import manifests, repositories, tags
from azext_trust.server.store.transaction import Transaction


def catalog(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return the repositories that hold something soft-deleted."""
    page = paging.asked(call)
    names = repositories.listed(transaction.session, call.here.id, page.last, page.size + 1, deleted=True)
    return paging.reply(call, page, names, lambda name: name, lambda shown: {"repositories": list(shown)})


def _repository(transaction: Transaction, call: RegistryCall) -> repositories.Repository:
    row = repositories.by_name(transaction.session, call.here.id, call.params["name"])
    if row is None:
        raise errors.no_repository(call.params["name"])
    return row


def list_manifests(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return a repository's soft-deleted manifests, the first deleted first."""
    row = _repository(transaction, call)
    named: dict[str, list[str]] = {}
    for tag in tags.soft_deleted(transaction.session, row.key):
        named.setdefault(tag.digest, []).append(tag.name)
    found: list[dict[str, object]] = [
        {"digest": one.digest, "deletedAt": one.deleted, "tags": named.get(one.digest, [])}
        for one in manifests.soft_deleted(transaction.session, row.key)
    ]
    return _reply(call, "manifests", found)


def list_tags(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return a repository's soft-deleted tags; the last of a name is the one most recently deleted."""
    row = _repository(transaction, call)
    found: list[dict[str, object]] = [
        {"tag": one.name, "digest": one.digest, "deletedAt": one.deleted}
        for one in tags.soft_deleted(transaction.session, row.key)
    ]
    return _reply(call, "tags", found)


def _reply(call: RegistryCall, name: str, found: list[dict[str, object]]) -> Reply:
    body = {"registry": call.here.host, "imageName": call.params["name"], name: found}
    return Reply(body, 200, dict(errors.HEADERS))


def restore(transaction: Transaction, call: RegistryCall) -> Reply:
    """Bring a soft-deleted manifest back under a tag; a live tag of that name is moved only with ``force``."""
    session, now, digest = transaction.session, transaction.now_text(), call.params["digest"]
    row, name = _repository(transaction, call), str(call.json().get("tag") or "")
    found = manifests.by_digest(session, row.key, digest, deleted=True)
    live = manifests.by_digest(session, row.key, digest)
    if found is None and live is None:
        raise errors.no_manifest(digest)
    if name:
        _retag(transaction, call, row, name, digest)
    if found is not None:
        found.deleted, found.updated = "", now
    tags.forget_deleted(session, row.key, name, digest)
    session.flush()
    manifests.note_untagged(session, row.key, digest, now)
    call.change(after={"repository": row.name, "digest": digest, "tag": name})
    return Reply({"digest": digest, "tag": name}, 200, dict(errors.HEADERS))


def _retag(
    transaction: Transaction, call: RegistryCall, row: repositories.Repository, name: str, digest: str
) -> None:  # fmt: skip
    held = tags.by_name(transaction.session, row.key, name)
    forced = call.query.get("force", "").lower() == "true"
    if held is not None and held.digest != digest and not forced:
        raise errors.tag_taken(name)
    if not row.write_enabled or (held is not None and not held.write_enabled):
        raise errors.disallowed()
    tags.put(transaction.session, row.key, name, digest, transaction.now_text())
    if held is not None and held.digest != digest:
        manifests.note_untagged(transaction.session, row.key, held.digest, transaction.now_text())
