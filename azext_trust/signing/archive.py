"""Backup and restore of private keys: ``private/<key id>.key`` in a tar archive that only its owner reads (M21).

The archive is what the article's ``tar -zcvf private_keys_backup.tar.gz private`` makes, and such a one is restored
as well. Restoring opens every key and holds it against its name before anything is written.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from azext_trust import home
from azext_trust.signing import pem
from azext_trust.signing.errors import DamagedKey, KeyStoreError, UnsafeFile
from azext_trust.signing.key_store import KeyInfo, KeyStore, open_block

_MEMBER = re.compile(r"(?:\./)?private/(?:[^/]+/)*([0-9a-f]{64})(?:_(\w+))?\.key")
MAX_KEYS = 10_000
"""Nobody has more; an archive that claims to is a trap."""


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes:
        written: ids of the keys that were put back.
        present: ids of those that lay there already, unchanged.
    """

    written: tuple[str, ...]
    present: tuple[str, ...]


def back_up(store: KeyStore, target: Path, key_ids: Iterable[str] = ()) -> list[KeyInfo]:
    """Write an archive of keys; they stay encrypted under their own passphrases.

    Args:
        store: where the keys are.
        target: the archive, written whole or not at all, readable by its owner only; an existing one is replaced.
        key_ids: which keys; none means all.

    Raises:
        KeyNotFound: there is no such key.
        KeyStoreError: there are no keys at all.
    """
    with store.locked():
        infos = [store.info(key_id) for key_id in key_ids] or store.listed()
        if not infos:
            raise KeyStoreError("there are no keys to back up")
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
            for info in infos:
                _add(archive, info)
    home.write_private(target, buffer.getvalue())
    return infos


def _add(archive: tarfile.TarFile, info: KeyInfo) -> None:
    data = info.path.read_bytes()
    member = tarfile.TarInfo(f"private/{info.key_id}.key")
    member.size, member.mode, member.mtime = len(data), 0o600, int(info.path.stat().st_mtime)
    archive.addfile(member, io.BytesIO(data))


def restore(store: KeyStore, source: Path) -> Restored:
    """Put the keys of an archive into the store: all of them, after each was opened and checked, or none.

    Args:
        store: where they go; its passphrases open them.
        source: the archive; only its owner may read it.

    Raises:
        UnsafeFile: others may read the archive, or a member names another place than a key file's.
        DamagedKey: a member is no key, or another one than its name says.
        WrongPassphrase, NoPassphrase: a key cannot be opened, hence not checked.
        KeyStoreError: another key file of this name lies there already.
    """
    if source.stat().st_mode & 0o077:
        raise UnsafeFile(f"the archive {source} must not be readable or writable by others: chmod 600 {source}")
    found = _members(source)
    for key_id, (block, _) in found.items():
        open_block(block, key_id, block.headers.get("role", ""), store.passphrases)
    written: list[str] = []
    present: list[str] = []
    with store.locked():
        for key_id, (_, data) in found.items():
            path = store.private / f"{key_id}.key"
            if path.exists() and path.read_bytes() != data:
                raise KeyStoreError(f"{path} exists and differs from the archive's: move it away first")
        for key_id, (_, data) in found.items():
            path = store.private / f"{key_id}.key"
            (present if path.exists() else written).append(key_id)
            if not path.exists():
                home.write_private(path, data)
    return Restored(tuple(written), tuple(present))


def _members(source: Path) -> dict[str, tuple[pem.Block, bytes]]:
    """Read the key files of an archive; whatever else is in it is refused."""
    found: dict[str, tuple[pem.Block, bytes]] = {}
    try:
        with tarfile.open(source) as archive:
            for count, member in enumerate(archive):
                if count >= MAX_KEYS:
                    raise UnsafeFile("the archive holds too many members")
                if not member.isdir():
                    key_id, data = _key_file(archive, member)
                    block = _with_alias(pem.Block.parse(data), member.name)
                    found[key_id] = (block, data if "_" not in member.name else block.to_bytes())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DamagedKey(f"the archive {source} cannot be read: {error}") from None
    if not found:
        raise DamagedKey(f"the archive {source} holds no keys")
    return found


def _key_file(archive: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[str, bytes]:
    name = _MEMBER.fullmatch(member.name)
    if not member.isreg() or name is None or ".." in member.name.split("/"):
        raise UnsafeFile(f"the archive's member {member.name!r} is no key file")
    if member.size > pem.MAX_FILE:
        raise UnsafeFile(f"the archive's member {member.name!r} is too large for a key")
    file = archive.extractfile(member)
    assert file is not None  # it is a regular file
    return name[1], file.read()


def _with_alias(block: pem.Block, name: str) -> pem.Block:
    found = _MEMBER.fullmatch(name)
    alias = found[2] if found else None
    return pem.Block(block.label, block.content, {"role": alias, **block.headers}) if alias else block
