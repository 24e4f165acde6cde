"""A registry elsewhere, as a source of images: the client's side of OCI Distribution 1.1 and its token services."""

from __future__ import annotations

import base64
import ipaddress
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests

from azext_trust.server.registry import guarded_session, manifest_form
from azext_trust.server.registry.import_failures import Failed, refused, unreachable

TIMEOUT = (15, 60)
"""Seconds to connect, and between two pieces of an answer."""
LARGEST_MANIFEST = 4 * 1024 * 1024
LARGEST_TOKEN = 1024 * 1024
PIECE = 1024 * 1024
_ALIASES = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
"""Hosts whose registry is served elsewhere, as every client knows."""
_ACCEPT = ", ".join(sorted(manifest_form.TYPES))


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bases(address: str) -> list[str]:
    """Return the origins at which a registry may answer: https, and on this machine itself http too, as docker does."""
    scheme, split, rest = address.rstrip("/").rpartition("://")
    host = urlsplit(f"//{rest}").hostname or ""
    if split:
        return [f"{scheme}://{rest}"]
    rest = _ALIASES.get(rest.lower(), rest)
    return [f"https://{rest}", *([f"http://{rest}"] if _loopback(host) else [])]


class Upstream:
    """One repository of a registry elsewhere.

    Args:
        address: the registry's, ``docker.io``, ``127.0.0.1:5000``, ``https://registry.example``.
        repository: its name there.
        credentials: user name and password, or None. Without a user name the password is an access token of the
            directory, as ACR takes it (Import from a registry in a different tenant).
    """

    def __init__(self, address: str, repository: str, credentials: tuple[str, str] | None) -> None:
        self._bases = bases(address)
        self._address = address
        self._repository = repository
        self._credentials = credentials
        self._session = guarded_session.session()
        self._authorization = ""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def manifest(self, reference: str) -> tuple[bytes, str]:
        """Return a manifest and its media type.

        Raises:
            Failed: it is not there, the credentials are not good, or the registry cannot be reached.
        """
        with self._got(f"manifests/{reference}", {"Accept": _ACCEPT}) as answer:
            if answer.status_code != 200:
                raise refused(answer.status_code, _reason(answer), _read(answer, LARGEST_TOKEN))
            content = _read(answer, LARGEST_MANIFEST + 1)
            if len(content) > LARGEST_MANIFEST:
                raise Failed(400, "InvalidParameters", f"The manifest of {self._repository} is larger than 4 MiB.")
            return content, answer.headers.get("Content-Type", "").partition(";")[0].strip()

    def referrers(self, digest: str) -> list[str]:
        """Return the digests of what has a manifest as its subject; none where the registry knows no such question."""
        with self._got(f"referrers/{digest}", {"Accept": manifest_form.OCI_INDEX}) as answer:
            if answer.status_code != 200:
                return []
            try:
                found = manifest_form.json_object(_read(answer, LARGEST_MANIFEST)).get("manifests")
            except manifest_form.FormError:
                return []
        listed = found if isinstance(found, list) else []
        return [str(one.get("digest", "")) for one in listed if isinstance(one, dict)]

    @contextmanager
    def blob(self, digest: str, first: int) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Open a blob from a byte on.

        Yields:
            the byte from which the pieces really begin, and the pieces.

        Raises:
            Failed: it is not there, or may not be read.
            OSError: the connection broke; another try may go on where this one ended.
        """
        headers = {"Range": f"bytes={first}-"} if first else {}
        with self._got(f"blobs/{digest}", headers) as answer:
            if answer.status_code not in (200, 206):
                raise refused(answer.status_code, _reason(answer), _read(answer, LARGEST_TOKEN))
            begins = re.fullmatch(r"bytes (\d+)-\d+/.*", answer.headers.get("Content-Range", ""))
            at = int(begins[1]) if answer.status_code == 206 and begins else 0
            yield at, answer.iter_content(PIECE)

    @contextmanager
    def _got(self, path: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        try:
            answer = self._asked(path, headers)
            if answer.status_code == 401:
                challenge = answer.headers.get("WWW-Authenticate", "")
                answer.close()
                self._authorize(challenge)
                answer = self._asked(path, headers)
            with answer:
                yield answer
        except guarded_session.Forbidden as error:
            raise unreachable(self._address, error) from None

    def _asked(self, path: str, headers: Mapping[str, str]) -> requests.Response:
        sent = {**headers, "Accept-Encoding": "identity"}
        if self._authorization:
            sent["Authorization"] = self._authorization
        while True:
            url = f"{self._bases[0]}/v2/{self._repository}/{path}"
            try:
                return self._request("GET", url, headers=sent)
            except requests.RequestException as error:
                if len(self._bases) == 1:
                    raise _forbidden(error) or unreachable(self._address, error) from None
                # A registry on this machine that speaks no TLS.
                self._bases = self._bases[1:]

    def _request(self, method: str, url: str, **more: Any) -> requests.Response:
        return self._session.request(
            method, url, stream=True, timeout=TIMEOUT, proxies=guarded_session.proxies(url), **more
        )

    def _authorize(self, challenge: str) -> None:
        """Get what a challenge asks for (RFC 7235; Docker Registry v2 authentication)."""
        scheme, _, rest = challenge.partition(" ")
        members = {name.lower(): value for name, value in re.findall(r'(\w+)="([^"]*)"', rest)}
        with self._lock:
            if scheme.lower() == "basic" and self._credentials:
                self._authorization = self._basic()
            elif scheme.lower() == "bearer" and members.get("realm"):
                self._authorization = f"Bearer {self._token(members)}"

    def _basic(self) -> str:
        assert self._credentials is not None
        return "Basic " + base64.b64encode(":".join(self._credentials).encode()).decode()

    def _token(self, challenge: Mapping[str, str]) -> str:
        """Return an access token of the token service that a challenge names."""
        realm = challenge["realm"]
        if urlsplit(realm).scheme not in (("https",) if self._bases[0].startswith("https:") else ("http", "https")):
            raise Failed(400, "InvalidParameters", f"The token service of {self._address} is not reached by https.")
        query = {"service": challenge.get("service", ""),
                 "scope": challenge.get("scope") or f"repository:{self._repository}:pull"}  # fmt: skip
        if self._credentials and not self._credentials[0]:
            return self._exchanged(realm, query)
        headers = {"Authorization": self._basic()} if self._credentials else {}
        return str(self._told(realm, "GET", params=query, headers=headers).get("access_token") or "")

    def _exchanged(self, realm: str, query: dict[str, str]) -> str:
        """Return an access token for an access token of the directory, by way of ACR's ``/oauth2/exchange``."""
        assert self._credentials is not None
        form = {"grant_type": "access_token", "service": query["service"], "access_token": self._credentials[1]}
        refresh = self._told(realm.rpartition("/")[0] + "/exchange", "POST", data=form).get("refresh_token", "")
        form = {"grant_type": "refresh_token", **query, "refresh_token": str(refresh)}
        return str(self._told(realm, "POST", data=form).get("access_token") or "")

    def _told(self, url: str, method: str, **more: Any) -> dict[str, Any]:
        try:
            with self._request(method, url, **more) as answer:
                text = _read(answer, LARGEST_TOKEN)
                if answer.status_code != 200:
                    raise refused(answer.status_code, _reason(answer), text)
        except requests.RequestException as error:
            raise _forbidden(error) or unreachable(self._address, error) from None
        found = manifest_form.json_object(text)
        # Docker Hub and others say "token".
        return {**found, "access_token": found.get("access_token") or found.get("token")}


def _forbidden(error: Exception) -> guarded_session.Forbidden | None:
    """Return the cause of a failed connection when it is that the address is forbidden."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, guarded_session.Forbidden):
            return seen
        reason = getattr(seen.args[0], "reason", None) if seen.args else None
        seen = seen.__cause__ or seen.__context__ or (reason if isinstance(reason, BaseException) else None)
    return None


def _reason(answer: requests.Response) -> str:
    try:
        return HTTPStatus(answer.status_code).phrase
    except ValueError:
        return ""


def _read(answer: requests.Response, most: int) -> bytes:
    """Return an answer's body, or its first `most` bytes."""
    held: bytes = b""
    for piece in answer.iter_content(64 * 1024):
        held += bytes(piece)
        if len(held) >= most:
            break
    return held[:most]
