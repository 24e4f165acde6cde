"""Attacks on the portal: forged forms, planted sessions, names that are scripts, leaks, and who may only read."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import pytest

from azext_trust.hosting import log
from azext_trust.hosting.mount import Mounted
from tests.conftest import SUBSCRIPTION, Client
from tests.unit.portal.browser import OURS, PAGES, REGISTRY, SIGNER, Browser

SCRIPT = '<script>alert("x")</script>\'"&'
ESCAPED = "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;&#39;&#34;&amp;"
SESSION, FLOW = "__Host-aztrust-portal", "__Host-aztrust-sign-in"
CHANGES = [
    ("content-trust", {"status": "enabled"}, "registries/write"), ("update", {"sku": "Basic"}, "registries/write"),
    ("access-keys", {"do": "on"}, "registries/write"), ("access-keys", {"do": "show"}, "listCredentials/action"),
    ("access-keys", {"do": "password"}, "regenerateCredential/action"),
    ("iam/add", {"role": SIGNER, "member": "OWN"}, "roleAssignments/write"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "fields", "action"), CHANGES)
def test_reader_saves_nothing(reader: Browser, cloud: Client, page: str, fields: dict[str, str], action: str) -> None:
    """M12: what a Reader forces is refused with ARM's 403 text, and nothing changes."""
    csrf = reader.open(f"{PAGES}/overview")
    own = re.search(r"/iam\?id=([0-9a-f-]{36})", reader.open(f"{PAGES}/iam").text)
    assert own
    sent = {name: own[1] if value == "OWN" else value for name, value in fields.items()}
    token = cloud.sign_in("owner@contoso.com", "Owner-pass-1")
    before = cloud.json(cloud.call("GET", f"{REGISTRY}?api-version=2025-11-01", token=token))
    refused = reader.submit(csrf, f"{PAGES}/{page}", sent)
    assert refused.status == 403
    assert "does not have authorization to perform action" in refused.text
    assert action.lower() in refused.text.lower()
    assert cloud.json(cloud.call("GET", f"{REGISTRY}?api-version=2025-11-01", token=token)) == before


@pytest.mark.parametrize("page", ["content-trust", "update", "access-keys", "iam", "overview"])
def test_reader_sees_why(looking_reader: Browser, page: str) -> None:
    """M31: a Reader sees each page; the buttons are grey, and the page says which permission is missing."""
    shown = looking_reader.open(f"{PAGES}/{page}")
    assert shown.status == 200
    assert "You do not have the permission Microsoft." in shown.text
    assert re.search(r"<button[^>]* disabled title=\"You do not have the permission", shown.text)


def test_form_without_mark(looking: Browser) -> None:
    """M31: a form that does not carry this session's mark is refused."""
    for mark in ("", "x" * 32):
        answer = looking.send("POST", f"{PAGES}/content-trust", {"csrf": mark, "status": "enabled"}, OURS)
        assert answer.status == 403
        assert "Nothing was changed." in answer.text


@pytest.mark.parametrize("headers", [
    {"origin": "https://evil.example"}, {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site", "origin": "https://localhost"}, {}, {"origin": "null"},
])  # fmt: skip
def test_form_of_another_origin(looking: Browser, headers: dict[str, str]) -> None:
    """M31: another origin's form post is refused, even should it know the mark."""
    page = looking.open(f"{PAGES}/content-trust")
    answer = looking.send("POST", page.url, {"csrf": page.csrf, "status": "enabled"}, headers)
    assert answer.status == 403
    assert 'value="enabled" checked' not in looking.open(page.url).text


def test_another_visitors_mark(owner: Browser, reader: Browser) -> None:
    """M31: the mark of one session is none in another."""
    mark = reader.open(f"{PAGES}/content-trust").csrf
    answer = owner.send("POST", f"{PAGES}/content-trust", {"csrf": mark, "status": "enabled"}, OURS)
    assert answer.status == 403


def test_sign_out_needs_the_mark(owner: Browser) -> None:
    """M31: nobody else signs a visitor out; the visitor does, and the session is gone for good."""
    assert owner.send("POST", "/portal/sign-out", {"csrf": "x"}, OURS).status == 403
    kept = dict(owner.jar)
    page = owner.open("/portal/registries")
    gone = owner.send("POST", "/portal/sign-out", {"csrf": page.csrf}, OURS)
    assert gone.header("location").endswith("/common/oauth2/v2.0/logout")
    owner.jar = kept
    assert "authorize" in owner.send("GET", "/portal/registries").header("location")


def test_cookies(looked_at: Mounted) -> None:
    """M31: cookies are for this host alone, unreadable to scripts, not sent with other sites' forms."""
    browser = Browser(looked_at)
    started = browser.send("GET", "/portal/registries")
    for line in started.cookies:
        assert re.match(r"__Host-", line)
        assert all(flag in line for flag in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))
        assert "Domain" not in line
    browser.sign_in("owner@contoso.com", "Owner-pass-1")
    assert SESSION in browser.jar
    assert FLOW not in browser.jar


def test_planted_session(looked_at: Mounted) -> None:
    """M31: the session after the sign-in is a new one: a key that somebody planted opens nothing (fixation)."""
    browser = Browser(looked_at, {SESSION: "planted"})
    browser.sign_in("owner@contoso.com", "Owner-pass-1")
    assert browser.jar[SESSION] != "planted"
    attacker = Browser(looked_at, {SESSION: "planted"})
    assert "authorize" in attacker.send("GET", "/portal/registries").header("location")


def test_signing_in_again_ends_the_session_before(owner: Browser) -> None:
    """M31: one browser has one session."""
    before = dict(owner.jar)
    page = owner.open("/portal/sign-in")
    posted = owner.send(
        "POST", page.url, {**page.hidden(), "username": "reader@contoso.com", "password": "Reader-pass-1"}
    )
    assert "reader@contoso.com" in owner.come_back(posted).text
    assert "authorize" in Browser(owner.app, before).send("GET", "/portal/registries").header("location")


def test_code_of_somebody_else(looked_at: Mounted) -> None:
    """M31: a code that was not asked for in this browser begins no session (login CSRF)."""
    attacker, victim = Browser(looked_at), Browser(looked_at)
    page = attacker.open("/portal/registries")
    posted = attacker.send(
        "POST", page.url, {**page.hidden(), "username": "reader@contoso.com", "password": "Reader-pass-1"}
    )
    stolen = posted.hidden()
    victim.open("/portal/registries")
    answer = victim.send("POST", "/portal/signed-in", stolen)
    assert "authorize" in answer.header("location")
    assert SESSION not in victim.jar


@pytest.mark.parametrize("back", [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "/portal/../evil", "javascript:alert(1)", "/other",
    "/portal/\r\nset-cookie: x=y", "", "/portal/sign-in?back=/portal/", "/portalevil",
])  # fmt: skip
def test_no_open_redirect(looked_at: Mounted, back: str) -> None:
    """M31: after the sign-in a visitor comes to a page of the portal, whatever the address said."""
    from urllib.parse import quote

    browser = Browser(looked_at)
    assert (
        browser.sign_in("reader@contoso.com", "Reader-pass-1", f"/portal/sign-in?back={quote(back)}").url
        == "/portal/registries"
    )


def test_back_to_the_page(looked_at: Mounted) -> None:
    """M31: an ended session leads through the sign-in back to the page that was wanted."""
    browser = Browser(looked_at)
    page = browser.sign_in("reader@contoso.com", "Reader-pass-1", f"{PAGES}/iam/assignments?q=read")
    assert page.url == f"{PAGES}/iam/assignments?q=read"


def test_wrong_password_has_entras_text(looked_at: Mounted) -> None:
    """M31: the sign-in page speaks as Entra does."""
    browser = Browser(looked_at)
    page = browser.open("/portal/registries")
    again = browser.send("POST", page.url, {**page.hidden(), "username": "owner@contoso.com", "password": "no"})
    assert "AADSTS50126" in again.text


def test_portal_codes_go_nowhere_else(cloud: Client) -> None:
    """M31: the portal's client id may send codes to this cloud's portal alone, not even to loopback."""
    for address in ("http://localhost:1234", "https://evil.example/portal/signed-in", "https://localhost/portal/other"):
        answer = cloud.call("GET", "/organizations/oauth2/v2.0/authorize?client_id=c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
                            f"&response_type=code&redirect_uri={address}&scope=openid")  # fmt: skip
        assert answer.status == 400
        assert "AADSTS50011" in str(answer.body)


@pytest.mark.parametrize("where", ["/portal/", "/portal/nothing", "/portal/static/x/portal.css", "/portal/static/x/none",
                                   f"{PAGES}/overview", "/portal/registries", "/portal"])  # fmt: skip
def test_headers_on_each_answer(looking: Browser, where: str) -> None:
    """M31: a strict policy and no frames, on pages, redirects, files and errors."""
    answer = looking.send("GET", where)
    policy = answer.header("content-security-policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.header("x-frame-options") == "DENY"
    assert answer.header("x-content-type-options") == "nosniff"


@pytest.mark.parametrize("page", ["overview", "iam/assignments", "iam/add?step=members&panel=1", "content-trust"])
def test_nothing_inline(looking: Browser, page: str) -> None:
    """M31: no script, style or handler is written into a page, and nothing comes from another host."""
    text = looking.open(f"{PAGES}/{page}").text
    assert not re.search(r"<style|style=|\son\w+=|<script(?! src=\"/portal/static/)|javascript:", text)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text)


def test_no_token_leaks(looking: Browser, looked_at: Mounted, caplog: pytest.LogCaptureFixture) -> None:
    """M31: neither pages nor addresses nor the log hold a token; the cookie alone is not one."""
    browser = Browser(log.AccessLog(looked_at), dict(looking.jar))
    with caplog.at_level(logging.DEBUG):
        texts = [browser.open(f"{PAGES}/{page}").text for page in ("overview", "iam", "access-keys", "iam/assignments")]
    told = "\n".join(texts) + caplog.text
    assert not re.search(r"eyJ[\w-]+\.eyJ", told)
    assert looking.jar[SESSION] not in told


def test_another_host(looking: Browser) -> None:
    """M31: under another name (rebinding) the portal shows nothing and changes nothing."""
    page = looking.open(f"{PAGES}/content-trust")
    shown = looking.send("GET", f"{PAGES}/content-trust", headers={"host": "evil.example"})
    assert shown.header("location").startswith("https://localhost/portal/")
    posted = looking.send("POST", page.url, {"csrf": page.csrf, "status": "enabled"}, OURS | {"host": "evil.example"})
    assert posted.status == 421


def test_login_server_has_no_portal(looking: Browser) -> None:
    """M29: the portal is at the cloud's own host."""
    assert looking.send("GET", "/portal/", headers={"host": "myregistry.azurecr.io"}).header(
        "docker-distribution-api-version"
    )


@pytest.fixture
def named_as_scripts(cloud: Client) -> str:
    """A user, a group and a role whose names and descriptions are scripts; returns the user's id."""
    graph = cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://graph.microsoft.com/.default")
    arm = cloud.sign_in("owner@contoso.com", "Owner-pass-1")
    user = cloud.json(cloud.call("POST", "/v1.0/users", {
        "displayName": SCRIPT, "mailNickname": "x", "userPrincipalName": "x@contoso.com", "accountEnabled": True,
        "passwordProfile": {"password": "Long-enough-1"},
    }, graph))["id"]  # fmt: skip
    group = cloud.json(cloud.call("POST", "/v1.0/groups", {
        "displayName": SCRIPT, "mailNickname": "y", "mailEnabled": False, "securityEnabled": True}, graph))["id"]  # fmt: skip
    role = "12345678-1234-1234-1234-123456789012"
    root = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    made = cloud.call("PUT", f"{root}?api-version=2022-04-01", {"properties": {
        "roleName": SCRIPT, "description": SCRIPT, "assignableScopes": [f"/subscriptions/{SUBSCRIPTION}"],
        "permissions": [{"actions": ["Microsoft.ContainerRegistry/registries/read"]}]}}, arm)  # fmt: skip
    assert made.status == 201, made
    for number, (who, kind) in enumerate(((user, "User"), (group, "Group"))):
        name = (
            f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/{number}2345678-1234-1234-1234-123456789012"
        )
        body = {
            "properties": {"roleDefinitionId": root, "principalId": who, "principalType": kind, "description": SCRIPT}
        }
        assert cloud.call("PUT", f"{name}?api-version=2022-04-01", body, arm).status == 201
    return str(user)


@pytest.mark.parametrize("page", [
    "iam/assignments", "iam/roles", "iam/role?id=12345678-1234-1234-1234-123456789012", "iam?id=USER",
    "iam/add?q=%3Cscript", "iam/add?step=members&member=USER&panel=1",
    "iam/remove?name=02345678-1234-1234-1234-123456789012",
    "iam/add?step=review&member=USER&role=12345678-1234-1234-1234-123456789012",
])  # fmt: skip
def test_scripts_as_names(owner: Browser, named_as_scripts: str, page: str) -> None:
    """M31: names and descriptions that are scripts show as text."""
    shown = owner.open(f"{PAGES}/{page.replace('USER', named_as_scripts)}")
    assert shown.status == 200
    assert ESCAPED in shown.text
    assert "<script>alert" not in shown.text


def test_scripts_typed_into_searches(looking: Browser) -> None:
    """M31: what a visitor typed comes back as text."""
    from urllib.parse import quote

    for page in (
        "iam/assignments?q=",
        "iam/roles?q=",
        "iam?q=",
        "iam/add?step=conditions&condition=",
        "iam/remove?name=",
    ):
        shown = looking.open(f"{PAGES}/{page}{quote(SCRIPT)}")
        assert "<script>alert" not in shown.text


def test_toast_of_a_stranger(looking: Browser) -> None:
    """M31: a notice names a text of ours; a cookie of another form shows nothing."""
    from azext_trust.portal.cookies import packed

    for value in ("x", packed({"key": "error.ours", "values": {}}), packed({"key": "toast.removed", "values": 1}),
                  packed({"key": "toast.created", "values": {}}), packed([1])):  # fmt: skip
        looking.jar["__Host-aztrust-toast"] = value
        page = looking.open("/portal/registries")
        assert page.status == 200
        assert ('role="status"' in page.text) is (value == packed({"key": "toast.removed", "values": {}}))


def test_disabled_user_is_out(owner: Browser, reader: Browser, cloud: Client) -> None:
    """M6: a user who is disabled is sent to the sign-in with the next page, and its words say why."""
    graph = cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://graph.microsoft.com/.default")
    assert cloud.call("PATCH", "/v1.0/users/reader@contoso.com", {"accountEnabled": False}, graph).status == 204
    assert "authorize" in reader.send("GET", f"{PAGES}/overview").header("location")


def test_expired_token_is_renewed(owner: Browser, cloud: Client) -> None:
    """M31: a token that the cloud's clock has ended is renewed unseen."""
    key = (cloud.app.settings.state / "keys" / "operator").read_text().strip()
    cloud.call("PUT", "/operator/clock", {"advanceSeconds": 7200}, key)
    assert owner.open(f"{PAGES}/overview").status == 200
    cloud.call("PUT", "/operator/clock", {"advanceSeconds": 100 * 86400}, key)
    assert "authorize" in owner.send("GET", f"{PAGES}/overview").header("location")


def test_htmx_of_an_ended_session(owner: Browser) -> None:
    """M31: a part of a page that is asked for too late makes the browser load the page anew."""
    owner.jar.clear()
    assert owner.send("GET", f"{PAGES}/iam", headers={"hx-request": "true"}).header("hx-refresh") == "true"


def test_no_portal_in_an_embedded_cloud(cloud: Client) -> None:
    """M31: the embedded cloud has no browser to show pages to, and says so."""
    assert cloud.call("GET", "/portal/").status == 404


def test_adfs_shape(cloud: Client) -> None:
    """M29: on other ports than 443 the portal is at its own origin, port included."""
    cloud.app.settings = replace(cloud.app.settings, threads=True, port=8443, adfs=True)
    browser = Browser(Mounted(cloud.app))
    answer = browser.send("GET", "/portal/registries", headers={"host": "localhost:8443"})
    assert answer.header("location").startswith("https://localhost:8443/organizations/")
    assert answer.cookies[0].startswith("__Host-aztrust-sign-in-8443=")
