"""One key store for docker, notary and aztrust: what one writes, the others open (M18, M21)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from azext_trust.signing import archive, pem
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.passphrases import Passphrases
from azext_trust.tuf import roles, walk
from tests.wire.notary_programs import PASSPHRASE, NotaryServer, Person, notary_server
from tests.wire.test_notary import sign

NOWHERE = NotaryServer(1, Path("/dev/null"))


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """Somebody who needs no server."""
    return Person.in_directory(tmp_path, NOWHERE)


def test_we_open_dockers(person: Person) -> None:
    """M18: a key that docker generated and encrypted opens with docker's passphrase."""
    person.docker("trust", "key", "generate", "alice")
    store = person.ours("x").store
    (info,) = store.listed()
    assert (info.role, info.gun, info.encrypted) == ("alice", "", True)
    assert store.get(info.key_id).id == info.key_id


def test_we_open_notarys(person: Person) -> None:
    """M18: keys that notary generated open."""
    person.notary("key", "generate", "ecdsa")
    store = person.ours("x").store
    (info,) = store.of_role(roles.ROOT)
    assert store.get(info.key_id).id == info.key_id


class NoPassphrases(Passphrases):
    """Keeps new keys in plain, as docker does with an empty passphrase."""

    def for_new(self, role: str, key_id: str) -> str:
        """Return none."""
        return ""


def test_without_passphrase(person: Person) -> None:
    """M18: a key that is kept in plain is plain for notary too, which encrypts it; then we open it again."""
    key = KeyStore(person.trust, NoPassphrases()).create("grace")
    assert not person.ours("x").store.info(key.id).encrypted
    person.notary("key", "passwd", key.id)
    assert person.ours("x").store.info(key.id).encrypted
    assert person.ours("x").store.get(key.id).id == key.id


@pytest.mark.parametrize("kind", ["ecdsa", "rsa", "ed25519"])
def test_notary_lists_ours(person: Person, kind: str) -> None:
    """M18: notary lists keys of every kind that we wrote, and can change their passphrases: it opens them."""
    key = person.ours("x").store.create("carol", kind=kind)
    assert key.id[:7] in person.notary("key", "list")
    person.notary("key", "passwd", key.id)
    assert person.ours("x").store.get(key.id).id == key.id


def test_docker_loads_ours(person: Person) -> None:
    """M18: docker loads a key file of ours that is not encrypted, and files it under the same id."""
    key = person.ours("x").store.create("dave")
    (person.home / "dave.pem").write_bytes(pem.seal(key, "", {}).to_bytes())
    (person.home / "dave.pem").chmod(0o600)
    (person.trust / "private" / f"{key.id}.key").unlink()
    person.docker("trust", "key", "load", "--name", "dave", "dave.pem")
    assert [info.key_id for info in person.ours("x").store.of_role("dave")] == [key.id]


def test_we_load_openssls(person: Person) -> None:
    """M18: encrypted keys of openssl, which docker says it imported and does not store, are loaded by us."""
    target = person.home / "erin.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes-256-cbc", "-pass",
         f"pass:{PASSPHRASE}", "-out", str(target)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    target.chmod(0o600)
    info = person.ours("x").store.load_file(target, "erin")
    assert info.key_id[:7] in person.notary("key", "list")


def test_the_articles_backup(person: Person) -> None:
    """M21: the archive of the article's tar command is restored, every key checked."""
    person.docker("trust", "key", "generate", "alice")
    subprocess.run(
        "umask 077; tar -zcvf private_keys_backup.tar.gz private; umask 022", shell=True, check=True, cwd=person.trust,
        capture_output=True, timeout=60,
    )  # fmt: skip
    (info,) = person.ours("x").store.listed()
    info.path.unlink()
    done = archive.restore(person.ours("x").store, person.trust / "private_keys_backup.tar.gz")
    assert done.written == (info.key_id,)
    assert info.key_id[:7] in person.notary("key", "list")


def test_tar_reads_ours(tmp_path: Path, person: Person) -> None:
    """M21: tar unpacks our archive into a store that docker uses: it signs with the root key from it."""
    with notary_server(tmp_path) as served:
        first = Person.in_directory(tmp_path / "first", served)
        sign(first, "backup", "v1")
        archive.back_up(first.ours("backup").store, tmp_path / "keys.tar.gz")
        second = Person.in_directory(tmp_path / "second", served)
        second.trust.mkdir()
        subprocess.run(["tar", "-xzf", tmp_path / "keys.tar.gz", "-C", second.trust], check=True, timeout=60)
        second.docker("trust", "revoke", "-y", person.name("backup:v1"))
        assert not walk.released(first.ours("backup").load().targets)
