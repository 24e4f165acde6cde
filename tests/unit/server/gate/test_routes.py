"""Nothing is reachable without an action (M12)."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from azext_trust import server
from azext_trust.rbac import capabilities, directory, match, operations
from azext_trust.server.gate import route as routes
from azext_trust.server.gate.route import Route, RouteError, RouteTable


def services() -> list[str]:
    """Return every folder of the server that has a routing table, whether or not the application names it."""
    return [
        info.name
        for info in pkgutil.iter_modules(server.__path__)
        if info.ispkg and importlib.util.find_spec(f"azext_trust.server.{info.name}.routes")
    ]


ROWS = [
    pytest.param(row, id=f"{name} {row.method} {row.path}")
    for name in services()
    for row in importlib.import_module(f"azext_trust.server.{name}.routes").ROUTES
]


def test_all_services_are_walked() -> None:
    """M12: the walk knows every service that the application answers with."""
    from azext_trust.server.app import SERVICES

    assert set(SERVICES) <= set(services())


def is_token_scope(text: str) -> bool:
    """Tell whether a text is a scope of a registry's token: each of its actions is a capability, or a star.

    What a capability takes is tested in tests/unit/rbac/test_golden.py.
    """
    kind, _, rest = text.partition(":")
    name, _, actions = rest.rpartition(":")
    if kind == "registry":
        return actions == "*" and name.removeprefix("deleted_") == "catalog"
    words = {word for alternative in actions.split("|") for word in alternative.split(",")}
    return kind == "repository" and bool(name) and words <= {"*", *capabilities.names()}


@pytest.mark.parametrize("row", ROWS)
def test_every_route_needs_an_action_that_exists(row: Route) -> None:
    """M12: an operation of a provider, a directory role's permission, a token's scope, or one of the gate's words."""
    assert row.action
    if row.action in routes.ACCESS_RULES or is_token_scope(row.action):
        return
    if row.action.startswith(routes.DIRECTORY):
        roles = directory.directory_roles().values()
        assert any(match.matches(pattern, row.action) for role in roles for pattern in role.permissions)
    else:
        assert row.action.lower() in operations.operations()


@pytest.mark.parametrize("row", ROWS)
def test_every_change_is_logged_under_a_name(row: Route) -> None:
    """M25: what changes something has an activity name."""
    assert row.activity or row.method in ("GET", "HEAD", "POST")


@pytest.mark.parametrize(
    "row",
    [Route("GET", "/x", "a:b", ""), Route("DELETE", "/x", "a:b", routes.OPERATOR)],
    ids=["no action", "no activity"],
)
def test_a_wrong_table_does_not_assemble(row: Route) -> None:
    """M12: the server does not start with a hole in it."""
    with pytest.raises(RouteError):
        RouteTable([row])
