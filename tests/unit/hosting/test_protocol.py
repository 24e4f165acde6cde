"""Bodies and headers as they reach the application through the served protocol."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from time import sleep
from typing import Any, cast

import pytest
import uvicorn

from azext_trust.hosting.protocol import HELD, JOINED, Joined, Protocol


class Application:
    """Notes what it receives; waits before it reads when it is told to."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.received = 0
        self.wait = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3) with the number of bytes received."""
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"].endswith("shutdown"):
                    return
        await asyncio.sleep(self.wait)
        more = True
        while more:
            message = await receive()
            self.received += len(message.get("body", b""))
            more = message.get("more_body", False)
        self.headers = list(scope["headers"])
        body = str(self.received).encode()
        head = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def served() -> Iterator[tuple[Application, int]]:
    """Serve the application; give it and its port."""
    app = Application()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=Protocol, ws="none", log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        sleep(0.01)
    yield app, listening.getsockname()[1]
    server.should_exit = True
    thread.join()


def exchange(port: int, *sent: bytes) -> bytes:
    """Send bytes and return what comes back until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for part in sent:
            connection.sendall(part)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


def test_trailers_are_no_headers(served: tuple[Application, int]) -> None:
    """M12: what stands behind a chunked body does not authorise it."""
    app, port = served
    body = b"5\r\nhello\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n"
    assert exchange(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body).endswith(b"\r\n\r\n5")
    assert b"authorization" not in dict(app.headers)


@pytest.mark.parametrize("size", [0, 1, 100_000, 3 * HELD])
def test_a_body_comes_whole(served: tuple[Application, int], size: int) -> None:
    """M14: every byte arrives once, also when the application is slower than the client."""
    app, port = served
    app.wait = 0.2
    answer = exchange(port, HEAD + f"Content-Length: {size}\r\n\r\n".encode(), b"x" * size)
    assert answer.endswith(f"\r\n\r\n{size}".encode())


def test_a_client_waits_for_leave(served: tuple[Application, int]) -> None:
    """M14: Expect: 100-continue is answered when the application asks for the body (RFC 9110 section 10.1.1)."""
    _, port = served
    answer = exchange(port, HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", b"hi")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


class Connection:
    """A transport that notes what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        """Take bytes."""
        assert not self.closed
        self.written.append(bytes(data))

    def close(self) -> None:
        """End."""
        self.closed = True


def joined() -> tuple[Joined, Connection]:
    """Give a transport that holds a head, and the connection below."""
    connection = Connection()
    made = Joined(cast(asyncio.Transport, connection))
    made.heading = True
    made.write(b"head")
    assert connection.written == []
    return made, connection


@pytest.mark.parametrize(
    ("body", "written"),
    [([b"body"], [b"headbody"]), ([b""], [b"head"]), ([b"x" * (JOINED + 1)], [b"head", b"x" * (JOINED + 1)]),
     ([b"a", b"b"], [b"heada", b"b"])],
)  # fmt: skip
def test_head_and_body_leave_together(body: list[bytes], written: list[bytes]) -> None:
    """M29: a small answer is one record; a large body is not copied behind its head."""
    made, connection = joined()
    for piece in body:
        made.write(piece)
    made.flush()
    assert connection.written == written


def test_a_held_head_is_never_lost() -> None:
    """M29: an answer that ends with its head, or a connection that closes, sends it."""
    made, connection = joined()
    made.close()
    assert (connection.written, connection.closed) == ([b"head"], True)


def test_answers_of_every_kind(served: tuple[Application, int]) -> None:
    """M29: HEAD, a kept connection, and two requests sent at once are answered whole and in order."""
    _, port = served
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                           + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")  # fmt: skip
        got = b""
        while piece := connection.recv(65536):
            got += piece
    answers = got.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert [one.partition(b"\r\n\r\n")[2] for one in answers] == [b"", b"0", b"0"]
