"""A registry that is not ours, small enough to misbehave on request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.unit.server.registry.conftest import CONFIG, INDEX, LAYER, OCI, basic, digest_of


@dataclass
class Elsewhere:
    """What it holds, and how it behaves.

    Attributes:
        blobs: by digest.
        manifests: content and media type, by tag and by digest.
        referrers: descriptors, by the digest they are about.
        wanted: the Authorization header without which nothing is given, or empty.
        breaks: after so many bytes of a blob the connection breaks, as often as there are numbers.
        redirect: where blobs are said to lie, or empty.
        asked: the requests that came: path and Range header.
        held: while it is there, blobs stop half way until it is set.
        halfway: is set when one does.
    """

    address: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    referrers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    wanted: str = ""
    breaks: list[int] = field(default_factory=list)
    redirect: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    held: threading.Event | None = None
    halfway: threading.Event = field(default_factory=threading.Event)

    def manifest(self, body: dict[str, Any], tag: str = "") -> dict[str, Any]:
        """Hold a manifest and return its descriptor."""
        raw = json.dumps(body).encode()
        for name in (digest_of(raw), *([tag] if tag else [])):
            self.manifests[name] = (raw, body["mediaType"])
        return {"mediaType": body["mediaType"], "digest": digest_of(raw), "size": len(raw)}

    def blob(self, data: bytes, media_type: str = LAYER) -> dict[str, Any]:
        """Hold a blob and return its descriptor."""
        self.blobs[digest_of(data)] = data
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    def image(self, tag: str, layer: bytes, **more: object) -> dict[str, Any]:
        """Hold an image and return its descriptor."""
        config = self.blob(json.dumps({"architecture": "amd64", "os": "linux"}).encode(), CONFIG)
        made = {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": [self.blob(layer)], **more}
        return self.manifest(made, tag)

    def index(self, tag: str, *parts: dict[str, Any]) -> dict[str, Any]:
        """Hold an image for several platforms and return its descriptor."""
        return self.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(parts)}, tag)

    def credentials(self, name: str, password: str) -> None:
        """Give nothing without them."""
        self.wanted = basic(name, password)


def _handler(here: Elsewhere) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            here.asked.append((self.path, self.headers.get("Range", "")))
            if here.wanted and self.headers.get("Authorization") != here.wanted:
                body = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
                return self._send(401, body, {"WWW-Authenticate": 'Basic realm="elsewhere"'})
            kind, _, name = self.path.rpartition("/")
            if kind.endswith("/blobs"):
                return self._blob(name)
            if kind.endswith("/referrers"):
                found = {"schemaVersion": 2, "mediaType": INDEX, "manifests": here.referrers.get(name, [])}
                return self._send(200, json.dumps(found).encode(), {"Content-Type": INDEX})
            raw, media_type = here.manifests.get(name, (b"", ""))
            if not raw:
                return self._send(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}', {})
            self._send(200, raw, {"Content-Type": media_type})

        def _blob(self, digest: str) -> None:
            if here.redirect:
                return self._send(307, b"", {"Location": here.redirect})
            whole = here.blobs[digest]
            first = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            at = int(first[1]) if first else 0
            more = {"Content-Range": f"bytes {at}-{len(whole) - 1}/{len(whole)}"} if first else {}
            self._send(206 if first else 200, whole[at:], more, here.breaks.pop(0) if here.breaks else None)

        def _send(self, status: int, body: bytes, headers: dict[str, str], most: int | None = None) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            half = len(body) // 2 if here.held is not None and "/blobs/" in self.path else 0
            self.wfile.write(body[:half])
            if half and here.held is not None:
                here.halfway.set()
                here.held.wait(60)
            with suppress(ConnectionError):
                self.wfile.write(body[half:most])
            self.close_connection = most is not None

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """Run one on a free port of this machine."""
    here = Elsewhere()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(here)) as server:
        here.address = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()
