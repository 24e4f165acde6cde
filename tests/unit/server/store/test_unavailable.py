"""What the services answer when the state cannot be used (issue: a full disk in the running server)."""

from __future__ import annotations

from typing import NoReturn

import pytest

from azext_trust.server.store.errors import BusyError, DiskFullError, StateError
from tests.conftest import SUBSCRIPTION, TENANT, Client

KINDS = [(DiskFullError, 507), (BusyError, 503), (StateError, 500)]
ARM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab?api-version=2021-04-01"


@pytest.fixture
def broken(cloud: Client, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Client:
    """Give a cloud whose state cannot be used, in one way."""

    def fail(**_: object) -> NoReturn:
        raise request.param("What is wrong. What to do.")

    monkeypatch.setattr(cloud.app.store, "read", fail)
    monkeypatch.setattr(cloud.app.store, "write", fail)
    return cloud


@pytest.mark.parametrize(("broken", "status"), KINDS, indirect=["broken"])
@pytest.mark.parametrize(
    ("method", "target"), [("GET", ARM), ("GET", "/v1.0/users"), ("GET", "/operator/status"), ("PUT", ARM)]
)
def test_each_service_answers_in_its_shape(broken: Client, status: int, method: str, target: str) -> None:
    """The status tells whether to try again; the text is the state's, with its cure."""
    reply = broken.call(method, target, {}, "a.b.c")
    assert reply.status == status
    assert ("retry-after" in reply.headers) is (status == 503)
    error = broken.json(reply)["error"]
    assert error["message"] == "What is wrong. What to do."
    assert error["code"]


@pytest.mark.parametrize(("broken", "status"), KINDS, indirect=["broken"])
def test_the_token_endpoint_answers_in_its_shape(broken: Client, status: int) -> None:
    """RFC 6749 section 5.2 with Entra's members; AADSTS90033."""
    reply = broken.call("POST", f"/{TENANT}/oauth2/v2.0/token", b"grant_type=refresh_token&client_id=x&refresh_token=y")
    answer = broken.json(reply)
    assert (reply.status, answer["error_codes"]) == (status, [90033])
    assert answer["error_description"].startswith("AADSTS90033: What is wrong. What to do.")
    assert answer["error"] == ("temporarily_unavailable" if status == 503 else "server_error")
