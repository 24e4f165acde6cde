"""The report's page in a real browser: light, dark, narrow and printed; nothing is fetched, nothing sticks out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.sockets import free_port
from tests.wire.audit_world import AuditWorld, world
from tests.wire.browser import Visitor

WIDTHS = (1280, 800, 375)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the report of a cloud with trust data, as ``aztrust audit report -o html`` prints it."""
    lab: AuditWorld = world(tmp_path_factory.mktemp("report"), free_port())
    try:
        file = lab.directory / "report.html"
        file.write_text(lab.told("report", "-o", "html").out, encoding="utf-8")
        yield file
    finally:
        lab.served.stop()


def visitor(browser: Browser, file: Path, scheme: str, width: int) -> Visitor:
    """Open the page in a new window."""
    page = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}).new_page()  # type: ignore[arg-type]
    made = Visitor(page, file.as_uri())
    made.open("")
    page.wait_for_function("document.querySelectorAll('.chart svg').length >= 3")
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report(browser: Browser, page_file: Path, scheme: str) -> None:
    """M24: charts are drawn, axe-core finds nothing serious, the page asks no host and fits every width."""
    for width in WIDTHS:
        one = visitor(browser, page_file, scheme, width)
        assert one.told == []
        assert one.hosts == {""}
        assert one.serious() == []
        assert one.page.evaluate("document.documentElement.scrollWidth") <= width
        picture(one, f"report-{scheme}-{width}")
        one.page.context.close()


def test_printed(browser: Browser, page_file: Path) -> None:
    """M24: printed it fits the paper, also from a dark window."""
    one = visitor(browser, page_file, "dark", 794)
    one.page.emulate_media(media="print")
    one.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    one.page.wait_for_function("document.querySelectorAll('.chart svg').length >= 3")
    picture(one, "report-print")
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 794
    assert one.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    one.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert one.page.pdf(format="A4").startswith(b"%PDF")


def test_what_it_tells(browser: Browser, page_file: Path) -> None:
    """M24: every finding stands with its cure; the signer is in the pictures."""
    one = visitor(browser, page_file, "light", 1280)
    text = one.page.inner_text("body")
    assert "az role assignment" in text
    assert "alain" in one.page.inner_text("body") + one.page.evaluate(
        "[...document.querySelectorAll('.chart svg text')].map(t => t.textContent).join(' ')"
    )


def picture(one: Visitor, name: str) -> None:
    """Keep a picture where somebody wants to look at them."""
    folder = os.environ.get("AZTRUST_TEST_SCREENSHOTS")
    if folder:
        one.picture(name, Path(folder))
