"""Requests and answers that pass piece by piece: what login servers need and the management plane does not.

Services know nothing of waiting: an operation is a plain function in a worker thread. Bodies come to it through a
`Receiver`, and go out through `Content`; both are called in worker threads too, one piece at a time, so that memory
stays flat however large a blob is.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar, cast

from azext_trust.server.gate import admission, pipeline
from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.gate.pipeline import Service
from azext_trust.server.gate.route import Route
from azext_trust.server.store.transaction import Store

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
T = TypeVar("T")

BATCH = 1024 * 1024
"""How many bytes of a request are gathered before a worker thread takes them."""
PIECE = 1024 * 1024
"""How many bytes of an answer a worker thread reads at a time."""
WRITE = 256 * 1024
"""How many bytes are handed to the connection at a time: TLS encrypts each in one go."""
MOST = 4 * 1024 * 1024
"""Largest body that is taken whole, in bytes: a manifest's limit (OCI Distribution 1.1, Pushing manifests)."""


class Receiver(Protocol):
    """Takes the body of a request."""

    def write(self, chunks: list[bytes]) -> None:
        """Take the next pieces; a failure ends the request."""
        ...

    def done(self) -> Reply:
        """Answer: the whole body has come."""
        ...

    def broken(self) -> None:
        """Clean up: the body will not come to its end, or `write` or `done` failed."""
        ...


class Content(Protocol):
    """The body of an answer."""

    size: int

    def read(self, most: int) -> bytes:
        """Return the next piece of at most `most` bytes."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class Gone(Exception):
    """The client has gone away; nobody waits for an answer."""


class Workers:
    """Runs blocking functions in threads.

    Args:
        executor: the threads.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def start(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        """Run a function now; the result is awaited later."""
        return asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    def watched(self, receive: Receive) -> asyncio.Future[Message] | None:
        """Return what is done when the client goes away; the request's body must have been received."""
        return asyncio.ensure_future(receive())


class Inline(Workers):
    """Runs functions at once in the caller's thread: an embedded cloud has no event loop."""

    def __init__(self) -> None:
        pass

    def start(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        """Run a function to its end."""
        try:
            return _Done(function(*arguments), None)
        except BaseException as error:
            return _Done(None, error)

    def watched(self, receive: Receive) -> None:
        """Whoever reads in this process simply stops reading."""
        return


class _Done:
    def __init__(self, value: object, error: BaseException | None) -> None:
        self._value, self._error = value, error

    def __await__(self) -> Generator[None, None, Any]:
        yield from ()  # a generator that never waits
        if self._error is not None:
            raise self._error
        return self._value


async def answer(service: Service, store: Store, call: RegistryCall, receive: Receive, workers: Workers) -> Reply:
    """Answer a request to a login server.

    Raises:
        Gone: the client went away first.
    """
    row = pipeline.guarded(service, call, lambda: pipeline.found(service, call))
    if not isinstance(row, Route):
        return cast(Reply, row)
    call.params = {**call.params, "registry": call.here.scope}
    if not row.streams:
        whole = await _whole(receive)
        if whole is None:
            return service.errors.render(cast(Any, service.errors).too_large(call), call)
        call.body = whole
    made = await workers.start(_first, service, store, call, row)
    return made if isinstance(made, Reply) else await _pumped(service, call, cast(Receiver, made), receive, workers)


def _first(service: Service, store: Store, call: RegistryCall, row: Route) -> object:
    return pipeline.guarded(service, call, lambda: _admitted(service, store, call, row))


def _admitted(service: Service, store: Store, call: RegistryCall, row: Route) -> object:
    service.before(call, row)
    known = admission.admit_at_once(call, row, store.changes.now().revision)
    return pipeline.perform(service, store, call, row, admitted=known)


async def _whole(receive: Receive) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MOST:
            return None
        if not message.get("more_body"):
            return b"".join(chunks)


async def _pumped(
    service: Service, call: RegistryCall, receiver: Receiver, receive: Receive, workers: Workers
) -> Reply:  # fmt: skip
    """Bring a request's body to its receiver: while a worker writes one batch, the next one gathers."""
    taker = _Taker(service, call, receiver)
    writing: Awaitable[object] | None = None
    try:
        more = True
        while more:
            batch, more = await _batch(receive)
            if writing is not None:
                failed = await writing
                if isinstance(failed, Reply):
                    return failed
            if more:
                writing = workers.start(taker.write, batch)
        return cast(Reply, await workers.start(taker.finish, batch))
    except BaseException:
        # The connection is lost, or the server ends.
        taker.broken()
        raise


class _Taker:
    """Calls a receiver from worker threads, one at a time; after its first failure never again."""

    def __init__(self, service: Service, call: RegistryCall, receiver: Receiver) -> None:
        self._service, self._call, self._receiver = service, call, receiver
        self._lock = threading.Lock()
        self._over = False

    def write(self, batch: list[bytes]) -> object:
        return self._guarded(lambda: self._receiver.write(batch))

    def finish(self, batch: list[bytes]) -> object:
        def last() -> Reply:
            if batch:
                self._receiver.write(batch)
            return self._receiver.done()

        return self._guarded(last)

    def broken(self) -> None:
        with self._lock:
            if not self._over:
                self._over = True
                self._receiver.broken()

    def _guarded(self, work: Callable[[], object]) -> object:
        with self._lock:
            return None if self._over else pipeline.guarded(self._service, self._call, lambda: self._kept(work))

    def _kept(self, work: Callable[[], object]) -> object:
        try:
            return work()
        except BaseException:
            self._over = True
            self._receiver.broken()
            raise


async def _batch(receive: Receive) -> tuple[list[bytes], bool]:
    chunks: list[bytes] = []
    size = 0
    while size < BATCH:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        body = message.get("body", b"")
        if body:
            chunks.append(body)
            size += len(body)
        if not message.get("more_body"):
            return chunks, False
    return chunks, True


async def send_content(content: Content, receive: Receive, send: Send, workers: Workers) -> None:
    """Send the body of an answer: while one piece leaves, a worker reads the next."""
    left = content.size
    # Sending to a client that has gone is silent: whoever would read a large blob to nobody asks.
    gone = workers.watched(receive) if left > PIECE else None
    try:
        reading = workers.start(content.read, min(PIECE, left))
        while left and not (gone is not None and gone.done()):
            piece = await reading
            left -= len(piece)
            if not piece:
                raise OSError("stored content is shorter than it should be")
            if left:
                reading = workers.start(content.read, min(PIECE, left))
            view = memoryview(piece)
            for at in range(0, len(piece), WRITE):
                last = left == 0 and at + WRITE >= len(piece)
                await send({"type": "http.response.body", "body": view[at : at + WRITE], "more_body": not last})
    finally:
        if gone is not None:
            gone.cancel()
        content.close()
