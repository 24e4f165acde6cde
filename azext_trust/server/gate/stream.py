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
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from azext_trust.server.gate import admission, pipeline
from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.gate.pipeline import Service
from azext_trust.server.gate.route import Route
from azext_trust.server.store.moments import Moment
from azext_trust.server.store.together import Change
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
TOGETHER = 64
"""How many small requests are answered by one worker in one go."""
COMPANY_SECONDS = 0.002
"""How long they wait for as many as there were just before."""
SMALL = 64 * 1024
"""A body of at most this many bytes is gathered before anything else happens."""


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


class SharedCommit:
    """A receiver whose whole effect is one small change of the database, which others may share a commit with."""

    def write(self, chunks: list[bytes]) -> None:
        """Take the body."""
        raise NotImplementedError

    def change(self) -> Change:
        """Return the change; raises where the body is not what was announced."""
        raise NotImplementedError

    def landed(self) -> Reply:
        """Answer: it is committed."""
        raise NotImplementedError

    def refused(self, error: Exception) -> Exception:
        """Return a failure of the change in the service's words."""
        raise NotImplementedError


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


def _arrived(company: asyncio.Future[None]) -> None:
    if not company.done():
        company.set_result(None)


class Workers:
    """Runs blocking functions in threads.

    Args:
        executor: the threads.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._waiting: list[tuple[_Item, asyncio.Future[Reply]]] = []
        self._busy = False
        self._expected = 0
        self._company: asyncio.Future[None] | None = None

    def start(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        """Run a function now; the result is awaited later."""
        return asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    async def gathered(self, store: Store, item: _Item) -> Reply:
        """Answer a request that has come whole, together with those that come while others are answered."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._company is not None and len(self._waiting) >= self._expected:
            _arrived(self._company)
        if not self._busy:
            self._busy = True
            try:
                await self._gather(store)
            finally:
                self._busy = False
        return cast(Reply, await future)

    async def _gather(self, store: Store) -> None:
        while self._waiting:
            if len(self._waiting) < self._expected:
                await self._joined()
            batch, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            replies = await self.start(_all, store, [item for item, _ in batch])
            for (_, future), reply in zip(batch, replies, strict=True):
                if not future.done():
                    future.set_result(reply)
            self._expected = min(TOGETHER, len(batch) + len(self._waiting))

    async def _joined(self) -> None:
        """Wait a moment for those who were answered just now: they come again, and one wait for the disk serves all.

        Otherwise clients fall into two halves that wait for each other's commits.
        """
        loop = asyncio.get_running_loop()
        self._company = loop.create_future()
        timer = loop.call_later(COMPANY_SECONDS, _arrived, self._company)
        await self._company
        timer.cancel()
        self._company = None

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

    async def gathered(self, store: Store, item: _Item) -> Reply:
        """Answer a request that has come whole."""
        return _all(store, [item])[0]

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


async def answer(
    service: Service, store: Store, call: RegistryCall, receive: Receive, workers: Workers, moment: Moment | None
) -> Reply:  # fmt: skip
    """Answer a request to a login server.

    Args:
        service: the one its path belongs to.
        store: the state.
        call: the request, its login server known.
        receive: brings the body.
        workers: run what blocks.
        moment: the state's present, or None where asking for it would block.

    Raises:
        Gone: the client went away first.
    """
    call.now = lambda: pipeline.present(store)
    row = pipeline.guarded(service, call, lambda: pipeline.found(service, call))
    if not isinstance(row, Route):
        return cast(Reply, row)
    call.params = {**call.params, "registry": call.here.scope}
    known = moment is not None and admission.admit_at_once(call, row, moment.revision)
    if known and moment is not None and service.quick is not None:
        quick = service.quick(call, row, moment.content)
        if quick is not None:
            return quick
    if not row.streams:
        whole = await _whole(receive, service.most)
        if whole is None:
            return service.errors.render(cast(Any, service.errors).too_large(call), call)
        call.body = whole
        return cast(Reply, await workers.start(_first, service, store, call, row, known))
    if _arrives_at_once(call):
        return await workers.gathered(store, _Item(service, call, row, known, (await _batch(receive))[0]))
    made = await workers.start(_first, service, store, call, row, known)
    return made if isinstance(made, Reply) else await _pumped(service, call, cast(Receiver, made), receive, workers)


def _arrives_at_once(call: RegistryCall) -> bool:
    """Tell whether a body is small and nobody waits for leave to send it."""
    text = call.headers.get("content-length", "")
    return text.isdecimal() and int(text) <= SMALL and "expect" not in call.headers


@dataclass
class _Item:
    """A request that has come whole, with its row."""

    service: Service
    call: RegistryCall
    row: Route
    known: bool
    body: list[bytes]


def _all(store: Store, items: list[_Item]) -> list[Reply]:
    """Answer requests that have come whole; what they change in the database is committed together."""
    made = [_first(item.service, store, item.call, item.row, item.known) for item in items]
    replies: list[object] = []
    changes: list[Change] = []
    changing: list[int] = []
    for item, receiver in zip(items, made, strict=True):
        if isinstance(receiver, SharedCommit):
            receiver.write(item.body)
            receiver = pipeline.guarded(item.service, item.call, receiver.change)
            if not isinstance(receiver, Reply):
                changing.append(len(replies))
                changes.append(cast(Change, receiver))
        elif not isinstance(receiver, Reply):
            receiver = _Taker(item.service, item.call, cast(Receiver, receiver)).finish(item.body)
        replies.append(receiver)
    for at, result in zip(changing, _together(store, changes), strict=True):
        replies[at] = _landed(items[at], cast(SharedCommit, made[at]), result)
    return cast(list[Reply], replies)


def _together(store: Store, changes: list[Change]) -> list[object]:
    try:
        return store.together.run_all(changes) if changes else []
    except Exception as error:
        return [error] * len(changes)


def _landed(item: _Item, small: SharedCommit, result: object) -> Reply:
    def told() -> Reply:
        if isinstance(result, Exception):
            raise small.refused(result)
        return small.landed()

    return cast(Reply, pipeline.guarded(item.service, item.call, told))


def _first(service: Service, store: Store, call: RegistryCall, row: Route, known: bool) -> object:
    """Begin to answer in a worker thread; `known` says that the caller was let in already."""

    def work() -> object:
        service.before(call, row)
        admitted = known or admission.admit_at_once(call, row, store.moments.now().revision)
        return pipeline.perform(service, store, call, row, admitted=admitted)

    return pipeline.guarded(service, call, work)


async def _whole(receive: Receive, most: int) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > most:
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
