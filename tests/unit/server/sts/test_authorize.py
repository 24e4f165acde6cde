"""The authorization endpoint and its page, driven as a browser does (M6)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from azext_trust.server.gate.call import Reply
from tests.conftest import BUILDER, TENANT, Client
from tests.sign_in import AZURE_CLI, Asked, Browser, advance, change_application, change_user, claims_of, fields_of

PATH = f"/{TENANT}/oauth2/v2.0/authorize"
WEB = "https://app.example/callback"


def codes(cloud: Client, reply: Reply) -> object:
    """Return a refusal's AADSTS numbers, or the status of an answer."""
    return cloud.json(reply).get("error_codes", [reply.status])


def test_az_way(cloud: Client) -> None:
    """M6: page, password, form post, tokens; the id_token holds the request's nonce."""
    asked = Asked(cloud)
    body = cloud.json(asked.redeem(asked.code(), client_info="1"))
    assert claims_of(body["access_token"])["upn"] == "alain@contoso.com"
    assert claims_of(body["id_token"])["nonce"] == "a nonce"
    assert body["refresh_token"]


def submit(cloud: Client, asked: Asked, password: str = "Alain-pass-1", **more: str | None) -> Reply:
    """Sign in on the page and return what the browser gets."""
    browser = Browser(cloud)
    page = browser.get(asked.address(**more))
    return browser.submit(PATH, page, username="alain@contoso.com", password=password)


@pytest.mark.parametrize(("mode", "mark"), [("query", "?"), (None, "?"), ("fragment", "#")])
def test_redirect_modes(cloud: Client, mode: str | None, mark: str) -> None:
    """M6: the code comes back in the query or the fragment, with the state as it was."""
    state = "a&b=c #d\r\nx: y"
    asked = Asked(cloud)
    reply = submit(cloud, asked, response_mode=mode, state=state)
    assert reply.status == 302
    address, _, answer = reply.headers["location"].partition(mark)
    assert address == "http://localhost:8400"
    found = dict(parse_qsl(answer))
    assert found["state"] == state
    assert asked.redeem(found["code"]).status == 200


def test_form_post_is_escaped(cloud: Client) -> None:
    """M6: what comes from the request cannot break out of the page."""
    state = '"><script>alert(1)</script>'
    reply = submit(cloud, Asked(cloud), state=state)
    assert "<script>alert" not in str(reply.body)
    assert fields_of(reply)["state"] == state
    assert "form-action http://localhost:8400;" in reply.headers["content-security-policy"]


def test_redirect_keeps_its_query(cloud: Client) -> None:
    """M6: a redirect address that has a query keeps it."""
    change_application(cloud, BUILDER, web={"redirectUris": [WEB + "?tenant=a"]})
    reply = submit(cloud, Asked(cloud), client_id=BUILDER, redirect_uri=WEB + "?tenant=a", response_mode="query")
    assert reply.headers["location"].startswith(WEB + "?tenant=a&code=")


def test_wrong_password_stays_on_the_page(cloud: Client) -> None:
    """M6: the page says what is wrong, and the next try works."""
    browser, asked = Browser(cloud), Asked(cloud)
    page = browser.submit(PATH, browser.get(asked.address()), username="alain@contoso.com", password="x")
    assert "AADSTS50126" in str(page.body)
    answer = browser.submit(PATH, page, username="alain@contoso.com", password="Alain-pass-1")
    assert asked.redeem(fields_of(answer)["code"]).status == 200


def test_two_pages_of_one_browser(cloud: Client) -> None:
    """M6: a page that was opened first still works after another was opened."""
    browser, asked = Browser(cloud), Asked(cloud)
    page = browser.get(asked.address())
    browser.get(asked.address())
    answer = browser.submit(PATH, page, username="alain@contoso.com", password="Alain-pass-1")
    assert "code" in fields_of(answer)


def test_cancel(cloud: Client) -> None:
    """M6: who cancels sends the application away with access_denied."""
    browser, asked = Browser(cloud), Asked(cloud)
    answer = fields_of(browser.submit(PATH, browser.get(asked.address()), cancel="1"))
    assert (answer["error"], answer["state"]) == ("access_denied", "a state")


def test_silent_request(cloud: Client) -> None:
    """M6: nobody is signed in here without being asked (AADSTS50058)."""
    answer = fields_of(Browser(cloud).get(Asked(cloud).address(prompt="none")))
    assert answer["error"] == "login_required"
    assert answer["error_description"].startswith("AADSTS50058: ")


def test_login_hint(cloud: Client) -> None:
    """M6: the page begins with the name that the application knows."""
    page = Browser(cloud).get(Asked(cloud).address(login_hint="alain@contoso.com"))
    assert 'name="username" value="alain@contoso.com"' in str(page.body)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "https://nowhere.example/.default"}, "invalid_resource"),
        ({"scope": "https://a.example/x https://b.example/y"}, "invalid_request"),
    ],
)
def test_faults_go_back_to_the_application(cloud: Client, asked: dict[str, str | None], error: str) -> None:
    """M6: once client and address are known, the application learns what is wrong (RFC 6749 section 4.1.2.1)."""
    answer = fields_of(Browser(cloud).get(Asked(cloud).address(**asked)))
    assert (answer["error"], answer["state"]) == (error, "a state")


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({"client_id": TENANT}, 700016),
        ({"client_id": None}, 900144),
        ({"redirect_uri": None}, 900971),
        ({"redirect_uri": "https://evil.example"}, 50011),
        ({"response_mode": "web_message"}, 70007),
    ],
)
def test_faults_that_stay_here(cloud: Client, asked: dict[str, str | None], number: int) -> None:
    """M6: a client or address that is not known is told to the person; nobody is sent anywhere."""
    reply = Browser(cloud).get(Asked(cloud).address(**asked))
    assert reply.status == 400
    assert f"AADSTS{number}: " in str(reply.body)
    assert "location" not in reply.headers


GOOD = ["http://localhost", "http://localhost:8400", "http://localhost:65535/"]


@pytest.mark.parametrize("address", GOOD)
def test_az_may_listen_on_any_port(cloud: Client, address: str) -> None:
    """M6: az's own client is sent back to this machine, on whatever port (RFC 8252 section 7.3)."""
    assert Browser(cloud).get(Asked(cloud).address(redirect_uri=address)).status == 200


def test_registered_addresses(cloud: Client) -> None:
    """M6: applications of the tenant are sent to what they registered, loopback on any port, and nowhere else."""
    change_application(
        cloud, BUILDER, web={"redirectUris": [WEB]}, publicClient={"redirectUris": ["http://localhost/signed-in"]}
    )

    def status(address: str) -> int:
        return Browser(cloud).get(Asked(cloud).address(client_id=BUILDER, redirect_uri=address)).status

    assert [status(WEB), status("http://localhost:5000/signed-in")] == [200, 200]
    assert [status(WEB + "/x"), status("http://localhost:5000"), status("http://127.0.0.1:5000/signed-in")] == [400] * 3


def test_web_application(cloud: Client) -> None:
    """M6: a web application shows its secret when it redeems a code."""
    change_application(cloud, BUILDER, web={"redirectUris": [WEB]})
    own = {"client_id": BUILDER, "redirect_uri": WEB}
    asked = Asked(cloud)
    code = asked.code(**own)
    assert codes(cloud, asked.redeem(code, **own)) == [7000218]
    assert codes(cloud, asked.redeem(code, **own, client_secret="wrong")) == [7000215]
    assert codes(cloud, asked.redeem(code, **own, client_secret="Builder-secret-1")) == [200]


def test_single_page_application(cloud: Client) -> None:
    """M6: a page's script redeems its code without a secret, from its own origin, with PKCE."""
    change_application(cloud, BUILDER, spa={"redirectUris": [WEB]})
    own = {"client_id": BUILDER, "redirect_uri": WEB}
    asked = Asked(cloud)
    code = asked.code(**own)
    assert codes(cloud, asked.redeem(code, **own)) == [9002327]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": asked.verifier, **own}
    from urllib.parse import urlencode

    reply = cloud.call("POST", f"/{TENANT}/oauth2/v2.0/token", urlencode(form).encode(), origin="https://app.example")
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "*"


def test_single_page_application_without_pkce(cloud: Client) -> None:
    """M6: AADSTS9002325 for a page that asks without a challenge."""
    change_application(cloud, BUILDER, spa={"redirectUris": [WEB]})
    asked = Asked(cloud).address(client_id=BUILDER, redirect_uri=WEB, code_challenge=None, code_challenge_method=None)
    assert "AADSTS9002325" in fields_of(Browser(cloud).get(asked))["error_description"]


def test_plain_challenge(cloud: Client) -> None:
    """M6: without a method the challenge is the verifier itself, as at Entra (RFC 7636 section 4.3)."""
    asked = Asked(cloud)
    code = asked.code(code_challenge=asked.verifier, code_challenge_method=None)
    assert asked.redeem(code).status == 200


def test_code_ends(cloud: Client) -> None:
    """M6: a code is good for ten minutes."""
    asked = Asked(cloud)
    code = asked.code()
    advance(cloud, 601)
    assert codes(cloud, asked.redeem(code)) == [70008]


def test_disabled_between_page_and_code(cloud: Client) -> None:
    """M6: the directory is asked when the code is redeemed."""
    asked = Asked(cloud)
    code = asked.code()
    change_user(cloud, "alain@contoso.com", enabled=False)
    assert codes(cloud, asked.redeem(code)) == [50057]


def test_locked_on_the_page_too(cloud: Client) -> None:
    """M6: guessing on the page locks the account as guessing at the token endpoint does."""
    for n in range(10):
        submit(cloud, Asked(cloud), f"wrong-{n}")
    assert "AADSTS50053" in str(submit(cloud, Asked(cloud)).body)


def test_page_names_the_application(cloud: Client) -> None:
    """M6: the person sees where the sign-in leads."""
    assert "to continue to Microsoft Azure CLI" in str(Browser(cloud).get(Asked(cloud).address()).body)


def test_signed_out(cloud: Client) -> None:
    """M6: signing out has a page."""
    assert "You signed out" in str(cloud.call("GET", "/common/oauth2/v2.0/logout").body)


def test_address_of_the_page_is_the_client_s(cloud: Client) -> None:
    """M6: the redirect goes exactly where the client asked."""
    reply = submit(cloud, Asked(cloud), response_mode="query", redirect_uri="http://localhost:9999/")
    assert urlsplit(reply.headers["location"]).netloc == "localhost:9999"
    assert AZURE_CLI not in reply.headers["location"]
