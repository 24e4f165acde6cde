"""Management groups: the tree, who may change it, and what it does to rights (M12)."""

from __future__ import annotations

import pytest

from tests.conftest import SUBSCRIPTION, TENANT, Client
from tests.desk import SUB, Desk, found

BASE = "/providers/Microsoft.Management/managementGroups"


def make(desk: Desk, name: str, parent: str = "") -> dict[str, object]:
    """Create a management group."""
    details = {"details": {"parent": {"id": f"{BASE}/{parent}"}}} if parent else {}
    answer: dict[str, object] = desk("PUT", f"{BASE}/{name}", {"properties": {"displayName": name.title(), **details}})
    return answer


def test_create_is_polled(owner: Desk) -> None:
    """M12: 202 with both addresses; the poller finds it done, then the group."""
    reply = owner.reply("PUT", f"{BASE}/corp", {"name": "corp", "properties": {"displayName": "Corp"}})
    assert (reply.status, reply.body) == (
        202,
        {"id": f"{BASE}/corp", "type": "Microsoft.Management/managementGroups", "name": "corp", "status": "NotStarted"},
    )
    poll = reply.headers["azure-asyncoperation"].removeprefix("https://localhost")
    assert owner("GET", poll)["status"] == "Succeeded"
    shown = owner("GET", f"{BASE}/corp")
    assert shown["properties"]["details"]["parent"]["displayName"] == "Tenant Root Group"
    assert owner("GET", reply.headers["location"].removeprefix("https://localhost"))["name"] == "corp"


def test_tree(owner: Desk) -> None:
    """M12: children, descendants, ancestors, path."""
    make(owner, "corp")
    make(owner, "dev", "corp")
    owner("PUT", f"{BASE}/dev/subscriptions/{SUBSCRIPTION}")
    children = owner("GET", f"{BASE}/corp?$expand=children&$recurse=true")["properties"]["children"]
    assert children[0]["name"] == "dev"
    assert children[0]["children"][0]["id"] == SUB
    assert [row["name"] for row in owner("GET", f"{BASE}/corp/descendants")["value"]] == ["dev", SUBSCRIPTION]
    above = owner("GET", f"{BASE}/dev?$expand=ancestors")["properties"]["details"]["managementGroupAncestors"]
    assert above == ["corp", TENANT]
    assert owner.code("DELETE", f"{BASE}/corp") == (400, "BadRequest")
    owner("DELETE", f"{BASE}/dev/subscriptions/{SUBSCRIPTION}")
    owner("DELETE", f"{BASE}/dev", status=202)
    owner("DELETE", f"{BASE}/corp", status=202)
    assert owner.reply("GET", f"{BASE}/corp").status == 403


def test_who_makes_a_group_owns_it(owner: Desk, nobody: Desk) -> None:
    """M12: the creator is Owner there and sees it; others do not."""
    make(owner, "corp")
    assert [row["name"] for row in owner("GET", BASE)["value"]] == ["corp"]
    assert nobody("GET", BASE)["value"] == []
    assert nobody.code("PUT", f"{BASE}/mine", {}) == (403, "AuthorizationFailed")


def test_hierarchy_settings_let_everybody_create(owner: Desk, nobody: Desk) -> None:
    """M12: with Azure's own default, set explicitly, any user may make groups below the root, and only there."""
    elevate(owner)
    settings = f"{BASE}/{TENANT}/settings/default"
    assert owner.code("GET", settings) == (404, "NotFound")
    # Settings take more than the right to assign roles.
    assign(owner, f"{BASE}/{TENANT}", found(owner.client, "owner@contoso.com").id)
    owner("PUT", settings, {"properties": {"requireAuthorizationForGroupCreation": False}})
    make(nobody, "mine")
    make(owner, "corp")
    assert nobody.code("PUT", f"{BASE}/below", {"properties": {"details": {"parent": {"id": f"{BASE}/corp"}}}}) == (
        403, "AuthorizationFailed",
    )  # fmt: skip
    owner("DELETE", settings)
    assert nobody.code("PUT", f"{BASE}/more", {}) == (403, "AuthorizationFailed")


def elevate(desk: Desk) -> None:
    """Make a Global Administrator User Access Administrator of everything."""
    desk("POST", "/providers/Microsoft.Authorization/elevateAccess?api-version=2015-07-01", status=200)


def assign(desk: Desk, scope: str, principal: str, role: str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635") -> None:
    """Give a role at a scope, Owner unless another is named."""
    name = "aaaaaaaa-0000-0000-0000-000000000000"
    body = {"properties": {"roleDefinitionId": role, "principalId": principal}}
    desk("PUT", f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", body, status=201)


def test_moving_a_subscription_moves_rights(owner: Desk, nobody: Desk, cloud: Client) -> None:
    """M12: what is inherited changes with the next request."""
    make(owner, "corp")
    elevate(owner)
    assign(owner, f"{BASE}/corp", found(cloud, "alain@contoso.com").id, "acdd72a7-3385-48ef-bd42-f606fba81ae7")
    assert nobody("GET", f"{SUB}/resourcegroups")["value"] == []
    owner("PUT", f"{BASE}/corp/subscriptions/{SUBSCRIPTION}")
    assert len(nobody("GET", f"{SUB}/resourcegroups")["value"]) == 1
    owner("DELETE", f"{BASE}/corp/subscriptions/{SUBSCRIPTION}")
    assert nobody("GET", f"{SUB}/resourcegroups")["value"] == []


def test_shape_is_kept(owner: Desk) -> None:
    """M12: no circle, at most six levels below the root, the root stays."""
    for level in range(1, 7):
        make(owner, f"l{level}", f"l{level - 1}" if level > 1 else "")
    too_deep = {"properties": {"details": {"parent": {"id": f"{BASE}/l6"}}}}
    assert owner.code("PUT", f"{BASE}/l7", too_deep) == (400, "BadRequest")
    assert owner.code("PATCH", f"{BASE}/l1", {"parentGroupId": f"{BASE}/l3"}) == (400, "BadRequest")
    assert owner("PATCH", f"{BASE}/l4", {"displayName": "Four", "parentGroupId": f"{BASE}/l2"})["name"] == "l4"


@pytest.mark.parametrize(("name", "free"), [("corp", False), ("fresh", True), ("bad/name", False)])
def test_check_name(owner: Desk, name: str, free: bool) -> None:
    """M12: names in use and impossible ones are told."""
    make(owner, "corp")
    asked = owner("POST", "/providers/Microsoft.Management/checkNameAvailability", {"name": name})
    assert asked["nameAvailable"] is free
