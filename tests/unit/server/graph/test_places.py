"""What a new object's answer carries beside its body, as recorded (M29)."""

from __future__ import annotations

import pytest

from tests.conftest import TENANT, Client
from tests.desk import GRAPH, Desk

NEW = {
    "users": {"displayName": "New", "mailNickname": "new", "userPrincipalName": "new@contoso.com", "accountEnabled": True,
              "passwordProfile": {"password": "Make-a-user-1"}},
    "groups": {"displayName": "team", "mailNickname": "team", "mailEnabled": False, "securityEnabled": True},
    "applications": {"displayName": "app"},
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [("users", "User"), ("groups", "Group"), ("applications", "Application")])
def test_place_of_a_new_object(cloud: Client, kind: str, name: str) -> None:
    """M29: ``location`` names the tenant, the object and its kind."""
    reply = Desk(cloud, audience=GRAPH).reply("POST", f"/{kind}", NEW[kind])
    assert isinstance(reply.body, dict)
    place = f"/v2/{TENANT}/directoryObjects/{reply.body['id']}/Microsoft.DirectoryServices.{name}"
    assert reply.headers["location"] == f"https://localhost{place}"


def test_publisher(cloud: Client) -> None:
    """M29: an application's publisher is the tenant's domain."""
    made = Desk(cloud, audience=GRAPH)("POST", "/applications", NEW["applications"])
    assert made["publisherDomain"] == "contoso.com"
