"""``az acr login``, ``repository``, ``manifest`` and ``check-health`` of the real az, and the registry's SDK."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wire.registry_world import HOST, PULLER, PUSHER, World, world

NAME = ("-n", "myregistry")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a private machine with a served cloud, az signed in as the owner, and three images of ``team/web``."""
    made = world(tmp_path_factory.mktemp("az"))
    made.env |= {"AZURE_CONFIG_DIR": str(made.directory / "azure"), "AZURE_CORE_COLLECT_TELEMETRY": "false"}
    try:
        for command in (
            "config set core.instance_discovery=false", "cloud register -n Lab --endpoint-resource-manager https://localhost",
            "cloud set -n Lab", "login -u owner@contoso.com -p Own-the-cloud-1",
        ):  # fmt: skip
            az(made, *command.split())
        made.must("oras", "login", "-u", PUSHER[0], "--password-stdin", HOST, stdin=PUSHER[1])
        for tag in ("v1", "v2", "v3"):
            (made.directory / "file.txt").write_text(tag)
            made.must("oras", "push", f"{HOST}/team/web:{tag}", "file.txt:text/plain")
        yield made
    finally:
        made.stop()


def program() -> str:
    """Return the real az."""
    path = os.environ.get("AZTRUST_TEST_AZ")
    return path or pytest.fail("AZTRUST_TEST_AZ names no az: run these tests with scripts/real-clients")


def az(machine: World, *arguments: str) -> str:
    """Run az; fail the test when it fails."""
    return machine.must(program(), *arguments)


def shown(machine: World, *arguments: str) -> Any:
    """Run az and return its JSON."""
    return json.loads(az(machine, *arguments, "-o", "json"))


def test_repositories(machine: World) -> None:
    """M14: the list, a repository's and a tag's attributes, tags in the order of time."""
    assert shown(machine, "acr", "repository", "list", *NAME) == ["team/web"]
    repository = shown(machine, "acr", "repository", "show", *NAME, "--repository", "team/web")
    assert (repository["manifestCount"], repository["tagCount"], repository["registry"]) == (3, 3, HOST)
    tag = shown(machine, "acr", "repository", "show", *NAME, "--image", "team/web:v1")
    assert (tag["name"], tag["signed"], tag["changeableAttributes"]["writeEnabled"]) == ("v1", False, True)
    order = ["--repository", "team/web", "--orderby", "time_desc", "--top", "2"]
    assert shown(machine, "acr", "repository", "show-tags", *NAME, *order) == ["v3", "v2"]


def test_manifests(machine: World) -> None:
    """M14: manifests with their metadata, and as they are."""
    listed = shown(machine, "acr", "manifest", "list-metadata", "-r", "myregistry", *("-n", "team/web"))
    assert sorted(tag for one in listed for tag in one["tags"]) == ["v1", "v2", "v3"]
    manifest = shown(machine, "acr", "manifest", "show", "-r", "myregistry", "-n", "team/web:v1")
    assert manifest["schemaVersion"] == 2
    referrers = shown(machine, "acr", "manifest", "list-referrers", "-r", "myregistry", "-n", "team/web:v1")
    assert referrers == {"manifests": []}


def test_locked_and_deleted(machine: World) -> None:
    """M14: a locked image is not deleted, with az's own text; untag, delete one, delete all."""
    image = ("--image", "team/web:v1")
    az(machine, "acr", "repository", "update", *NAME, *image, "--write-enabled", "false", "-o", "none")
    refused = machine(program(), "acr", "repository", "delete", *NAME, *image, "--yes")
    assert refused.code == 1
    assert "Error: The operation is disallowed on this registry, repository or image." in refused.err
    az(machine, "acr", "repository", "update", *NAME, *image, "--write-enabled", "true", "-o", "none")
    az(machine, "acr", "repository", "untag", *NAME, *image)
    az(machine, "acr", "repository", "delete", *NAME, "--image", "team/web:v2", "--yes")
    assert shown(machine, "acr", "repository", "show-tags", *NAME, "--repository", "team/web") == ["v3"]
    az(machine, "acr", "repository", "delete", *NAME, "--repository", "team/web", "--yes")
    gone = machine(program(), "acr", "repository", "show", *NAME, "--repository", "team/web")
    assert (gone.code, "repository name not known to registry" in gone.err) == (3, True)


def test_login_and_health(machine: World) -> None:
    """M11, M14: the exposed token is a refresh token; every check of the registry passes."""
    exposed = shown(machine, "acr", "login", *NAME, "--expose-token")
    assert exposed["username"] == "00000000-0000-0000-0000-000000000000"
    assert exposed["accessToken"] == exposed["refreshToken"]
    health = machine(program(), "acr", "check-health", *NAME, "--yes", "--ignore-errors",
                     "--repository", "team/web")  # fmt: skip
    for check in ("DNS lookup", "Challenge endpoint", "Fetch refresh token", "Fetch access token for repository"):
        assert any(check in line and line.endswith("OK") for line in health.err.splitlines()), health.err


def test_admin_credentials(machine: World) -> None:
    """M9: az lists repositories with the admin account's second password."""
    held = shown(machine, "acr", "credential", "show", *NAME)
    found = shown(
        machine, "acr", "repository", "list", *NAME, "-u", held["username"], "-p", held["passwords"][1]["value"]
    )
    assert isinstance(found, list)


def test_sdk(machine: World) -> None:
    """M14: azure-containerregistry pushes, lists, reads and deletes; who may only pull is refused."""
    script = Path(__file__).with_name("registry_sdk.py")
    said = machine.must("python", script, *PUSHER, *PULLER)
    assert said.split("\n")[:3] == ["AcrPush may not lock", "gone", "done"]
