"""The Notary server's API for one repository (dct-wire-contract.md section 4)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from azext_trust.clients.notary_errors import Conflict, NotAuthorized, NoTrustData, Rejected, Unavailable

MAX_ERROR = 64 * 1024
MAX_KEY = 256 * 1024
"""Largest key that is read (notary httpstore.go)."""
PULL, PUSH, ALL = "pull", "push,pull", "*"
"""What a request needs: one of these is passed to the authoriser."""

Authorise = Callable[[str], Mapping[str, str]]


class Notary:
    """The trust data of one repository on a server.

    Args:
        session: carries the requests.
        url: the server's address: the login server's, ``https://myregistry.azurecr.io``.
        gun: the repository, host included.
        authorise: returns the headers for a request that needs ``pull``, ``push,pull`` or ``*``; None sends none.
    """

    def __init__(self, session: requests.Session, url: str, gun: str, authorise: Authorise | None = None) -> None:
        self.session = session
        self.url = url.rstrip("/")
        self.gun = gun
        self._authorise = authorise

    @property
    def server(self) -> str:
        """The server as docker names it in its texts."""
        return self.url.partition("://")[2]

    def fetch(self, name: str, limit: int) -> bytes:
        """Return metadata by role, ``ROLE.<sha256>`` or ``N.ROLE``, at most one byte more than the limit.

        Raises:
            NoTrustData: the server has none of this name.
            NotAuthorized, Unavailable: see there.
        """
        return self._send(_Request("GET", f"{quote(name)}.json", PULL, name, limit))

    def publish(self, parts: Mapping[str, bytes]) -> None:
        """Upload metadata, all of them or none.

        Args:
            parts: role to bytes.

        Raises:
            Rejected, Conflict: they are refused.
            NotAuthorized, Unavailable: see there.
        """
        boundary = secrets.token_hex(16)
        media = f"multipart/form-data; boundary={boundary}"
        body = _multipart(parts, boundary)
        self._send(_Request("POST", "", PUSH, "POST metadata endpoint", body=body, media=media))

    def server_key(self, role: str) -> bytes:
        """Return the server's public key for a role, made on demand, as JSON."""
        return self._send(_Request("GET", f"{role}.key", PUSH, f"{role} key", MAX_KEY))

    def rotate_key(self, role: str) -> bytes:
        """Return a new public key of the server for a role, as JSON."""
        return self._send(_Request("POST", f"{role}.key", ALL, f"{role} key", MAX_KEY))

    def delete(self) -> None:
        """Delete all trust data of the repository on the server."""
        self._send(_Request("DELETE", "", ALL, "DELETE metadata for GUN endpoint"))

    def _send(self, asked: _Request) -> bytes:
        headers = dict(self._authorise(asked.needs)) if self._authorise else {}
        if asked.media:
            headers["Content-Type"] = asked.media
        # Signed bytes are hashed as they come: no transfer may change them.
        headers["Accept-Encoding"] = "identity"
        target = f"{self.url}/v2/{quote(self.gun, safe='/:')}/_trust/tuf/{asked.path}"
        try:
            with self.session.request(
                asked.method, target, headers=headers, data=asked.body or None, stream=True, timeout=300,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                _check(answer, asked.resource)
                return _limited(answer, asked.limit)
        except requests.RequestException as error:
            raise Unavailable(0, f"error contacting notary server: {error}") from None


@dataclass(frozen=True)
class _Request:
    """One request: what it needs, what it is called in errors, how much is read of the answer."""

    method: str
    path: str
    needs: str
    resource: str
    limit: int = 0
    body: bytes = b""
    media: str = ""


def _limited(answer: requests.Response, limit: int) -> bytes:
    """Read one byte more than allowed and no further: a server may send without end."""
    chunks, size = [], 0
    for chunk in answer.iter_content(64 * 1024):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            break
    return b"".join(chunks)[: limit + 1]


def _check(answer: requests.Response, resource: str) -> None:
    if answer.status_code == 200:
        return
    if answer.status_code == 404:
        raise NoTrustData(resource)
    if answer.status_code == 401:
        raise NotAuthorized
    if answer.status_code != 400:
        raise Unavailable(answer.status_code)
    code, name, message = _refusal(_limited(answer, MAX_ERROR))
    raise Conflict if code == "VERSION" else Rejected(code, name, message)


def _refusal(body: bytes) -> tuple[str, str, str]:
    try:
        error: Any = json.loads(body)["errors"][0]
        detail = error.get("detail")
        kind = detail if isinstance(detail, dict) else {}
        inner = kind.get("Error") if isinstance(kind.get("Error"), dict) else {}
        return str(error["code"]), str(kind.get("Name") or ""), str((inner or {}).get("Msg") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return "", "", ""


def _multipart(parts: Mapping[str, bytes], boundary: str) -> bytes:
    """Return the body that notary sends; without parts it is empty but well-formed (section 0, rule 12)."""
    lines = []
    for role, raw in parts.items():
        head = (
            f'Content-Disposition: form-data; name="files"; filename="{role}"\r\nContent-Type: application/octet-stream'
        )
        lines += [f"--{boundary}\r\n{head}\r\n\r\n".encode(), raw, b"\r\n"]
    return b"".join([*lines, f"--{boundary}--\r\n".encode()])
