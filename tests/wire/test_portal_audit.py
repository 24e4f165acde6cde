"""The portal's audit pages: who can, why, findings, the report with its charts (M22, M24, M31)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.wire.browser import GUARDED, Visitor, screenshots, window
from tests.wire.programs import Served

AT = f"/portal/resource{GUARDED}/audit"


@pytest.fixture
def owner(browser: Browser, portal: Served) -> Iterator[Visitor]:
    """The owner in a window."""
    with window(browser, portal) as one:
        one.sign_in("owner")
        yield one


def test_from_who_to_why(owner: Visitor) -> None:
    """M22: the matrix names the role that decides; a click shows every path."""
    owner.open(f"{AT}/who-can")
    row = owner.page.get_by_role("row").filter(has_text="pusher")
    expect(row).to_contain_text("AcrPush")
    row.get_by_role("link", name="AcrPush").first.click()
    expect(owner.page.get_by_role("heading", name="pusher: Push")).to_be_visible()
    expect(owner.page.get_by_role("row").filter(has_text="push/write")).to_contain_text("Grants")


def test_menu(owner: Visitor) -> None:
    """M31: the audit stands in the menu of a registry."""
    owner.open(f"/portal/resource{GUARDED}/overview")
    owner.page.get_by_role("navigation", name="Menu").get_by_role("link", name="Findings").click()
    expect(owner.page.get_by_role("row").filter(has_text="owner@contoso.com").first).to_contain_text("Medium")


def test_report(owner: Visitor, tmp_path: Path) -> None:
    """M24: the charts are drawn in a page that is nobody: it has no cookies and none of the portal's rights."""
    owner.open(f"{AT}/who-can")
    owner.page.get_by_role("link", name="Report with charts").click()
    owner.page.wait_for_selector(".chart svg")
    owner.picture("audit-report", screenshots(tmp_path))
    assert owner.page.evaluate("window.origin") == "null"
    assert owner.told == []


def test_who_may_not_look(browser: Browser, portal: Served) -> None:
    """M22, attack: somebody without rights here learns nobody's name, and is told that it is not complete."""
    with window(browser, portal) as one:
        one.sign_in("owner", f"{AT}/who-can")
        complete = one.page.inner_text("main")
    assert "not complete" not in complete
    with window(browser, portal) as one:
        one.sign_in("azureuser", f"{AT}/who-can")
        for page in ("who-can", "why?who=pusher&capability=push", "findings", "report"):
            one.open(f"{AT}/{page}")
            assert "AcrPush" not in one.page.content(), page
            assert "owner@contoso.com" not in one.page.content(), page
