"""Images and their signatures, from a login server that is played."""

from __future__ import annotations

import io
import json
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import requests
from requests.adapters import BaseAdapter

from azext_trust.clients.notary_errors import NoTrustData
from azext_trust.cloud.connect import Connection
from azext_trust.cloud.profile import Profile
from azext_trust.portal.connection import web_session
from azext_trust.portal.images import EXPIRED, SIGNED, UNSIGNED, images_of
from azext_trust.signing import tags
from azext_trust.signing.looking import Distrusted
from tests.trust import NOW, NotarySimulator, image, somebody

HOST = "myregistry.azurecr.io"
PUSHED = "sha256:" + "f" * 64


class LoginServer(BaseAdapter):
    """A login server: token service, ACR's API, trust data."""

    def __init__(self, trust: NotarySimulator) -> None:
        super().__init__()
        self.trust = trust
        self.there = True

    def send(self, request: requests.PreparedRequest, *arguments: object, **more: object) -> requests.Response:
        """Answer a prepared request."""
        path = unquote(urlsplit(str(request.url)).path)
        response = requests.Response()
        response.url, response.status_code = str(request.url), 200
        try:
            body = self._body(path, response) if self.there else None
        except NoTrustData:
            body = None
        if body is None:
            response.status_code, body = 404, {"errors": [{"code": "NAME_UNKNOWN", "message": "none"}]}
        response.raw = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        return response

    def _body(self, path: str, response: requests.Response) -> object:
        if path == "/v2/":
            response.status_code = 401
            response.headers["WWW-Authenticate"] = f'Bearer realm="https://{HOST}/oauth2/token",service="{HOST}"'
            return {}
        if "/_trust/" in path:
            if f"/{self.trust.gun}/" not in path:
                return None
            response.headers["Last-Modified"] = "Tue, 24 Nov 2026 12:00:00 GMT"
            return self.trust.fetch(path.partition("/_trust/tuf/")[2].removesuffix(".json"), 1 << 20)
        rows = [{"name": name, "digest": PUSHED} for name in ("latest", "v1")]
        return {
            "/oauth2/exchange": {"refresh_token": "r"}, "/oauth2/token": {"access_token": "a"},
            "/acr/v1/_catalog": {"repositories": ["other", "team/web"]}, "/acr/v1/team/web/_tags": {"tags": rows},
        }.get(path)  # fmt: skip

    def close(self) -> None:
        """There is nothing to close."""


class Visitor(Connection):
    """Somebody at that login server."""

    def __init__(self, adapter: BaseAdapter) -> None:
        super().__init__(Profile("P", "served", "https://localhost", "https://localhost", "https://localhost/"))
        self._adapter = adapter

    @cached_property
    def session(self) -> requests.Session:
        """The played wire."""
        return web_session(self._adapter)

    @cached_property
    def account(self) -> dict[str, str]:
        """A tenant."""
        return {"tenantId": "t"}

    def token(self, scope: str, *, claims: str | None = None, force: bool = False) -> tuple[str, int]:
        """Any token."""
        return "token", 0

    def reach_login_server(self, host: str) -> None:
        """It is reached already."""


@pytest.fixture
def server(tmp_path: Path) -> LoginServer:
    """A login server with one signed tag of two."""
    trust = NotarySimulator()
    tags.sign(somebody(tmp_path / "trust", trust), "v1", image("v1"))
    return LoginServer(trust)


def test_tags(server: LoginServer) -> None:
    """M13: one tag is signed, by whom, when and until when; the other is not; the pushed digest stands beside."""
    latest, v1 = images_of(Visitor(server), NOW).tags(HOST, "team/web", "", 50)
    assert (latest.name, latest.state, latest.signer) == ("latest", UNSIGNED, "")
    assert (v1.name, v1.state, v1.signer) == ("v1", SIGNED, "Repo Admin")
    assert v1.signed_digest == f"sha256:{image('v1').sha256}" != v1.digest == PUSHED
    assert v1.signed == "2026-11-24T12:00:00+00:00"
    assert v1.expires.startswith("2029-11-2")


def test_expired_tags(server: LoginServer) -> None:
    """M13: what has ended is called expired."""
    server.trust.now = NOW.replace(year=2031)
    assert images_of(Visitor(server), server.trust.now).tags(HOST, "team/web", "", 50)[1].state == EXPIRED


def test_signed(server: LoginServer) -> None:
    """M4: what disabling destroys, by repository."""
    (found,) = images_of(Visitor(server), NOW).signed(HOST)
    assert (found.name, found.signed, found.signers) == ("team/web", ("v1",), ("Repo Admin",))


def test_forged(server: LoginServer) -> None:
    """M18: forged trust data are told, not shown."""
    server.trust.tamper = lambda name, raw: raw.replace(b'"v1"', b'"vX"') if name.startswith("targets") else raw
    with pytest.raises(Distrusted):
        images_of(Visitor(server), NOW).tags(HOST, "team/web", "", 50)


def test_cloud_without_login_servers(server: LoginServer) -> None:
    """M31: where nothing was ever pushed there are no repositories, and no failure."""
    server.there = False
    found = images_of(Visitor(server), NOW)
    assert (found.repositories(HOST, "", 50), found.tags(HOST, "x", "", 50), found.signed(HOST)) == ([], [], [])
