"""``aztrust trust key`` and ``trust cache``: what needs no server (M18, M19, M21)."""

from __future__ import annotations

import json
import stat
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from azext_trust.signing import tags
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.passphrases import Passphrases
from azext_trust.tuf import keys
from tests.trust import NotarySimulator, image, somebody
from tests.unit.cli.conftest import Command

PASSPHRASE = "correct-horse-1"


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a docker configuration of the test's own, with passphrases in docker's variables."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", PASSPHRASE)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "docker"


def result(command: Command, line: str) -> Any:
    """Return the result of a command that succeeds; it may say what it did."""
    code, out, err = command.run(line)
    assert code == 0, err
    return json.loads(out)


def key_of(command: Command, name: str = "alice") -> str:
    """Generate a key and return its id."""
    return str(result(command, f"trust key generate {name}")["keyId"])


def test_generate(command: Command, docker: Path, tmp_path: Path) -> None:
    """M18: the private key is in docker's store, encrypted; the public one in a file that signer add takes."""
    code, out, err = command.run("trust key generate alice")
    made = json.loads(out)
    assert (code, err.splitlines()) == (0, [
        "Generating key for alice...",
        f"Successfully generated and loaded private key. Corresponding public key available: {tmp_path}/alice.pub",
    ])  # fmt: skip
    assert keys.load_public_pem((tmp_path / "alice.pub").read_bytes()).id == made["keyId"]
    assert made["path"] == str(docker / "trust" / "private" / f"{made['keyId']}.key")
    assert "role: alice" in Path(made["path"]).read_text()


def test_generate_leaves_nothing_behind(command: Command, docker: Path, tmp_path: Path) -> None:
    """M18: an existing file, a directory that is none, a name that nobody can have: no key is made."""
    (tmp_path / "alice.pub").touch()
    assert "public key file already exists" in command.refused("trust key generate alice")
    (tmp_path / "file").touch()
    assert "file/bob.pub: Not a directory" in command.refused("trust key generate bob --dir file")
    assert "must start with lowercase alphanumeric" in command.refused("trust key generate Bob")
    assert list(docker.rglob("*.key")) == []


def test_only_show_errors(command: Command) -> None:
    """What was done is not said with --only-show-errors."""
    assert command.value("trust key generate alice --only-show-errors")["role"] == "alice"


def test_no_passphrase(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """M18: without a variable and a terminal the error names the variables."""
    monkeypatch.delenv("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE")
    assert "set DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE" in command.refused("trust key generate alice")


def test_load(command: Command, tmp_path: Path) -> None:
    """M18: an encrypted key of openssl is loaded; one that others may read, and what is no key, is not."""
    line = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes-256-cbc", "-pass",
            f"pass:{PASSPHRASE}", "-out", "erin.pem"]  # fmt: skip
    subprocess.run(line, check=True, capture_output=True)
    (tmp_path / "erin.pem").chmod(0o644)
    assert "must not be readable or writable by others" in command.refused("trust key load erin.pem")
    (tmp_path / "erin.pem").chmod(0o600)
    assert result(command, "trust key load --name erin erin.pem")["role"] == "erin"
    assert "erin.txt: No such file" in command.refused("trust key load erin.txt")
    (tmp_path / "no.pem").write_text("no key")
    (tmp_path / "no.pem").chmod(0o600)
    assert "no valid private key found" in command.refused("trust key load no.pem")


def test_list(command: Command) -> None:
    """M18: every key with what its file says; a table for people."""
    first, second = key_of(command, "alice"), key_of(command, "bob")
    assert [(row["keyId"], row["role"]) for row in command.value("trust key list")] == [
        (first, "alice"),
        (second, "bob"),
    ]
    code, out, _ = command.run("trust key list -o table")
    assert (code, out.split()[:5]) == (0, ["ROLE", "REPOSITORY", "KEY", "ID", "ENCRYPTED"])
    assert first in out


def test_passwd(command: Command, tmp_path: Path, docker: Path) -> None:
    """M18: the key opens with the new passphrase alone."""
    key = key_of(command)
    (tmp_path / "new").write_text("new-passphrase\n")
    assert result(command, f"trust key passwd {key[:9]} --new-passphrase-file new")["keyId"] == key
    new = {"DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE": "new-passphrase"}
    assert KeyStore(docker / "trust", Passphrases(environment=new)).get(key).id == key
    assert "password invalid" in command.refused(f"trust key passwd {key} --new-passphrase-file new")


@pytest.mark.parametrize(
    ("options", "told"),
    [("", "give it with --new-passphrase-file"), (" --new-passphrase-file none", "none: "),
     (" --new-passphrase-file empty", "empty holds no passphrase")],
)  # fmt: skip
def test_passwd_refused(command: Command, tmp_path: Path, options: str, told: str) -> None:
    """M18: no terminal and no file, no such file, an empty one."""
    (tmp_path / "empty").write_text("\n")
    assert told in command.refused(f"trust key passwd {key_of(command)}{options}")
    assert "signing key not found: 1234567" in command.refused("trust key passwd 1234567 --new-passphrase-file empty")


def test_remove(command: Command) -> None:
    """M18: asks first; then the key is gone."""
    key = key_of(command)
    assert "Unable to prompt for confirmation" in command.refused(f"trust key remove {key}")
    assert command.run(f"trust key remove {key} --yes")[0] == 0
    assert command.value("trust key list") == []


def test_backup_and_restore(command: Command, tmp_path: Path, docker: Path) -> None:
    """M21: the archive is its owner's alone; restored, every key is back as it was."""
    ids = {key_of(command, "alice"), key_of(command, "bob")}
    made = result(command, "trust key backup")
    archive = tmp_path / "docker_private_keys_backup.tar.gz"
    assert (made["file"], stat.S_IMODE(archive.stat().st_mode)) == (str(archive), 0o600)
    before = {path.name: path.read_bytes() for path in docker.rglob("*.key")}
    for path in docker.rglob("*.key"):
        path.unlink()
    done = result(command, "trust key restore -f docker_private_keys_backup.tar.gz")
    assert set(done["restored"]) == ids
    assert {path.name: path.read_bytes() for path in docker.rglob("*.key")} == before
    assert result(command, f"trust key restore -f {archive}")["present"] == done["restored"]


def test_restore_checks_every_key(
    command: Command, tmp_path: Path, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M21: one key that does not open, or an archive that others may read: nothing is restored."""
    key_of(command)
    command.run("trust key backup -f keys.tar.gz")
    for path in docker.rglob("*.key"):
        path.unlink()
    monkeypatch.setenv("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "wrong")
    assert "nothing was restored: password invalid" in command.refused("trust key restore -f keys.tar.gz")
    (tmp_path / "keys.tar.gz").chmod(0o644)
    assert "chmod 600" in command.refused("trust key restore -f keys.tar.gz")
    assert list(docker.rglob("*.key")) == []


def test_backup_of_nothing(command: Command) -> None:
    """M21: no keys, no archive; a wrong place is named."""
    assert "there are no keys to back up" in command.refused("trust key backup")
    key_of(command)
    assert "/proc/none/keys.tar.gz: " in command.refused("trust key backup -f /proc/none/keys.tar.gz")


def test_backup_of_some(command: Command, tmp_path: Path) -> None:
    """M21: only the keys that are named."""
    first, _ = key_of(command, "alice"), key_of(command, "bob")
    command.run(f"trust key backup {first[:8]} -f one.tar.gz")
    with tarfile.open(tmp_path / "one.tar.gz") as archive:
        assert archive.getnames() == [f"private/{first}.key"]


# What is cached


@pytest.fixture
def signed(docker: Path, monkeypatch: pytest.MonkeyPatch) -> NotarySimulator:
    """Give a repository that was signed from here: its keys and its cache are in the docker configuration."""
    remote = NotarySimulator()
    repository = somebody(docker / "trust", remote)
    tags.sign(repository, "v1", image("v1"))
    tags.sign(repository, "v2", image("v2"))
    repository.load()
    return remote


def test_lost_root(command: Command, signed: NotarySimulator, docker: Path) -> None:
    """M19: repositories and tags under the key, its id not needed, and the two ways out; no server is asked."""
    store = KeyStore(docker / "trust", Passphrases())
    (root,) = store.of_role("root")
    assert "No root key is missing" in command.run("trust key lost")[2]
    root.path.unlink()
    code, out, err = command.run("trust key lost")
    found = json.loads(out)
    assert (code, found["rootKeys"]) == (0, [root.key_id])
    assert [row["tag"] for row in found["repositories"][0]["tags"]] == ["v1", "v2"]
    assert "1 repository with 2 signed tags" in err
    assert [line[:2] for line in err.splitlines()[1:]] == ["1.", "2."]
    assert result(command, f"trust key lost {root.key_id[:10]}")["repositories"] == found["repositories"]
    assert command.run("trust key lost -o table")[1].count(f"{signed.gun}  v") == 2


def test_lost_root_that_is_here(command: Command, signed: NotarySimulator, docker: Path) -> None:
    """M19: a key that is in the store is not lost, and one that signs nothing is told so."""
    (root,) = KeyStore(docker / "trust", Passphrases()).of_role("root")
    assert "it is not lost" in command.run(f"trust key lost {root.key_id}")[2]
    assert "no repository that is known here is signed under" in command.refused(f"trust key lost {'0' * 64}")


def test_cache(command: Command, signed: NotarySimulator, docker: Path) -> None:
    """M19: listed, then forgotten; the keys stay."""
    (row,) = command.value("trust cache list")
    assert (row["repository"], row["roles"]) == (signed.gun, ["root", "targets"])
    kept = len(command.value("trust key list"))
    assert result(command, f"trust cache clear {signed.gun}") == [signed.gun]
    assert command.value("trust cache list") == []
    assert len(command.value("trust key list")) == kept
    assert result(command, "trust cache clear --all") == []


def test_clear_what(command: Command) -> None:
    """Nothing named, or a name that leads elsewhere, is refused."""
    assert "usage error: REPOSITORY" in command.refused("trust cache clear")
    assert "invalid reference format" in command.refused("trust cache clear a.azurecr.io/../../x")
