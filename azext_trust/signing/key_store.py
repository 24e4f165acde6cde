"""Private keys in docker's own layout: ``trust/private/<key id>.key`` (dct-wire-contract.md section 6)."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azext_trust import home
from azext_trust.signing import pem
from azext_trust.signing.errors import DamagedKey, InvalidName, KeyNotFound, KeyStoreError, UnsafeFile, WrongPassphrase
from azext_trust.signing.passphrases import Passphrases
from azext_trust.tuf import keys, roles
from azext_trust.tuf.keys import PrivateKey

_ID = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def trust_directory() -> Path:
    """Return docker's trust directory: ``$DOCKER_CONFIG/trust``, else ``~/.docker/trust``."""
    configured = os.environ.get("DOCKER_CONFIG")
    return (Path(configured) if configured else Path.home() / ".docker").expanduser().absolute() / "trust"


@dataclass(frozen=True)
class KeyInfo:
    """What a key's file says without its passphrase.

    Attributes:
        key_id: the bare public key's id.
        role: ``root``, ``targets``, ``snapshot`` or a signer's name; empty when the file does not say.
        gun: the repository of a targets or snapshot key, else empty.
        path: the file.
        encrypted: whether a passphrase is needed.
    """

    key_id: str
    role: str
    gun: str
    path: Path
    encrypted: bool


class KeyStore:
    """A directory of private keys, shared with docker and notary.

    Args:
        directory: the trust directory; keys lie in ``private`` below it.
        passphrases: where passphrases come from.
    """

    def __init__(self, directory: Path, passphrases: Passphrases) -> None:
        self.directory = directory
        self.passphrases = passphrases
        self._opened: dict[str, PrivateKey] = {}

    @property
    def private(self) -> Path:
        """Where the key files lie."""
        return self.directory / "private"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes of ours from changing the store meanwhile; docker writes single whole files."""
        home.private_dir(self.directory)
        handle = os.open(self.directory / ".aztrust.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    # Looking

    def listed(self) -> list[KeyInfo]:
        """Return all keys, by id. Files that are no keys are passed by, as docker does."""
        found: dict[str, KeyInfo] = {}
        for path in sorted(self.private.rglob("*.key")):
            try:
                info = self._info(path)
            except (DamagedKey, OSError):
                continue
            # The newer layout wins over a file that an old notary left behind.
            if info.key_id not in found or path.parent == self.private:
                found[info.key_id] = info
        return [found[key_id] for key_id in sorted(found)]

    def _info(self, path: Path) -> KeyInfo:
        block = pem.Block.parse(_read(path))
        if not block.is_private:
            raise DamagedKey(f"{path} holds no private key")
        key_id, _, alias = path.stem.partition("_")
        role, gun = block.headers.get("role", alias), block.headers.get("gun", "")
        below = path.parent.relative_to(self.private).parts
        if below[:1] == ("tuf_keys",) and not gun:
            gun = "/".join(below[1:])
        elif below[:1] == ("root_keys",) and not role:
            role = roles.ROOT
        return KeyInfo(key_id, role, gun, path, block.encrypted)

    def info(self, key_id: str) -> KeyInfo:
        """Return what is known of a key.

        Args:
            key_id: its id, or the beginning of one, at least 7 digits and only of one.

        Raises:
            KeyNotFound: there is none.
            KeyStoreError: several begin like this.
        """
        found = [
            one for one in self.listed() if one.key_id == key_id or (len(key_id) > 6 and one.key_id.startswith(key_id))
        ]
        if not found:
            raise KeyNotFound(key_id)
        if len(found) > 1:
            raise KeyStoreError(f"several keys begin with {key_id}: " + ", ".join(one.key_id for one in found))
        return found[0]

    def ids(self) -> frozenset[str]:
        """Return the ids of all keys."""
        return frozenset(info.key_id for info in self.listed())

    def of_role(self, role: str, gun: str = "") -> list[KeyInfo]:
        """Return the keys of a role; of a repository when it is named."""
        return [info for info in self.listed() if info.role == role and (not gun or info.gun == gun)]

    # Opening

    def get(self, key_id: str) -> PrivateKey:
        """Return a private key, asking for its passphrase when needed.

        Raises:
            KeyNotFound: there is no such key.
            WrongPassphrase: none that was given opens it.
            DamagedKey: its file holds another key than its name says.
        """
        if key_id not in self._opened:
            info = self.info(key_id)
            self._opened[key_id] = self._open(info)[0]
        return self._opened[key_id]

    def _open(self, info: KeyInfo) -> tuple[PrivateKey, str]:
        block = pem.Block.parse(_read(info.path))
        return open_block(block, info.key_id, info.role, self.passphrases)

    # Changing

    def add(self, key: PrivateKey, role: str, gun: str = "") -> KeyInfo:
        """Keep a key under a passphrase.

        Args:
            key: the key.
            role: what it is for.
            gun: its repository; kept for targets and snapshot keys alone, as docker does.
        """
        headers = {"role": role} if role else {}
        if gun and role in (roles.TARGETS, roles.SNAPSHOT):
            headers["gun"] = gun
        block = pem.seal(key, self.passphrases.for_new(role, key.id), headers)
        with self.locked():
            home.write_private(self.private / f"{key.id}.key", block.to_bytes())
        self._opened[key.id] = key
        return KeyInfo(key.id, role, headers.get("gun", ""), self.private / f"{key.id}.key", block.encrypted)

    def create(self, role: str, gun: str = "", kind: str = keys.ECDSA) -> PrivateKey:
        """Make a new key and keep it."""
        key = keys.generate(kind)
        self.add(key, role, gun)
        return key

    def load_file(self, path: Path, name: str = "signer") -> KeyInfo:
        """Take a private key from a file (``docker trust key load``), also an encrypted one.

        Args:
            path: PEM; only its owner may read it.
            name: the signer's name; a role that the file names wins.

        Raises:
            UnsafeFile: others may read it.
            InvalidName: a signer cannot be called this.
            DamagedKey: it is no private key.
        """
        check_signer_name(name, "key name")
        if path.stat().st_mode & 0o077:
            raise UnsafeFile(
                f"refusing to load key from {path}: private key file {path} must not be readable or writable by others"
            )
        block = pem.Block.parse(_read(path))
        if not block.is_private:
            raise DamagedKey(
                f"provided file {path} is not a supported private key - to add a signer's public key use "
                "aztrust trust signer add"
            )
        role = block.headers.get("role", name)
        key, _ = open_block(block, "", role, self.passphrases)
        return self.add(key, role, block.headers.get("gun", ""))

    def remove(self, key_id: str) -> None:
        """Delete a key's file.

        Raises:
            KeyNotFound: there is no such key.
        """
        with self.locked():
            self.info(key_id).path.unlink()
        self._opened.pop(key_id, None)

    def change_passphrase(self, key_id: str, new: Passphrases) -> KeyInfo:
        """Keep a key under another passphrase.

        Args:
            key_id: the key.
            new: gives the new passphrase.

        Raises:
            WrongPassphrase: the old one does not open it; nothing is changed.
        """
        info = self.info(key_id)
        key, _ = self._open(info)
        headers = pem.Block.parse(_read(info.path)).headers
        kept = {name: value for name, value in headers.items() if name not in ("Proc-Type", "DEK-Info")}
        block = pem.seal(key, new.for_new(info.role, info.key_id), kept)
        with self.locked():
            home.write_private(info.path, block.to_bytes())
        return self._info(info.path)


def open_block(block: pem.Block, key_id: str, role: str, passphrases: Passphrases) -> tuple[PrivateKey, str]:
    """Open a key with the first passphrase that fits, and hold it against its name.

    Args:
        block: the key's file.
        key_id: the id it must have; empty when any will do.
        role: for the choice of passphrases.
        passphrases: where they come from.

    Returns:
        the key and the passphrase that opened it, empty when none was needed.

    Raises:
        WrongPassphrase: none fits.
        DamagedKey: it is another key than its name says.
    """
    tries = passphrases.to_open(role, key_id) if block.encrypted else iter([""])
    for passphrase in tries:
        try:
            key = block.open(passphrase)
        except WrongPassphrase:
            continue
        if key_id and key.id != key_id:
            raise DamagedKey(f"the key file {key_id} holds another key: {key.id}")
        return key, passphrase
    raise WrongPassphrase(key_id)


def check_signer_name(name: str, what: str = "signer name") -> None:
    """Refuse names that docker refuses for keys and signers.

    Raises:
        InvalidName: with docker's text.
    """
    if not _NAME.fullmatch(name):
        raise InvalidName(
            f'{what} "{name}" must start with lowercase alphanumeric characters and can include "-" or "_" after the '
            "first character"
        )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(pem.MAX_FILE + 1)
