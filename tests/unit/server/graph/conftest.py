"""Callers of the small cloud's Graph."""

from __future__ import annotations

import pytest

from tests.conftest import BUILDER, Client
from tests.desk import GRAPH, Desk


@pytest.fixture
def admin(cloud: Client) -> Desk:
    """A Global Administrator."""
    return Desk(cloud, "owner@contoso.com", GRAPH)


@pytest.fixture
def alain(cloud: Client) -> Desk:
    """A user without any role."""
    return Desk(cloud, "alain@contoso.com", GRAPH)


@pytest.fixture
def builder(cloud: Client) -> Desk:
    """A service principal without any permission."""
    return Desk(cloud, BUILDER, GRAPH)
