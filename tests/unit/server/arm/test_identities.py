"""User-assigned managed identities and their federated credentials (M6)."""

from __future__ import annotations

import pytest

from tests.conftest import Client
from tests.desk import LAB, REGISTRY, SUB, Desk, found

IDENTITY = f"{LAB}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/robot"
FEDERATED = f"{IDENTITY}/federatedIdentityCredentials"
GITHUB = {
    "properties": {
        "issuer": "https://token.actions.example", "subject": "repo:a/b:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"],
    }
}  # fmt: skip


@pytest.fixture
def robot(owner: Desk) -> dict[str, str]:
    """An identity's properties."""
    made: dict[str, str] = owner("PUT", IDENTITY, {"location": "westeurope"}, status=201)["properties"]
    return made


def test_life(owner: Desk, reader: Desk, robot: dict[str, str]) -> None:
    """M6: the body is as recorded, lower-case resourcegroups included; tags change; deletion takes the principal."""
    shown = owner("GET", IDENTITY)
    assert shown == {
        "id": IDENTITY.replace("resourceGroups", "resourcegroups"), "name": "robot",
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "location": "westeurope", "tags": {},
        "properties": robot,
    }  # fmt: skip
    assert owner("PATCH", IDENTITY, {"tags": {"a": "b"}})["tags"] == {"a": "b"}
    listed = reader("GET", f"{SUB}/providers/Microsoft.ManagedIdentity/userAssignedIdentities")
    assert [row["name"] for row in listed["value"]] == ["robot"]
    assert reader.code("DELETE", IDENTITY) == (403, "AuthorizationFailed")
    owner("DELETE", IDENTITY, status=200)
    owner("DELETE", IDENTITY, status=204)
    assert owner.code("GET", IDENTITY) == (404, "ResourceNotFound")


def test_service_principal(owner: Desk, cloud: Client, robot: dict[str, str]) -> None:
    """M6, M7: it is a service principal of type ManagedIdentity that can be given roles, and acts with them."""
    principal = found(cloud, robot["principalId"])
    assert principal.app_id == robot["clientId"]
    assert principal.properties["servicePrincipalType"] == "ManagedIdentity"
    assert principal.properties["alternativeNames"] == ["isExplicit=True", owner("GET", IDENTITY)["id"]]
    body = {"properties": {"roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
                           "principalId": robot["principalId"], "principalType": "ServicePrincipal"}}  # fmt: skip
    owner("PUT", f"{LAB}/providers/Microsoft.Authorization/roleAssignments/aaaaaaaa-0000-0000-0000-000000000000", body)
    assert Desk(cloud, robot["principalId"])("GET", REGISTRY)["name"] == "myregistry"


def test_assigned_to_a_registry(owner: Desk, robot: dict[str, str]) -> None:
    """M6: a registry holds it by id; the identity knows its resources; null takes it away."""
    held = owner("PATCH", REGISTRY, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}})
    assert held["identity"]["userAssignedIdentities"][IDENTITY]["clientId"] == robot["clientId"]
    assert owner("POST", f"{IDENTITY}/listAssociatedResources")["totalCount"] == 1
    gone = owner("PATCH", REGISTRY, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: None}}})
    assert "identity" not in gone


def test_assigning_takes_its_own_right(owner: Desk, nobody: Desk, cloud: Client, robot: dict[str, str]) -> None:
    """M12: whoever may write the registry but not assign the identity is refused."""
    body = {"properties": {"roleDefinitionId": "b24988ac-6180-42a0-ab88-20f7382dd24c",
                           "principalId": found(cloud, nobody.name).id}}  # fmt: skip
    path = f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/aaaaaaaa-0000-0000-0000-000000000001"
    owner("PUT", path, body)
    wanted = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}}
    assert nobody.code("PATCH", REGISTRY, wanted) == (403, "AuthorizationFailed")
    assert "identity" not in owner("GET", REGISTRY)


def test_federated_credentials(owner: Desk, robot: dict[str, str]) -> None:
    """M6: create, replace, list, delete; issuer with subject only once."""
    made = owner("PUT", f"{FEDERATED}/github", GITHUB, status=201)
    assert (made["name"], made["properties"]) == ("github", GITHUB["properties"])
    owner("PUT", f"{FEDERATED}/github", GITHUB, status=200)
    assert owner.code("PUT", f"{FEDERATED}/again", GITHUB) == (409, "Conflict")
    assert [row["name"] for row in owner("GET", FEDERATED)["value"]] == ["github"]
    owner("DELETE", f"{FEDERATED}/github", status=200)
    assert owner.code("GET", f"{FEDERATED}/github") == (404, "ResourceNotFound")


@pytest.mark.parametrize("missing", ["issuer", "subject", "audiences"])
def test_federated_credentials_are_whole(owner: Desk, robot: dict[str, str], missing: str) -> None:
    """M6: every part is needed."""
    body = {"properties": {name: value for name, value in GITHUB["properties"].items() if name != missing}}
    assert owner.code("PUT", f"{FEDERATED}/github", body) == (400, "BadRequest")
