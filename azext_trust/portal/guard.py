"""What protects the pages: headers on each answer, whose form a post is, where a visitor may be sent back to."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

# No 'unsafe-inline', no 'unsafe-eval': neither scripts nor styles are written into the pages.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # Not no-referrer: browsers would then send "Origin: null" with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
PAGE = {"cache-control": "no-store"}
"""Pages show what one visitor may see: nobody keeps them."""


class Guarded:
    """Wraps the portal: the headers above go with each answer, also with the ones nobody wrote.

    Args:
        app: the application.
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                more = [(k.encode(), v.encode()) for k, v in (HEADERS | PAGE).items() if k.encode() not in names]
                message = {**message, "headers": given + more}
            await send(message)

        await self.app(scope, receive, guarded)


def from_here(headers: Mapping[str, str], origin: str) -> bool:
    """Tell whether a browser sent a post from one of our pages (Fetch Metadata; RFC 6454 section 7).

    Browsers of our time send both headers; what they send must fit, and one of the two must be there.

    Args:
        headers: the request's headers.
        origin: the cloud's origin.
    """
    site, sender = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and sender is None:
        return False
    return site in (None, "same-origin") and sender in (None, origin)


def same(given: str, held: str) -> bool:
    """Tell whether a form carries the session's own mark; how long it takes tells nothing."""
    return bool(held) and hmac.compare_digest(given.encode(), held.encode())


def way_back(text: str) -> str:
    """Return a path of the portal to send a visitor to, the start page when the text is anything else.

    Args:
        text: what a request says it came from: path and query.
    """
    if any(ord(letter) < 33 or letter == "\\" for letter in text) or text.startswith("//"):
        return "/portal/"
    parts = urlsplit(text)
    elsewhere = parts.scheme or parts.netloc or not parts.path.startswith("/portal/") or ".." in parts.path.split("/")
    # Back to the sign-in would go round in a circle.
    if elsewhere or parts.path.startswith("/portal/sign"):
        return "/portal/"
    return parts.path + (f"?{parts.query}" if parts.query else "")
