"""A Notary server as `signing` sees it, over one connection; says how long the server took."""

from __future__ import annotations

import http.client
import ssl
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from azext_trust.clients.notary import _multipart
from azext_trust.clients.notary_errors import NoTrustData


@dataclass
class Wire:
    """One repository's trust data on a server.

    Attributes:
        host: the server, with its port.
        gun: the repository.
        token: a bearer token that may do everything there.
        ca: the authority to trust.
        seconds: how long the server took for all that was asked since it was set to 0.
    """

    host: str
    gun: str
    token: str
    ca: Path
    seconds: float = field(default=0.0)

    @property
    def server(self) -> str:
        """The server's name."""
        return self.host

    @cached_property
    def _connection(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.ca))
        return http.client.HTTPSConnection(self.host, context=context, timeout=300)

    def _ask(self, method: str, path: str, body: bytes = b"", media: str = "") -> bytes:
        headers = {"Authorization": f"Bearer {self.token}", **({"Content-Type": media} if media else {})}
        began = time.perf_counter()
        self._connection.request(method, f"/v2/{self.gun}/_trust/tuf/{path}", body or None, headers)
        answer = self._connection.getresponse()
        read = answer.read()
        self.seconds += time.perf_counter() - began
        if answer.status == 404:
            raise NoTrustData(path)
        if answer.status != 200:
            sys.exit(f"{method} {self.host} {path}: {answer.status} {read!r}")
        return read

    def fetch(self, name: str, limit: int) -> bytes:
        """Return metadata."""
        return self._ask("GET", f"{name}.json")

    def publish(self, parts: Mapping[str, bytes]) -> None:
        """Upload metadata."""
        self._ask("POST", "", _multipart(parts, "bench"), "multipart/form-data; boundary=bench")

    def server_key(self, role: str) -> bytes:
        """Return the server's key."""
        return self._ask("GET", f"{role}.key")

    def rotate_key(self, role: str) -> bytes:
        """Return a new key."""
        return self._ask("POST", f"{role}.key")

    def delete(self) -> None:
        """Delete everything."""
        self._ask("DELETE", "")
