"""Resource groups, resource lists, providers, regions (M12)."""

from __future__ import annotations

import pytest

from tests.conftest import Client
from tests.desk import LAB, REGISTRY, SUB, Desk, found, log


def names(listed: dict[str, list[dict[str, str]]]) -> list[str]:
    """Return the names in a list's answer."""
    return [row["name"] for row in listed["value"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["lab", "other"]),
        ("tagName eq 'env'", ["other"]),
        ("tagname eq 'env' and tagvalue eq 'test'", ["other"]),
        ("tagname eq 'env' and tagvalue eq 'live'", []),
        ("startswith(tagname, 'en')", ["other"]),
    ],
)
def test_group_filters(owner: Desk, text: str, expected: list[str]) -> None:
    """M12: groups are found by tag."""
    owner("PUT", f"{SUB}/resourcegroups/other", {"location": "West Europe", "tags": {"env": "test"}}, status=201)
    assert names(owner("GET", f"{SUB}/resourcegroups?$filter={text}")) == expected


def test_group_life(owner: Desk) -> None:
    """M12: HEAD, PATCH, PUT again, DELETE, and what a missing group is."""
    path = f"{SUB}/resourcegroups/new"
    assert owner.reply("HEAD", path).status == 404
    assert owner("PUT", path, {"location": "uksouth", "managedBy": "me"}, status=201)["managedBy"] == "me"
    assert owner("PATCH", path, {"tags": {"a": "b"}})["tags"] == {"a": "b"}
    assert owner.reply("HEAD", path).status == 204
    owner("DELETE", path, status=200)
    assert owner.code("GET", path) == (404, "ResourceGroupNotFound")
    assert owner.code("DELETE", path) == (404, "ResourceGroupNotFound")


def test_deleting_a_group_leaves_no_right_behind(owner: Desk, cloud: Client) -> None:
    """M12: a registry of the same name, made later, has none of the old one's role assignments."""
    assignments = f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()"
    builder = found(cloud, "builder").id
    assert builder in [row["properties"]["principalId"] for row in owner("GET", assignments)["value"]]
    owner("DELETE", LAB)
    owner("PUT", LAB, {"location": "westeurope"})
    owner("PUT", REGISTRY, {"location": "westeurope", "sku": {"name": "Basic"}})
    assert builder not in [row["properties"]["principalId"] for row in owner("GET", assignments)["value"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("resourceType eq 'Microsoft.ContainerRegistry/registries'", ["basicregistry", "myregistry"]),
        ("resourceType eq 'Microsoft.ContainerRegistry/registries' and name eq 'MyRegistry'", ["myregistry"]),
        ("name eq 'myregistry' or name eq 'basicregistry'", ["basicregistry", "myregistry"]),
        ("substringof('basic', name)", ["basicregistry"]),
        ("resourceGroup eq 'elsewhere'", []),
        ("location ne 'westeurope'", []),
    ],
)
def test_resource_filters(owner: Desk, text: str, expected: list[str]) -> None:
    """M12: the generic list finds what az asks for."""
    assert names(owner("GET", f"{SUB}/resources?$filter={text}")) == expected


def test_resource_list_expands_and_pages(owner: Desk) -> None:
    """M12: $expand adds times; $top cuts and links to the rest."""
    page = owner("GET", f"{SUB}/resources?$top=1&$expand=createdTime,provisioningState")
    assert page["value"][0]["provisioningState"] == "Succeeded"
    assert "createdTime" in page["value"][0]
    rest = owner("GET", page["nextLink"].removeprefix("https://localhost"))
    assert names(rest) == ["myregistry"]
    assert "nextLink" not in rest


@pytest.mark.parametrize("text", ["name like 'x'", "nothing eq 'x'", "name eq x"])
def test_bad_filter(owner: Desk, text: str) -> None:
    """M12: a filter that is not offered is a 400, not an empty list."""
    assert owner.reply("GET", f"{SUB}/resources?$filter={text}").status == 400


def test_lists_hide_what_may_not_be_read(nobody: Desk, reader: Desk) -> None:
    """M12: no role, nothing listed."""
    assert nobody("GET", f"{SUB}/resources")["value"] == []
    assert nobody("GET", f"{SUB}/resourcegroups")["value"] == []
    assert len(reader("GET", f"{SUB}/resources")["value"]) == 2


def test_providers(owner: Desk, reader: Desk) -> None:
    """M12: registration is kept, needed, and takes the provider's own action."""
    base = f"{SUB}/providers/Microsoft.ContainerRegistry"
    assert reader.code("POST", f"{base}/unregister") == (403, "AuthorizationFailed")
    assert owner("POST", f"{base}/unregister")["registrationState"] == "Unregistered"
    new = {"location": "westeurope", "sku": {"name": "Basic"}}
    assert owner.code("PUT", REGISTRY.replace("myregistry", "another"), new) == (409, "MissingSubscriptionRegistration")
    assert owner("POST", f"{base}/register")["registrationState"] == "Registered"
    assert owner("GET", f"{SUB}/providers/microsoft.keyvault")["registrationState"] == "NotRegistered"
    assert owner.code("GET", f"{SUB}/providers/Microsoft.Nonsense") == (404, "InvalidResourceNamespace")


def test_providers_of_the_tenant(nobody: Desk) -> None:
    """M12: what a provider offers is no secret; one that is not there is told as such."""
    listed = nobody("GET", "/providers")["value"]
    name = "Microsoft.ContainerRegistry"
    assert nobody("GET", f"/providers/{name.lower()}") in listed
    assert nobody.code("GET", "/providers/Microsoft.Nonsense") == (404, "InvalidResourceNamespace")


def test_regions(reader: Desk) -> None:
    """M12: regions have what az account list-locations shows."""
    found_region = reader("GET", f"{SUB}/locations")["value"][0]
    assert found_region["metadata"]["pairedRegion"][0]["name"] == "westus"
    assert found_region["regionalDisplayName"] == "(US) East US"


def test_correlation_id_is_in_the_log(owner: Desk, cloud: Client) -> None:
    """M25: the id in the answer and in the activity log is one."""
    reply = owner.reply("PATCH", LAB, {"tags": {}}, x_ms_correlation_request_id="0b0b0b0b-0000-0000-0000-000000000000")
    assert reply.headers["x-ms-correlation-request-id"] == log(cloud)[-1].correlation_id
    assert owner.reply("GET", LAB).headers["x-ms-request-id"] != reply.headers["x-ms-request-id"]


def test_deployments_say_that_they_are_not_offered(owner: Desk) -> None:
    """M12: a deployment is refused with its reason; there are none to list."""
    path = f"{LAB}/providers/Microsoft.Resources/deployments"
    assert owner("GET", f"{path}/?api-version=2024-11-01") == {"value": []}
    reply = owner.reply("PUT", f"{path}/one?api-version=2024-11-01", {})
    assert isinstance(reply.body, dict)
    assert "templates are not deployed here" in reply.body["error"]["message"]
