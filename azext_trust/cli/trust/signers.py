"""The handlers of ``trust signer`` and ``trust delegation``: who may sign a repository besides its owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from knack.util import CLIError

from azext_trust.cli.context import Context
from azext_trust.cli.trust import words
from azext_trust.cli.trust.places import READ, WRITE, Access
from azext_trust.signing import delegations
from azext_trust.signing.errors import InvalidName, NothingToDo
from azext_trust.tuf import keys
from azext_trust.tuf.errors import UnusableKey
from azext_trust.tuf.keys import PublicKey

_LAST = (
    'The signer "{name}" signed the last released version of {gun}. Removing this signer will make {gun} unpullable. '
    "Are you sure you want to continue?"
)
"""docker/cli cli/command/trust/signer_remove.go."""


def _public(files: list[str]) -> list[PublicKey]:
    """Return the keys of files.

    Raises:
        CLIError: a file cannot be read, or holds no public key.
    """
    found = []
    for name in files:
        try:
            found.append(keys.load_public_pem(Path(name).read_bytes()))
        except OSError as error:
            raise CLIError(f"unable to read public key from file: {name}: {error.strerror}") from None
        except UnusableKey as error:
            raise CLIError(f"could not parse public key from file: {name}: {error}") from None
    return found


def _checked(name: str) -> None:
    try:
        delegations.check_name(name)
    except InvalidName as error:
        raise CLIError(str(error)) from None


def add(
    context: Context, name: str, repositories: list[str], key: list[str], **access: Any
) -> list[dict[str, Any]]:  # fmt: skip
    """Let a signer sign repositories.

    Raises:
        CLIError: nobody can be called this, or a key cannot be read.
        TrustFailure: the repository's key is not here, or the server refuses.
    """
    _checked(name)
    public = _public(key)
    asked, rows = Access(context, **access), []
    for image in [asked.repository_named(text) for text in repositories]:
        words.say(context, f'Adding signer "{name}" to {image.gun}...')
        with asked.repository(image, WRITE, "failed to add signer", f"Adding signer to {image.gun}") as found:
            begun = delegations.add_signer(found, name, public)
        if begun:
            words.say(context, f'Finished initializing "{image.gun}"')
        words.say(context, f"Successfully added signer: {name} to {image.gun}", words.GOOD)
        rows.append({"repository": image.gun, "signer": name, "keys": [one.canonical_id for one in public]})
    return rows


def remove(
    context: Context, name: str, repositories: list[str], force: bool = False, **access: Any
) -> list[dict[str, Any]]:
    """Take a signer out of repositories; asks first where released tags could then no longer be pulled.

    Raises:
        CLIError: the user declined, or there is nobody to ask.
        TrustFailure: there is no such signer, the repository's key is not here, or the server refuses.
    """
    asked, rows = Access(context, **access), []
    for image in [asked.repository_named(text) for text in repositories]:
        words.say(context, f'Removing signer "{name}" from {image.gun}...')
        if not force and _is_last(asked, image, name):
            context.confirm(_LAST.format(name=name, gun=image.gun), False)
        with asked.repository(image, WRITE, "error removing signer", f"Removing signer from {image.gun}") as found:
            delegations.remove_signer(found, name)
        words.say(context, f"Successfully removed {name} from {image.gun}", words.GOOD)
        rows.append({"repository": image.gun, "signer": name})
    return rows


def _is_last(asked: Access, image: Any, name: str) -> bool:
    with asked.repository(image, READ) as found:
        try:
            return delegations.last_signer(found, name)
        except NothingToDo:
            # Nothing is released: nothing becomes unpullable. That there is no such signer is told when it is removed.
            return False


# Delegations


def listed(context: Context, repository: str, **access: Any) -> list[dict[str, Any]]:
    """Return a repository's delegations, parents first."""
    asked = Access(context, **access)
    image = asked.repository_named(repository)
    with asked.repository(image, READ) as found:
        rows = delegations.listed(found)
    return [
        {"role": row.role, "paths": list(row.paths), "keyIds": list(row.key_ids), "threshold": row.threshold}
        for row in rows
    ]


def delegate(
    context: Context, repository: str, role: str, key: list[str] | None = None, paths: list[str] | None = None,
    all_paths: bool = False, **access: Any,
) -> dict[str, Any]:  # fmt: skip
    """Delegate to a role, or add keys and paths to it.

    Raises:
        CLIError: neither a key nor a path was given, or a key cannot be read.
        TrustFailure: the role above is not delegated or may not give this away, or the keys are not here.
    """
    public, prefixes = _public(key or []), [""] if all_paths else list(paths or ())
    if not public and not prefixes:
        raise CLIError("must specify at least one public key certificate, or use --all-paths or --paths")
    asked = Access(context, **access)
    image = asked.repository_named(repository)
    with asked.repository(image, WRITE, f"failed to create a new {role} delegation") as found:
        delegations.add(found, role, public, prefixes)
    words.say(context, f"Addition of delegation role {role} to repository {image.gun} published", words.GOOD)
    return {
        "repository": image.gun, "role": role, "keyIds": [one.canonical_id for one in public], "paths": prefixes
    }  # fmt: skip


def undelegate(
    context: Context, repository: str, role: str, key_ids: list[str] | None = None, paths: list[str] | None = None,
    all_paths: bool = False, yes: bool = False, **access: Any,
) -> None:  # fmt: skip
    """Take keys or paths from a delegation; with neither, the delegation itself, which asks first.

    Raises:
        CLIError: the user declined, or there is nobody to ask.
        TrustFailure: there is no such delegation, or the key of the role above is not here.
    """
    asked = Access(context, **access)
    image = asked.repository_named(repository)
    if not key_ids and not paths and not all_paths:
        context.confirm(f"Are you sure you want to remove all data for this delegation? ({role})", yes)
    with asked.repository(image, WRITE, f"failed to remove {role}") as found:
        delegations.remove(found, role, key_ids or (), None if all_paths else paths or ())
    words.say(context, f"Removal of {role} from repository {image.gun} published", words.GOOD)


def purge(context: Context, repository: str, key: list[str], **access: Any) -> list[str]:
    """Take keys out of every delegation of a repository that can be changed with the keys here; return their roles.

    Raises:
        TrustFailure: no delegation could be changed.
    """
    asked = Access(context, **access)
    image = asked.repository_named(repository)
    with asked.repository(image, WRITE, "failed to purge the keys") as found:
        changed, left = delegations.purge(found, key)
    words.warn(context, *(f"{role} still names the key: the key of the role above it is not here" for role in left))
    words.say(context, f"Removed the keys from {len(changed)} delegations of {image.gun}", words.GOOD)
    return changed
