"""Who may not sign, and what disabling content trust does, as real clients show it (M3, M4, M8 to M11, M19)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.wire.programs import AZTRUST
from tests.wire.registry_world import HOST, World, world
from tests.wire.trust_world import DOCKERS, REGISTRY, SEED, Person, last_denied, trust_rows

R = "Microsoft.ContainerRegistry/registries"
REFUSED = "you are not authorized to perform this operation: server returned 401.\n"
UNKNOWN_AUTHOR = "denied: requested access to the resource is denied\n"
CUSTOM = {"action": {"Actions": [f"{R}/sign/write"]}, "data": {"DataActions": [f"{R}/trustedCollections/write"]}}
"""Roles with one half of the right to sign each."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a private machine whose cloud has two roles with half of the right to sign."""
    made = world(tmp_path_factory.mktemp("machine"), SEED)
    try:
        made.start_engine()
        owner = Person.on(made, "owner").registered()
        for name, actions in CUSTOM.items():
            role = {"Name": f"half {name}", "AssignableScopes": [REGISTRY.partition("/resourceGroups")[0]], **actions}
            owner.ours("role", "definition", "create", "--role-definition", json.dumps(role))
            owner.ours("role", "assignment", "create", "--role", f"half {name}", "--scope", REGISTRY, "--assignee",
                       Person(made, name, made.directory).credentials[0])  # fmt: skip
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def signer(machine: World) -> Person:
    """Give who may sign, with one signed image."""
    person = Person.on(machine, "signer").login()
    person.dockered("push", person.image("signed/app:v1"))
    return person


@pytest.fixture(scope="module")
def owner(machine: World) -> Person:
    """Give the owner, signed in with aztrust."""
    return Person(machine, "owner", machine.directory / "people" / "owner")


def logged_in(machine: World, who: str, owner: Person) -> Person:
    """Return somebody with docker logged in, each in their own way."""
    if who == "admin":
        person = Person.on(machine, "signer", "admin")
        password = owner.ours("acr", "credential", "show", "-n", "myregistry")["passwords"][0]["value"]
        person.must(DOCKERS["20"], "login", "-u", "myregistry", "--password-stdin", HOST, stdin=password)
        return person
    person = Person.on(machine, who)
    if who == "classic":
        person.registered().must(AZTRUST, "acr", "login", "-n", "myregistry", DOCKER_COMMAND=DOCKERS["20"])
        return person
    return person.login()


@pytest.mark.parametrize(
    ("who", "missing"),
    [("pusher", "sign/write"), ("action", "trustedCollections/write"), ("data", "sign/write"),
     ("admin", "trustedCollections/write"), ("classic", "trustedCollections/write")],
)  # fmt: skip
def test_may_push_and_not_sign(machine: World, signer: Person, owner: Person, who: str, missing: str) -> None:
    """M8, M9: the image is pushed and stays; docker says why it is not signed; no trust data; the log has the reason."""
    person = logged_in(machine, who, owner)
    image = person.image(f"{who}/app:v1")
    for version in DOCKERS:
        done = person.docker("push", image, version=version)
        assert (done.code, done.err) == (1, REFUSED)
        assert "v1: digest: sha256:" in done.out
    assert trust_rows(machine, f"{who}/app") == 0
    assert last_denied(machine)["missing"] == f"{R}/{missing}"
    assert who != "admin" or last_denied(machine)["reason"] == "the admin account can never sign"
    person.dockered("rmi", image, trusted=False)
    person.dockered("pull", image, trusted=False)
    person.dockered("pull", f"{HOST}/signed/app:v1")


@pytest.mark.parametrize("who", ["pusher", "action", "data", "admin", "classic"])
def test_may_not_add_to_what_is_signed(machine: World, signer: Person, owner: Person, who: str) -> None:
    """M8, M9: with the signer's own keys in hand it is refused as well, in docker's words."""
    person, before = logged_in(machine, who, owner), trust_rows(machine)
    shutil.rmtree(person.trust, ignore_errors=True)
    shutil.copytree(signer.trust, person.trust)
    done = person.docker("push", person.image(f"signed/app:{who}"))
    assert (done.code, done.err) == (1, f"failed to sign {HOST}/signed/app:{who}: {REFUSED}")
    assert trust_rows(machine) == before


def test_signer_without_push(machine: World, signer: Person) -> None:
    """M8: AcrImageSigner is no right to push: docker does not get to signing, notary and aztrust are refused."""
    person = Person.on(machine, "nopush").login()
    done = person.docker("push", person.image("nopush/app:v1"))
    assert (done.code, done.err) == (1, UNKNOWN_AUTHOR)
    assert REFUSED.strip() in person.notary("init", "-p", f"{HOST}/nopush/app").out
    assert last_denied(machine)["missing"] == f"{R}/push/write"
    ours = person.registered().aztrust("trust", "sign", f"{HOST}/nopush/app:v1", "--digest", f"sha256:{'0' * 64}",
                                       "--length", "5")  # fmt: skip
    assert f"failed to sign {HOST}/nopush/app:v1: {REFUSED.strip()}" in ours.err
    assert trust_rows(machine, "nopush/app") == 0


def test_nobody(machine: World, signer: Person, owner: Person) -> None:
    """M9: without logging in nothing is read, unless anybody may pull; nothing is ever signed."""
    person = Person.on(machine, "puller", "nobody")
    assert person.docker("pull", f"{HOST}/signed/app:v1").err == REFUSED
    owner.ours("acr", "update", "-n", "myregistry", "--set", "anonymousPullEnabled=true")
    try:
        person.dockered("pull", f"{HOST}/signed/app:v1")
        assert person.docker("push", person.image("nobody/app:v1")).err == UNKNOWN_AUTHOR
        refused = person.docker("trust", "revoke", "-y", f"{HOST}/signed/app:v1")
        assert refused.code == 1
    finally:
        owner.ours("acr", "update", "-n", "myregistry", "--set", "anonymousPullEnabled=false")
    assert trust_rows(machine, "nobody/app") == 0


def test_role_granted_after_the_login(machine: World, signer: Person, owner: Person) -> None:
    """M11: the article's own trap: the role takes effect after az acr login, and until then the log says so."""
    alain = Person.on(machine, "alain").registered()
    alain.must(AZTRUST, "acr", "login", "-n", "myregistry", DOCKER_COMMAND=DOCKERS["20"])
    owner.ours("role", "assignment", "create", "--scope", REGISTRY, "--role", "AcrImageSigner", "--assignee",
               "alain@contoso.com")  # fmt: skip
    image = alain.image("alain/app:v1")
    assert alain.docker("push", image).err == REFUSED
    assert last_denied(machine)["reason"] == "sign in again: roles changed since"
    assert trust_rows(machine, "alain/app") == 0
    alain.must(AZTRUST, "acr", "login", "-n", "myregistry", DOCKER_COMMAND=DOCKERS["20"])
    assert f"Successfully signed {image}" in alain.dockered("push", image)


def test_repository_permissions(machine: World, signer: Person, owner: Person) -> None:
    """M12: in mode rbac-abac tokens of before are no longer good, and nobody signs."""
    owner.ours("acr", "update", "-n", "myregistry", "--role-assignment-mode", "rbac-abac")
    try:
        for role in ("Container Registry Repository Writer", "Container Registry Repository Reader"):
            owner.ours("role", "assignment", "create", "--scope", REGISTRY, "--role", role, "--assignee",
                       signer.credentials[0])  # fmt: skip
        done = signer.docker("push", signer.image("signed/app:abac"))
        assert (done.code, done.err) == (1, f"failed to sign {HOST}/signed/app:abac: {REFUSED}")
        assert last_denied(machine)["reason"] == "in mode rbac-abac nobody can sign"
        signer.dockered("pull", f"{HOST}/signed/app:v1")
    finally:
        owner.ours("acr", "update", "-n", "myregistry", "--role-assignment-mode", "rbac")


# Disabling: the last test of the file, it destroys what the others signed


def test_disabling_and_what_caches_remember(machine: World, signer: Person, owner: Person) -> None:
    """M4, M19: everything goes; caches go on until cleared; a docker signer's cache brings no old tag back."""
    image = signer.image("purged/app:v1")
    signer.dockered("push", image)
    signer.inspected("purged/app")  # a full cache, which a first push does not leave
    reader = Person.on(machine, "puller", "purge-reader").login()
    reader.dockered("pull", image)
    rows = ("acr", "config", "content-trust", "update", "-r", "myregistry", "--status")
    owner.ours(*rows, "disabled", "--yes")
    assert trust_rows(machine) == 0
    off = signer.docker("push", signer.image("purged/app:v2"))
    assert off.err.endswith(f"failed to sign {HOST}/purged/app:v2: unable to reach trust server at this time: 405.\n")
    assert "using cached timestamp" in reader.docker("pull", image).err
    owner.ours(*rows, "enabled")
    back = signer.docker("push", signer.image("purged/app:v2"))
    assert back.err.endswith(
        "no snapshot was included in update and server does not hold current snapshot key for repository\n"
    )
    assert trust_rows(machine) == 0
    stranger = Person.on(machine, "puller", "purge-stranger").login()
    assert "remote trust data does not exist" in stranger.docker("pull", image).err
    assert f"{HOST}/purged/app" in signer.ours("trust", "cache", "clear", "--all")
    # docker noted v2 when it was refused: that went too.
    signer.dockered("push", signer.image("purged/app:v3"))
    assert set(stranger.inspected("purged/app")) == {"v3"}
    mismatch = reader.docker("pull", f"{HOST}/purged/app:v3")
    assert "could not rotate trust to a new trusted root" in mismatch.err
    reader.ours("trust", "cache", "clear", f"{HOST}/purged/app")
    reader.dockered("pull", f"{HOST}/purged/app:v3")
