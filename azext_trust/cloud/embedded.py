"""The wire of the embedded cloud: a prepared request becomes a call of the server's application in this process."""

from __future__ import annotations

import io
from collections.abc import Coroutine, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from azext_trust.cloud.errors import CloudError


class EmbeddedAdapter(BaseAdapter):
    """Carries ``https://`` requests to the application instead of the network.

    Args:
        state: the cloud directory.
        seed: a seed file for founding, or None.
    """

    def __init__(self, state: Path, seed: Path | None = None) -> None:
        super().__init__()
        self._state = state
        self._seed = seed
        self._app: Any = None

    def _application(self) -> Any:
        if self._app is None:
            from azext_trust.server import app

            # What the server raises at start carries its cure; only the text crosses to the client half.
            try:
                self._app = app.create_app(app.Settings(state=self._state, seed=self._seed, imds=True))
            except app.START_ERRORS as error:
                raise CloudError(str(error)) from None
            except OSError as error:
                raise CloudError(
                    f"The state directory {self._state} cannot be used: {error.strerror}. "
                    "Give yourself the right to write there, or name another directory with --state DIR."
                ) from None
        return self._app

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: object = None, verify: object = True,
        cert: object = None, proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:  # fmt: skip
        """Answer a prepared request; bodies pass piece by piece, in both directions."""
        pieces = _pieces(request.body)

        async def receive() -> dict[str, Any]:
            piece = next(pieces, None)
            return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

        async def send(message: dict[str, Any]) -> None:
            await _Handed(message)

        call = _Call(self._application()(_scope(request), receive, send))
        return _response(request, call.next(), _Body(call))

    def close(self) -> None:
        """Give the state back."""
        if self._app is not None:
            self._app.store.close()


def _scope(request: requests.PreparedRequest) -> dict[str, Any]:
    parts = urlsplit(str(request.url))
    headers = [(name.lower().encode("latin-1"), _latin(value)) for name, value in request.headers.items()]
    if not any(name == b"host" for name, _ in headers):
        headers.append((b"host", parts.netloc.encode("latin-1")))
    return {
        "type": "http", "method": request.method, "path": parts.path, "raw_path": parts.path.encode("latin-1"),
        "query_string": parts.query.encode("latin-1"), "headers": headers, "client": ("127.0.0.1", 0),
    }  # fmt: skip


def _latin(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1")


PIECE = 1024 * 1024


def _pieces(body: Any) -> Iterator[bytes]:
    """Yield a request's body: bytes, text, an open file or anything that yields bytes."""
    if hasattr(body, "read"):
        while piece := body.read(PIECE):
            yield piece
        return
    for piece in [body] if isinstance(body, str | bytes) else body or ():
        yield piece.encode() if isinstance(piece, str) else piece


class _Handed:
    """A message on its way out: the application stands still until whoever reads the answer wants more."""

    def __init__(self, message: dict[str, Any]) -> None:
        self._message = message

    def __await__(self) -> Generator[dict[str, Any], None, None]:
        yield self._message


class _Call:
    """A call of the application. It waits for nothing but its reader: no event loop is needed, nor paid for.

    Args:
        running: the application's coroutine.
    """

    def __init__(self, running: Coroutine[dict[str, Any], None, None]) -> None:
        self._running = running
        self._over = False

    def next(self) -> dict[str, Any]:
        """Let the application go on to its next message; the last one is an empty body."""
        try:
            message = None if self._over else self._running.send(None)
        except StopIteration:
            self._over, message = True, None
        return message or {"type": "http.response.body", "body": b"", "more_body": False}

    def close(self) -> None:
        """End the call, also where the answer was not read to its end."""
        self._over = True
        self._running.close()


class _Body(io.RawIOBase):
    """The body of an answer, made while it is read.

    Args:
        call: the call that makes it.
    """

    def __init__(self, call: _Call) -> None:
        super().__init__()
        self._call = call
        self._left = memoryview(b"")
        self._more = True

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next; 0 at the end."""
        while not self._left and self._more:
            message = self._call.next()
            self._left, self._more = memoryview(message.get("body", b"")), bool(message.get("more_body"))
            if not self._more:
                # What follows the last message is done before anybody sees the end.
                self._call.next()
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        """End the call."""
        if not self.closed:
            self._call.close()
        super().close()


def _response(request: requests.PreparedRequest, start: dict[str, Any], body: _Body) -> requests.Response:
    response = requests.Response()
    response.status_code = start["status"]
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for name, value in start["headers"]:
        headers[name.decode("latin-1")] = value.decode("latin-1")
    response.headers = headers
    response.raw = io.BufferedReader(body, PIECE)
    response.url = str(request.url)
    response.request = request
    response.encoding = "utf-8"
    return response
