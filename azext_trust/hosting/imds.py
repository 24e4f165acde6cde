"""``serve --imds ADDRESS:PORT``: the instance metadata service over plain HTTP, apart from the cloud's own port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from azext_trust.hosting.listener import Endpoint
from azext_trust.server.app import IMDS_HOST, App

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
"""The environment variable by which MSAL, and with it az and the SDKs, find another address than 169.254.169.254."""
_CONTAINERS = ("host.docker.internal", "host.containers.internal")


class Machine:
    """The ASGI application: what it is asked goes to the metadata service, and nothing else is there.

    Args:
        app: the cloud.
    """

    def __init__(self, app: App) -> None:
        self._app = App(app.store, replace(app.settings, imds=True))
        self._names = ("localhost", app.settings.host.lower(), *_CONTAINERS)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            return
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self._addressed(hosts[0]):
            await _refuse(send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
        inner = {**scope, "headers": [*headers, (b"host", IMDS_HOST.encode())]}
        await self._app(inner, receive, send)

    def _addressed(self, host: str) -> bool:
        """Tell whether a request names this machine by address or by a name that is nobody else's.

        A page whose name was made to resolve to this machine may set any header; its name gives it away.
        """
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        try:
            return bool(ip_address(name.strip("[]")))
        except ValueError:
            return name.lower() in self._names


async def _refuse(send: Send) -> None:
    body = b'{"error":"unknown_source","error_description":"Unknown Source"}'
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def told(endpoint: Endpoint) -> str:
    """Return what the user is told: how clients find it, and a warning where others can reach it."""
    text = f"Managed identities: export {VARIABLE}=http://{endpoint}"
    address = ip_address(endpoint.address)
    if address.is_loopback or address.is_link_local:
        return text
    return f"{text}\nWhoever reaches {endpoint} gets the tokens of every managed identity: keep it to this machine."
