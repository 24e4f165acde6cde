"""Uploads of blobs: begun, continued, finished, cancelled; mounted from another repository (OCI Distribution 1.1).

An upload lies in the store of blobs under a name that only its registry and repository lead to. The database hears of
it when it is finished: whatever breaks off before leaves nothing that anybody could see.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from azext_trust.names import images
from azext_trust.server.gate.call import Reply, ServiceError
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors, ranges
from azext_trust.server.store import blobs, repositories, usage
from azext_trust.server.store.contents import Busy, Writer, pieces
from azext_trust.server.store.transaction import Store

SMALL = 256 * 1024
"""Content of at most this many bytes that comes in one request is not laid down as an upload first."""
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class _Running:
    """Digests of uploads in progress, as far as this process has seen them; a digest's state cannot be stored."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[int, _Hash]] = OrderedDict()

    def take(self, upload: str, received: int) -> _Hash | None:
        with self._lock:
            offset, known = self._known.pop(upload, (-1, None))
        return known if offset == received else (hashlib.sha256() if received == 0 else None)

    def keep(self, upload: str, received: int, known: _Hash | None) -> None:
        if known is None:
            return
        with self._lock:
            self._known[upload] = (received, known)
            if len(self._known) > self._most:
                self._known.popitem(last=False)


_running = _Running(10_000)


def _place(call: RegistryCall, upload: str) -> str:
    """Return the name under which an upload lies."""
    whose = hashlib.sha256(f"{call.here.id}/{call.params['name']}".encode()).hexdigest()[:24]
    return f"{whose}.{upload}"


def _asked(call: RegistryCall) -> str:
    upload = call.params["upload"]
    if not _ID.fullmatch(upload):
        raise errors.no_upload()
    return _place(call, upload)


def _location(call: RegistryCall, upload: str) -> str:
    return f"/v2/{call.params['name']}/blobs/uploads/{upload}"


def _progress(call: RegistryCall, upload: str, received: int, status: int) -> Reply:
    headers = {
        **errors.HEADERS, "location": _location(call, upload), "docker-upload-uuid": upload,
        "range": f"0-{max(received - 1, 0)}", "oci-chunk-min-length": "0",
    }  # fmt: skip
    return Reply(None, status, headers)


def begin(store: Store, call: RegistryCall) -> Reply | Receive | Small:
    """Begin an upload, mount a blob, or take a whole blob with ``?digest=``."""
    mount = call.query.get("mount", "")
    if mount:
        mounted = _mounted(store, call, mount)
        if mounted is not None:
            return mounted
    upload = str(uuid.uuid4())
    digest = call.query.get("digest", "")
    if digest:
        _check_digest(digest)
        if 0 <= _length(call) <= SMALL:
            return Small(store, call, digest)
    try:
        store.contents.begin(_place(call, upload))
    except OSError:
        raise errors.storage_full() from None
    if digest:
        return _appending(store, call, upload, lambda taken: taken.finish(digest))
    return _progress(call, upload, 0, 202)


def append(store: Store, call: RegistryCall) -> Receive:
    """Take a chunk, or everything (PATCH)."""
    upload = call.params["upload"]
    taken = _appending(store, call, upload, lambda taken: _progress(call, upload, taken.offset, 202))
    return _in_order(call, taken)


def finish(store: Store, call: RegistryCall) -> Receive | Small:
    """Take the last chunk, or everything, and make it a blob (PUT)."""
    digest = call.query.get("digest", "")
    _check_digest(digest)
    if (
        0 < _length(call) <= SMALL
        and "content-range" not in call.headers
        and store.contents.received(_asked(call)) == 0
    ):
        return Small(store, call, digest, upload=_asked(call))
    return _in_order(call, _appending(store, call, call.params["upload"], lambda taken: taken.finish(digest)))


def status(store: Store, call: RegistryCall) -> Reply:
    """Tell how far an upload has come."""
    received = store.contents.received(_asked(call))
    if received is None:
        raise errors.no_upload()
    return _progress(call, call.params["upload"], received, 204)


def cancel(store: Store, call: RegistryCall) -> Reply:
    """Throw an upload away."""
    if not store.contents.abandon(_asked(call)):
        raise errors.no_upload()
    return Reply(None, 204, dict(errors.HEADERS))


def _check_digest(digest: str) -> None:
    if not images.valid_digest(digest):
        raise errors.digest_invalid(digest)


def _length(call: RegistryCall) -> int:
    text = call.headers.get("content-length", "")
    return int(text) if text.isdecimal() else -1


def _mounted(store: Store, call: RegistryCall, digest: str) -> Reply | None:
    """Return the answer of a mount, or None where an upload begins instead (Mounting a blob from another repository).

    The source may be left out; then it is any repository that the token may pull from.
    """
    if not images.valid_digest(digest):
        return None
    sources = [call.query["from"]] if call.query.get("from") else [
        name for kind, name in call.access if kind == "repository"
    ]  # fmt: skip
    for source in sources:
        if not {"pull", "*"} & call.access.get(("repository", source), frozenset()):
            continue
        with store.read() as transaction:
            found = blobs.find(transaction.session, call.here.id, source, digest)
        if found is not None and found.readable:
            _record(store, call, digest, found.size, None)
            return _created(call, digest)
    return None


def _created(call: RegistryCall, digest: str) -> Reply:
    location = f"/v2/{call.params['name']}/blobs/{digest}"
    return Reply(None, 201, {**errors.HEADERS, "location": location, "docker-content-digest": digest})


def _record(store: Store, call: RegistryCall, digest: str, size: int, location: str | None) -> None:
    """Let the repository hold a blob; bytes that another upload of it has made superfluous are thrown away.

    Args:
        store: the state.
        call: the request.
        digest: of the content.
        size: bytes.
        location: where the new bytes lie; None for a blob that is there already.
    """
    with store.write(moves=False) as transaction:
        session = transaction.session
        now = transaction.now_text()
        repository = repositories.made(session, call.here.id, call.params["name"], now)
        if not repository.write_enabled or not usage.fits(session, call.here.row, digest, size):
            raise errors.disallowed()
        needed = location is None or blobs.add(session, digest, size, location)
        blobs.link(session, call.here.id, repository.key, digest, size)
    if not needed and location is not None:
        store.contents.delete(location)


class Small:
    """A blob that comes whole in one request and is small: laid down once, where it stays.

    Args:
        store: the state.
        call: the request.
        digest: what it must have.
        upload: the upload it finishes, or empty.
    """

    def __init__(self, store: Store, call: RegistryCall, digest: str, upload: str = "") -> None:
        self._store, self._call, self._digest, self._upload = store, call, digest, upload
        self._chunks: list[bytes] = []

    def write(self, chunks: list[bytes]) -> None:
        """Take pieces."""
        self._chunks += chunks

    def done(self) -> Reply:
        """Make it a blob."""
        data = b"".join(self._chunks)
        if len(data) != _length(self._call):
            raise errors.size_invalid()
        algorithm, _, wanted = self._digest.partition(":")
        if hashlib.new(algorithm, data).hexdigest() != wanted:
            raise errors.digest_invalid(self._digest)
        contents = self._store.contents
        try:
            location = contents.put(self._digest, [data])
        except OSError:
            raise errors.storage_full() from None
        try:
            _record(self._store, self._call, self._digest, len(data), location)
        except BaseException:
            contents.delete(location)
            raise
        if self._upload:
            contents.abandon(self._upload)
        return _created(self._call, self._digest)

    def broken(self) -> None:
        """Nothing was laid down."""
        self._chunks = []


class Receive:
    """Takes bytes for an upload.

    Args:
        store: the state.
        call: the request.
        upload: the upload's name in the store.
        writer: the upload, opened.
        then: makes the answer once all has come.
    """

    def __init__(
        self, store: Store, call: RegistryCall, upload: str, writer: Writer, then: Callable[[Receive], Reply]
    ) -> None:  # fmt: skip
        self._store, self._call, self._upload, self._writer, self._then = store, call, upload, writer, then
        self._digest = _running.take(upload, writer.offset)
        self._began = writer.offset
        self.expected: int | None = None

    @property
    def offset(self) -> int:
        """How many bytes the upload holds."""
        return self._writer.offset

    def write(self, chunks: list[bytes]) -> None:
        """Take pieces."""
        try:
            self._writer.write(chunks)
        except OSError:
            # How much arrived is not known to the running digest any more: it is counted anew at the end.
            self._digest = None
            raise errors.storage_full() from None
        if self._digest is not None:
            for chunk in chunks:
                self._digest.update(chunk)

    def done(self) -> Reply:
        """Answer: all has come."""
        if self.expected is not None and self.offset - self._began != self.expected:
            raise errors.size_invalid()
        reply = self._then(self)
        self.broken()
        return reply

    def broken(self) -> None:
        """Keep what has come: the client may go on from there."""
        _running.keep(self._upload, self._writer.offset, self._digest)
        self._writer.close()

    def finish(self, digest: str) -> Reply:
        """Make what the upload holds a blob."""
        size = self.offset
        if self._counted(digest) != digest:
            self._digest = None
            self._store.contents.abandon(self._upload)
            raise errors.digest_invalid(digest)
        try:
            location = self._store.contents.keep(self._upload, digest)
        except OSError:
            raise errors.storage_full() from None
        try:
            _record(self._store, self._call, digest, size, location)
        except BaseException:
            self._store.contents.delete(location)
            raise
        self._digest = None
        return _created(self._call, digest)

    def _counted(self, digest: str) -> str:
        algorithm = digest.partition(":")[0]
        if self._digest is not None and algorithm == "sha256":
            return f"sha256:{self._digest.hexdigest()}"
        counted = hashlib.new(algorithm)
        reader = self._store.contents.read_upload(self._upload)
        try:
            for piece in pieces(reader):
                counted.update(piece)
        finally:
            reader.close()
        return f"{algorithm}:{counted.hexdigest()}"


def _appending(store: Store, call: RegistryCall, upload: str, then: Callable[[Receive], Reply]) -> Receive:
    if not _ID.fullmatch(upload):
        raise errors.no_upload()
    place = _place(call, upload)
    try:
        writer = store.contents.append(place)
    except Busy:
        raise errors.upload_invalid("another request is writing to this upload", 409) from None
    if writer is None:
        raise errors.no_upload()
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
        if 0 <= _length(call) != part[1]:
            raise errors.size_invalid()
    except ServiceError:
        taken.broken()
        raise
    taken.expected = part[1]
    return taken
