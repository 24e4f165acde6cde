"""Uploads of blobs: begun, continued, finished, cancelled; mounted from another repository (OCI Distribution 1.1).

An upload lies in the store of blobs until it is finished; the database hears of it then, and not before. Whatever
breaks off leaves nothing that anybody could see, and the client may go on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from azext_trust.names import images
from azext_trust.server.gate.call import Reply, ServiceError
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors, ranges, upload_state
from azext_trust.server.registry.receiving import Receive, Small, arrival, created, length, record, running
from azext_trust.server.store import blobs
from azext_trust.server.store.contents import Busy
from azext_trust.server.store.transaction import Store


def _location(call: RegistryCall, upload: str) -> str:
    return f"/v2/{call.params['name']}/blobs/uploads/{upload}"


def _progress(call: RegistryCall, upload: str, received: int, status: int) -> Reply:
    headers = {
        **errors.HEADERS, "location": _location(call, upload), "docker-upload-uuid": upload,
        "range": f"0-{max(received - 1, 0)}",
    }  # fmt: skip
    return Reply(None, status, headers)


def begin(store: Store, call: RegistryCall) -> Reply | Receive | Small:
    """Begin an upload, mount a blob, or take a whole blob with ``?digest=``."""
    mount, digest = call.query.get("mount", ""), call.query.get("digest", "")
    mounted = _mounted(store, call, mount) if mount else None
    if mounted is not None:
        return mounted
    if not digest:
        return begun(call)
    _check_digest(digest)
    if 0 <= length(call) <= blobs.INLINE:
        return Small(store, call, digest)
    place = upload_state.place(call, upload_state.new_id(call), running)
    return _appending(store, call, place, lambda taken: taken.finish(digest))


def begun(call: RegistryCall) -> Reply:
    """Return the answer that begins an upload; nothing is written."""
    return _progress(call, upload_state.new_id(call), 0, 202)


def append(store: Store, call: RegistryCall) -> Receive:
    """Take a chunk, or everything (PATCH)."""
    upload = call.params["upload"]
    place = upload_state.place(call, upload, running)
    return _in_order(
        call, _appending(store, call, place, lambda taken: _progress(call, upload, taken.offset, 202))
    )  # fmt: skip


def finish(store: Store, call: RegistryCall) -> Receive | Small:
    """Take the last chunk, or everything, and make it a blob (PUT)."""
    digest = call.query.get("digest", "")
    _check_digest(digest)
    place = upload_state.place(call, call.params["upload"], running)
    if 0 < length(call) <= blobs.INLINE and "content-range" not in call.headers:
        received = store.contents.received(place)
        if not received:
            return Small(store, call, digest, place, received is not None)
    return _in_order(call, _appending(store, call, place, lambda taken: taken.finish(digest)))


def status(store: Store, call: RegistryCall) -> Reply:
    """Tell how far an upload has come."""
    place = upload_state.place(call, call.params["upload"], running)
    return _progress(call, call.params["upload"], store.contents.received(place) or 0, 204)


def cancel(store: Store, call: RegistryCall) -> Reply:
    """Throw an upload away."""
    place = upload_state.place(call, call.params["upload"], running)
    store.contents.abandon(place)
    running.end(place)
    return Reply(None, 204, dict(errors.HEADERS))


def _check_digest(digest: str) -> None:
    if not images.valid_digest(digest):
        raise errors.digest_invalid(digest)


def _mounted(store: Store, call: RegistryCall, digest: str) -> Reply | None:
    """Return the answer of a mount, or None where an upload begins instead (Mounting a blob from another repository).

    The source may be left out; then it is any repository that the token may pull from.
    """
    if not images.valid_digest(digest):
        return None
    named = call.query.get("from")
    sources = [named] if named else [name for kind, name in call.access if kind == "repository"]
    for source in sources:
        if not {"pull", "*"} & call.access.get(("repository", source), frozenset()):
            continue
        with store.read() as transaction:
            found = blobs.find(transaction.session.connection(), call.here.id, source, digest)
        if found is not None and found.readable:
            with suppress(blobs.Missing):
                record(store, arrival(call, digest, found.size, None))
                return created(call, digest)
    return None


def _appending(store: Store, call: RegistryCall, place: str, then: Callable[[Receive], Reply]) -> Receive:
    try:
        writer = store.contents.append(place)
    except Busy:
        raise errors.upload_invalid("another request is writing to this upload", 409) from None
    except OSError:
        raise errors.storage_full() from None
    return Receive(store, call, place, writer, then)


def _in_order(call: RegistryCall, taken: Receive) -> Receive:
    """Check a chunk's Content-Range against what the upload holds."""
    header = call.headers.get("content-range")
    if header is None:
        return taken
    part = ranges.chunk(header)
    try:
        if part is None:
            raise errors.upload_invalid("the Content-Range cannot be read")
        if part[0] != taken.offset:
            raise errors.out_of_order(_location(call, call.params["upload"]), taken.offset)
        if 0 <= length(call) != part[1]:
            raise errors.size_invalid()
    except ServiceError:
        taken.broken()
        raise
    taken.expected = part[1]
    return taken
