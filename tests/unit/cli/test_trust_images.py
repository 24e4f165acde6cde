"""``aztrust trust`` on an embedded cloud: signing, verifying, signers, rotation, and every refusal (M8, M13 to M20)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from azext_trust.server.store import activity, facts, registries, trust
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.passphrases import Passphrases
from tests.conftest import BUILDER, SEED, SUBSCRIPTION, Client
from tests.unit.cli.conftest import Command
from tests.unit.server.registry.conftest import Login

PASSPHRASE = "correct-horse-1"
HOST = "myregistry.azurecr.io"
APP = f"{HOST}/team/app"
MORE = """
assignments:
  - {assignee: builder, role: AcrPush, scope: myregistry}
  - {assignee: owner@contoso.com, role: AcrImageSigner, scope: myregistry}
"""
REGISTRY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/myregistry"
)


@contextmanager
def opened(state: Path) -> Iterator[Login]:
    """Open a state and give its login server, asked as the owner."""
    app = create_app(Settings(state=state, quiet=True))
    try:
        yield Login(Client(app))
    finally:
        app.store.close()


def turn(login: Login, status: str) -> None:
    """Set the policy."""
    login.arm("PATCH", REGISTRY, {"properties": {"policies": {"trustPolicy": {"type": "Notary", "status": status}}}})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Found a cloud with content trust and images; give it and tag to digest."""
    directory = tmp_path_factory.mktemp("prepared")
    seed = directory / "seed.yaml"
    seed.write_text(SEED.replace(SEED[SEED.index("assignments:") : SEED.index("directoryRoles:")], MORE.lstrip()))
    create_app(Settings(state=directory / "cloud", seed=seed, quiet=True)).store.close()
    with opened(directory / "cloud") as login:
        turn(login, "enabled")
        token = login.owner("team/app")
        digests = {tag: login.image(token, "team/app", tag, layer=tag.encode()) for tag in ("v1", "v2", "v3")}
        login.image(login.owner("team/other"), "team/other", "v1", layer=b"other")
    return directory / "cloud", digests


@pytest.fixture
def signer(
    command: Command, prepared: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Give the command line, signed in as who may sign, on a copy of that cloud, with keys and cache of the test's own."""
    shutil.rmtree(command.state)
    shutil.copytree(prepared[0], command.state)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", PASSPHRASE)
    monkeypatch.chdir(tmp_path)
    assert command.run("login")[0] == 0
    return command


@pytest.fixture
def digests(prepared: tuple[Path, dict[str, str]]) -> dict[str, str]:
    """Give tag to digest."""
    return prepared[1]


def done(command: Command, line: str) -> Any:
    """Return the result of a command that succeeds; it may say what it did."""
    code, out, err = command.run(line)
    assert code == 0, err
    return json.loads(out) if out else None


def said(command: Command, line: str) -> list[str]:
    """Return what a command that succeeds says on stderr."""
    code, _, err = command.run(line)
    assert code == 0, err
    return err.splitlines()


def tags(command: Command, name: str = APP) -> dict[str, list[str]]:
    """Return signed tag to signers."""
    (row,) = done(command, f"trust inspect {name}")
    return {one["SignedTag"]: one["Signers"] for one in row["SignedTags"]}


def stored(command: Command) -> int:
    """Return how many pieces of trust data the server holds."""
    with opened(command.state) as login, login.cloud.app.store.read() as transaction:
        return len(transaction.session.connection().execute(trust.TrustMetadata.__table__.select()).all())  # type: ignore[attr-defined]


# Signing and reading


def test_first_and_later(signer: Command, digests: dict[str, str]) -> None:
    """M18: the first time the repository begins, in docker's words; a second time only the repository's key is needed."""
    assert said(signer, f"trust sign {APP}:v1") == [
        "Signing and pushing trust metadata", f'Finished initializing "{APP}"', f"Successfully signed {APP}:v1",
    ]  # fmt: skip
    (row,) = done(signer, f"trust sign {APP}:v2")
    assert (row["digest"], row["roles"], row["initialized"]) == (digests["v2"], ["targets"], False)
    assert tags(signer) == {"v1": ["Repo Admin"], "v2": ["Repo Admin"]}


def test_several_in_one_publish(signer: Command, digests: dict[str, str]) -> None:
    """M13, M18: tags of one repository are one publish; those that are not named stay unsigned."""
    rows = done(signer, "trust sign -r myregistry --image team/app:v1 --image team/app:v3")
    assert {row["image"]: row["digest"] for row in rows} == {f"{APP}:{tag}": digests[tag] for tag in ("v1", "v3")}
    with opened(signer.state) as login, login.cloud.app.store.read() as transaction:
        published = [
            row for row in activity.entries(transaction.session) if row.operation.endswith("trustedCollections/write")
        ]
    assert len(published) == 1
    assert "No valid trust data for v2" in signer.refused(f"trust resolve {APP}:v2")


def test_given_digest(signer: Command) -> None:
    """M18: a digest and a length that are given are signed, whatever the registry has."""
    digest = f"sha256:{'5' * 64}"
    assert done(signer, f"trust sign {APP}:next --digest {digest} --length 700")[0]["length"] == 700
    assert done(signer, f"trust resolve {APP}:next")["reference"] == f"{APP}@{digest}"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sign", "usage error: IMAGE"), (f"sign {APP}", f"no tag specified for {APP}"),
        (f"sign {APP}@sha256:{'5' * 64}", "cannot use a digest reference for IMAGE:TAG"),
        ("sign team/app:v1", "names no registry"), (f"sign {APP}:v1 --length 5", "usage error: IMAGE --digest"),
        (f"sign {APP}:v1 --digest sha256:5 --length 5", "is no manifest that could be signed"),
        (f"sign {APP}:none", f"manifest for {APP}:none not found: manifest unknown"),
        (f"sign {HOST}/UPPER:v1", "invalid reference format"), (f"resolve {APP}:v1 {APP}:v2", "usage error: one IMAGE"),
        (f"key rotate {APP}:v1 root --yes", "the name of its repository is wanted"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(signer: Command, line: str, told: str) -> None:
    """Names and options that do not fit are refused before anything is asked."""
    assert told in signer.refused(f"trust {line}")


def test_another_registry(signer: Command) -> None:
    """M12: the account's token goes to login servers of its cloud only."""
    told = "'evil.example.com' is no login server of the cloud 'Embedded': they end in '.azurecr.io'"
    assert told in signer.refused("trust inspect evil.example.com/app")
    assert told.replace("evil", "myregistry.azurecr.io.evil") in signer.refused(
        "trust inspect myregistry.azurecr.io.evil.example.com/app"
    )


def test_verify(signer: Command, digests: dict[str, str]) -> None:
    """M15, M18: a tag is verified against what the registry has; a tag that was pushed over without signing is found out."""
    done(signer, f"trust sign {APP}:v1 {APP}:v2")
    rows = done(signer, f"trust verify {APP}:v1 {APP}:v2")
    assert [(row["digest"], row["signers"]) for row in rows] == [(digests[tag], ["Repo Admin"]) for tag in ("v1", "v2")]
    with opened(signer.state) as login:
        other = login.image(login.owner("team/app"), "team/app", "v1", layer=b"tampered")
    err = signer.refused(f"trust verify {APP}:v1")
    assert f"is signed for {digests['v1']}, but the registry has {other} under this tag" in err
    assert f"is signed for {digests['v2']}, not for {other}" in signer.refused(
        f"trust verify {APP}:v2 --digest {other}"
    )
    assert done(signer, f"trust resolve {APP}:v1")["digest"] == digests["v1"]


def test_inspect_like_docker(signer: Command, digests: dict[str, str]) -> None:
    """M18: docker's JSON, docker's text, and a table."""
    done(signer, f"trust sign {APP}:v1")
    code, out, _ = signer.run(f"trust inspect {APP} --pretty")
    assert code == 0
    assert out.splitlines()[1] == f"Signatures for {APP}"
    assert ["v1", digests["v1"][7:], "(Repo", "Admin)"] in [line.split() for line in out.splitlines()]
    code, out, _ = signer.run(f"trust inspect {APP} -o table")
    assert [f"{APP}:v1", digests["v1"][7:], "(Repo", "Admin)"] in [line.split() for line in out.splitlines()]
    assert f"No signatures or cannot access {HOST}/team/other" in signer.refused(f"trust inspect {HOST}/team/other")


def test_revoke(signer: Command) -> None:
    """M18: one tag, then all of the repository, which asks first."""
    done(signer, f"trust sign {APP}:v1 {APP}:v2 {APP}:v3")
    assert said(signer, f"trust revoke {APP}:v2") == [f"Successfully deleted signature for {APP}:v2"]
    assert f"could not remove signature for {APP}:v2: No valid trust data for v2" in signer.refused(
        f"trust revoke {APP}:v2"
    )
    assert "Unable to prompt for confirmation" in signer.refused(f"trust revoke {APP}")
    (row,) = done(signer, f"trust revoke {APP} --yes")
    assert row["tags"] == ["v1", "v3"]
    assert tags(signer) == {}


def test_delete(signer: Command) -> None:
    """M16: a repository's trust data go, here and on the server; the next signature begins anew."""
    done(signer, f"trust sign {APP}:v1")
    assert "Unable to prompt for confirmation" in signer.refused(f"trust delete {APP}")
    done(signer, f"trust delete {APP} --yes")
    assert stored(signer) == 0
    assert "remote trust data does not exist" in signer.refused(f"trust resolve {APP}:v1")
    assert done(signer, f"trust sign {APP}:v1")[0]["initialized"] is True


# Signers, delegations, rotation


def test_signers(signer: Command) -> None:
    """M18: who is added signs; the last one is taken away only when that is meant."""
    done(signer, "trust key generate alice")
    (row,) = done(signer, f"trust signer add --key alice.pub alice {APP}")
    assert row["keys"] == [one["keyId"] for one in signer.value("trust key list") if one["role"] == "alice"]
    assert done(signer, f"trust sign {APP}:v1")[0]["roles"] == ["targets/alice", "targets/releases"]
    assert tags(signer) == {"v1": ["alice"]}
    assert "Unable to prompt for confirmation" in signer.refused(f"trust signer remove alice {APP}")
    done(signer, f"trust signer remove alice {APP} --force")
    assert "no valid signing keys for delegation roles" in signer.refused(f"trust sign {APP}:v2")
    assert "No signer bob for this repository" in signer.refused(f"trust signer remove bob {APP} --force")


def test_signer_at_the_beginning(signer: Command) -> None:
    """M18: an unsigned repository may begin with a signer, as docker trust sign begins it."""
    assert done(signer, f"trust sign {APP}:v1 --signer carol")[0]["roles"] == ["targets/carol", "targets/releases"]
    assert done(signer, f"trust status {APP}")[0]["signers"] == ["carol"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("signer add --key none.pub alice", "unable to read public key from file: none.pub: No such file"),
        ("signer add --key no.pub alice", "could not parse public key from file: no.pub"),
        ("signer add --key no.pub releases", "releases is a reserved keyword"),
        ("signer add --key no.pub Alice", "must start with lowercase alphanumeric"),
    ],
)
def test_no_signer(signer: Command, tmp_path: Path, line: str, told: str) -> None:
    """M18: refused before the server is asked."""
    (tmp_path / "no.pub").write_text("no key")
    assert told in signer.refused(f"trust {line} {APP}")
    assert stored(signer) == 0


def test_delegations(signer: Command) -> None:
    """M18: of any depth, with paths; listed, narrowed, purged, removed."""
    done(signer, f"trust sign {APP}:v1")
    key = done(signer, "trust key generate dev")["keyId"]
    done(signer, f"trust delegation add {APP} targets/dev --key dev.pub --paths v dev-")
    done(signer, f"trust delegation add {APP} targets/dev/web --key dev.pub --paths v3")
    listed = done(signer, f"trust delegation list {APP}")
    assert {row["role"]: (row["paths"], row["keyIds"]) for row in listed} == {
        "targets/dev": (["v", "dev-"], [key]), "targets/dev/web": (["v3"], [key]),
    }  # fmt: skip
    done(signer, f"trust delegation remove {APP} targets/dev --paths dev-")
    assert done(signer, f"trust delegation list {APP}")[0]["paths"] == ["v"]
    # With the key gone, nobody can sign targets/dev, which names it again: that is told.
    code, out, err = signer.run(f"trust delegation purge {APP} --key {key}")
    assert (code, json.loads(out)) == (0, ["targets/dev"])
    assert "targets/dev/web still names the key" in err
    assert "Unable to prompt for confirmation" in signer.refused(f"trust delegation remove {APP} targets/dev")
    done(signer, f"trust delegation remove {APP} targets/dev --yes")
    assert done(signer, f"trust delegation list {APP}") == []
    assert "must specify at least one public key" in signer.refused(f"trust delegation add {APP} targets/x")
    assert "no delegation names any of these keys" in signer.refused(f"trust delegation purge {APP} --key {key}")


@pytest.mark.parametrize("options", ["root --yes", "targets", "snapshot", "snapshot --server-managed",
                                     "timestamp --server-managed"])  # fmt: skip
def test_rotation(signer: Command, options: str) -> None:
    """M18: a new key, the old signatures kept, the next tag signed with it."""
    done(signer, f"trust sign {APP}:v1")
    rotated = done(signer, f"trust key rotate {APP} {options}")
    assert rotated["before"] != rotated["after"]
    done(signer, f"trust sign {APP}:v2")
    assert set(tags(signer)) == {"v1", "v2"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("root", "Unable to prompt for confirmation"), ("timestamp", "the client managing the timestamp key"),
        ("root --server-managed", "the server managing the root key"), ("targets/x", "rotating the targets/x key"),
        ("snapshot --server-managed --key 1234567", "usage error: --key KEY | --server-managed"),
    ],
)  # fmt: skip
def test_no_rotation(signer: Command, options: str, told: str) -> None:
    """M18: what notary does not permit, in its words."""
    assert told in signer.refused(f"trust key rotate {APP} {options}")


# Refusals


def by(name: str, password: str) -> str:
    """Return the options of somebody else."""
    return f"-u {name} -p {password}"


def test_pusher_may_not_sign(signer: Command, tmp_path: Path) -> None:
    """M8: docker's text and where to look; no trust data, no key left behind, the reason in the log."""
    err = signer.refused(f"trust sign {APP}:v1 {by(BUILDER, 'Builder-secret-1')}")
    assert f"failed to sign {APP}:v1: you are not authorized to perform this operation: server returned 401." in err
    assert "aztrust local log list --outcome Denied" in err
    assert stored(signer) == 0
    assert list((tmp_path / "docker").rglob("*.key")) == []
    denied = signer.value("local log list --outcome Denied")
    assert denied[-1]["missing"] == "Microsoft.ContainerRegistry/registries/sign/write"


def test_pusher_may_read(signer: Command) -> None:
    """M8: AcrPull is enough to verify."""
    done(signer, f"trust sign {APP}:v1")
    assert done(signer, f"trust verify {APP}:v1 {by(BUILDER, 'Builder-secret-1')}")[0]["role"] == "targets"


def test_wrong_password(signer: Command) -> None:
    """M6: the registry gives no token."""
    assert "Access to registry 'myregistry.azurecr.io' was denied. Response code: 401" in signer.refused(
        f"trust verify {APP}:v1 {by(BUILDER, 'wrong')}"
    )


def test_trust_is_off(signer: Command) -> None:
    """M1, M3: docker's text, and what enables it."""
    with opened(signer.state) as login:
        turn(login, "disabled")
    err = signer.refused(f"trust sign {APP}:v1")
    assert f"failed to sign {APP}:v1: unable to reach trust server at this time: 405." in err
    assert "aztrust acr config content-trust update -r myregistry --status enabled" in err


def test_after_a_purge(signer: Command, tmp_path: Path) -> None:
    """M4: re-enabled, it starts empty: a signer's cache brings nothing back; the cure is named, and cures."""
    done(signer, f"trust sign {APP}:v1 {APP}:v2")
    tags(signer)
    with opened(signer.state) as login:
        turn(login, "disabled")
        turn(login, "enabled")
    assert stored(signer) == 0
    assert done(signer, f"trust sign {APP}:v3")[0]["initialized"] is True
    assert set(tags(signer)) == {"v3"}


def test_old_cache_of_a_repository_that_began_anew(
    signer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M4, M19: a reader's old root refuses the new one, in docker's words, with the cure."""
    done(signer, f"trust sign {APP}:v1")
    done(signer, f"trust resolve {APP}:v1")
    with opened(signer.state) as login:
        turn(login, "disabled")
        turn(login, "enabled")
    with monkeypatch.context() as other:
        other.setenv("DOCKER_CONFIG", str(tmp_path / "other"))
        done(signer, f"trust sign {APP}:v1")
    err = signer.refused(f"trust resolve {APP}:v1")
    assert f"potential malicious behavior - trust data mismatch for remote repository {APP}: could not rotate" in err
    assert f"aztrust trust cache clear {APP}" in err
    done(signer, f"trust cache clear {APP}")
    done(signer, f"trust resolve {APP}:v1")


# Standing


def test_status(signer: Command) -> None:
    """M18: signed and unsigned repositories, signers, keys here, expiry; as a table too."""
    done(signer, f"trust sign {APP}:v1 {APP}:v2")
    rows = {row["repository"]: row for row in done(signer, "trust status -r myregistry")}
    assert rows[f"{HOST}/team/other"] == {"repository": f"{HOST}/team/other", "signed": False}
    row = rows[APP]
    assert (row["signed"], row["tags"], row["keysHeld"], row["expired"]) == (True, 2, ["root", "targets"], [])
    code, out, _ = signer.run("trust status -o table")
    assert (code, out.splitlines()[2].split()[:3]) == (0, [APP, "yes", "2"])
    assert "usage error" not in out


def test_status_without_anything(signer: Command) -> None:
    """What is to be looked at must be named when nothing is known here."""
    assert "usage error: REPOSITORY" in signer.refused("trust status")


def test_status_tells_what_is_wrong(signer: Command) -> None:
    """M18: a repository that cannot be read is told, and the others are shown."""
    (row,) = done(signer, f"trust status {HOST}/team/app {by(BUILDER, 'wrong')}")
    assert row["signed"] is None
    assert "Response code: 401" in row["problem"]


def test_lost_root(signer: Command, tmp_path: Path) -> None:
    """M19: what is concerned in the whole registry, whether cached here or not."""
    done(signer, f"trust sign {APP}:v1 {HOST}/team/other:v1")
    (root,) = KeyStore(tmp_path / "docker" / "trust", Passphrases()).of_role("root")
    assert "No root key is missing" in signer.run("trust key lost")[2]
    root.path.unlink()
    done(signer, "trust cache clear --all")
    assert "Nothing of it was cached here" in signer.run(f"trust cache clear {APP}")[2]
    assert "name the registry with --registry" in signer.refused("trust key lost")
    code, out, err = signer.run("trust key lost -r myregistry")
    assert (code, [row["repository"] for row in json.loads(out)["repositories"]]) == (0, [APP, f"{HOST}/team/other"])
    assert "2 repositories with 2 signed tags" in err
    assert "could not find necessary signing keys" in signer.refused(f"trust key rotate {APP} targets")


# The policy


def test_cached_after_disabling(signer: Command) -> None:
    """M4, M19: whoever looks at what is cached of purged trust data is told that it is gone, and the cure."""
    done(signer, f"trust sign {APP}:v1")
    done(signer, f"trust verify {APP}:v1")
    done(signer, "acr config content-trust update -r myregistry --status disabled --yes")
    for status in ("disabled", "enabled"):
        done(signer, f"acr config content-trust update -r myregistry --status {status} --yes")
        for command in (f"trust inspect {APP}", f"trust verify {APP}:v1"):
            assert f"'aztrust trust cache clear {APP}' forgets it" in signer.run(command)[2]


def test_disabling_names_what_is_lost(signer: Command) -> None:
    """M4: the question counts; with --yes it is done."""
    done(signer, f"trust sign {APP}:v1 {APP}:v2 {HOST}/team/other:v1")
    assert "acr config content-trust update" not in signer.refused(
        "acr config content-trust update -r myregistry --status disabled"
    )
    done(signer, "acr config content-trust update -r myregistry --status disabled --yes")
    assert stored(signer) == 0


def test_downgrade(signer: Command) -> None:
    """M1: refused while trust is on, naming the loss; nothing is changed."""
    done(signer, f"trust sign {APP}:v1")
    err = signer.refused("acr update -n myregistry --sku Basic")
    assert "SkuNotSupported" in err
    assert "the trust data of 1 repository with 1 signed tag would be lost" in err
    assert stored(signer) > 0


@pytest.mark.parametrize(("position", "works"), [("2026", True), ("2028", False)])
def test_retirement(signer: Command, position: str, works: bool) -> None:
    """M5: in 2026 what is on works on; in 2028 the endpoints answer as where trust is off, and nothing is lost."""
    done(signer, f"trust sign {APP}:v1")
    signer.value(f"local retirement set -p {position}")
    code, _, err = signer.run(f"trust sign {APP}:v2")
    assert (code == 0) is works
    assert works or "unable to reach trust server at this time: 405." in err
    signer.value("local retirement set -p off")
    assert "v1" in tags(signer)


def test_repository_permissions(signer: Command) -> None:
    """M12: in mode rbac-abac reading takes content/read, and nobody signs; the log says why."""
    done(signer, f"trust sign {APP}:v1")
    with opened(signer.state) as login:
        login.arm("PATCH", REGISTRY, {"properties": {"roleAssignmentMode": "AbacRepositoryPermissions"}})
    reader = "role assignment create --assignee owner@contoso.com --scope " + REGISTRY
    code, _, err = signer.run(f"trust resolve {APP}:v1")
    assert code == 1, err
    signer.value(f"{reader} --role b93aa761-3e63-49ed-ac28-beffa264f7ac")  # Container Registry Repository Reader
    done(signer, f"trust resolve {APP}:v1")
    assert "server returned 401" in signer.refused(f"trust sign {APP}:v2")
    assert signer.value("local log list --outcome Denied")[-1]["missing"].endswith("trustedCollections/write")


def test_the_log_keeps_no_secret(signer: Command) -> None:
    """M25: publish, rotation and disabling leave names, digests and counts in the log, never metadata or keys."""
    done(signer, f"trust sign {APP}:v1")
    done(signer, f"trust key rotate {APP} snapshot --server-managed")
    with opened(signer.state) as login, login.cloud.app.store.read() as transaction:
        texts = [row.details for row in activity.entries(transaction.session)]
        space = registries.by_name(transaction.session, "myregistry")
        assert facts.WIPE not in facts.known(transaction.session)
    assert space is not None
    assert not any("signatures" in text or "keyval" in text for text in texts)
