"""Two applications at one origin: the cloud, and under ``/portal`` of the cloud's own host its portal."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

from azext_trust.cloud.embedded import EmbeddedAdapter
from azext_trust.cloud.profile import Profile
from azext_trust.hosting.log import Application, Message, Receive, Send
from azext_trust.server.app import App


class OwnCloud(EmbeddedAdapter):
    """The portal's way to the cloud that serves it: a call in the portal's own thread.

    It neither goes over TLS to itself nor takes a second worker thread, so that however many pages are asked for at
    once, none waits for a thread that another one holds.

    Args:
        app: the cloud; its state stays open.
    """

    def __init__(self, app: App) -> None:
        super().__init__(app.settings.state)
        self._app = App(app.store, replace(app.settings, threads=False))

    def close(self) -> None:
        """Leave the state open: the cloud goes on."""


class Mounted:
    """The cloud with its portal, which is made when the first page is asked for.

    Args:
        app: the cloud.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._portal: Application | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] == "http" and self._for_portal(scope):
            # Made in a thread: others' requests go on meanwhile.
            portal = await asyncio.to_thread(self._made) if self._portal is None else self._portal
            await portal(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _for_portal(self, scope: Message) -> bool:
        path = str(scope["path"])
        if path != "/portal" and not path.startswith("/portal/"):
            return False
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        # A login server has no portal; two hosts, or none, are the cloud's to refuse.
        name = hosts[0].rsplit(":", 1)[0].lower() if len(hosts) == 1 else ""
        return bool(name) and not name.endswith("." + self.app.settings.suffix.lower())

    def _made(self) -> Application:
        with self._lock:
            if self._portal is None:
                from azext_trust.portal.app import create

                self._portal = create(_profile(self.app), self.app.settings.state, OwnCloud(self.app))
            return self._portal


def _profile(app: App) -> Profile:
    settings = app.settings
    port = "" if settings.port == 443 else f":{settings.port}"
    origin = settings.origin
    return Profile("Portal", "served", origin, origin, f"{origin}/", acr_suffix=settings.suffix + port)
