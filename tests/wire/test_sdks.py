"""The Azure SDKs of four languages sign in, set the policy and grant the role (docs/clients.md)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.wire.programs import Served

LANGUAGES = ("python", "javascript", "go", "java")
SCOPE = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/sdks/providers/Microsoft.ContainerRegistry/registries/"


@pytest.mark.parametrize("language", LANGUAGES)
def test_sdk(language: str, cloud: Served) -> None:
    """M2, M6, M7, M29: an unmodified SDK cannot tell the cloud from Azure."""
    folder = os.environ.get("AZTRUST_TEST_SDKS")
    if not folder:
        pytest.fail("AZTRUST_TEST_SDKS names no folder: run these tests with scripts/real-clients")
    alain = _alain(cloud)
    env = {
        "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "CA": str(cloud.ca), "ORIGIN": cloud.origin,
        "TENANT": "11111111-1111-1111-1111-111111111111", "SUBSCRIPTION": "22222222-2222-2222-2222-222222222222",
        "CLIENT_ID": "66666666-6666-6666-6666-666666666666", "CLIENT_SECRET": "Auto-mate-it-1", "GROUP": "sdks",
        "REGISTRY": f"sdk{language}", "PRINCIPAL": alain,
    }  # fmt: skip
    done = subprocess.run(
        [Path(folder) / f"run-{language}"], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said == {"status": "enabled", "scope": f"{SCOPE}sdk{language}", "principalId": alain}
    world = cloud.operator("dump")
    assert [r["contentTrust"] for r in world["registries"] if r["name"] == f"sdk{language}"] == ["enabled"]
    granted = {
        "assignee": "alain@contoso.com",
        "role": "AcrImageSigner",
        "scope": f"{SCOPE}sdk{language}".lower(),
        "condition": None,
    }
    assert granted in world["assignments"]


def _alain(cloud: Served) -> str:
    """The object id of a user, which the seed fixes."""
    assert any(row["name"] == "alain@contoso.com" for row in cloud.operator("dump")["users"])
    return "55555555-5555-5555-5555-555555555555"
