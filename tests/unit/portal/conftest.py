"""A portal in process, and people signed in to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from azext_trust.hosting.mount import Mounted
from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from tests.conftest import Client
from tests.unit.portal.browser import Browser


@pytest.fixture
def served(cloud: Client) -> Mounted:
    """The cloud with its portal, as ``serve`` mounts it, working in threads."""
    cloud.app.settings = replace(cloud.app.settings, threads=True)
    return Mounted(cloud.app)


@pytest.fixture
def owner(served: Mounted) -> Browser:
    """The Owner of the subscription, signed in."""
    browser = Browser(served)
    assert browser.sign_in("owner@contoso.com", "Owner-pass-1").status == 200
    return browser


@pytest.fixture
def reader(served: Mounted) -> Browser:
    """A Reader of the subscription, signed in."""
    browser = Browser(served)
    assert browser.sign_in("reader@contoso.com", "Reader-pass-1").status == 200
    return browser


@pytest.fixture(scope="module")
def looked_at(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mounted]:
    """A cloud with its portal that the tests of one file only look at."""
    state = tmp_path_factory.mktemp("looked-at") / "cloud"
    shutil.copytree(founded, state)
    app = create_app(Settings(state=state, quiet=True, threads=True))
    yield Mounted(app)
    app.store.close()


@pytest.fixture(scope="module")
def looking(looked_at: Mounted) -> Browser:
    """The Owner, signed in to the cloud that is only looked at."""
    browser = Browser(looked_at)
    assert browser.sign_in("owner@contoso.com", "Owner-pass-1").status == 200
    return browser


@pytest.fixture(scope="module")
def looking_reader(looked_at: Mounted) -> Browser:
    """A Reader, signed in to the cloud that is only looked at."""
    browser = Browser(looked_at)
    assert browser.sign_in("reader@contoso.com", "Reader-pass-1").status == 200
    return browser
