"""The handlers that work on images: sign, revoke, resolve, verify, inspect."""

from __future__ import annotations

import sys
from typing import Any

from knack.util import CLIError

from azext_trust.cli.context import Context
from azext_trust.cli.trust import pretty, words
from azext_trust.cli.trust.failures import TrustFailure
from azext_trust.cli.trust.places import MANAGE, READ, WRITE, Access
from azext_trust.clients.registry import RegistryError
from azext_trust.names.images import Image
from azext_trust.signing import inspection, tags
from azext_trust.signing.errors import NotInitialized
from azext_trust.tuf.metadata import FileMeta
from azext_trust.tuf.walk import SignedTag


def _named(images: list[str] | None, image: list[str] | None) -> list[str]:
    """Return the names that were given, as positional arguments or with ``--image``.

    Raises:
        CLIError: none was.
    """
    found = [*(images or ()), *(image or ())]
    if not found:
        raise CLIError("usage error: IMAGE [IMAGE ...] | --registry REGISTRY --image IMAGE")
    return found


# Sign


def sign(
    context: Context, images: list[str] | None = None, image: list[str] | None = None, digest: str | None = None,
    length: int | None = None, signer: str | None = None, **access: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """Sign tags: those of one repository in one publish.

    Raises:
        CLIError: the names or options do not fit, or there is no such image.
        TrustFailure: a tag could not be signed.
    """
    asked = Access(context, **access)
    found = [asked.image(text, tagged=True) for text in _named(images, image)]
    if (digest is None) != (length is None) or (digest and len(found) != 1):
        raise CLIError("usage error: IMAGE --digest DIGEST --length BYTES")
    rows = []
    for gun in dict.fromkeys(one.gun for one in found):
        own = [one for one in found if one.gun == gun]
        files = {one.tag: _file(asked, one, digest, length) for one in own}
        rows += _signed(context, asked, own[0], files, signer or "")
    return rows


def _file(asked: Access, image: Image, digest: str | None, length: int | None) -> FileMeta:
    if digest and length is not None:
        return tags.manifest(digest, length)
    return tags.manifest(*asked.manifest(image, image.tag))


def _signed(
    context: Context, asked: Access, image: Image, files: dict[str, FileMeta], signer: str
) -> list[dict[str, Any]]:  # fmt: skip
    words.say(context, "Signing and pushing trust metadata")
    names = [f"{image.gun}:{tag}" for tag in files]
    with asked.repository(image, WRITE, f"failed to sign {names[0]}", f"Signing {names[0]}") as repository:
        done = tags.sign_all(repository, files, signer=signer)
    words.warn(context, *done.warnings)
    if done.initialised:
        words.say(context, f'Finished initializing "{image.gun}"')
    for name in names:
        words.say(context, f"Successfully signed {name}", words.GOOD)
    return [
        {"image": f"{image.gun}:{tag}", "digest": f"sha256:{file.sha256}", "length": file.length,
         "roles": list(done.roles), "initialized": done.initialised}
        for tag, file in files.items()
    ]  # fmt: skip


# Revoke


def revoke(
    context: Context, images: list[str] | None = None, image: list[str] | None = None, yes: bool = False, **access: Any
) -> list[dict[str, Any]]:
    """Take signatures away: a tag's, or all of a repository, which asks first.

    Raises:
        CLIError: the user declined, or there is nobody to ask.
        TrustFailure: nothing of it is signed, or the keys are not here.
    """
    asked = Access(context, **access)
    found = [asked.image(text) for text in _named(images, image)]
    for one in found:
        if one.digest:
            raise CLIError("cannot use a digest reference for IMAGE:TAG")
        if not one.tag:
            context.confirm(f"Please confirm you would like to delete all signature data for {one.gun}?", yes)
    return [_revoked(context, asked, one) for one in found]


def _revoked(context: Context, asked: Access, image: Image) -> dict[str, Any]:
    with asked.repository(image, WRITE, f"could not remove signature for {image}", f"Revoking {image}") as repository:
        done = tags.revoke(repository, image.tag) if image.tag else tags.revoke_all(repository)
    words.warn(context, *done.warnings)
    words.say(context, f"Successfully deleted signature{'' if image.tag else 's'} for {image}", words.GOOD)
    return {"image": str(image), "tags": list(done.tags), "roles": list(done.roles)}


def delete(context: Context, repository: str, yes: bool = False, **access: Any) -> None:
    """Delete all trust data of one repository on the server, and what is cached of it; images and keys stay.

    Raises:
        CLIError: the user declined, or there is nobody to ask.
        TrustFailure: the server refuses.
    """
    asked = Access(context, **access)
    image = asked.repository_named(repository)
    context.confirm(
        f"This deletes every signature and the signed history of {image.gun} for good; its images stay. Continue?", yes
    )
    with asked.repository(image, MANAGE, title=f"Deleting the trust data of {image.gun}") as found:
        found.remote.delete()
        found.cache.clear()
    words.say(context, f"Successfully deleted local and remote trust data for repository {image.gun}", words.GOOD)


# Resolve and verify


def resolve(
    context: Context, images: list[str] | None = None, image: list[str] | None = None, **access: Any
) -> dict[str, Any]:
    """Return what a signed tag stands for, as docker's pull finds it.

    Raises:
        CLIError: not exactly one image was named.
        TrustFailure: it is not signed, or not to be trusted.
    """
    asked = Access(context, **access)
    named = _named(images, image)
    if len(named) != 1:
        raise CLIError("usage error: one IMAGE")
    return _resolved(context, asked, asked.image(named[0], tagged=True))


def _resolved(context: Context, asked: Access, image: Image) -> dict[str, Any]:
    with asked.repository(image, READ) as repository:
        loaded = repository.load()
        found = tags.resolve_in(loaded, image.tag)
        shown = inspection.signed_tags(loaded, image.tag)
    words.warn(context, *loaded.warnings)
    return _row(image, found, next(row["Signers"] for row in shown if row["Digest"] == found.file.sha256))


def _row(image: Image, found: SignedTag, signers: list[str]) -> dict[str, Any]:
    digest = f"sha256:{found.file.sha256}"
    return {
        "image": str(image), "digest": digest, "length": found.file.length, "reference": f"{image.gun}@{digest}",
        "role": found.role, "signers": signers,
    }  # fmt: skip


def verify(
    context: Context, images: list[str] | None = None, image: list[str] | None = None, digest: str | None = None,
    **access: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """Verify that tags are signed, and signed for just what the registry has under them.

    Raises:
        CLIError: the names and options do not fit.
        TrustFailure: a tag is not signed, not to be trusted, or signed for another image.
    """
    asked = Access(context, **access)
    found = [asked.image(text, tagged=True) for text in _named(images, image)]
    if digest and len(found) != 1:
        raise CLIError("usage error: IMAGE --digest DIGEST")
    rows = []
    for one in found:
        row = _resolved(context, asked, one)
        _compare(asked, one, row, digest)
        words.say(context, f"{one} is signed by {', '.join(row['signers'])} for {row['digest']}", words.GOOD)
        rows.append(row)
    return rows


def _compare(asked: Access, image: Image, row: dict[str, Any], digest: str | None) -> None:
    if digest:
        if digest != row["digest"]:
            raise TrustFailure(f"{image} is signed for {row['digest']}, not for {digest}")
        return
    present, _ = asked.manifest(image, image.tag)
    if present != row["digest"]:
        raise TrustFailure(
            f"{image} is signed for {row['digest']}, but the registry has {present} under this tag: it was pushed "
            f"without being signed. Trusted clients pull {row['reference']}."
        )
    _, length = asked.manifest(image, present)
    if length != row["length"]:
        raise TrustFailure(f"{image} is signed with {row['length']} bytes, but the registry's manifest has {length}")


# Inspect


def inspect(
    context: Context, images: list[str] | None = None, image: list[str] | None = None, plain: bool = False,
    **access: Any,
) -> list[dict[str, Any]] | None:  # fmt: skip
    """Return what is signed by whom, as ``docker trust inspect`` shows it.

    Raises:
        TrustFailure: a repository has no trust data, or none that may be trusted.
    """
    asked = Access(context, **access)
    rows = [_inspected(context, asked, text) for text in _named(images, image)]
    if not plain:
        return rows
    for row in rows:
        sys.stdout.write(pretty.inspected(row))
    return None


def _inspected(context: Context, asked: Access, text: str) -> dict[str, Any]:
    image = asked.image(text)
    try:
        with asked.repository(image, READ) as repository:
            try:
                loaded = repository.load()
            except NotInitialized:
                raise TrustFailure(f"No signatures or cannot access {image.gun}") from None
            row = inspection.inspected(loaded, str(image), image.tag)
    except RegistryError as error:
        raise TrustFailure(f"No signatures or cannot access {image.gun}: {error}") from None
    words.warn(context, *loaded.warnings)
    return row
