"""Callers of the small cloud's Resource Manager."""

from __future__ import annotations

import pytest

from tests.conftest import Client
from tests.desk import Desk


@pytest.fixture
def owner(cloud: Client) -> Desk:
    """The Owner of the subscription, who is Global Administrator."""
    return Desk(cloud)


@pytest.fixture
def reader(cloud: Client) -> Desk:
    """A Reader of the subscription."""
    return Desk(cloud, "reader@contoso.com")


@pytest.fixture
def nobody(cloud: Client) -> Desk:
    """A user without any role."""
    return Desk(cloud, "alain@contoso.com")
