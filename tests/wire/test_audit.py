"""Every question of ``aztrust audit`` on the wire: of a served cloud, and of what the real az exports of it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.sockets import free_port
from tests.wire.audit_world import ALAIN, LAB, PULLER, REGISTRY, AuditWorld, world

HERE = ("-r", "myregistry")
ACR = "Microsoft.ContainerRegistry/registries"
TEAM = "signers > team"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditWorld]:
    """Give the cloud."""
    made = world(tmp_path_factory.mktemp("audit"), free_port())
    yield made
    made.served.stop()


@pytest.fixture(scope="module")
def export(lab: AuditWorld) -> Path:
    """Give what the real az exports of it."""
    return lab.exported("export")


@pytest.fixture(params=["cloud", "live", "export"])
def way(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Give the options for each source: the cloud's own answers, its ARM and Graph, the exported files."""
    if request.param == "export":
        return ("--from", str(request.getfixturevalue("export")))
    return ("--live",) if request.param == "live" else ()


def only(answer: Any) -> Any:
    """Return the one row of a complete answer."""
    assert (answer["complete"], answer["unknown"]) == (True, [])
    [row] = answer["value"]
    return row


def test_who_can(lab: AuditWorld, way: tuple[str, ...]) -> None:
    """M22: one signs, through nested groups; half a signer, a deleted one and the Owner do not."""
    row = only(lab.ask("who-can", "sign", *HERE, *way))
    assert (row["principalId"], row["principalName"], row["canPush"]) == (ALAIN, "alain@contoso.com", True)
    assert (row["via"], row["role"], row["scope"], row["registry"]) == (TEAM, "AcrImageSigner", REGISTRY, "myregistry")


def test_nobody(lab: AuditWorld, way: tuple[str, ...]) -> None:
    """M22: that nobody signs is said in words, for an empty table shows nothing."""
    told = lab.told("who-can", "sign", "-r", "second", *way, "-o", "table")
    assert (told.out.strip(), "Nobody can sign at second." in told.err) == ("", True)


def test_every_registry(lab: AuditWorld, way: tuple[str, ...]) -> None:
    """M22: without -r all registries; the admin account is told as what it is."""
    rows = lab.ask("who-can", "push", *way)["value"]
    assert {row["registry"] for row in rows} == {"myregistry", "second"}
    assert [row["registry"] for row in rows if row["principalType"] == "AdminAccount"] == ["second"]
    assert {row["principalName"] for row in rows if row["principalType"] == "ServicePrincipal"} == {"builder"}


def test_can(lab: AuditWorld, way: tuple[str, ...]) -> None:
    """M22: yes ends with 0; no with 4, with the near miss and the one command that mends it."""
    assert only(lab.ask("can", "sign", "--assignee", "alain@contoso.com", *HERE, *way))["allowed"] is True
    row = only(lab.ask("can", "sign", "--assignee", "half@contoso.com", *HERE, *way, code=4))
    assert row["allowed"] is False
    assert row["missing"] == [f"{ACR}/pull/read", f"{ACR}/push/write"]
    assert row["fix"].startswith("az role assignment create --role AcrPush ")
    assert row["fix"].endswith(REGISTRY)


def test_why(lab: AuditWorld, way: tuple[str, ...]) -> None:
    """M22: each path names assignment, groups, role, pattern and scope."""
    rows = lab.ask("why", "sign", "--assignee", ALAIN, *HERE, *way)["value"]
    signing = [row for row in rows if row["action"].endswith("/sign/write")]
    assert [(row["effect"], row["via"], row["role"], row["scope"]) for row in signing] == [
        ("grants", TEAM, "AcrImageSigner", REGISTRY)
    ]
    assert "/roleAssignments/" in signing[0]["assignmentId"]
    assert {row["scope"] for row in rows if row["action"].endswith("/push/write")} == {LAB}


def test_what_can(lab: AuditWorld, way: tuple[str, ...]) -> None:
    """M22: what somebody can, by scope."""
    rows = lab.ask("what-can", "--assignee", "builder", *way)["value"]
    assert [(row["role"], row["scope"], row["capabilities"]) for row in rows] == [
        ("AcrPush", REGISTRY, ["push", "pull"])
    ]


def test_what_if(lab: AuditWorld, way: tuple[str, ...], tmp_path: Path) -> None:
    """M23: a change file shows who gains and who loses, and changes nothing."""
    team = lab.ask("why", "sign", "--assignee", ALAIN, *HERE)["value"]
    signing = next(row["assignmentId"] for row in team if row["role"] == "AcrImageSigner")
    file = tmp_path / "changes.yaml"
    file.write_text(f"- {{change: remove-assignment, id: {signing}}}\n"
                    f"- {{change: add-assignment, principalId: half@contoso.com, role: AcrPush, scope: {LAB}}}\n")  # fmt: skip
    answer = lab.ask("what-if", "--changes", str(file), "--capability", "sign", *HERE, *way)
    assert [(row["change"], row["principalName"]) for row in answer["value"]] == [
        ("gains", "half@contoso.com"), ("loses", "alain@contoso.com"),
    ]  # fmt: skip
    assert only(lab.ask("who-can", "sign", *HERE, *way))["principalId"] == ALAIN


def test_forms(lab: AuditWorld, way: tuple[str, ...]) -> None:
    """M22: the same rows as table and as csv, whose columns are the keys of JSON."""
    table = lab.told("who-can", "sign", *HERE, *way, "-o", "table").out.splitlines()
    assert table[0].split()[:3] == ["Signer", "Registry", "Via"]
    assert "alain@contoso.com" in table[2]
    [row] = csv.DictReader(io.StringIO(lab.told("who-can", "sign", *HERE, *way, "-o", "csv").out))
    assert row.keys() == only(lab.ask("who-can", "sign", *HERE, *way)).keys()
    assert (row["principalId"], row["canPush"]) == (ALAIN, "true")


def test_key(lab: AuditWorld) -> None:
    """M22: trust data and roles joined: whose key signs is in the log of its publishes."""
    row = only(lab.ask("who-can", "sign", *HERE))
    assert len(row["key"]) == 64
    inspected = json.loads(lab.person("alain").must("trust", "inspect", f"{lab.host}/team/web"))
    assert row["key"] in json.dumps(inspected)


def test_assert(lab: AuditWorld, way: tuple[str, ...], tmp_path: Path) -> None:
    """M24: gates end with 0 or 4, and write what pipelines read."""
    lab.ask("assert", "--max-signers", "1", "--no-signer-above-registry", *HERE, *way)
    files = ("--junit", str(tmp_path / "j.xml"), "--sarif", str(tmp_path / "s.sarif"))
    rows = lab.ask("assert", "--max-signers", "0", "--no-admin-account", *files, *way, code=4)["value"]
    assert {(row["rule"], row["registry"]) for row in rows if not row["passed"]} == {
        ("max-signers", "myregistry"), ("no-admin-account", "second"),
    }  # fmt: skip
    assert 'failures="2"' in (tmp_path / "j.xml").read_text()
    assert json.loads((tmp_path / "s.sarif").read_text())["version"] == "2.1.0"


def test_new_signers(lab: AuditWorld, way: tuple[str, ...], tmp_path: Path) -> None:
    """M24: nobody new since an answer of who-can; somebody new where it was empty."""
    before = tmp_path / "signers.json"
    before.write_text(lab.told("who-can", "sign").out)
    lab.ask("assert", "--no-new-signer-since", str(before), *way)
    before.write_text('{"value": []}')
    lab.ask("assert", "--no-new-signer-since", str(before), *way, code=4)


def test_explain(lab: AuditWorld) -> None:
    """M22: a refusal at the login server's door or of a push becomes the missing permission."""
    row = only(lab.ask("explain", "--last-denial", by="half"))
    assert row["missing"] == f"{ACR}/pull/read"
    assert row["fix"].startswith("az role assignment create --role AcrPull ")
    assert lab.push("team/web", "v1", PULLER).status_code == 401
    row = only(lab.ask("explain", "--last-denial", "--assignee", PULLER[0]))
    assert (row["missing"], row["now"]) == (f"{ACR}/push/write", "Denied")
    assert row["fix"].startswith("az role assignment create --role AcrPush ")


def test_explain_arm(lab: AuditWorld) -> None:
    """M22: a 403 of Resource Manager, too."""
    assert lab.person("half")("acr", "show", "-n", "myregistry", "-g", "lab").code != 0
    row = only(lab.ask("explain", "--last-denial", by="half"))
    assert row["missing"] == f"{ACR}/read"


def test_least(lab: AuditWorld) -> None:
    """M24: what was used stays; half a signer's role was never used."""
    rows = {(row["principalName"], row["role"]): row["suggestion"] for row in lab.ask("least", *HERE)["value"]}
    assert rows["half@contoso.com", "AcrImageSigner"] == "remove"
    assert ("builder", "AcrPush") not in rows or rows["builder", "AcrPush"] != "remove"


def test_replay(lab: AuditWorld, tmp_path: Path) -> None:
    """M23: the pushes of the log that a change would have broken."""
    file = tmp_path / "changes.json"
    file.write_text('[{"change": "delete-principal", "principalId": "33333333-3333-3333-3333-333333333333"}]')
    done = lab.told("replay", "--changes", str(file))
    pushes = [row for row in json.loads(done.out)["value"] if row["action"].endswith("/push/write")]
    assert pushes
    assert {(row["principalName"], row["outcome"], row["would"]) for row in pushes} == {
        ("builder", "Allowed", "Denied")
    }
    assert f"{len(pushes)} x push" in done.err


def test_report(lab: AuditWorld, way: tuple[str, ...]) -> None:
    """M24: findings have severity, evidence and the command that cures them."""
    rows = _report(lab, way)
    found = {row["finding"] for row in rows}
    assert {"signer-without-push", "admin-account", "orphaned-assignment"} <= found, found
    assert all(row["cure"] and row["evidence"] and row["severity"] in ("high", "medium", "low", "info") for row in rows)
    if not way:
        assert "unsigned-tag" in found


def _report(lab: AuditWorld, way: tuple[str, ...]) -> list[dict[str, Any]]:
    done = lab.person("owner")("audit", "report", *way)
    assert done.code in (0, 5), done.err
    rows: list[dict[str, Any]] = json.loads(done.out)["value"]
    return rows


def test_what_may_not_be_read(lab: AuditWorld) -> None:
    """M22: unknown is never "no access": exit code 5, and what could not be read on stderr."""
    done = lab.told("who-can", "sign", by="reader", code=5)
    answer = json.loads(done.out)
    assert answer["complete"] is False
    assert answer["unknown"]
    assert "not complete" in done.err
    assert lab.ask("who-can", "sign", *HERE, by="nobody", code=5)["value"] == []


def test_diff(lab: AuditWorld, export: Path) -> None:
    """M23: nothing has moved since the export; a new assignment has, and the exit code says so."""
    assert lab.ask("diff", "--from", str(export))["value"] == []
    made = json.loads(lab.person("owner").must("role", "assignment", "create", "--assignee", "half@contoso.com", "--role",
                                               "AcrPush", "--scope", REGISTRY))  # fmt: skip
    try:
        rows = lab.ask("diff", "--from", str(export), "--capability", "sign", code=4)["value"]
        assert [(row["change"], row["principalName"]) for row in rows] == [("gains", "half@contoso.com")]
    finally:
        lab.person("owner").must("role", "assignment", "delete", "--ids", made["id"])


def test_twin(lab: AuditWorld, tmp_path: Path) -> None:
    """M26: a reading that is killed goes on; the twin then answers as the cloud does, keys and images included."""
    owner, folder = lab.person("owner"), tmp_path / "twin"
    for seconds in (1.5, 2.5):
        process = subprocess.Popen(
            [owner.path, "twin", "pull", "--into", folder], env=owner.env, stderr=subprocess.DEVNULL
        )
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        process.wait()
    pulled = json.loads(owner.must("twin", "pull", "--into", str(folder)))
    assert (pulled["done"], pulled["unknown"]) == (True, [])
    assert lab.ask("who-can", "sign", *HERE, "--from", str(folder)) == lab.ask("who-can", "sign", *HERE)
    found = {row["finding"] for row in lab.ask("report", "--from", str(folder))["value"]}
    assert {"unsigned-tag", "signer-without-push", "admin-account"} <= found
    assert lab.ask("diff", "--from", str(folder))["value"] == []
