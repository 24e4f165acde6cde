"""A browser without a screen: it keeps cookies, follows redirects and posts forms, in process."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

from azext_trust.hosting.log import Application

ORIGIN = "https://localhost"
SUBSCRIPTION = "/subscriptions/22222222-2222-2222-2222-222222222222"
REGISTRY = f"{SUBSCRIPTION}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/myregistry"
PAGES = f"/portal/resource{REGISTRY}"
SIGNER = "6cef56e8-d556-48e5-a04f-b8e64114680f"
OURS = {"sec-fetch-site": "same-origin", "origin": ORIGIN}


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    url: str = ""

    def header(self, name: str) -> str:
        """Return a header, empty when it is missing."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def cookies(self) -> list[str]:
        """The Set-Cookie headers."""
        return [value for key, value in self.headers if key == "set-cookie"]

    @property
    def text(self) -> str:
        """The page."""
        return self.body.decode()

    @property
    def csrf(self) -> str:
        """The mark of the page's forms."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        assert found, self.text
        return found[1]

    def hidden(self) -> dict[str, str]:
        """Return all hidden fields."""
        return {k: unescape(v) for k, v in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', self.text)}


async def call(app: Application, method: str, url: str, headers: dict[str, str], body: bytes = b"") -> Answer:
    """Send one request."""
    parts = urlsplit(url)
    sent: list[dict[str, Any]] = []
    given = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(given, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    from urllib.parse import unquote

    scope = {
        "type": "http", "http_version": "1.1", "asgi": {"version": "3.0"}, "method": method, "scheme": "https",
        "path": unquote(parts.path), "raw_path": parts.path.encode(), "query_string": parts.query.encode(),
        "root_path": "", "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("localhost", 443),
    }  # fmt: skip
    await app(scope, receive, send)
    found = [(k.decode().lower(), v.decode()) for k, v in sent[0]["headers"]]
    return Answer(sent[0]["status"], found, b"".join(m.get("body", b"") for m in sent[1:]), url)


@dataclass
class Browser:
    """One visitor's browser.

    Attributes:
        app: the cloud with its portal.
        jar: its cookies.
        language: what it prefers.
    """

    app: Application
    jar: dict[str, str] = field(default_factory=dict)
    language: str = "en"

    def send(self, method: str, where: str, fields: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send one request and keep the cookies of its answer."""
        body = urlencode(fields, doseq=True).encode() if fields is not None else b""
        sent = {"host": "localhost", "accept-language": self.language, **(headers or {})}
        if self.jar:
            sent["cookie"] = "; ".join(f"{k}={v}" for k, v in self.jar.items())
        answer = asyncio.run(call(self.app, method, where.removeprefix(ORIGIN), sent, body))
        for line in answer.cookies:
            name, _, value = line.partition(";")[0].partition("=")
            if "Max-Age=0" in line:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return answer

    def open(self, where: str, **headers: str) -> Answer:
        """Open a page, following redirects."""
        answer = self.send("GET", where, headers=headers)
        return self.follow(answer)

    def follow(self, answer: Answer) -> Answer:
        """Follow redirects to their end."""
        for _ in range(10):
            if answer.status not in (301, 302, 303, 307):
                return answer
            answer = self.send("GET", answer.header("location"))
        raise AssertionError("redirects go round in a circle")

    def submit(self, page: Answer, where: str = "", fields: Any = None) -> Answer:
        """Post a page's form with its mark, and follow the redirects."""
        sent = [("csrf", page.csrf), *dict(fields or {}).items()]
        return self.follow(self.send("POST", where or page.url, sent, OURS))

    def sign_in(self, name: str, password: str, where: str = "/portal/registries") -> Answer:
        """Sign in at the sign-in page and come back."""
        page = self.open(where)
        posted = self.send("POST", page.url, {**page.hidden(), "username": name, "password": password})
        return self.come_back(posted)

    def come_back(self, posted: Answer) -> Answer:
        """Post the code back to the portal, as the sign-in page does."""
        found = re.search(r'action="([^"]+)"', posted.text)
        assert found, posted.text
        return self.follow(self.send("POST", unescape(found[1]), posted.hidden(), {"sec-fetch-site": "same-origin"}))
