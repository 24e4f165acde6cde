"""Requests with a token that is renewed in time, and again when it is refused (M6, M11)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from azext_trust.cloud import sign_in, token_cache
from azext_trust.cloud.connect import Connection
from azext_trust.cloud.errors import CloudError, HttpError
from azext_trust.cloud.profile import Profile

SCOPE = "https://arm/.default"
SERVED = Profile("Lab", "served", "https://arm", "https://arm", "https://arm/")
CLAIMS = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'


class Wire(BaseAdapter):
    """Answers with what it was given, in order; the last answer stays."""

    def __init__(self, *answers: tuple[int, dict[str, str]]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.tokens: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer a request."""
        self.tokens.append(str(request.headers["Authorization"]))
        status, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        response = requests.Response()
        response.status_code = status
        response.headers.update(headers)
        response._content = b'{"error": {"code": "C", "message": "M"}}' if status >= 400 else b"{}"
        response.url, response.request = str(request.url), request
        return response

    def close(self) -> None:
        """Nothing to give back."""


Asked = list[tuple[str | None, bool]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Count what the token service is asked: claims, and whether a new token is forced."""
    found: Asked = []

    def renewed(_door: object, _account: object, _scope: str, *, claims: str | None, force: bool) -> dict[str, object]:
        found.append((claims, force))
        return {"access_token": f"token-{len(found)}", "expires_in": 3600}

    monkeypatch.setattr(sign_in, "renewed", renewed)
    monkeypatch.setattr(token_cache, "unexpired", lambda *_: None)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return found


@pytest.fixture
def connection() -> Callable[[Wire], Connection]:
    """Return a function that connects through a wire, as somebody."""

    def through(wire: Wire) -> Connection:
        made = Connection(SERVED)
        made.session.mount("https://", wire)
        made.account = {"tenantId": "t", "id": "s", "user": {"name": "a", "type": "user"}, "login": {"clientId": "c"}}
        return made

    return through


def test_answer(asked: Asked, connection: Callable[[Wire], Connection]) -> None:
    """M6: one token, one request."""
    wire = Wire((200, {}))
    assert connection(wire).request("GET", "https://arm/x", SCOPE).status_code == 200
    assert (wire.tokens, asked) == (["Bearer token-1"], [(None, False)])


def test_token_of_the_cache(
    asked: Asked, connection: Callable[[Wire], Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6: while the cache has a token the service is not asked."""
    monkeypatch.setattr(token_cache, "unexpired", lambda *_: ("kept", 1))
    wire = Wire((200, {}))
    connection(wire).request("GET", "https://arm/x", SCOPE)
    assert (wire.tokens, asked) == (["Bearer kept"], [])


def test_refused_token_is_renewed_once(asked: Asked, connection: Callable[[Wire], Connection]) -> None:
    """M11: a 401 brings one new token and one more try."""
    wire = Wire((401, {}), (200, {}))
    assert connection(wire).request("GET", "https://arm/x", SCOPE).status_code == 200
    assert asked == [(None, False), (None, True)]
    assert wire.tokens == ["Bearer token-1", "Bearer token-2"]


def test_claims_challenge(asked: Asked, connection: Callable[[Wire], Connection]) -> None:
    """M6: the claims of a challenge go to the token service."""
    claims = base64.b64encode(CLAIMS.encode()).decode()
    header = f'Bearer authorization_uri="https://arm/common", error="insufficient_claims", claims="{claims}"'
    wire = Wire((401, {"WWW-Authenticate": header}), (200, {}))
    connection(wire).request("GET", "https://arm/x", SCOPE)
    assert asked[1:] == [(CLAIMS, True)]
    assert json.loads(str(asked[1][0]))


def test_refused_twice(asked: Asked, connection: Callable[[Wire], Connection]) -> None:
    """M6: whoever is refused with a new token too is told so, and not tried again."""
    wire = Wire((401, {}))
    with pytest.raises(HttpError) as caught:
        connection(wire).request("GET", "https://arm/x", SCOPE)
    assert (caught.value.status, len(wire.tokens)) == (401, 2)


@pytest.mark.parametrize("status", [429, 503])
def test_patience(asked: Asked, connection: Callable[[Wire], Connection], status: int) -> None:
    """M28: a service that is busy is asked again, three times, as az does."""
    wire = Wire((status, {"Retry-After": "1"}), (status, {}), (200, {}))
    assert connection(wire).request("GET", "https://arm/x", SCOPE).status_code == 200
    busy = Wire((status, {}))
    with pytest.raises(HttpError):
        connection(busy).request("GET", "https://arm/x", SCOPE)
    assert len(busy.tokens) == 4


def test_nobody_there() -> None:
    """M28: a cloud that is not served is told by name and address."""
    profile = Profile("Lab", "served", "https://127.0.0.1:9", "https://127.0.0.1:9", "https://127.0.0.1:9/")
    with pytest.raises(CloudError, match=r"that the cloud 'Lab' is served at https://127\.0\.0\.1:9"):
        Connection(profile).send("GET", "https://127.0.0.1:9/")


def test_nobody_there_to_sign_in() -> None:
    """M28: so it is in the middle of a sign-in."""
    profile = Profile("Lab", "served", "https://127.0.0.1:9", "https://127.0.0.1:9", "https://127.0.0.1:9/")
    with pytest.raises(CloudError, match="that the cloud 'Lab' is served at"):
        sign_in.password(Connection(profile).door(), "a", "b", sign_in.Asked())
