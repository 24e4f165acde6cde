"""Takes the bytes of uploads, counts their digest while they come, and makes them blobs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress

from sqlalchemy import Connection

from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.gate.stream import SharedCommit
from azext_trust.server.registry import errors
from azext_trust.server.registry.upload_state import Running
from azext_trust.server.store import blobs, usage
from azext_trust.server.store.contents import Writer, pieces
from azext_trust.server.store.transaction import Store

running = Running()
"""The uploads of this process."""


def length(call: RegistryCall) -> int:
    """Return a request's Content-Length, or -1 when it has none."""
    text = call.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() else -1


def created(call: RegistryCall, digest: str) -> Reply:
    """Return the answer for a blob that the repository now holds."""
    location = f"/v2/{call.params['name']}/blobs/{digest}"
    return Reply(None, 201, {**errors.HEADERS, "location": location, "docker-content-digest": digest})


def record(store: Store, arrival: blobs.Arrival) -> None:
    """Let a repository hold a blob; bytes that another upload of it has made superfluous are thrown away.

    Raises:
        ServiceError: the repository is locked, or the registry is full.
        blobs.Missing: the arrival has no location, and there is no such blob any more.
    """
    try:
        needed = store.together.run(lambda connection: blobs.arrive(connection, arrival))
    except blobs.Refused:
        raise errors.disallowed() from None
    if not needed and arrival.location:
        store.contents.delete(arrival.location)


def arrival(call: RegistryCall, digest: str, size: int, location: str | None, content: bytes = b"") -> blobs.Arrival:
    """Return a blob's arrival in the repository that a request names; `location` is None for one that is there already."""
    most = usage.MOST[call.here.row.sku]
    return blobs.Arrival(call.here.id, call.params["name"], digest, size, location, most, call.now_text(), content)


def _land(store: Store, call: RegistryCall, digest: str, size: int, lay: Callable[[], str]) -> Reply:
    """Lay content down and write it down; what was laid down goes when that fails."""
    try:
        location = lay()
    except OSError:
        raise errors.storage_full() from None
    try:
        record(store, arrival(call, digest, size, location))
    except BaseException:
        store.contents.delete(location)
        raise
    return created(call, digest)


class Small(SharedCommit):
    """A blob that comes whole in one request and is small enough for the database.

    Args:
        store: the state.
        call: the request.
        digest: what it must have.
        place: the upload it finishes, or empty.
        laid: something of that upload lies in the store.
    """

    def __init__(self, store: Store, call: RegistryCall, digest: str, place: str = "", laid: bool = False) -> None:
        self._store, self._call, self._digest, self._place, self._laid = store, call, digest, place, laid
        self._chunks: list[bytes] = []

    def write(self, chunks: list[bytes]) -> None:
        """Take pieces."""
        self._chunks += chunks

    def done(self) -> Reply:
        """Make it a blob."""
        try:
            self._store.together.run(self.change())
        except blobs.Refused:
            raise errors.disallowed() from None
        return self.landed()

    def change(self) -> Callable[[Connection], object]:
        """Return what the database is to do, perhaps together with other requests' changes.

        Raises:
            ServiceError: the content is not what was announced.
        """
        data = b"".join(self._chunks)
        if 0 <= length(self._call) != len(data) and not self._laid:
            raise errors.size_invalid()
        algorithm, _, wanted = self._digest.partition(":")
        if hashlib.new(algorithm, data).hexdigest() != wanted:
            raise errors.digest_invalid(self._digest)
        coming = arrival(self._call, self._digest, len(data), "", data)
        return lambda connection: blobs.arrive(connection, coming)

    def landed(self) -> Reply:
        """Answer: it is committed."""
        if self._laid:
            self._store.contents.abandon(self._place)
        if self._place:
            running.end(self._place)
        return created(self._call, self._digest)

    def refused(self, error: Exception) -> Exception:
        """Return a failure of the change in the service's words."""
        return errors.disallowed() if isinstance(error, blobs.Refused) else error

    def broken(self) -> None:
        """Nothing was laid down."""
        self._chunks = []


class Receive:
    """Takes bytes for an upload.

    Args:
        store: the state.
        call: the request.
        place: the upload's name in the store.
        writer: the upload, opened.
        then: makes the answer once all has come.
    """

    def __init__(
        self, store: Store, call: RegistryCall, place: str, writer: Writer, then: Callable[[Receive], Reply]
    ) -> None:  # fmt: skip
        self._store, self._call, self._place, self._writer, self._then = store, call, place, writer, then
        self._digest = running.take(place, writer.offset)
        self._began, self._over = writer.offset, False
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
        try:
            self._let_go()
        except OSError:
            raise errors.storage_full() from None
        return reply

    def broken(self) -> None:
        """Keep what has come: the client may go on from there."""
        with suppress(OSError):  # why it broke is told already
            self._let_go()

    def _let_go(self) -> None:
        if self._over:
            running.end(self._place)
        elif self._digest is not None:
            running.keep(self._place, self._writer.offset, self._digest)
        self._writer.close()

    def finish(self, digest: str) -> Reply:
        """Make what the upload holds a blob; content of another digest is thrown away."""
        contents = self._store.contents
        try:
            self._writer.settle()
        except OSError:
            raise errors.storage_full() from None
        if self._counted(digest) != digest:
            self._over = True
            contents.abandon(self._place)
            raise errors.digest_invalid(digest)
        if self.offset <= blobs.INLINE:
            small = Small(self._store, self._call, digest, self._place, laid=True)
            small.write(list(self._pieces()))
            reply = small.done()
        else:
            reply = _land(self._store, self._call, digest, self.offset, lambda: contents.keep(self._place, digest))
        self._over = True
        return reply

    def _counted(self, digest: str) -> str:
        algorithm = digest.partition(":")[0]
        if self._digest is not None and algorithm == "sha256":
            return f"sha256:{self._digest.hexdigest()}"
        counted = hashlib.new(algorithm)
        for piece in self._pieces():
            counted.update(piece)
        return f"{algorithm}:{counted.hexdigest()}"

    def _pieces(self) -> Iterator[bytes]:
        reader = self._store.contents.read_upload(self._place)
        try:
            yield from pieces(reader)
        finally:
            reader.close()
