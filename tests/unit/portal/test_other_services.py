"""Pages whose services answer more than this cloud does now: login servers, tokens, the activity log, long lists."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from azext_trust.hosting.mount import Mounted, OwnCloud, _profile
from azext_trust.portal import content_trust_page, images, repositories_pages
from azext_trust.portal.app import create
from azext_trust.portal.images import Signed, Tag
from tests.conftest import Client
from tests.unit.portal.browser import OURS, PAGES, REGISTRY, Browser, call

SCRIPT = "<script>alert(1)</script>"


class Canned(OwnCloud):
    """The cloud, but for requests whose address holds a text: those have the given answers."""

    def __init__(self, cloud: Client, answers: dict[str, Callable[[str], Any]]) -> None:
        super().__init__(cloud.app)
        self.answers = answers
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        """Answer a prepared request."""
        url = unquote(str(request.url))
        for part, answer in self.answers.items():
            if part in url:
                self.asked.append(url)
                response = requests.Response()
                response.status_code, response._content = 200, json.dumps(answer(url)).encode()
                return response
        return super().send(request, *args, **more)


def signed_in(cloud: Client, answers: dict[str, Callable[[str], Any]]) -> tuple[Browser, Canned]:
    """Return the owner's browser at a cloud with canned answers."""
    mounted = Mounted(cloud.app)
    adapter = Canned(cloud, answers)
    mounted._portal = create(_profile(cloud.app), cloud.app.settings.state, adapter)
    browser = Browser(mounted)
    browser.sign_in("owner@contoso.com", "Owner-pass-1")
    return browser, adapter


class Shelf:
    """Images as a registry with login servers has them."""

    def repositories(self, login_server: str, after: str, size: int) -> Sequence[str]:
        """Return 120 repositories."""
        names = [f"app/{number:03}" for number in range(120)] + [SCRIPT]
        return [name for name in names if name > after][:size] if after else names[:size]

    def tags(self, login_server: str, repository: str, after: str, size: int) -> Sequence[Tag]:
        """Return one tag of each state."""
        digest = "sha256:" + "a" * 64
        return [
            Tag("v1", digest, images.SIGNED, digest, "targets/alain", "2026-01-02T03:04:05Z", "2029-01-01T00:00:00Z"),
            Tag("v2", digest, images.SIGNED, "sha256:" + "b" * 64, "targets"), Tag(SCRIPT, digest, images.UNSIGNED),
            Tag("v3", digest, images.EXPIRED, digest, "targets"),
        ]  # fmt: skip

    def signed(self, login_server: str) -> Sequence[Signed]:
        """Return what is signed."""
        return [Signed("app/001", ("v1", SCRIPT), ("alain", "bob")), Signed("app/002", ("v9",), ("bob",))]


@pytest.fixture
def shelved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pages see images."""
    for module in (repositories_pages, content_trust_page):
        monkeypatch.setattr(module, "images_of", lambda connection, now: Shelf())


def test_repositories_come_in_pages(cloud: Client, shelved: None) -> None:
    """M31: a page of repositories leads to the next one, and names show as text."""
    browser, _ = signed_in(cloud, {})
    page = browser.open(f"{PAGES}/repositories")
    assert "app/049" in page.text
    assert "app/050" not in page.text
    following = page.text.split('class="button" href="')[1].split('"')[0]
    assert "app/050" in browser.open(following.replace("&amp;", "&")).text


def test_tags_say_what_is_signed(cloud: Client, shelved: None) -> None:
    """M13: signed, unsigned and expired tags stand side by side, with digest, signer and time."""
    browser, _ = signed_in(cloud, {})
    text = browser.open(f"{PAGES}/repository?name=app/001").text
    for part in ("Signed", "Unsigned", "Expired", "targets/alain", "2026-01-02 03:04:05 UTC", "sha256:aaaaaaaaaaaa",
                 "The signature names sha256:bbbbbbbbbbbb"):  # fmt: skip
        assert part in text
    assert SCRIPT not in text


def test_loss_names_repositories_and_signers(cloud: Client, shelved: None) -> None:
    """M4: the warning names the repositories, their signed tags and the signers."""
    browser, _ = signed_in(cloud, {"operator/loss": lambda url: {"repositories": 2, "signedTags": 3}})
    page = browser.submit(browser.open(f"{PAGES}/content-trust"), fields={"status": "enabled"})
    text = browser.submit(page, fields={"status": "disabled"}).text
    for part in ("2 repositories with trust data", "3 signed tags", "2 signers", "alain, bob", "app/002", "v9"):
        assert part in text
    assert SCRIPT not in text


TOKEN = {"name": SCRIPT, "properties": {
    "creationDate": "2026-01-02T03:04:05Z", "scopeMapId": f"{REGISTRY}/scopeMaps/mine", "status": "enabled",
    "credentials": {"passwords": [{"name": "password1", "expiry": "2027-01-01T00:00:00Z"}]}}}  # fmt: skip
MAP = {"name": "mine", "properties": {"type": "UserDefined", "actions": [f"repositories/{SCRIPT}/content/read"]}}
EVENT = {
    "authorization": {"action": "x/write", "scope": REGISTRY}, "caller": SCRIPT, "eventTimestamp": "2026-01-02T03:04:05Z",
    "operationName": {"value": "x/write", "localizedValue": "Create role assignment"},
    "status": {"value": "Succeeded", "localizedValue": "Succeeded"},
}  # fmt: skip


def test_tokens_and_scope_maps(cloud: Client) -> None:
    """M10: tokens with their scope map and passwords, and the warning that they sign nothing."""
    browser, _ = signed_in(
        cloud, {"/tokens?": lambda url: {"value": [TOKEN]}, "/scopeMaps?": lambda url: {"value": [MAP]}}
    )
    tokens, maps = (browser.open(f"{PAGES}/{page}").text for page in ("tokens", "scope-maps"))
    assert "can neither push nor pull signed images" in tokens
    assert "2027-01-01" in tokens
    assert "/content/read" in maps
    assert SCRIPT not in tokens + maps


def test_activity(cloud: Client) -> None:
    """M25: events with their details; ARM is asked for the place and the time."""
    other = {**EVENT, "caller": "someone", "status": {"value": "Failed"}}
    browser, adapter = signed_in(cloud, {"eventtypes/management/values": lambda url: {"value": [EVENT, other]}})
    page = browser.open(f"{PAGES}/activity?span=7d&status=Succeeded&operation=role")
    assert "Create role assignment" in page.text
    assert "someone" not in page.text
    assert SCRIPT not in page.text
    assert f"resourceUri eq '{REGISTRY}'" in adapter.asked[0]


def test_long_list_asks_for_what_it_shows(cloud: Client) -> None:
    """M31: of 100,000 assignments a page asks ARM for one page of its own, and goes on where it stopped."""
    role = "/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/6cef56e8-d556-48e5-a04f-b8e64114680f"

    def assignments(url: str) -> dict[str, Any]:
        at = int(url.partition("$skiptoken=")[2] or 0)
        rows = [
            {"name": f"n{number}", "properties": {"roleDefinitionId": role, "principalId": f"p{number}",
                                                  "principalType": "User", "scope": REGISTRY}}
            for number in range(at, at + 1000)
        ]  # fmt: skip
        return {"value": rows, **({"nextLink": f"https://h/x?$skiptoken={at + 1000}"} if at < 99_000 else {})}

    browser, adapter = signed_in(cloud, {"/roleAssignments?": assignments})
    where, seen = f"{PAGES}/iam/assignments", 0
    started = time.perf_counter()
    for _ in range(4):
        page = browser.open(where)
        assert f"p{seen}<" in page.text
        seen += page.text.count("Identity not found")
        where = page.text.split('class="pager"')[1].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert seen == 200
    assert len(adapter.asked) == 4
    assert time.perf_counter() - started < 10


def test_many_pages_at_once(cloud: Client, served: Mounted, owner: Browser) -> None:
    """M31: far more pages than there are threads are all answered: none waits for a thread that another one holds."""

    async def all_at_once() -> list[int]:
        cookie = "; ".join(f"{k}={v}" for k, v in owner.jar.items())
        headers = {"host": "localhost", "cookie": cookie, **OURS}
        asked = [call(served, "GET", f"{PAGES}/iam/assignments", headers) for _ in range(120)]
        return [answer.status for answer in await asyncio.wait_for(asyncio.gather(*asked), 60)]

    assert set(asyncio.run(all_at_once())) == {200}


def test_renewals_at_once(cloud: Client, served: Mounted, owner: Browser) -> None:
    """M31: pages that find the token ended at once renew it once each in turn, and the sign-in goes on."""
    key = (cloud.app.settings.state / "keys" / "operator").read_text().strip()
    cloud.call("PUT", "/operator/clock", {"advanceSeconds": 7200}, key)

    async def all_at_once() -> list[int]:
        cookie = "; ".join(f"{k}={v}" for k, v in owner.jar.items())
        headers = {"host": "localhost", "cookie": cookie}
        asked = [call(served, "GET", f"{PAGES}/iam/assignments", headers) for _ in range(30)]
        return [answer.status for answer in await asyncio.wait_for(asyncio.gather(*asked), 60)]

    assert set(asyncio.run(all_at_once())) == {200}
    assert owner.open(f"{PAGES}/overview").status == 200


def test_add_a_token(cloud: Client) -> None:
    """M10: a token is added with its scope map; its passwords are shown once."""
    made = {
        "passwords": [{"name": "password1", "value": "SHOWN-ONCE"}, {"name": "password2", "value": "NOT-ASKED-FOR"}]
    }
    answers: dict[str, Callable[[str], Any]] = {
        "/generateCredentials?": lambda url: made, "/tokens/cibuild?": lambda url: {**TOKEN, "name": "cibuild"},
        "/scopeMaps?": lambda url: {"value": [MAP]},
    }  # fmt: skip
    browser, _ = signed_in(cloud, answers)
    page = browser.submit(browser.open(f"{PAGES}/tokens/add"), fields={"name": "cibuild", "map": "mine"})
    assert "The token cibuild was created." in page.text
    shown = browser.submit(page, fields={"do": "password1", "expiry": "2027-01-01"})
    assert "SHOWN-ONCE" in shown.text
    assert "NOT-ASKED-FOR" not in shown.text
    assert "The token cibuild is disabled." in browser.submit(page, fields={"do": "disabled"}).text


def test_add_a_scope_map(cloud: Client) -> None:
    """M10: a scope map has one action for each line; a refusal keeps what was typed."""
    browser, _ = signed_in(cloud, {"/scopeMaps/mine1?": lambda url: MAP, "/scopeMaps?": lambda url: {"value": []}})
    page = browser.open(f"{PAGES}/scope-maps/add")
    fields = {"name": "mine1", "description": "d", "actions": "repositories/a/content/read\r\n\r\n"}
    assert "The scope map mine1 was created." in browser.submit(page, fields=fields).text
    refused = browser.submit(page, fields={**fields, "name": "other1", "actions": "repositories/a/content/sing"})
    assert refused.status >= 400
    assert "repositories/a/content/sing" in refused.text
