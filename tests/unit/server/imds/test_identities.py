"""The instance metadata service (M6; how-to-use-vm-token)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from azext_trust.server.app import App
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import activity
from tests.conftest import SUBSCRIPTION, TENANT, Client
from tests.managed_identities import add
from tests.sign_in import claims_of

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/lab/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
RESOURCE = "https://management.azure.com/"


def ask(
    cloud: Client, query: Mapping[str, str] | None = None, path: str = "/metadata/identity/oauth2/token",
    method: str = "GET", headers: dict[str, str] | None = None,
) -> Reply:  # fmt: skip
    """Ask the service as a program on the machine does; `resource` and `api-version` are there unless emptied."""
    sent = {"api-version": "2018-02-01", "resource": RESOURCE, **(query or {})}
    known = {name: value for name, value in sent.items() if value}
    app = App(cloud.app.store, replace(cloud.app.settings, imds=True))
    call = Call(method, path, known, headers if headers is not None else {"metadata": "true"}, b"", app.settings,
                urlencode(known))  # fmt: skip
    return app.answer("169.254.169.254", call)


def body(reply: Reply) -> dict[str, Any]:
    """Return an answer's JSON."""
    assert isinstance(reply.body, dict)
    return reply.body


def test_the_only_identity(cloud: Client) -> None:
    """M6: without a name the only identity is meant; the answer has the documented members, all texts."""
    identity = add(cloud.app.store, f"{GROUP}/ci")
    found = body(ask(cloud))
    assert set(found) == {"access_token", "client_id", "expires_in", "expires_on", "ext_expires_in", "not_before",
                          "resource", "token_type"}  # fmt: skip
    assert (found["client_id"], found["resource"], found["expires_in"]) == (identity.app_id, RESOURCE, "86399")
    assert abs(int(found["expires_on"]) - time.time() - 86399) < 60
    claims = claims_of(found["access_token"])
    assert (claims["oid"], claims["idtyp"], claims["tid"]) == (identity.id, "app", TENANT)
    assert claims["xms_mirid"] == f"{GROUP}/ci"


def test_its_token_works(cloud: Client) -> None:
    """M6: Resource Manager knows the identity; it may nothing before it has a role."""
    add(cloud.app.store, f"{GROUP}/ci")
    token = body(ask(cloud))["access_token"]
    listed = cloud.json(cloud.call("GET", "/subscriptions?api-version=2022-12-01", token=token))
    assert listed["value"] == []


@pytest.mark.parametrize("name", ["client_id", "object_id", "mi_res_id", "msi_res_id"])
def test_chosen_by(cloud: Client, name: str) -> None:
    """M6: one of several is named by client, object or resource id, in whatever case."""
    add(cloud.app.store, f"{GROUP}/other")
    identity = add(cloud.app.store, f"{GROUP}/ci")
    value = {"client_id": identity.app_id, "object_id": identity.id}.get(name) or f"{GROUP}/CI"
    assert body(ask(cloud, {name: str(value).upper()}))["client_id"] == identity.app_id


def test_several(cloud: Client) -> None:
    """M6: with several the request must say which."""
    for name in ("a", "b"):
        add(cloud.app.store, f"{GROUP}/{name}")
    reply = ask(cloud)
    assert (reply.status, body(reply)["error"]) == (400, "invalid_request")
    assert body(reply)["error_description"].startswith("Multiple user assigned identities exist, please specify")


@pytest.mark.parametrize("query", [{}, {"client_id": str(uuid.uuid4())}, {"mi_res_id": f"{GROUP}/nope"}])
def test_not_found(cloud: Client, query: dict[str, str]) -> None:
    """M6: the real answer where there is no such identity, or none at all."""
    if query:
        add(cloud.app.store, f"{GROUP}/ci")
    reply = ask(cloud, query)
    assert (reply.status, body(reply)) == (400, {"error": "invalid_request", "error_description": "Identity not found"})


def test_other_service_principals_are_none(cloud: Client) -> None:
    """M12: an application's client id brings no token here: it has a secret for that."""
    add(cloud.app.store, f"{GROUP}/ci")
    reply = ask(cloud, {"client_id": "33333333-3333-3333-3333-333333333333"})
    assert body(reply)["error_description"] == "Identity not found"


@pytest.mark.parametrize(
    ("headers", "query", "error"),
    [
        ({}, {}, "bad_request_102"),
        ({"metadata": "false"}, {}, "bad_request_102"),
        ({"metadata": "true", "x-forwarded-for": "10.0.0.1"}, {}, "bad_request_102"),
        (None, {"resource": ""}, "invalid_request"),
        (None, {"api-version": ""}, "Bad request. api-version is invalid or was not specified in the request."),
        (
            None,
            {"api-version": "1999-01-01"},
            "Bad request. api-version is invalid or was not specified in the request.",
        ),
        (None, {"resource": "https://nowhere.example"}, "invalid_resource"),
    ],
)
def test_refusals(cloud: Client, headers: dict[str, str] | None, query: dict[str, str], error: str) -> None:
    """M6: the header rule that keeps browsers out, and what must be said."""
    add(cloud.app.store, f"{GROUP}/ci")
    reply = ask(cloud, query, headers=headers)
    assert (reply.status, body(reply)["error"]) == (400, error)


def test_other_paths_and_methods(cloud: Client) -> None:
    """M6: nothing but identities is here, and nothing of the cloud either."""
    assert ask(cloud, path="/metadata/instance").status == 404
    assert ask(cloud, path="/subscriptions").status == 404
    assert ask(cloud, method="POST").status == 405
    assert ask(cloud, path="/metadata/versions").status == 200


def test_not_on_the_cloud_itself(cloud: Client) -> None:
    """M12: a caller of the cloud cannot reach it, whatever host it names."""
    add(cloud.app.store, f"{GROUP}/ci")
    query = {"api-version": "2018-02-01", "resource": RESOURCE}
    for host in ("169.254.169.254", "localhost"):
        call = Call("GET", "/metadata/identity/oauth2/token", query, {"metadata": "true"}, b"", cloud.app.settings)
        assert cloud.app.answer(host, call).status in (401, 404)


def test_disabled_identity(cloud: Client) -> None:
    """M6: an identity that was deleted or switched off gets nothing."""
    add(cloud.app.store, f"{GROUP}/ci", enabled=False)
    assert body(ask(cloud))["error_description"] == "Identity not found"


def test_logged(cloud: Client) -> None:
    """M25: a token handed out here is in the activity log."""
    identity = add(cloud.app.store, f"{GROUP}/ci")
    ask(cloud)
    with cloud.app.store.read() as transaction:
        last = list(activity.entries(transaction.session))[-1]
    assert (last.operation, last.caller_id, "managed identity" in last.details) == (
        "Microsoft.aadiam/signIn", identity.id, True,
    )  # fmt: skip
