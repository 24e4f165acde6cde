"""Trusted push, pull and everything around with real docker clients, on an address that is not loopback (M13 to M16)."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.wire.registry_world import HOST, World, world
from tests.wire.trust_world import SEED, Person, trust_rows

VERSIONS = ("20", "28")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a private machine with a served cloud, content trust on, and a docker engine."""
    made = world(tmp_path_factory.mktemp("machine"), SEED)
    try:
        made.env.pop("SSL_CERT_FILE")
        made.start_engine()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def signer(machine: World) -> Person:
    """Give who may sign."""
    return Person.on(machine, "signer").login()


@pytest.fixture(scope="module")
def reader(machine: World) -> Person:
    """Give who may pull."""
    return Person.on(machine, "puller").login()


def keys(person: Person, role: str) -> list[Path]:
    """Return the files of a role's keys."""
    return [path for path in (person.trust / "private").glob("*.key") if f"role: {role}" in path.read_text()]


@pytest.mark.parametrize("version", VERSIONS)
def test_first_and_later_pushes(machine: World, version: str) -> None:
    """M14: root and repository key are made the first time, the repository's key alone in another repository."""
    person = Person.on(machine, "signer", f"first-{version}").login()
    first = person.dockered("push", person.image(f"first{version}/app:v1"), version=version)
    assert first.splitlines()[-3:] == [
        "Signing and pushing trust metadata", f'Finished initializing "{HOST}/first{version}/app"',
        f"Successfully signed {HOST}/first{version}/app:v1",
    ]  # fmt: skip
    later = person.dockered("push", person.image(f"first{version}/app:v2"), version=version)
    assert "Finished initializing" not in later
    person.dockered("push", person.image(f"first{version}/other:v1"), version=version)
    assert (len(keys(person, "root")), len(keys(person, "targets"))) == (1, 2)


@pytest.mark.parametrize("version", VERSIONS)
def test_pull_resolves_to_the_digest(signer: Person, reader: Person, version: str) -> None:
    """M15: a signed tag is pulled by the digest that trust data name, then tagged; another one is not there."""
    image = signer.image(f"pulled{version}:v1")
    digest = re.findall("sha256:[0-9a-f]{64}", signer.dockered("push", image))[0]
    signer.dockered("push", signer.image(f"pulled{version}:dev"), trusted=False)
    signer.dockered("rmi", image)
    done = reader.docker("pull", image, version=version)
    assert done.out.splitlines()[0] == f"Pull (1 of 1): {image}@{digest}"
    assert f"Tagging {HOST}/pulled{version}@{digest} as {image}" in done.err
    refused = reader.docker("pull", f"{HOST}/pulled{version}:dev", version=version)
    assert (refused.code, refused.err) == (1, "No valid trust data for dev\n")


@pytest.mark.parametrize("version", VERSIONS)
def test_unsigned_repository(signer: Person, reader: Person, version: str) -> None:
    """M3, M15: enabling limits nobody: without content trust it is pushed and pulled, with it there is nothing."""
    image = signer.image(f"unsigned{version}:v1")
    signer.dockered("push", image, trusted=False)
    refused = reader.docker("pull", image, version=version)
    assert refused.err.startswith(f"Error: remote trust data does not exist for {HOST}/unsigned{version}")
    reader.dockered("pull", image, version=version, trusted=False)


def test_per_command(signer: Person, reader: Person) -> None:
    """M14: --disable-content-trust, and =false, for one command, against what the variable says."""
    image = signer.image("command:v1")
    assert "Successfully signed" not in signer.dockered("push", "--disable-content-trust", image)
    assert "Successfully signed" in signer.dockered("push", "--disable-content-trust=false", image, trusted=False)
    assert reader.dockered("pull", "--disable-content-trust=false", image, trusted=False).startswith("Pull (1 of 1)")


def test_pull_of_all_tags(signer: Person, reader: Person) -> None:
    """M13: of a repository with signed and unsigned tags, the signed ones are pulled."""
    for tag in ("stable", "latest"):
        signer.dockered("push", signer.image(f"all:{tag}"))
    signer.dockered("push", signer.image("all:dev"), trusted=False)
    pulled = reader.dockered("pull", "-a", f"{HOST}/all")
    assert re.findall(r"Pull \(\d of \d\): \S+:(\w+)@", pulled) in (["stable", "latest"], ["latest", "stable"])


def test_build(signer: Person, reader: Person, tmp_path: Path) -> None:
    """M14: a signed base image is built on, an unsigned one is not; BuildKit, which ignores content trust, is off."""
    signer.dockered("push", signer.image("base:v1"))
    signer.dockered("push", signer.image("base:dev"), trusted=False)
    context = reader.home / "build"
    context.mkdir()
    for tag, code in (("v1", 0), ("dev", 1)):
        (context / "Dockerfile").write_text(f"FROM {HOST}/base:{tag}\nLABEL built=on\n")
        done = reader.docker("build", "-t", f"{HOST}/built:{tag}", str(context))
        assert done.code == code, done
    assert "No valid trust data for dev" in done.err


@pytest.mark.parametrize("version", VERSIONS)
def test_docker_trust(machine: World, version: str) -> None:
    """M14: docker trust key, signer, sign, inspect, revoke."""
    person, name = Person.on(machine, "signer", f"trust-{version}").login(), f"{HOST}/trust{version}"
    person.dockered("push", person.image(f"trust{version}:v1"), version=version)
    person.dockered("trust", "key", "generate", "alice", "--dir", str(person.home), version=version)
    person.dockered(
        "trust", "signer", "add", "--key", str(person.home / "alice.pub"), "alice", name, version=version
    )  # fmt: skip
    person.image(f"trust{version}:v2")
    assert "Successfully signed" in person.dockered("trust", "sign", f"{name}:v2", version=version)
    (shown,) = json.loads(person.dockered("trust", "inspect", name, version=version))
    assert {row["SignedTag"]: row["Signers"] for row in shown["SignedTags"]} == {"v1": ["Repo Admin"], "v2": ["alice"]}
    person.dockered("trust", "revoke", "-y", f"{name}:v2", version=version)
    assert set(person.inspected(f"trust{version}", version)) == {"v1"}
    # Asked, not with --force: then docker's client 28 says that it removes the signer, and does not.
    person.dockered("trust", "signer", "remove", "alice", name, version=version, stdin="y\n")
    refused = person.docker("push", person.image(f"trust{version}:v3"), version=version)
    assert "no valid signing keys for delegation roles" in refused.err


def test_two_publishers_at_once(machine: World, signer: Person) -> None:
    """M16: of two pushes at once each is signed or told to try again, and nothing is torn."""
    signer.dockered("push", signer.image("race:v0"))
    signer.inspected("race")
    people = []
    for at in range(2):
        other = Person.on(machine, "signer", f"racer-{at}").login()
        shutil.copytree(signer.trust, other.trust)
        people.append(other)
    images = [person.image(f"race:v{at + 1}") for at, person in enumerate(people)]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda at: people[at].docker("push", images[at]), range(2)))
    assert any(one.code == 0 for one in done)
    for one in done:
        assert one.code == 0 or one.err.rstrip().endswith("trust server rejected operation."), one
    fresh = Person.on(machine, "puller", "race-reader").login()
    assert set(fresh.inspected("race")) == {"v0", *(f"v{at + 1}" for at in range(2) if done[at].code == 0)}
    for at, person in enumerate(people):
        person.dockered("push", images[at])
    assert set(fresh.inspected("race")) == {"v0", "v1", "v2"}


# TLS is proved: the address is not loopback


def test_authority_in_dockers_own_place(reader: Person, signer: Person) -> None:
    """M29: the client takes the authority from ~/.docker/tls/HOST, the engine from certs.d; without, nothing goes."""
    image = signer.image("tls:v1")
    signer.dockered("push", image)
    stranger = Person.on(reader.machine, "puller", "no-authority").login()
    shutil.rmtree(stranger.home / "docker" / "tls")
    refused = stranger.docker("trust", "inspect", f"{HOST}/tls")
    assert "x509: certificate signed by unknown authority" in stranger.docker("pull", image).err
    assert refused.code == 1
    certificates = f"/etc/docker/certs.d/{HOST}"
    reader.must("mv", certificates, "/etc/docker/moved")
    try:
        assert "x509: certificate signed by unknown authority" in reader.docker("pull", image).err
    finally:
        reader.must("mv", "/etc/docker/moved", certificates)
    reader.dockered("pull", image)


def test_notary_with_its_own_authority(reader: Person, signer: Person) -> None:
    """M16: notary gets the authority by --tlscacert; without, it reaches nobody."""
    signer.dockered("push", signer.image("tlsnotary:v1"))
    assert "v1" in reader.notaried("list", f"{HOST}/tlsnotary")
    alone = reader.run("notary", "-s", f"https://{HOST}", "-d", str(reader.home / "alone"), "list", f"{HOST}/tlsnotary")
    assert "v1" not in alone.out


def test_server_killed_between_pushes(machine: World, signer: Person, reader: Person) -> None:
    """M25: what was signed before a power cut is there after it, and signing goes on."""
    signer.dockered("push", signer.image("power:v1"))
    machine.kill_server()
    machine.serve()
    assert set(reader.inspected("power")) == {"v1"}
    signer.dockered("push", signer.image("power:v2"))
    assert set(reader.inspected("power")) == {"v1", "v2"}
    assert trust_rows(machine, "power") > 0
