"""The wire of the embedded cloud: a prepared request becomes a call of the server's application in this process."""

from __future__ import annotations

import io
from collections.abc import Coroutine, Mapping
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
        """Answer a prepared request."""
        body = request.body or b""
        data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b"".join(body)
        sent: list[dict[str, Any]] = []
        received = iter([{"type": "http.request", "body": data, "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(received, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        _drive(self._application()(_scope(request), receive, send))
        return _response(request, sent)

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


def _drive(call: Coroutine[Any, Any, None]) -> None:
    """Run the application to its end. It never waits here: no event loop is needed, nor paid for."""
    try:
        call.send(None)
    except StopIteration:
        return
    raise RuntimeError("the embedded application waited for something")


def _response(request: requests.PreparedRequest, sent: list[dict[str, Any]]) -> requests.Response:
    response = requests.Response()
    response.status_code = sent[0]["status"]
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for name, value in sent[0]["headers"]:
        headers[name.decode("latin-1")] = value.decode("latin-1")
    response.headers = headers
    response.raw = io.BytesIO(b"".join(message.get("body", b"") for message in sent[1:]))
    response.url = str(request.url)
    response.request = request
    response.encoding = "utf-8"
    return response
