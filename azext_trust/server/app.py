"""The ASGI application: which host and path belong to which service, each imported when first asked."""

from __future__ import annotations

import importlib
import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from azext_trust.server.gate.call import Call, Reply, Settings
from azext_trust.server.gate.pipeline import Admission, Service, handle
from azext_trust.server.operator.errors import SeedError
from azext_trust.server.store.migrate import StateError
from azext_trust.server.store.transaction import Store
from azext_trust.server.store.vault import VaultKeyError

if TYPE_CHECKING:
    from azext_trust.server.gate.login_servers import Door
    from azext_trust.server.gate.stream import Receive, Send, Workers
    from azext_trust.server.registry.importer import Importer

__all__ = ["MAX_BODY", "START_ERRORS", "App", "Settings", "create_app"]

START_ERRORS = (StateError, SeedError, VaultKeyError)
"""What `create_app` raises with a text for the user."""
MAX_BODY = 4 * 1024 * 1024
"""Largest management request in bytes, as ARM's."""

_FIXED = {
    "metadata": "arm", "subscriptions": "arm", "providers": "arm", "tenants": "arm", "locations": "arm",
    "v1.0": "graph", "beta": "graph", "operator": "operator",
}  # fmt: skip
LOGIN_SERVERS = (("/_trust/", "notary"), ("", "registry"))
"""Which service answers for a login server: the first whose text is in the path. Notary's paths hold ``/_trust/``."""
SWEEP_SECONDS = 3600
"""How often a serving process sweeps up."""
RESUME_SECONDS = 10
"""How often it looks for imports that nobody works on any more."""
THREADS = 16
"""Worker threads for login servers: they wait for disks more than they compute."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SLASHES = re.compile("/{2,}")


def create_app(settings: Settings) -> App:
    """Return the application of a cloud; its state is founded from a seed when it is empty.

    Args:
        settings: where the state lies and how the cloud is published.

    Raises:
        azext_trust.server.store.migrate.StateError: the state cannot be opened.
        azext_trust.server.operator.seed.SeedError: the seed file is wrong.
    """
    store = Store(settings.state, settings.database, settings.blobs)
    from azext_trust.server.operator import founding

    founding.found(store, settings)
    if settings.threads:
        # Many requests will come: decisions get the whole tenant's index (docs/decisions/0008).
        from azext_trust.server.gate import warm

        warm.keep(store).start()
    return App(store, settings)


class App:
    """The cloud as one ASGI application, dispatched by the Host header and the path.

    Args:
        store: the state.
        settings: how the cloud is published.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self._services: dict[str, Service] = {}
        self._lock = threading.Lock()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and self._registry_name(hosts[0]) is not None:
            await self._login_server(hosts[0], scope, receive, send)
            return
        reply = await self._reply(hosts, scope, receive)
        body = _encoded(reply)
        await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply, len(body))})
        head = scope["method"] == "HEAD"
        await send({"type": "http.response.body", "body": b"" if head else body})

    async def _reply(self, hosts: list[str], scope: MutableMapping[str, Any], receive: Receive) -> Reply:
        if len(hosts) != 1:
            return Reply("Bad Request: exactly one Host header is needed.", 400, media="text/plain")
        body = await _read(receive)
        if body is None:
            return Reply("Payload Too Large", 413, media="text/plain")
        call = _call(scope, body, self.settings, Call)
        if self.settings.threads:
            import asyncio

            return await asyncio.to_thread(self.answer, hosts[0], call)
        return self.answer(hosts[0], call)

    async def _login_server(
        self, host: str, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:  # fmt: skip
        """Answer a request to a login server, piece by piece where it is large."""
        from azext_trust.server.gate import stream
        from azext_trust.server.gate.login_servers import RegistryCall

        call = _call(scope, b"", self.settings, RegistryCall)
        call.door = self._door
        moment = self.store.moments.now() if self.store.moments.cheap else None
        name = self._registry_name(host) or ""
        call.server = self._door.known_server(name, moment.revision) if moment is not None else None
        if call.server is None:
            call.server = await self._workers.start(self._door.server, name)
        if call.server is None:
            reply = _no_login_server(host)
        else:
            service = self._service(next(service for text, service in LOGIN_SERVERS if text in call.path))
            try:
                reply = await stream.answer(service, self.store, call, receive, self._workers, moment)
            except stream.Gone:
                return
        scope["aztrust.caller"] = call.caller.name
        await self._send(scope, reply, receive, send)

    async def _send(self, scope: MutableMapping[str, Any], reply: Reply, receive: Receive, send: Send) -> None:
        from azext_trust.server.gate import stream

        head = scope["method"] == "HEAD"
        if hasattr(reply.body, "read"):
            content: Any = reply.body
            await send(
                {"type": "http.response.start", "status": reply.status, "headers": _headers(reply, content.size)}
            )
            await stream.send_content(content, receive, send, self._workers)
            return
        body = _encoded(reply)
        await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply, len(body))})
        await send({"type": "http.response.body", "body": b"" if head else body})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Serve from startup to shutdown (ASGI lifespan); meanwhile sweep up what registries no longer need."""
        import asyncio

        tasks: list[asyncio.Task[None]] = []
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup" and self.settings.threads:
                tasks = [asyncio.create_task(self._often(*task)) for task in self._tasks()]
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                for task in tasks:
                    task.cancel()
                if tasks:
                    self._importer.stop()
                return

    def _tasks(self) -> list[tuple[float, float, Callable[[], object]]]:
        """Return what a serving process does beside: first after so many seconds, then every so many, what."""
        from azext_trust.server.store import collection

        return [
            (SWEEP_SECONDS, SWEEP_SECONDS, lambda: collection.sweep(self.store)),
            (0, RESUME_SECONDS, self._importer.resume),
        ]

    async def _often(self, first: float, seconds: float, task: Callable[[], object]) -> None:
        import asyncio

        await asyncio.sleep(first)
        while True:
            try:
                # In a thread of its own: it may take long, and login servers need theirs.
                await asyncio.to_thread(task)
            except Exception:
                # The next one may succeed: a full disk, a store that cannot be reached.
                logging.getLogger("aztrust.server").exception("work beside the requests failed")
            await asyncio.sleep(seconds)

    def _registry_name(self, host: str) -> str | None:
        """Return the registry that a host name names, or None when it is no login server's."""
        name, dot, suffix = host.rsplit(":", 1)[0].partition(".")
        return name if dot and suffix.lower() == self.settings.suffix.lower() else None

    @cached_property
    def _door(self) -> Door:
        from azext_trust.server.gate.login_servers import Door

        return Door(self.store, self.settings)

    @cached_property
    def _importer(self) -> Importer:
        from azext_trust.server.registry.importer import Importer

        return Importer(self.store, self.settings)

    @cached_property
    def _workers(self) -> Workers:
        from azext_trust.server.gate.stream import Inline, Workers

        return Workers(ThreadPoolExecutor(THREADS, "registry")) if self.settings.threads else Inline()

    def answer(self, host: str, call: Call) -> Reply:
        """Answer a request that has been read; blocks while the database works."""
        if self.settings.imds and host.lower() == IMDS_HOST:
            return handle(self._service("imds"), self.store, call)
        first = call.path.split("/", 2)[1].lower() if call.path.startswith("/") else ""
        if first == "healthz":
            return Reply({"status": "ok"})
        if first == "portal":
            # Hosting answers these; they come here in an embedded cloud only, which no browser reaches.
            return Reply("The portal is there where 'aztrust serve' runs.", 404, media="text/plain")
        # What names a provider is meant for Resource Manager, also where the scope in front of it is none.
        other = "arm" if "/providers/" in call.path.lower() else "sts"
        reply = handle(self._service(_FIXED.get(first, other)), self.store, call)
        if call.imports:
            self._importer.begin(call.imports)
        return reply

    def _service(self, name: str) -> Service:
        with self._lock:
            if name not in self._services:
                self._services[name] = Service(name, audiences(name, self.settings), _admission(name))
                if _admission(name) is not None:
                    quick = importlib.import_module(f"azext_trust.server.{name}.quick")
                    self._services[name].quick = quick.answer
            return self._services[name]


def _admission(service: str) -> Admission | None:
    if all(service != name for _, name in LOGIN_SERVERS):
        return None
    from azext_trust.server.gate.admission import admit

    return admit


SERVICES = ("sts", "graph", "arm", "operator", "registry", "notary", "imds")
IMDS_HOST = "169.254.169.254"
"""Where a machine asks for its identities' tokens; answered only where `Settings.imds` says that the machine is trusted."""


def audiences(service: str, settings: Settings) -> frozenset[str]:
    """Return the resources whose access tokens a service takes, lower case, with no slash at the end."""
    origin = settings.origin.lower()
    if service in ("graph", "sts"):  # userinfo takes Graph's tokens
        return frozenset({origin, "https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"})
    return frozenset(
        {origin, "https://management.core.windows.net", "https://management.azure.com",
         "797f4846-ba00-4fd7-ba43-dac1f8f63013"}
    )  # fmt: skip


C = TypeVar("C", bound=Call)


def _call(scope: MutableMapping[str, Any], body: bytes, settings: Settings, kind: type[C]) -> C:
    raw = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"").decode("latin-1")
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    path = raw.partition(b"?")[0].decode("latin-1")
    return kind(
        method=scope["method"],
        path=_SLASHES.sub("/", path) if "//" in path else path,
        query={name.lower(): value for name, value in parse_qsl(query, keep_blank_values=True)} if query else {},
        headers=headers, body=body, settings=settings, raw_query=query,
        client_address=(scope.get("client") or ("", 0))[0],
    )  # fmt: skip


async def _read(receive: Receive) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(chunks)
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def _encoded(reply: Reply) -> bytes:
    if reply.body is None:
        return b""
    if isinstance(reply.body, bytes):
        return reply.body
    if isinstance(reply.body, str):
        reply.media = reply.media or "text/html; charset=utf-8"
        return reply.body.encode()
    reply.media = reply.media or "application/json; charset=utf-8"
    return json.dumps(reply.body, separators=(",", ":"), ensure_ascii=False).encode()


def _headers(reply: Reply, size: int) -> Iterable[tuple[bytes, bytes]]:
    headers = {"content-length": str(size), **{name.lower(): value for name, value in reply.headers.items()}}
    if reply.media and size:
        headers.setdefault("content-type", reply.media)
    if reply.status in (204, 304):
        headers.pop("content-length", None)
    # A line break echoed into a header would split the answer: none is let through.
    return [
        (
            name.encode("latin-1"),
            (value if value.isprintable() else _CONTROL.sub(" ", value)).encode("latin-1", "replace"),
        )
        for name, value in headers.items()
    ]


def _no_login_server(host: str) -> Reply:
    errors = [{"code": "NAME_UNKNOWN", "message": f"no registry is served at {host}", "detail": None}]
    return Reply({"errors": errors}, 404, {"docker-distribution-api-version": "registry/2.0"})
