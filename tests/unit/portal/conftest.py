"""A portal in process, and people signed in to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from azext_trust.hosting.mount import Mounted
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
