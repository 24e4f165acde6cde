"""The portal over what really happened: images pushed and signed, somebody refused, somebody deleted; in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.sockets import free_port
from tests.wire.audit_world import ALAIN, LAB, REGISTRY, AuditWorld, world
from tests.wire.browser import Visitor, screenshots, window

AT = f"/portal/resource{REGISTRY}"
SECOND = f"/portal/resource{LAB}/providers/Microsoft.ContainerRegistry/registries/second".replace("/lab/", "/other/")
SUBSCRIPTION = f"/portal/resource{LAB}".partition("/resourceGroups")[0]
PAGES = {
    "report": f"{AT}/audit", "who-can": f"{AT}/audit/who-can", "why": f"{AT}/audit/why?who=alain@contoso.com",
    "why-not": f"{AT}/audit/why?who=half@contoso.com", "expiry": f"{AT}/audit/expiry", "report-of-all": f"{SUBSCRIPTION}/audit",
    "expiry-of-all": f"{SUBSCRIPTION}/audit/expiry", "signed-tags": f"{AT}/repository?name=team/web",
}  # fmt: skip
LOOKS = [("light", "en-US", 1280), ("dark", "fr-FR", 1280), ("light", "fr-FR", 390)]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditWorld]:
    """A cloud in which somebody pushed, signed and was refused."""
    made = world(tmp_path_factory.mktemp("portal-audit"), free_port())
    yield made
    made.served.stop()


@pytest.mark.parametrize(("scheme", "language", "width"), LOOKS, ids=["light", "dark", "narrow"])
def test_pages(browser: Browser, audited: AuditWorld, tmp_path: Path, scheme: str, language: str, width: int) -> None:
    """M22, M24, M31: each page of the audit in three looks: axe-core is content, the policy holds, pictures are drawn."""
    look = "narrow" if width < 800 else scheme
    problems: dict[str, list[str]] = {}
    size = {"width": width, "height": 860}
    with window(browser, audited.served, color_scheme=scheme, locale=language, viewport=size) as visitor:
        visitor.sign_in("owner")
        for name, where in PAGES.items():
            visitor.open(where)
            if name != "signed-tags":
                expect(visitor.page.locator(".drawing svg")).to_be_visible()
            visitor.picture(f"real-{name}-{look}", screenshots(tmp_path))
            problems[name] = visitor.serious()
            wide = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            problems[name] += [f"{wide} pixels too wide"] if wide > 0 else []
        assert visitor.told == []
    assert {name: found for name, found in problems.items() if found} == {}


def test_signed_tags(browser: Browser, audited: AuditWorld) -> None:
    """M13: what was signed with the Notary server shows as signed, with digest, signer and time; the rest as unsigned."""
    digest = audited.push("team/web", "v1").headers["Docker-Content-Digest"]
    with window(browser, audited.served) as visitor:
        visitor.sign_in("owner", f"{AT}/repositories")
        visitor.page.get_by_role("link", name="team/web").click()
        signed, unsigned = visitor.page.locator("tbody tr").all()
        for part in ("v1", "Signed", digest[:19], "alain", " UTC"):
            expect(signed).to_contain_text(part)
        expect(unsigned).to_contain_text("v2")
        expect(unsigned).to_contain_text("Unsigned")
        expect(unsigned).not_to_contain_text("UTC")


def test_from_matrix_to_why(browser: Browser, audited: AuditWorld) -> None:
    """M22: the matrix says who may sign, with which key, and its cell leads to the path over the groups."""
    with window(browser, audited.served) as visitor:
        visitor.sign_in("owner", f"{AT}/audit/who-can")
        row = visitor.page.get_by_role("row", name="alain@contoso.com")
        assert len(row.locator("code").get_attribute("title") or "") == 64
        row.get_by_role("link", name="Push trusted images: Yes").click()
        expect(visitor.page.locator(".verdict")).to_contain_text("alain@contoso.com can: Push trusted images")
        expect(visitor.page.locator("tbody tr").last).to_contain_text("signers > team")
        expect(visitor.page.locator(".drawing svg")).to_be_visible()
        labels = visitor.page.locator(".drawing svg text").all_text_contents()
        assert {"signers", "team", "AcrImageSigner", "myregistry", "sign/write"} <= set(labels)
        assert visitor.told == []


def test_cure_is_copied(browser: Browser, audited: AuditWorld) -> None:
    """M24: one button copies the command that cures a finding."""
    with window(browser, audited.served, permissions=["clipboard-read", "clipboard-write"]) as visitor:
        visitor.sign_in("owner", f"{AT}/audit?q=half@contoso.com")
        visitor.page.get_by_role("button", name="Copy: Cure").click()
        copied = visitor.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("az role assignment create --role AcrPush --assignee-object-id ")
    assert copied.endswith(REGISTRY)


def test_without_scripts(browser: Browser, audited: AuditWorld) -> None:
    """M31: without scripts there is no picture, and the tables say everything."""
    with window(browser, audited.served, java_script_enabled=False) as visitor:
        visitor.sign_in("owner", f"{AT}/audit/expiry")
        expect(visitor.page.locator("figure")).to_be_hidden()
        expect(visitor.page.locator("tbody tr")).to_have_count(5)
        expect(visitor.page.locator("tbody")).to_contain_text("Key of root")
        visitor.page.get_by_role("link", name="Why").click()
        visitor.page.get_by_label("Who").fill("half@contoso.com")
        visitor.page.get_by_role("button", name="Explain").click()
        expect(visitor.page.locator(".verdict")).to_contain_text("half@contoso.com cannot")


def test_keyboard(browser: Browser, audited: AuditWorld) -> None:
    """M31: a picture that is wider than the screen is scrolled by keyboard."""
    with window(browser, audited.served, viewport={"width": 390, "height": 860}) as visitor:
        visitor.sign_in("owner", PAGES["why"])
        visitor.page.locator(".drawing").focus()
        visitor.page.keyboard.press("ArrowRight")
        visitor.page.wait_for_timeout(500)  # the policy lets no script wait in the page for the end of the movement
        assert visitor.page.locator(".drawing").evaluate("one => one.scrollLeft") > 0


def test_reader_of_a_part(browser: Browser, audited: AuditWorld) -> None:
    """M12, M22: a Reader of one registry sees its audit; of the subscription what is not known is called unknown."""
    with window(browser, audited.served) as visitor:
        visitor.sign_in("reader", f"{SECOND}/audit")
        expect(visitor.page.locator("tbody")).to_contain_text("The admin account is enabled")
        visitor.open(f"{SUBSCRIPTION}/audit/who-can")
        expect(visitor.page.locator("main")).to_contain_text("Who can do what here is unknown")
        visitor.page.locator("summary", has_text="not known").click()
        expect(visitor.page.locator("main")).to_contain_text("is missing there")
        answer = visitor.open(f"{AT}/audit")
        assert answer.status == 403
        expect(visitor.page.locator("main")).to_contain_text("does not have authorization to perform action")


def test_token_pulls(browser: Browser, audited: AuditWorld) -> None:
    """M10: a token that the portal made pulls with the password that the portal showed once."""
    with window(browser, audited.served) as visitor:
        visitor.sign_in("owner", f"{AT}/tokens/add")
        page = visitor.page
        page.locator("input[name=name]").fill("cibuild")
        page.locator("select[name=map]").select_option("_repositories_pull")
        page.locator("main .primary").click()
        page.get_by_role("button", name="Generate").first.click()
        password = page.locator("[data-copy]").last.text_content() or ""
        visitor.open(f"{AT}/tokens")
        expect(page.locator("tbody")).to_contain_text("cibuild")
    asked = {"service": audited.host, "scope": "repository:team/web:pull"}
    got = requests.get(f"{audited.served.origin}/oauth2/token", params=asked, auth=("cibuild", password),
                       headers={"Host": audited.host}, verify=str(audited.served.ca), timeout=30)  # fmt: skip
    assert got.status_code == 200, got.text


def test_review_and_warning(browser: Browser, audited: AuditWorld, tmp_path: Path) -> None:
    """M4, M23: the review names who gains what; the warning names delegations and the people whose keys signed."""
    role = "6cef56e8-d556-48e5-a04f-b8e64114680f"
    with window(browser, audited.served) as visitor:
        visitor.sign_in("owner", f"{AT}/iam/add/candidates?q=builder")
        member = visitor.page.locator("input[name=member]").first.get_attribute("value")
        visitor.open(f"{AT}/iam/add?step=review&role={role}&member={member}&member={ALAIN}")
        expect(visitor.page.locator("table").last).to_contain_text("builder")
        expect(visitor.page.locator("main")).to_contain_text("Push trusted images")
        visitor.picture("real-review-light", screenshots(tmp_path))
        assert visitor.serious() == []
        visitor.open(f"{AT}/content-trust")
        visitor.page.get_by_text("Disabled", exact=True).click()
        visitor.page.get_by_role("button", name="Save").click()
        dialog = visitor.page.get_by_role("dialog")
        for part in ("1 repository with trust data", "1 signed tag", "alain", "Whose keys signed: alain@contoso.com"):
            expect(dialog).to_contain_text(part)
        visitor.picture("real-warning-light", screenshots(tmp_path))


def test_names_that_are_scripts(browser: Browser, audited: AuditWorld) -> None:
    """M31: a group whose name is a script is drawn and listed by that name, and nothing runs."""
    name = "<img src=x onerror=alert(1)>"
    with window(browser, audited.served) as visitor:
        owner = audited.person("owner")
        group = owner.must(
            "ad", "group", "create", "--display-name", name, "--mail-nickname", "x", "--query", "id", "-o", "tsv"
        ).strip()
        owner.must("ad", "group", "member", "add", "--group", group, "--member-id", ALAIN)
        owner.must("role", "assignment", "create", "--assignee-object-id", group, "--assignee-principal-type", "Group",
                   "--role", "AcrDelete", "--scope", REGISTRY)  # fmt: skip
        visitor.sign_in("owner", f"{AT}/audit/why?who=alain@contoso.com&capability=delete")
        expect(visitor.page.locator(".drawing svg")).to_be_visible()
        labels = visitor.page.locator(".drawing svg text").all_text_contents()
        assert any(label.startswith("<img src=x onerror") for label in labels)
        expect(visitor.page.locator("tbody").first).to_contain_text(name)
        _matrix(visitor, name)
        assert visitor.told == []


def _matrix(visitor: Visitor, name: str) -> None:
    visitor.open(f"{AT}/audit/who-can")
    expect(visitor.page.get_by_role("row", name="alain@contoso.com")).to_contain_text(name)


def test_expired(browser: Browser, audited: AuditWorld) -> None:
    """M13, M24: years later the signed tag shows as expired, and the timeline says what ended."""
    key = (audited.served.state / "keys" / "operator").read_text().strip()
    moved = requests.put(f"{audited.served.origin}/operator/clock", json={"advanceSeconds": 4 * 365 * 86400},
                         headers={"Authorization": f"Bearer {key}"}, verify=str(audited.served.ca), timeout=30)  # fmt: skip
    assert moved.status_code == 200, moved.text
    with window(browser, audited.served) as visitor:
        visitor.sign_in("owner", PAGES["signed-tags"])
        expect(visitor.page.locator("tbody tr").first).to_contain_text("Expired")
        visitor.open(f"{AT}/audit/expiry?state=expired")
        expect(visitor.page.locator("tbody tr")).to_have_count(3)
        visitor.open(f"{AT}/audit?q=expire")
        expect(visitor.page.locator("tbody")).to_contain_text("Trust metadata are about to expire")
