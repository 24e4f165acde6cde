"""Blobs of repositories: there or not, whole or a range of them, deleted."""

from __future__ import annotations

from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors, ranges
from azext_trust.server.store import blobs, clock, manifests, repositories
from azext_trust.server.store.contents import Reader
from azext_trust.server.store.transaction import Store, Transaction

LEASE_SECONDS = 600
"""A push that finds a blob counts as relying on it; noting that again and again would be a write for every look."""


class BlobContent:
    """A blob, or a range of it, as the body of an answer.

    Args:
        reader: the open blob.
        first: the first byte.
        size: how many bytes.
    """

    def __init__(self, reader: Reader, first: int, size: int) -> None:
        self._reader, self._at, self.size = reader, first, size

    def read(self, most: int) -> bytes:
        """Return the next piece."""
        piece = self._reader.read_at(self._at, most)
        self._at += len(piece)
        return piece

    def close(self) -> None:
        """Give the blob back."""
        self._reader.close()


def show(store: Store, call: RegistryCall) -> Reply:
    """Return a blob, a range of it, or only whether it is there (OCI Distribution 1.1, Pulling blobs)."""
    name, digest = call.params["name"], call.params["digest"]
    with store.read() as transaction:
        found = blobs.find(transaction.session.connection(), call.here.id, name, digest)
    if found is None:
        raise errors.no_blob(digest)
    if not found.readable:
        raise errors.disallowed()
    if call.method == "HEAD":
        _lease(store, call, found, digest)
    return answer(store, call, found, digest)


def answer(store: Store, call: RegistryCall, found: blobs.Found, digest: str) -> Reply:
    """Return the answer for a blob that was found and may be read."""
    headers = {
        **errors.HEADERS, "docker-content-digest": digest, "etag": f'"{digest}"', "accept-ranges": "bytes",
        "cache-control": "max-age=31536000", "content-length": str(found.size),
    }  # fmt: skip
    media = "application/octet-stream"
    if call.headers.get("if-none-match", "").strip() == f'"{digest}"':
        del headers["content-length"]
        return Reply(None, 304, headers)
    if call.method == "HEAD":
        return Reply(None, 200, {**headers, "content-type": media})
    try:
        part = ranges.asked(call.headers.get("range", ""), found.size)
    except ranges.Unsatisfiable:
        raise errors.range_invalid(found.size) from None
    first, size = part or (0, found.size)
    if part is not None:
        headers |= {"content-range": f"bytes {first}-{first + size - 1}/{found.size}", "content-length": str(size)}
    body: object = _inline(store, digest)[first : first + size] if not found.location else None
    if body is None:
        try:
            body = BlobContent(store.contents.open(found.location), first, size)
        except FileNotFoundError:
            # Collected between the look and the opening: it is gone for good.
            raise errors.no_blob(digest) from None
    return Reply(body, 206 if part else 200, headers, media)


def _inline(store: Store, digest: str) -> bytes:
    with store.read() as transaction:
        content = blobs.content_of(transaction.session.connection(), digest)
    if content is None:
        raise errors.no_blob(digest)
    return content


def _lease(store: Store, call: RegistryCall, found: blobs.Found, digest: str) -> None:
    """Note that a push relies on the blob it asked for, so that collection leaves it alone."""
    pushes = {"push", "*"} & call.access.get(("repository", call.params["name"]), frozenset())
    if pushes and clock.machine().timestamp() - found.touched > LEASE_SECONDS:
        store.together.run(lambda connection: blobs.touch(connection, found.repository_id, [digest]))


def delete(transaction: Transaction, call: RegistryCall) -> Reply:
    """Take a blob away from a repository; one that a manifest refers to stays."""
    name, digest = call.params["name"], call.params["digest"]
    session = transaction.session
    found = blobs.find(session.connection(), call.here.id, name, digest)
    if found is None:
        raise errors.no_blob(digest)
    repository = repositories.by_name(session, call.here.id, name)
    assert repository is not None
    if not repository.removable() or manifests.referring(session, repository.key, digest):
        raise errors.disallowed()
    blobs.unlink(session, call.here.id, repository.key, [digest])
    call.change(before={"repository": name, "blob": digest})
    return Reply(None, 202, {**errors.HEADERS, "docker-content-digest": digest})
