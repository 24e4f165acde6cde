"""The server's log on stderr: a line a request, text or JSON, without query strings (they hold secrets)."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_ACCESS = logging.getLogger("aztrust.access")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {"time": _time(record), "level": record.levelname.lower()}
        request = getattr(record, "request", None)
        entry |= request if isinstance(request, dict) else {"message": record.getMessage()}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(record: logging.LogRecord) -> str:
    second, fraction = divmod(record.created, 1)
    return f"{_second(int(second))}.{int(fraction * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def configure(form: str, *, quiet: bool = False) -> None:
    """Send the server's log to stderr.

    Args:
        form: ``text`` or ``json``.
        quiet: errors alone.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.ERROR if quiet else logging.WARNING)
    _ACCESS.setLevel(logging.ERROR if quiet else logging.INFO)
    # What no line shows is not found out for each of them (Python's logging HOWTO, Optimization).
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # The event loop's warnings of clients that go away in the middle of a handshake are no news.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def logged(app: Application) -> Application:
    """Return an application whose requests are logged, where they are to be at all."""
    return AccessLog(app) if _ACCESS.isEnabledFor(logging.INFO) else app


class AccessLog:
    """Wraps an ASGI application and logs each request when its answer has been sent.

    Args:
        app: the application.
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            _log(scope, status, (time.perf_counter() - started) * 1000)


_WANTED = {b"host": "host", b"x-ms-correlation-request-id": "correlationId", b"user-agent": "userAgent"}


def _log(scope: Message, status: int, milliseconds: float) -> None:
    found = {_WANTED[name]: _plain(value) for name, value in scope["headers"] if name in _WANTED}
    # raw_path is percent-encoded and ends before the query.
    path = _plain(scope.get("raw_path") or scope["path"].encode())
    request = {
        "client": (scope.get("client") or ("-",))[0], "method": scope["method"], "host": found.get("host", ""),
        "path": path, "status": status, "ms": round(milliseconds, 1), "correlationId": found.get("correlationId", ""),
        "userAgent": found.get("userAgent", ""), "caller": _plain(scope.get("aztrust.caller", "").encode()),
    }  # fmt: skip
    line = f"{request['client']} {request['method']} {request['host']}{path} {status} {request['ms']}ms"
    known = request["correlationId"]
    # Where the line was written is told to nobody, and finding it out would cost more than all the rest.
    record = logging.LogRecord(_ACCESS.name, logging.INFO, "", 0, f"{line} {known}" if known else line, None, None)
    record.request = request
    _ACCESS.handle(record)


def _plain(raw: bytes) -> str:
    """Return text that cannot break out of its line, at most 2,000 characters."""
    text = raw[:2000].partition(b"?")[0].decode("latin-1")
    return text if text.isascii() and text.isprintable() else text.encode("unicode_escape").decode()
