"""Decisions of the server: every operation asks, every refusal is logged with what nearly allowed it."""

from __future__ import annotations

from typing import Any

import pytest

from azext_trust.server.gate import warm
from azext_trust.server.store import activity
from tests.conftest import SUBSCRIPTION, Client

REGISTRY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/myregistry"
)
VERSION = "?api-version=2023-07-01"
SIGNER = "6cef56e8-d556-48e5-a04f-b8e64114680f"
ASSIGNMENT = "/providers/Microsoft.Authorization/roleAssignments/99999999-0000-0000-0000-000000000001"


@pytest.fixture(params=["cold", "warm"])
def client(request: pytest.FixtureRequest, cloud: Client) -> Client:
    """Give the small cloud, with and without a warm index."""
    if request.param == "warm":
        warm.keep(cloud.app.store).load()
    return cloud


def last_entry(client: Client) -> dict[str, Any]:
    """Return the details of the newest activity entry."""
    with client.app.store.read() as transaction:
        [entry] = activity.recent(transaction.session, 1)
        return {"outcome": entry.outcome, "operation": entry.operation, **activity.details_of(entry)}


def test_reader_may_read_and_not_write(client: Client) -> None:
    """M12: through ARM, by the built-in role."""
    token = client.sign_in("reader@contoso.com", "Reader-pass-1")
    assert client.call("GET", REGISTRY + VERSION, token=token).status == 200
    reply = client.call("PATCH", REGISTRY + VERSION, {"tags": {"a": "b"}}, token)
    assert (reply.status, client.json(reply)["error"]["code"]) == (403, "AuthorizationFailed")


def test_refusal_is_logged_with_the_nearest_misses(client: Client) -> None:
    """M22: the entry names the missing action, and the assignment that nearly gave it."""
    token = client.sign_in("owner@contoso.com", "Owner-pass-1")
    target = REGISTRY.replace(SUBSCRIPTION, "99999999-9999-9999-9999-999999999999")
    assert client.call("DELETE", target + VERSION, token=token).status == 403
    entry = last_entry(client)
    assert (entry["outcome"], entry["missing"]) == ("Denied", "Microsoft.ContainerRegistry/registries/delete")
    [miss] = entry["nearest"]
    assert (miss["kind"], miss["role"], miss["scope"]) == ("scope", "Owner", f"/subscriptions/{SUBSCRIPTION}")


def test_refusal_without_a_miss(client: Client) -> None:
    """M22: somebody without any role has come near nothing."""
    token = client.sign_in("alain@contoso.com", "Alain-pass-1")
    assert client.call("GET", REGISTRY + VERSION, token=token).status == 403
    assert last_entry(client)["nearest"] == []


def test_a_grant_counts_in_the_next_request(client: Client) -> None:
    """M11: ARM decides from the directory of now, not from the token."""
    owner = client.sign_in("owner@contoso.com", "Owner-pass-1")
    alain = client.sign_in("alain@contoso.com", "Alain-pass-1")
    body = {"properties": {"roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7", "principalId": me(alain)}}
    target = REGISTRY + ASSIGNMENT + "?api-version=2022-04-01"
    assert client.call("GET", REGISTRY + VERSION, token=alain).status == 403
    assert client.call("PUT", target, body, owner).status == 201
    assert client.call("GET", REGISTRY + VERSION, token=alain).status == 200
    assert client.call("DELETE", target, token=owner).status == 200
    assert client.call("GET", REGISTRY + VERSION, token=alain).status == 403


def test_condition_on_the_right_to_assign(client: Client) -> None:
    """M12: a constrained delegate assigns what its condition admits, and is told when it does not."""
    owner = client.sign_in("owner@contoso.com", "Owner-pass-1")
    alain = client.sign_in("alain@contoso.com", "Alain-pass-1")
    prefix = "Microsoft.Authorization/roleAssignments"
    condition = f"!(ActionMatches{{'{prefix}/write'}}) OR (@Request[{prefix}:RoleDefinitionId] GuidEquals {SIGNER})"
    delegate = {"roleDefinitionId": "f58310d9-a9f6-439a-9e8d-f62e7b41a168", "principalId": me(alain),
                "condition": condition, "conditionVersion": "2.0"}  # fmt: skip
    at = f"{REGISTRY}/providers/{prefix}/99999999-0000-0000-0000-00000000000"
    query = "?api-version=2022-04-01"
    assert client.call("PUT", f"{at}2{query}", {"properties": delegate}, owner).status == 201
    wanted = {"roleDefinitionId": SIGNER, "principalId": me(alain)}
    assert client.call("PUT", f"{at}3{query}", {"properties": wanted}, alain).status == 201
    wanted["roleDefinitionId"] = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    reply = client.call("PUT", f"{at}4{query}", {"properties": wanted}, alain)
    assert reply.status == 403
    assert "ABAC condition not fulfilled" in client.json(reply)["error"]["message"]
    assert last_entry(client)["nearest"][0]["kind"] == "condition"


def test_assigning_at_a_management_group(client: Client) -> None:
    """M12: an extension of a management group inherits from it."""
    owner = client.sign_in("owner@contoso.com", "Owner-pass-1")
    with client.app.store.write() as transaction:
        from azext_trust.server.store import authorization

        scope = f"/providers/Microsoft.Management/managementGroups/{transaction.tenant_id()}"
        transaction.session.add(
            authorization.Assignment(
                id="99999999-0000-0000-0000-000000000009", scope=scope, scope_key=scope.lower(), principal_id=me(owner),
                role_id="8e3af657-a8ff-443c-a75c-2fe8c4bcb635", principal_type="User", created_on="", updated_on="",
            )
        )  # fmt: skip
    body = {"properties": {"roleDefinitionId": SIGNER, "principalId": me(owner)}}
    assert client.call("PUT", f"{scope}{ASSIGNMENT}?api-version=2022-04-01", body, owner).status == 201


def me(token: str) -> str:
    """Return the object id in a token."""
    import jwt

    return str(jwt.decode(token, options={"verify_signature": False})["oid"])
