"""The handlers of ``trust key``: keys in docker's own store, shared with docker and notary."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from knack.util import CLIError

from azext_trust import home
from azext_trust.cli.context import Context
from azext_trust.cli.trust import words
from azext_trust.cli.trust.places import MANAGE, Access, store
from azext_trust.signing import archive, pem, rotation
from azext_trust.signing.errors import InvalidName, KeyStoreError
from azext_trust.signing.key_store import KeyInfo, check_signer_name, trust_directory
from azext_trust.signing.passphrases import Given
from azext_trust.tuf import roles

ARCHIVE = "docker_private_keys_backup.tar.gz"
"""The article's name."""
_ROOT_WARNING = (
    "Warning: you are about to rotate your root key.\n\nYou must use your old key to sign this root rotation.\n"
    "Are you sure you want to proceed?"
)
"""notary cmd/notary/keys.go."""


def shown(info: KeyInfo) -> dict[str, Any]:
    """Return a key as it is printed."""
    return {
        "keyId": info.key_id, "role": info.role, "repository": info.gun, "encrypted": info.encrypted,
        "path": str(info.path),
    }  # fmt: skip


def _file_error(path: Path, error: OSError) -> CLIError:
    return CLIError(f"{path}: {error.strerror}")


def generate(context: Context, name: str, directory: str | None = None) -> dict[str, Any]:
    """Make a key pair for a signer: the private key goes into the store, the public one into a file.

    Raises:
        CLIError: the file exists or cannot be written.
        KeyStoreError, InvalidName: the key cannot be kept, or nobody can be called this.
    """
    check_signer_name(name, "key name")
    target = Path(directory or ".").absolute() / f"{name}.pub"
    if target.exists():
        raise CLIError(f'public key file already exists: "{target}"')
    words.say(context, f"Generating key for {name}...")
    held = store()
    key = held.create(name)
    try:
        home.write_private(target, pem.public_block(key, name).to_bytes())
    except OSError as error:
        # docker leaves the private key behind; nobody knows of it.
        held.remove(key.id)
        raise _file_error(target, error) from None
    words.say(
        context, f"Successfully generated and loaded private key. Corresponding public key available: {target}",
        words.GOOD,
    )  # fmt: skip
    return {**shown(held.info(key.id)), "publicKey": str(target)}


def load(context: Context, file: str, name: str = "signer") -> dict[str, Any]:
    """Take a private key from a file into the store, also an encrypted one.

    Raises:
        CLIError: the file cannot be read.
        KeyStoreError: it is no private key, others may read it, or it does not open.
    """
    words.say(context, f'Loading key from "{file}"...')
    try:
        info = store().load_file(Path(file), name)
    except OSError as error:
        raise _file_error(Path(file), error) from None
    words.say(context, f"Successfully imported key from {file}", words.GOOD)
    return shown(info)


def listed(context: Context) -> list[dict[str, Any]]:
    """Return the keys of the store: root keys first, then by repository and role."""
    rows = store().listed()
    return [shown(info) for info in sorted(rows, key=lambda info: (info.role != roles.ROOT, info.gun, info.role))]


def remove(context: Context, key: str, yes: bool = False) -> None:
    """Delete a private key from the store.

    Raises:
        CLIError: the user declined, or there is nobody to ask.
        KeyNotFound: there is no such key.
    """
    info = store().info(key)
    what = f"{info.role or 'unknown'} key {info.key_id}" + (f" of {info.gun}" if info.gun else "")
    context.confirm(f"Are you sure you want to remove the {what}? Without a backup it is lost for good.", yes)
    store().remove(info.key_id)
    words.say(context, f"Deleted {info.key_id} from {info.path.parent}.", words.GOOD)


def passwd(context: Context, key: str, new_passphrase_file: str | None = None) -> dict[str, Any]:
    """Keep a key under another passphrase.

    Raises:
        CLIError: the file with the new passphrase cannot be read, or is empty.
        KeyStoreError: there is no such key, or the old passphrase does not open it.
    """
    held = store()
    info = held.info(key)
    given = _passphrase(new_passphrase_file)
    if given is None and not os.isatty(0):
        raise CLIError("there is no terminal to ask for the new passphrase: give it with --new-passphrase-file FILE")
    # The variables hold the old one: the new one is typed, or comes from the file.
    new = Given(given) if given else words.passphrases(environment={})
    changed = held.change_passphrase(info.key_id, new)
    words.say(context, f"Successfully updated passphrase for key ID: {info.key_id}", words.GOOD)
    return shown(changed)


def _passphrase(file: str | None) -> str | None:
    if file is None:
        return None
    try:
        found = Path(file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CLIError(f"{file}: {error}") from None
    if not found:
        raise CLIError(f"{file} holds no passphrase")
    return found


# Rotation


def rotate(
    context: Context, repository: str, role: str, server_managed: bool = False, key: str | None = None,
    yes: bool = False, **access: Any,
) -> dict[str, Any]:  # fmt: skip
    """Give a role of a repository a new key.

    Raises:
        CLIError: the user declined, or the options exclude each other.
        TrustFailure: the keys to do so are not here, or the server refuses.
    """
    if key and server_managed:
        raise CLIError("usage error: --key KEY | --server-managed")
    asked = Access(context, **access)
    image = asked.repository_named(repository)
    try:
        rotation.check(role, server_managed)
    except InvalidName as error:
        raise CLIError(str(error)) from None
    if role == roles.ROOT:
        context.confirm(_ROOT_WARNING, yes)
    with asked.repository(image, MANAGE, title=f"Rotating the {role} key of {image.gun}") as found:
        done = rotation.rotate(found, role, server=server_managed, key_id=key or "")
    words.say(context, f"Successfully rotated {role} key for repository {image.gun}", words.GOOD)
    return {
        "repository": image.gun, "role": role, "before": list(done.before), "after": list(done.after),
        "serverManaged": done.server,
    }  # fmt: skip


# Backup


def backup(context: Context, keys: list[str] | None = None, file: str | None = None) -> dict[str, Any]:
    """Write keys to an archive that only its owner may read.

    Raises:
        CLIError: the archive cannot be written.
        KeyNotFound: there is no such key, or none at all.
    """
    for text in keys or ():
        if "/" in text or text.endswith((".gz", ".tgz", ".tar")):
            raise CLIError(f"usage error: {text} is no key's ID; the archive is named with --file")
    target = Path(file or ARCHIVE).absolute()
    try:
        infos = archive.back_up(store(), target, keys or ())
    except OSError as error:
        raise _file_error(target, error) from None
    words.say(context, f"Backed up {len(infos)} key{'s' if len(infos) != 1 else ''} to {target}", words.GOOD)
    words.say(context, "The keys in it stay encrypted under their own passphrases: keep those apart from it.")
    return {"file": str(target), "time": datetime.now(UTC).isoformat(), "keys": [shown(info) for info in infos]}


def restore(context: Context, file: str) -> dict[str, Any]:
    """Put the keys of an archive back: all of them, after each was opened and checked, or none.

    Raises:
        CLIError: the archive cannot be read.
        KeyStoreError: others may read it, or a key in it is damaged, cannot be opened or differs from one here.
    """
    source = Path(file).absolute()
    try:
        done = archive.restore(store(), source)
    except OSError as error:
        raise _file_error(source, error) from None
    except KeyStoreError as error:
        raise KeyStoreError(f"nothing was restored: {error}") from None
    words.say(context, f"Restored {len(done.written)} of {len(done.written) + len(done.present)} keys to "
                       f"{trust_directory() / 'private'}; the others were there", words.GOOD)  # fmt: skip
    return {"file": str(source), "restored": list(done.written), "present": list(done.present)}
