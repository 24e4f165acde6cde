"""Browsers without a screen: they open sign-in pages, fill them in, and follow where these lead."""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import requests

from tests.wire.programs import Program


@dataclass
class Page:
    """A page, with the session that holds its cookies."""

    session: requests.Session
    answer: requests.Response

    @classmethod
    def open(cls, address: str, ca: str) -> Page:
        """Open a page in a browser of its own."""
        session = requests.Session()
        session.verify = ca
        session.trust_env = False
        return cls(session, session.get(address, timeout=30))

    def submit(self, **typed: str) -> Page:
        """Fill in the page's form and send it, as a browser does; a script that only submits is run."""
        text = self.answer.text
        action = re.search(r'<form method="post"(?: action="([^"]*)")?>', text)
        assert action is not None, text
        where = urljoin(self.answer.url, unescape(action[1])) if action[1] else self.answer.url
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)
        fields = {unescape(name): unescape(value) for name, value in hidden} | typed
        origin = "/".join(self.answer.url.split("/")[:3])
        answer = self.session.post(where, data=fields, headers={"Origin": origin}, timeout=30)
        page = Page(self.session, answer)
        return page.submit() if "document.forms[0].submit()" in answer.text else page

    @staticmethod
    def skew(program: Program) -> Path:
        """Return a folder whose ``sitecustomize`` sets a program's clock ahead by AZTRUST_TEST_SKEW seconds."""
        folder = Path(program.env["HOME"]) / "skew"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(
            "import os, time\n_real = time.time\ntime.time = lambda: _real() + float(os.environ['AZTRUST_TEST_SKEW'])\n"
        )
        return folder


def device_page(address: str, code: str, name: str, password: str, ca: str) -> str:
    """Enter a device code on its page, sign in, and return what the page says then."""
    return Page.open(address, ca).submit(user_code=code, username=name, password=password).answer.text


class _Hook:
    """The program that stands in for a browser: ``BROWSER`` names it, and Python's webbrowser starts it."""

    def environment(self, directory: Path, name: str, password: str, ca: str) -> dict[str, str]:
        """Return the variables that make a program open its pages here.

        Args:
            directory: where the program is written, and what it saw last.
            name: who signs in; empty for somebody who cancels.
            password: with this password.
            ca: the authority to trust.
        """
        script = directory / "browser"
        root = Path(__file__).parents[2]
        script.write_text(
            # It returns at once, as a browser does that runs already: az waits for it, and only then for the answer.
            f"#!{sys.executable}\nimport os, sys\nif os.fork():\n    os._exit(0)\nos.setsid()\n"
            f"sys.path.insert(0, {str(root)!r})\nfrom tests.wire.browsers import HOOK\nHOOK.open(*sys.argv[1:])\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        typed = {"AZTRUST_TEST_USER": name, "AZTRUST_TEST_PASSWORD": password, "AZTRUST_TEST_CA": ca}
        return {"BROWSER": f"{script} %s", "DISPLAY": ":99", "AZTRUST_TEST_SEEN": str(directory / "seen"), **typed}

    @staticmethod
    def seen(directory: Path) -> str:
        """Return the page that the browser ended on."""
        return (directory / "seen").read_text()

    @staticmethod
    def open(address: str) -> None:
        """Be the browser: sign in or cancel on the page, and note where that led."""
        page = Page.open(address, os.environ["AZTRUST_TEST_CA"])
        name, password = os.environ["AZTRUST_TEST_USER"], os.environ["AZTRUST_TEST_PASSWORD"]
        page = page.submit(username=name, password=password) if name else page.submit(cancel="1")
        Path(os.environ["AZTRUST_TEST_SEEN"]).write_text(page.answer.text)


HOOK = _Hook()
