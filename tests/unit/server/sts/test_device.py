"""The device code flow and its page (M6, RFC 8628)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from azext_trust.server.gate.call import Reply
from tests.conftest import BUILDER, TENANT, Client
from tests.sign_in import ALL, AZURE_CLI, Browser, advance, change_application, claims_of

PAGE = "/common/oauth2/deviceauth"


def begin(cloud: Client, **more: str) -> dict[str, Any]:
    """Ask for a device code."""
    form = {"client_id": AZURE_CLI, "scope": ALL, **more}
    return cloud.json(cloud.call("POST", f"/{TENANT}/oauth2/v2.0/devicecode", urlencode(form).encode()))


def poll(cloud: Client, flow: dict[str, Any], **more: str) -> Reply:
    """Ask whether somebody has signed in."""
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    form = {"grant_type": grant, "device_code": flow["device_code"], "client_id": AZURE_CLI, **more}
    return cloud.call("POST", f"/{TENANT}/oauth2/v2.0/token", urlencode(form).encode())


def confirm(cloud: Client, code: str, password: str = "Alain-pass-1", **more: str) -> str:
    """Sign in on the page and return what it says."""
    browser = Browser(cloud)
    typed = {"user_code": code, "username": "alain@contoso.com", "password": password, **more}
    return str(browser.submit(PAGE, browser.get(PAGE), **typed).body)


def codes(cloud: Client, reply: Reply) -> object:
    """Return a refusal's AADSTS numbers, or the status of an answer."""
    return cloud.json(reply).get("error_codes", [reply.status])


def test_answer(cloud: Client) -> None:
    """M6: what MSAL shows and does is told."""
    flow = begin(cloud)
    assert set(flow) == {"user_code", "device_code", "verification_uri", "expires_in", "interval", "message"}
    assert flow["user_code"] in flow["message"]
    assert flow["verification_uri"] in flow["message"]
    assert (len(flow["user_code"]), flow["expires_in"], flow["interval"]) == (9, 900, 5)


def test_whole_way(cloud: Client) -> None:
    """M6: pending, then signed in on the page, then tokens, then no second time."""
    flow = begin(cloud)
    waiting = poll(cloud, flow)
    assert (waiting.status, cloud.json(waiting)["error"]) == (400, "authorization_pending")
    assert "You&#x27;re signed in" in confirm(cloud, flow["user_code"])
    body = cloud.json(poll(cloud, flow))
    assert claims_of(body["access_token"])["upn"] == "alain@contoso.com"
    assert body["refresh_token"]
    assert codes(cloud, poll(cloud, flow)) == [70000]


def test_code_may_be_typed_carelessly(cloud: Client) -> None:
    """M6: lower case and spaces around are the same code."""
    flow = begin(cloud)
    assert "signed in" in confirm(cloud, f" {flow['user_code'].lower()} ")


def test_page_names_the_application(cloud: Client) -> None:
    """M6: who follows a link with the code in it is told what it signs in, before any password."""
    page = cloud.call("GET", f"{PAGE}?user_code={begin(cloud)['user_code']}")
    assert "signing in to Microsoft Azure CLI on another device" in str(page.body)


def test_wrong_code_and_wrong_password(cloud: Client) -> None:
    """M6: the page says what did not work; the flow goes on waiting."""
    flow = begin(cloud)
    assert "That code didn&#x27;t work" in confirm(cloud, "BCDFGHJKL")
    assert "AADSTS50126" in confirm(cloud, flow["user_code"], "x")
    assert codes(cloud, poll(cloud, flow)) == [70016]


def test_code_works_once(cloud: Client) -> None:
    """M6: a second person cannot take over a flow that is taken."""
    flow = begin(cloud)
    confirm(cloud, flow["user_code"])
    again = confirm(cloud, flow["user_code"], "Owner-pass-1", username="owner@contoso.com")
    assert "That code didn&#x27;t work" in again
    assert claims_of(cloud.json(poll(cloud, flow))["access_token"])["upn"] == "alain@contoso.com"


def test_declined(cloud: Client) -> None:
    """M6: who cancels ends the flow (authorization_declined)."""
    flow = begin(cloud)
    assert "You cancelled" in confirm(cloud, flow["user_code"], cancel="1")
    assert cloud.json(poll(cloud, flow))["error"] == "authorization_declined"


def test_expired(cloud: Client) -> None:
    """M6: a code is good for fifteen minutes, at the page and at the endpoint."""
    flow = begin(cloud)
    advance(cloud, 901)
    assert "That code didn&#x27;t work" in confirm(cloud, flow["user_code"])
    assert cloud.json(poll(cloud, flow))["error"] == "expired_token"


def test_other_client(cloud: Client) -> None:
    """M6: a device code is its client's."""
    flow = begin(cloud)
    change_application(cloud, BUILDER, isFallbackPublicClient=True)
    confirm(cloud, flow["user_code"])
    assert codes(cloud, poll(cloud, flow, client_id=BUILDER)) == [70000]
    assert codes(cloud, poll(cloud, flow)) == [200]


def test_confidential_client(cloud: Client) -> None:
    """M6: an application that is no public client shows its secret (AADSTS7000218)."""
    flow = begin(cloud, client_id=BUILDER)
    confirm(cloud, flow["user_code"])
    assert codes(cloud, poll(cloud, flow, client_id=BUILDER)) == [7000218]
    assert codes(cloud, poll(cloud, flow, client_id=BUILDER, client_secret="Builder-secret-1")) == [200]


def test_bad_requests(cloud: Client) -> None:
    """M6: client and scope are looked at before a code is handed out."""
    assert begin(cloud, client_id=TENANT)["error_codes"] == [700016]
    assert begin(cloud, client_id="")["error_codes"] == [900144]
    assert begin(cloud, scope="https://nowhere.example/.default")["error_codes"] == [500011]


def test_capabilities_are_kept(cloud: Client) -> None:
    """M6: what the client said it can do when it began holds for its token."""
    flow = begin(cloud, claims='{"access_token": {"xms_cc": {"values": ["CP1"]}}}')
    confirm(cloud, flow["user_code"])
    assert claims_of(cloud.json(poll(cloud, flow))["access_token"])["xms_cc"] == ["CP1"]
