"""Two clients at once create and delete the same assignments: no 500, no lost update, no duplicate (M29)."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.wire import programs
from tests.wire.programs import PASSWORDS, Program, Served

ALAIN = "55555555-5555-5555-5555-555555555555"
SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/guarded"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ROLE = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}"
ROUNDS = 500
MEANT = {
    "create 201", "create 200", "create 409 RoleAssignmentExists", "delete 200", "delete 204",
}  # fmt: skip
"""What either of them may be told while the other one is at it."""


@pytest.fixture(scope="module")
def signed_in(cloud: Served, tmp_path_factory: pytest.TempPathFactory) -> list[Program]:
    """Give two programs az, each with a configuration of its own."""
    made = [programs.az(tmp_path_factory.mktemp(name), cloud) for name in ("one", "two")]
    for az in made:
        az.must("login", "-u", "owner@contoso.com", "-p", PASSWORDS["owner"])
    return made


def assignments(cloud: Served, token: str) -> list[Any]:
    """Return the assignments of Alain on the group."""
    url = f"{cloud.origin}{SCOPE}/providers/Microsoft.Authorization/roleAssignments"
    asked = {"api-version": "2022-04-01", "$filter": f"principalId eq '{ALAIN}'"}
    answer = requests.get(url, asked, headers={"Authorization": f"Bearer {token}"}, verify=str(cloud.ca), timeout=60)
    found: list[Any] = answer.json()["value"]
    return found


def token_of(az: Program) -> str:
    """Return az's token for Resource Manager."""
    return str(json.loads(az.must("account", "get-access-token"))["accessToken"])


def test_sdk(cloud: Served, signed_in: list[Program]) -> None:
    """M29: 500 rounds of two programs with az's SDK; what was created and not deleted is there, once."""
    token, python = token_of(signed_in[0]), Path(os.environ["AZTRUST_TEST_AZ"]).with_name("python")

    def run(seed: int) -> dict[str, int]:
        words = [
            python,
            Path(__file__).with_name("assigning.py"),
            cloud.origin,
            token,
            SCOPE,
            ALAIN,
            ROLE,
            ROUNDS,
            seed,
        ]
        done = subprocess.run([*map(str, words)], env=signed_in[0].env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found: dict[str, int] = json.loads(done.stdout)
        return found

    with ThreadPoolExecutor(2) as both:
        answers = sum((Counter(found) for found in both.map(run, (1, 2))), Counter[str]())
    assert set(answers) <= MEANT, answers
    assert answers.total() == 4 * ROUNDS
    assert answers["create 201"] - answers["delete 200"] == len(assignments(cloud, token)) <= 1
    for row in assignments(cloud, token):
        signed_in[0].must("role", "assignment", "delete", "--ids", row["id"])


def test_az(cloud: Served, signed_in: list[Program]) -> None:
    """M29: the same with two az; who comes second is told so as Azure tells it."""
    meant = ("RoleAssignmentExists", "No matched assignments were found to delete")

    def run(az: Program) -> list[str]:
        told = []
        for _ in range(8):
            for verb, more in (("create", ("--assignee-principal-type", "User", "--assignee-object-id", ALAIN)),
                               ("delete", ("--assignee", ALAIN))):  # fmt: skip
                done = az("role", "assignment", verb, *more, "--role", "AcrPull", "--scope", SCOPE)
                told += [done.err] if done.code and not any(text in done.err for text in meant) else []
        return told

    with ThreadPoolExecutor(2) as both:
        assert list(both.map(run, signed_in)) == [[], []]
    assert len(assignments(cloud, token_of(signed_in[0]))) <= 1
