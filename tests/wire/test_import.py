"""``acr import`` typed to the real az and to aztrust, served and embedded, from Debian's docker-registry and this cloud."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wire.programs import AZTRUST, Done
from tests.wire.registry_world import ADDRESS, HOST, SIGNER, World, bare, wait_for
from tests.wire.test_az_registry import program

ELSEWHERE = f"{ADDRESS}:5000"
USER, PASSWORD = "importer", "Take-an-image-1"
HASHED = "$2b$04$0LT5OeuWuhVcvJcEhPRYY.Pd5IMRVj/W6GK/T7qMRw3NAkHvvBS9q"
CONFIGURATION = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {at}/elsewhere}}}}
http: {{addr: "{address}", tls: {{certificate: {ca}/server.pem, key: {ca}/server.key}}}}
auth: {{htpasswd: {{realm: elsewhere, path: {at}/htpasswd}}}}
log: {{level: warn}}
"""
OWNER = ("login", "-u", "owner@contoso.com", "-p", "Own-the-cloud-1")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a private machine: a served cloud, az and aztrust signed in as its owner, a registry elsewhere with images."""
    made = bare(tmp_path_factory.mktemp("import"), f"{ADDRESS} {HOST} other1.azurecr.io")
    made.env |= {
        "SSL_CERT_FILE": str(made.ca), "REQUESTS_CA_BUNDLE": str(made.ca), "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CONFIG_DIR": str(made.directory / "azure"), "AZTRUST_CONFIG_DIR": str(made.directory / "own"),
        "AZTRUST_STATE": str(made.directory / "embedded"),
    }  # fmt: skip
    registry = None
    try:
        made.serve()
        registry = _elsewhere(made)
        _fill(made)
        for command in (
            "config set core.instance_discovery=false", "cloud register -n Lab --endpoint-resource-manager https://localhost",
            "cloud set -n Lab", " ".join(OWNER), "acr create -n other1 -g lab --sku Premium -o none",
        ):  # fmt: skip
            made.must(program(), *command.split())
        made.must(AZTRUST, "cloud", "register", "-n", "Lab", "--endpoint-resource-manager", "https://localhost",
                  "--ca", made.ca)  # fmt: skip
        yield made
    finally:
        if registry is not None:
            registry.terminate()
            registry.wait(10)
        made.stop()


def _elsewhere(machine: World) -> subprocess.Popen[bytes]:
    """Start Debian's docker-registry."""
    at = machine.directory
    (at / "htpasswd").write_text(f"{USER}:{HASHED}\n")
    (at / "elsewhere.yml").write_text(CONFIGURATION.format(at=at, address=ELSEWHERE, ca=machine.state / "ca"))
    process = machine.start("elsewhere.log", "docker-registry", "serve", at / "elsewhere.yml")
    wait_for(lambda: machine("curl", "-s", "--cacert", machine.ca, f"https://{ELSEWHERE}/v2/").code == 0,
             at / "elsewhere.log")  # fmt: skip
    return process


def _fill(machine: World) -> None:
    """Let the registry elsewhere hold an image for two platforms."""
    machine.must("regctl", "registry", "login", "-u", USER, "--pass-stdin", ELSEWHERE, stdin=PASSWORD)
    for platform in ("amd64", "arm64"):
        machine.must("regctl", "image", "create", "--platform", f"linux/{platform}", f"{ELSEWHERE}/web:{platform}")
    parts = [f"--ref={ELSEWHERE}/web:{platform}" for platform in ("amd64", "arm64")]
    machine.must("regctl", "index", "create", f"{ELSEWHERE}/web:v1", *parts)


CREDENTIALS = ("-u", USER, "-p", PASSWORD)


class Typed:
    """A program and the cloud it speaks to.

    Args:
        machine: where it runs.
        path: the program.
        cloud: the cloud profile to use, empty for the one that is set.
    """

    def __init__(self, machine: World, path: str | Path, cloud: str = "") -> None:
        self._machine, self._path = machine, path
        if cloud:
            machine.must(path, "cloud", "set", "-n", cloud)
            machine.must(path, *OWNER)

    def __call__(self, *words: str) -> Done:
        """Run a command."""
        return self._machine(self._path, *words)

    def shown(self, *words: str) -> Any:
        """Run a command and return its JSON."""
        return json.loads(self._machine.must(self._path, *words, "-o", "json") or "null")


@pytest.fixture(params=["az", "aztrust", "embedded"])
def typed(machine: World, request: pytest.FixtureRequest) -> Typed:
    """Give each program; the embedded cloud is founded from the same seed."""
    if request.param == "az":
        return Typed(machine, program())
    if request.param == "aztrust":
        return Typed(machine, AZTRUST, "Lab")
    if not (machine.directory / "embedded").exists():
        machine.must(AZTRUST, "cloud", "init", "--seed", machine.seed)
    return Typed(machine, AZTRUST, "Embedded")


def test_with_credentials(typed: Typed, request: pytest.FixtureRequest) -> None:
    """M20: an image for two platforms comes from a registry over TLS; without credentials its 401 is told."""
    name = request.node.callspec.id
    source = ("--source", f"{ELSEWHERE}/web:v1", "-t", f"{name}/web:v1", "-t", f"{name}/web:latest")
    refused = typed("acr", "import", "-n", "myregistry", *source)
    assert (refused.code, "Invalid message Unauthorized" in refused.err) == (1, True), refused
    done = typed("acr", "import", "-n", "myregistry", *source, *CREDENTIALS, "--repository", f"{name}/untagged")
    assert (done.code, done.out) == (0, ""), done
    listed = typed.shown("acr", "repository", "show-tags", "-n", "myregistry", "--repository", f"{name}/web")
    assert listed == ["latest", "v1"]
    shown = typed.shown("acr", "manifest", "show", "-r", "myregistry", "-n", f"{name}/web:v1")
    assert [one["platform"]["architecture"] for one in shown["manifests"]] == ["amd64", "arm64"]
    held = typed.shown("acr", "manifest", "list-metadata", "-r", "myregistry", "-n", f"{name}/untagged")
    assert (len(held), any(one.get("tags") for one in held)) == (3, False)
    again = typed("acr", "import", "-n", "myregistry", *source, *CREDENTIALS)
    assert (again.code, "already exists in target registry" in again.err) == (1, True), again
    assert typed("acr", "import", "-n", "myregistry", *source, *CREDENTIALS, "--force").code == 0


def test_between_registries(typed: Typed, machine: World, request: pytest.FixtureRequest) -> None:
    """M20: between registries of one cloud, by login server, by name and by resource id; by digest; without waiting."""
    name = request.node.callspec.id
    if not any(row["name"] == "other1" for row in typed.shown("acr", "list")):
        typed.shown("acr", "create", "-n", "other1", "-g", "lab", "--sku", "Premium")
    first = ("--source", f"{ELSEWHERE}/web:amd64", *CREDENTIALS, "-t", f"{name}/from:v1")
    assert typed("acr", "import", "-n", "myregistry", *first).code == 0
    registry = typed.shown("acr", "show", "-n", "myregistry")
    digest = typed.shown("acr", "repository", "show", "-n", "myregistry", "--image", f"{name}/from:v1")["digest"]
    for words in (
        ("--source", f"{HOST}/{name}/from:v1"),
        ("--source", f"{name}/from:v1", "--registry", "myregistry", "-t", f"{name}/second:v2"),
        ("--source", f"{name}/from@{digest}", "--registry", registry["id"], "-t", f"{name}/third:v3"),
    ):
        done = typed("acr", "import", "-n", "other1", *words)
        assert (done.code, done.out) == (0, ""), done
    last = ("--source", f"{HOST}/{name}/from:v1", "-t", f"{name}/last:v1", "--no-wait")
    assert typed("acr", "import", "-n", "other1", *last).code == 0
    listed = ("acr", "repository", "list", "-n", "other1")
    wait_for(lambda: f"{name}/last" in typed.shown(*listed), machine.directory / "serve.log")
    for image in ("from:v1", "second:v2", "third:v3"):
        found = typed.shown("acr", "repository", "show", "-n", "other1", "--image", f"{name}/{image}")
        assert found["digest"] == digest


def test_refusals(typed: Typed) -> None:
    """M14: what is not there, and who may not, in Azure's words; the same exit codes."""
    for words, said in (
        (("--source", f"{HOST}/nothing:v1"), "Unable to find manifest digest  Repo: nothing Tag: v1"),
        (("--source", f"{ELSEWHERE}/web:nothing", *CREDENTIALS), "MANIFEST_UNKNOWN"),
        (("--source", f"{ADDRESS}:9/web:v1", *CREDENTIALS), f"Cannot reach the source registry {ADDRESS}:9"),
        (("--source", "169.254.169.254/web:v1", *CREDENTIALS), "Cannot reach the source registry 169.254.169.254"),
        (("--source", f"{ELSEWHERE}/web:v1", "-u", "only"), "provide password"),
    ):
        refused = typed("acr", "import", "-n", "myregistry", *words)
        assert (refused.code, said in refused.err) == (1, True), refused


def test_signatures_stay_behind(machine: World) -> None:
    """M20: a signed image arrives unsigned; our client and the activity log say so."""
    typed = Typed(machine, AZTRUST, "Lab")
    machine.must("regctl", "registry", "login", "-u", SIGNER[0], "--pass-stdin", HOST, stdin=SIGNER[1])
    machine.must("regctl", "image", "copy", f"{ELSEWHERE}/web:amd64", f"{HOST}/signed/web:v1")
    passphrases = {f"DOCKER_CONTENT_TRUST_{one}_PASSPHRASE": "correct-horse-1" for one in ("ROOT", "REPOSITORY")}
    machine.must(AZTRUST, "login", "--service-principal", "-u", SIGNER[0], "-p", SIGNER[1], "-t",
                 "11111111-1111-1111-1111-111111111111")  # fmt: skip
    machine.must(AZTRUST, "trust", "sign", f"{HOST}/signed/web:v1", **passphrases)
    machine.must(AZTRUST, *OWNER)
    told = typed("acr", "import", "-n", "other1", "--source", f"{HOST}/signed/web:v1")
    assert (told.code, "'signed/web:v1' arrives unsigned" in told.err) == (0, True), told
    assert typed.shown("acr", "repository", "show", "-n", "other1", "--image", "signed/web:v1")["signed"] is False
    entries = [one for one in machine.operator("log") if one["operation"].endswith("importImage/action")]
    assert entries[-1]["details"]["trustData"] == "not imported; the source's tag is signed"
