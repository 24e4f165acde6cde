"""A real browser at a served portal."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.wire.programs import PASSWORDS, Served

CHROMIUM = "/usr/bin/chromium"
AXE = Path(__file__).with_name("vendor") / "axe.min.js"
GROUP = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups"
GUARDED = f"{GROUP}/guarded/providers/Microsoft.ContainerRegistry/registries/guardedregistry"
SIGNER = "6cef56e8-d556-48e5-a04f-b8e64114680f"


def pages_of(registry: str, group: str = "portal") -> str:
    """Return the path of a registry's pages."""
    return f"/portal/resource{GROUP}/{group}/providers/Microsoft.ContainerRegistry/registries/{registry}"


@dataclass
class Visitor:
    """Somebody with a browser window.

    Attributes:
        page: the window.
        origin: the cloud's origin.
        told: what the browser complained of: refused scripts and styles, failures of scripts.
        hosts: every host it asked.
    """

    page: Page
    origin: str
    told: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Listen to the browser."""
        # A page that answers 403 or 404 is told as an error of loading: the tests look at those answers themselves.
        self.page.on(
            "console", lambda m: self.told.append(m.text) if m.type == "error" and "status of" not in m.text else None
        )
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.on("dialog", lambda dialog: self.told.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self.hosts.add(re.sub(r"^\w+://([^/]*).*", r"\1", request.url)))

    def open(self, where: str) -> Any:
        """Open a page of the cloud."""
        return self.page.goto(self.origin + where)

    def sign_in(self, name: str, where: str = "/portal/", password: str = "") -> None:
        """Sign in at the sign-in page; without scripts its last page has a button."""
        self.open(where)
        self.page.locator("input[name=username]").fill(f"{name}@contoso.com")
        self.page.locator("input[name=password]").fill(password or PASSWORDS[name])
        self.page.locator("input[name=password]").press("Enter")
        self.page.wait_for_load_state()
        if "/oauth2/" in self.page.url and self.page.get_by_role("button", name="Continue").count():
            self.page.get_by_role("button", name="Continue").click()
        self.page.wait_for_url("**/portal/**")

    def picture(self, name: str, folder: Path) -> None:
        """Keep a picture of what is shown."""
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", animations="disabled")

    def serious(self) -> list[str]:
        """Return what axe-core calls serious or critical on the page."""
        # The policy forbids foreign scripts; axe comes in through the debugger, which no policy binds.
        found = self.page.evaluate(
            AXE.read_text(encoding="utf-8") + "; axe.run(document, {resultTypes: ['violations']})"
        )
        return [
            f"{row['id']}: {row['help']}: {node['html'][:200]}"
            for row in found["violations"]
            if row["impact"] in ("serious", "critical")
            for node in row["nodes"]
        ]


@contextmanager
def window(browser: Browser, cloud: Served, **options: Any) -> Iterator[Visitor]:
    """Give a window with cookies of its own.

    Args:
        browser: the browser.
        cloud: the cloud it looks at.
        options: of the window: ``locale``, ``color_scheme``, ``viewport``, ``java_script_enabled``.
    """
    given = {"locale": "en-US", "viewport": {"width": 1280, "height": 860}, **options}
    context: BrowserContext = browser.new_context(ignore_https_errors=True, **given)
    context.set_default_timeout(15_000)
    try:
        yield Visitor(context.new_page(), cloud.origin)
    finally:
        context.close()


def screenshots(otherwise: Path) -> Path:
    """Return the folder for pictures: the one that AZTRUST_TEST_SCREENSHOTS names, else the test's own."""
    return Path(os.environ.get("AZTRUST_TEST_SCREENSHOTS") or otherwise)
