"""HTTP/1.1 as uvicorn speaks it, without what a public server must not take, and with bodies not copied about."""

from __future__ import annotations

import asyncio
from collections import deque

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HELD = 1024 * 1024
"""Bytes of a request's body that wait for the application before the client has to."""
JOINED = 16 * 1024
"""Bytes of a body up to which copying it behind its head is cheaper than a record of its own."""
LARGEST_HEAD = 64 * 1024
"""Bytes that request line and headers may have together; tokens of people in many groups are long."""
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Joined:
    """A connection's transport that sends the head of an answer together with the first piece of its body.

    uvicorn writes them one after the other: two TLS records and two system calls for every small answer.

    Args:
        transport: the connection's own.

    Attributes:
        heading: what is written next is a head.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self.heading = False

    def write(self, data: bytes | memoryview) -> None:
        """Send, the head first; a head alone is held back."""
        if self.heading:
            self.heading, self._head = False, bytes(data)
            return
        head, self._head = self._head, b""
        if head and len(data) <= JOINED:
            data = b"".join((head, data))
        elif head:
            self._transport.write(head)
        self._transport.write(data)

    def flush(self) -> None:
        """Send a head that nothing followed."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Send what is held and close the connection."""
        self.heading = False
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Tell whether the connection is closing."""
        return self._transport.is_closing()


class Cycle(RequestResponseCycle):
    """A request with its answer. What comes of its body is handed on piece by piece, as it came.

    uvicorn gathers pieces in one buffer and copies that: with blobs of gigabytes, two copies of everything.
    """

    transport: Joined  # type: ignore[assignment]  # what uvicorn asks of it, it has
    pieces: deque[bytes]
    held: int
    told: bool
    """Whether the application knows that the body has come to its end."""

    def add(self, piece: bytes) -> None:
        """Take a piece of the body; the client waits when the application does not keep up."""
        self.pieces.append(piece)
        self.held += len(piece)
        if self.held > HELD:
            self.flow.pause_reading()
        self.message_event.set()

    async def send(self, message: ASGISendEvent) -> None:
        """Send a part of the answer (ASGI 3)."""
        if self.response_started:
            await super().send(message)
            self.transport.flush()
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        # From here uvicorn writes the head without waiting: nobody else writes in between.
        self.transport.heading = True
        await super().send(message)

    async def receive(self) -> ASGIReceiveEvent:
        """Return the next piece of the body (ASGI 3)."""
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        while not self.pieces and self.more_body and not self.disconnected and not self.response_complete:
            self.flow.resume_reading()
            self.message_event.clear()
            await self.message_event.wait()
        if self.told or self.disconnected or self.response_complete:
            return await self._ended()
        piece = self.pieces.popleft() if self.pieces else b""
        self.held -= len(piece)
        self.told = not self.pieces and not self.more_body
        return {"type": "http.request", "body": piece, "more_body": not self.told}

    async def _ended(self) -> ASGIReceiveEvent:
        """Wait until the client goes away or the answer is sent."""
        while not self.disconnected and not self.response_complete:
            self.flow.resume_reading()
            self.message_event.clear()
            await self.message_event.wait()
        return {"type": "http.disconnect"}


class Protocol(HttpToolsProtocol):
    """One connection.

    The parser hands the trailers of a chunked body over like headers, and uvicorn puts them into the same list: a
    trailer ``Authorization`` or ``Host`` would reach the application as a header. They are dropped (RFC 9110 section
    6.5.1). A head without an end is not collected either.
    """

    _in_head = True
    _seen = 0

    def data_received(self, data: bytes) -> None:
        """Parse what came; a head that is too long ends the connection."""
        super().data_received(data)
        if self._in_head:
            self._seen += len(data)
            if self._seen > LARGEST_HEAD and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._in_head, self._seen = True, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; drop a trailer."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin the request with the headers that stand before its body."""
        self._in_head = False
        super().on_headers_complete()
        cycle = self.cycle
        cycle.__class__ = Cycle
        assert isinstance(cycle, Cycle)
        cycle.transport = Joined(self.transport)
        cycle.pieces, cycle.held, cycle.told = deque(), 0, False

    def on_body(self, body: bytes) -> None:
        """Take a piece of a request's body."""
        cycle = self.cycle
        if isinstance(cycle, Cycle) and not cycle.response_complete:
            cycle.add(body)
