"""The key store, its encryption, passphrases, backup and restore."""

from __future__ import annotations

import io
import os
import tarfile
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_trust.signing import archive, pem, pkcs8
from azext_trust.signing.errors import (
    DamagedKey,
    InvalidName,
    KeyNotFound,
    KeyStoreError,
    NoPassphrase,
    UnsafeFile,
    WrongPassphrase,
)
from azext_trust.signing.key_store import KeyStore, trust_directory
from azext_trust.signing.passphrases import Passphrases
from azext_trust.tuf import der, keys
from tests.trust import PASSPHRASES

KEYS = {kind: keys.generate(kind) for kind in (keys.ECDSA, keys.RSA, keys.ED25519)}
ECDSA = KEYS[keys.ECDSA]


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    """A key store whose passphrases come from the environment."""
    return KeyStore(tmp_path / "trust", Passphrases(environment=PASSPHRASES))


# Encryption


@pytest.mark.parametrize("kind", KEYS)
def test_sealed(kind: str) -> None:
    """M18: each kind of key comes back under its passphrase, and only under it."""
    block = pem.seal(KEYS[kind], "secret", {"role": "alice"})
    again = pem.Block.parse(block.to_bytes())
    assert again.open("secret").id == KEYS[kind].id
    assert again.headers == {"role": "alice"}
    with pytest.raises(WrongPassphrase):
        again.open("Secret")


@pytest.mark.parametrize("kind", KEYS)
def test_plain(kind: str) -> None:
    """M18: an empty passphrase keeps a key in plain, as docker does."""
    block = pem.Block.parse(pem.seal(KEYS[kind], "", {}).to_bytes())
    assert not block.encrypted
    assert block.open().id == KEYS[kind].id


def test_dockers_parameters() -> None:
    """M18: PBES2, PBKDF2 without a function named, 8 bytes of salt, 2048 iterations, AES-256-CBC: all docker reads."""
    sealed = pem.seal(ECDSA, "secret", {}).content
    algorithm, _ = der.read(sealed)[0].children()
    derivation, scheme = algorithm.children()[1].children()
    salt, iterations = derivation.children()[1].children()
    assert (len(salt.content), iterations.number()) == (8, 2048)
    assert scheme.children()[0].content.hex() == "60864801650304012a"


def test_version_1() -> None:
    """M18: PKCS#8 of version 1 without a public key, which docker writes and `cryptography` refuses, is read."""
    version, algorithm, key = der.read(pkcs8.dump(ECDSA))[0].children()
    assert version.number() == 0
    parts = [der.write(part.tag, part.content) for part in (algorithm, key)]
    assert pkcs8.load(der.write(der.SEQUENCE, der.integer(1), *parts)).id == ECDSA.id


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_arbitrary_bytes(data: bytes) -> None:
    """M18: what is no key is told so, whatever it is."""
    for attempt in (lambda: pkcs8.load(data), lambda: pkcs8.decrypt(data, "x"), lambda: pem.Block.parse(data)):
        with pytest.raises((DamagedKey, WrongPassphrase)):
            attempt()


@given(st.data())
@settings(max_examples=100)
def test_damaged_files(data: st.DataObject) -> None:
    """M18: a key file with one wrong byte opens as the same key or not at all."""
    raw = bytearray(pem.seal(ECDSA, "secret", {"role": "alice"}).to_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert pem.Block.parse(bytes(raw)).open("secret").id
    except (DamagedKey, WrongPassphrase):
        return


@pytest.mark.parametrize("iterations", [0, 2**40])
def test_iterations(iterations: int) -> None:
    """M18: a key file cannot keep us busy for years."""
    sealed = pem.seal(ECDSA, "secret", {}).content
    assert der.integer(2048) in sealed
    algorithm, data = der.read(sealed)[0].children()
    _, parameters = algorithm.children()
    derivation, scheme = parameters.children()
    kind, inner = derivation.children()
    salt = inner.children()[0]
    again = der.write(
        der.SEQUENCE, der.write(der.OID, kind.content),
        der.write(der.SEQUENCE, der.write(der.OCTETS, salt.content), der.integer(iterations)),
    )  # fmt: skip
    name = algorithm.children()[0]
    whole = der.write(
        der.SEQUENCE,
        der.write(der.SEQUENCE, der.write(der.OID, name.content),
                  der.write(der.SEQUENCE, again, der.write(der.SEQUENCE, scheme.content))),
        der.write(der.OCTETS, data.content),
    )  # fmt: skip
    with pytest.raises(DamagedKey, match="iterations"):
        pkcs8.decrypt(whole, "secret")


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, 2048, 65535, 2**31])
def test_der_numbers(value: int) -> None:
    """M18: whole numbers of every length keep their sign."""
    assert der.read(der.integer(value))[0].number() == value


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65536])
def test_der_lengths(size: int) -> None:
    """M18: contents of every length are read again."""
    assert der.read(der.write(der.OCTETS, b"x" * size) + b"rest") == (der.Element(der.OCTETS, b"x" * size), b"rest")


# The store


def test_docker_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """M18: the store is docker's."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert trust_directory() == tmp_path / "trust"
    monkeypatch.delenv("DOCKER_CONFIG")
    assert trust_directory() == Path.home() / ".docker" / "trust"


def test_rights(store: KeyStore) -> None:
    """M18: keys and their directories are their owner's alone, and no other file is left."""
    key = store.create("targets", "myregistry.azurecr.io/x")
    path = store.private / f"{key.id}.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert store.private.stat().st_mode & 0o777 == 0o700
    assert list(store.private.iterdir()) == [path]


def test_listed(store: KeyStore) -> None:
    """M18: a key says what it is for; only targets and snapshot keys name a repository."""
    for role in ("root", "targets", "snapshot", "alice"):
        store.create(role, "myregistry.azurecr.io/x")
    (store.private / "noise.key").write_text("no key")
    found = {info.role: info.gun for info in store.listed()}
    assert found == {"root": "", "alice": ""} | dict.fromkeys(("targets", "snapshot"), "myregistry.azurecr.io/x")


def test_old_layouts(store: KeyStore) -> None:
    """M18: keys under the names that notary before 0.4 gave them are found where they lie."""
    old = store.private / "tuf_keys" / "myregistry.azurecr.io" / "x"
    old.mkdir(parents=True)
    (store.private / "root_keys").mkdir()
    block = pem.seal(ECDSA, "root-pass-1", {}).to_bytes()
    (store.private / "root_keys" / f"{ECDSA.id}_root.key").write_bytes(block)
    other = keys.generate()
    (old / f"{other.id}_targets.key").write_bytes(pem.seal(other, "repository-pass-1", {}).to_bytes())
    assert {(info.key_id, info.role, info.gun) for info in store.listed()} == {
        (ECDSA.id, "root", ""), (other.id, "targets", "myregistry.azurecr.io/x"),
    }  # fmt: skip
    assert store.get(ECDSA.id).id == ECDSA.id


def test_openssls_old_form(store: KeyStore) -> None:
    """M18: keys in OpenSSL's older form are read, encrypted ones too."""
    from cryptography.hazmat.primitives import serialization

    form = serialization.PrivateFormat.TraditionalOpenSSL
    for algorithm in (serialization.NoEncryption(), serialization.BestAvailableEncryption(b"repository-pass-1")):
        raw = ECDSA.material.private_bytes(serialization.Encoding.PEM, form, algorithm)
        block = pem.Block.parse(raw)
        assert block.open("repository-pass-1").id == ECDSA.id
        if block.encrypted:
            with pytest.raises(WrongPassphrase):
                block.open("another")


def test_wrong_name(store: KeyStore) -> None:
    """M18: a file that holds another key than its name says is not used."""
    key = store.create("alice")
    wrong = "f" * 64
    (store.private / f"{key.id}.key").rename(store.private / f"{wrong}.key")
    with pytest.raises(DamagedKey, match="holds another key"):
        KeyStore(store.directory, store.passphrases).get(wrong)


def test_short_ids(store: KeyStore) -> None:
    """M18: the beginning of an id will do when only one key begins so."""
    key = store.create("alice")
    assert store.info(key.id[:7]).key_id == key.id
    for text in ("", key.id[:6], "0" * 7 if key.id[:7] != "0" * 7 else "1" * 7):
        with pytest.raises(KeyNotFound):
            store.info(text)


def test_change_passphrase(store: KeyStore) -> None:
    """M18: afterwards only the new passphrase opens it; a wrong old one changes nothing."""
    key = store.create("alice")
    new = Passphrases(environment={"NOTARY_DELEGATION_PASSPHRASE": "another-1"})
    with pytest.raises(WrongPassphrase):
        KeyStore(store.directory, new).change_passphrase(key.id, new)
    store.change_passphrase(key.id, new)
    assert KeyStore(store.directory, new).get(key.id).id == key.id
    with pytest.raises(WrongPassphrase):
        KeyStore(store.directory, store.passphrases).get(key.id)


def test_load_file(store: KeyStore, tmp_path: Path) -> None:
    """M18: a private key is taken from a file that only its owner reads; names as docker allows them."""
    path = tmp_path / "key.pem"
    path.write_bytes(pem.seal(ECDSA, "repository-pass-1", {}).to_bytes())
    path.chmod(0o644)
    with pytest.raises(UnsafeFile, match="must not be readable or writable by others"):
        store.load_file(path)
    path.chmod(0o600)
    with pytest.raises(InvalidName, match='key name "Alice" must start with lowercase'):
        store.load_file(path, "Alice")
    assert store.load_file(path, "alice").role == "alice"


def test_load_what_is_no_key(store: KeyStore, tmp_path: Path) -> None:
    """M18: a public key is no private one; the text says what to do with it."""
    path = tmp_path / "key.pub"
    path.write_bytes(pem.public_block(ECDSA, "alice").to_bytes())
    path.chmod(0o600)
    with pytest.raises(DamagedKey, match="to add a signer's public key use aztrust trust signer add"):
        store.load_file(path)


def test_remove(store: KeyStore) -> None:
    """M18: a removed key is gone, also from memory."""
    key = store.create("alice")
    store.remove(key.id)
    with pytest.raises(KeyNotFound):
        store.get(key.id)


def hold(directory: str, path: str) -> None:
    """Take the lock, say so, and hold it until the file is gone."""
    import time

    with KeyStore(Path(directory), Passphrases(environment={})).locked():
        Path(path).touch()
        while Path(path).exists():
            time.sleep(0.01)


def test_lock(store: KeyStore, tmp_path: Path) -> None:
    """M18: while one process changes the store, another waits."""
    import fcntl
    import time

    flag = tmp_path / "held"
    other = get_context("spawn").Process(target=hold, args=(str(store.directory), str(flag)))
    other.start()
    while not flag.exists():
        time.sleep(0.01)
    handle = os.open(store.directory / ".aztrust.lock", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(handle)
    flag.unlink()
    other.join(20)
    with store.locked():
        assert other.exitcode == 0


# Passphrases


def test_environment() -> None:
    """M14: docker's variables come first, then notary's; the root's is never used for another role."""
    given_ = Passphrases(environment={**PASSPHRASES, "NOTARY_TARGETS_PASSPHRASE": "n"})
    assert list(given_.to_open("root", "x")) == ["root-pass-1"]
    assert list(given_.to_open("targets", "x")) == ["repository-pass-1", "n"]
    assert list(given_.to_open("alice", "x")) == ["repository-pass-1"]
    assert given_.for_new("root", "x") == "root-pass-1"


def test_prompts() -> None:
    """M14: docker's questions; what was typed for a role is tried again; after some tries it ends."""
    asked: list[str] = []
    told: list[str] = []
    answers = iter(["short", "long-enough", "different", "long-enough", "long-enough", "later"])
    passphrases = Passphrases(lambda prompt: asked.append(prompt) or next(answers), told.append, {})  # type: ignore[func-returns-value]
    assert passphrases.for_new("targets", "d7358deaaaa") == "long-enough"
    assert asked[:1] == ["Enter passphrase for new repository key with ID d7358de: "]
    assert asked[2] == "Repeat passphrase for new repository key with ID d7358de: "
    assert "Passphrases do not match. Please retry." in told
    tries = passphrases.to_open("targets", "abcdefghi")
    assert [next(tries), next(tries)] == ["long-enough", "later"]
    assert asked[-1] == "Enter passphrase for repository key with ID abcdefg: "


def test_root_warning() -> None:
    """M14: before a root key's passphrase is asked for, docker's warning is shown."""
    told: list[str] = []
    passphrases = Passphrases(lambda prompt: "long-enough", told.append, {})
    passphrases.for_new("root", "x")
    assert told[0].startswith("You are about to create a new root signing key passphrase.")


def test_nobody_to_ask(tmp_path: Path) -> None:
    """M14: without a terminal and without variables it fails, and no key is written."""
    store = KeyStore(tmp_path / "trust", Passphrases(environment={}))
    with pytest.raises(NoPassphrase):
        store.create("root")
    assert store.listed() == []


# Backup and restore


def test_backup_and_restore(store: KeyStore, tmp_path: Path) -> None:
    """M21: the archive is its owner's alone; restored keys are checked, and what is there stays."""
    ids = {store.create(role).id for role in ("root", "alice")}
    target = tmp_path / "keys.tar.gz"
    archive.back_up(store, target)
    assert target.stat().st_mode & 0o777 == 0o600
    other = KeyStore(tmp_path / "other", store.passphrases)
    assert set(archive.restore(other, target).written) == ids == other.ids()
    assert set(archive.restore(other, target).present) == ids


def test_backup_of_some(store: KeyStore, tmp_path: Path) -> None:
    """M21: single keys can be backed up; none at all is an error."""
    with pytest.raises(KeyStoreError, match="no keys to back up"):
        archive.back_up(store, tmp_path / "a.tar.gz")
    first, _ = store.create("root"), store.create("alice")
    assert [info.key_id for info in archive.back_up(store, tmp_path / "a.tar.gz", [first.id])] == [first.id]


def made(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Make an archive."""
    with tarfile.open(path, "w:gz") as written:
        for member, data in members:
            member.size = len(data) if member.isreg() else 0
            written.addfile(member, io.BytesIO(data))
    path.chmod(0o600)
    return path


def file(name: str, data: bytes = b"") -> tuple[tarfile.TarInfo, bytes]:
    """Make a member."""
    return tarfile.TarInfo(name), data


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    """Make a link."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


GOOD = pem.seal(ECDSA, "repository-pass-1", {"role": "alice"}).to_bytes()
NAME = f"private/{ECDSA.id}.key"


@pytest.mark.parametrize(
    "member",
    [
        file(f"../{NAME}", GOOD), file(f"/{NAME}", GOOD), file(f"private/../../{ECDSA.id}.key", GOOD),
        file(f"private/x/../{ECDSA.id}.key", GOOD), file("private/evil.key", GOOD), file("etc/passwd", b"x"),
        link(NAME, "/etc/passwd"), link(NAME, "/etc/passwd", tarfile.LNKTYPE), link(NAME, "", tarfile.FIFOTYPE),
        link(NAME, "", tarfile.CHRTYPE), file(NAME, b"x" * 100_000),
    ],
)  # fmt: skip
def test_tricks(store: KeyStore, tmp_path: Path, member: tuple[tarfile.TarInfo, bytes]) -> None:
    """M21: members that lead elsewhere, links, devices and files too large for keys are refused; nothing is written."""
    good = file(NAME, GOOD)
    with pytest.raises(UnsafeFile):
        archive.restore(store, made(tmp_path / "a.tar.gz", good, member))
    assert not store.private.exists()


@pytest.mark.parametrize(
    ("name", "data"),
    [(NAME, b"no key"), (f"private/{'f' * 64}.key", GOOD), (NAME, pem.public_block(ECDSA, "x").to_bytes())],
    ids=["no key", "another", "public"],
)
def test_wrong_keys(store: KeyStore, tmp_path: Path, name: str, data: bytes) -> None:
    """M21: what is no key, or another one than its name says, is refused; nothing is written."""
    other = keys.generate()
    good = file(f"private/{other.id}.key", pem.seal(other, "", {}).to_bytes())
    with pytest.raises(DamagedKey):
        archive.restore(store, made(tmp_path / "a.tar.gz", good, file(name, data)))
    assert not store.private.exists()


def test_unopened_keys(store: KeyStore, tmp_path: Path) -> None:
    """M21: a key that cannot be opened cannot be checked, and is not restored."""
    sealed = pem.seal(ECDSA, "unknown", {"role": "alice"}).to_bytes()
    with pytest.raises(WrongPassphrase):
        archive.restore(store, made(tmp_path / "a.tar.gz", file(NAME, sealed)))


def test_archive_of_others(store: KeyStore, tmp_path: Path) -> None:
    """M21: an archive that others can read or change is not trusted."""
    path = made(tmp_path / "a.tar.gz", file(NAME, GOOD))
    path.chmod(0o640)
    with pytest.raises(UnsafeFile):
        archive.restore(store, path)


def test_existing_key(store: KeyStore, tmp_path: Path) -> None:
    """M21: a key file that differs from the archive's is not overwritten."""
    store.add(ECDSA, "alice")
    path = made(tmp_path / "a.tar.gz", file(NAME, GOOD))
    before = (store.private / f"{ECDSA.id}.key").read_bytes()
    with pytest.raises(KeyStoreError, match="exists and differs"):
        archive.restore(store, path)
    assert (store.private / f"{ECDSA.id}.key").read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"no archive", b"\x1f\x8b\x08\x00broken"])
def test_broken_archive(store: KeyStore, tmp_path: Path, data: bytes) -> None:
    """M21: what is no archive is told so."""
    path = tmp_path / "a.tar.gz"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(DamagedKey):
        archive.restore(store, path)


def test_restored_old_name(store: KeyStore, tmp_path: Path) -> None:
    """M21: a key under notary's older name keeps its role when it is restored."""
    sealed = pem.seal(ECDSA, "root-pass-1", {}).to_bytes()
    archive.restore(store, made(tmp_path / "a.tar.gz", file(f"private/root_keys/{ECDSA.id}_root.key", sealed)))
    assert [(info.key_id, info.role) for info in store.listed()] == [(ECDSA.id, "root")]
