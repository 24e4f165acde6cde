"""The handlers that look at many repositories: ``trust status``, ``trust key lost``, ``trust cache``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from knack.util import CLIError

from azext_trust.cli.context import Context
from azext_trust.cli.progress import Progress
from azext_trust.cli.trust import words
from azext_trust.cli.trust.places import READ, Access, store
from azext_trust.clients.registry import LoginServer
from azext_trust.cloud.errors import CloudError
from azext_trust.names.images import Image
from azext_trust.signing import cache, inspection, lost
from azext_trust.signing.errors import NotInitialized
from azext_trust.signing.key_store import trust_directory
from azext_trust.tuf import roles
from azext_trust.tuf.errors import FreezeAttack, TufError


def _images(asked: Access, names: list[str] | None) -> list[Image]:
    """Return the repositories that were named; else all of the registry; else all that are cached here.

    Raises:
        CLIError: there are none to look at.
    """
    if names:
        return [asked.repository_named(text) for text in names]
    known = [Image.parse(one.gun) for one in cache.repositories(trust_directory())]
    if asked.registry:
        server = asked.named()
        # Trust data outlive images: what is known from before is looked at too.
        here = {one.repository for one in known if one.host.lower() == server.host.lower()}
        return [Image(server.host, name) for name in sorted({*_catalog(server), *here})]
    found = known
    if not found:
        raise CLIError("usage error: REPOSITORY [REPOSITORY ...] | --registry REGISTRY")
    return found


def _catalog(server: LoginServer) -> list[str]:
    return [str(name) for name in server.listed("/v2/_catalog", "repositories", "registry:catalog:*")]


def status(context: Context, repositories: list[str] | None = None, **access: Any) -> list[dict[str, Any]]:
    """Return how repositories stand: signed or not, until when, by whom, and which of their keys are here."""
    asked = Access(context, **access)
    images = _images(asked, repositories)
    rows = []
    with Progress("Reading trust data") as progress:
        for at, image in enumerate(images):
            progress.set(at / len(images), f"Reading trust data of {image.gun}")
            rows.append(_stands(asked, image))
    return rows


def _stands(asked: Access, image: Image) -> dict[str, Any]:
    """Return how one repository stands; what is wrong with it is told, not raised."""
    try:
        found = inspection.status(asked.opened(image, READ, None))
    except NotInitialized:
        return {"repository": image.gun, "signed": False}
    except FreezeAttack as error:
        return {"repository": image.gun, "signed": True, "expired": [error.role], "problem": str(error)}
    except (CloudError, TufError) as error:
        return {"repository": image.gun, "signed": None, "problem": str(error)}
    return _row(found)


_SERVERS_OWN = (roles.TIMESTAMP, roles.SNAPSHOT)
"""What the server signs again by itself does not expire for anybody, as long as its key does the signing."""


def _row(found: inspection.Status) -> dict[str, Any]:
    ending = [row for row in found.roles if row.role not in (_SERVERS_OWN if found.server_snapshot else ("timestamp",))]
    return {
        "repository": found.gun, "signed": found.tags > 0, "tags": found.tags, "signers": list(found.signers),
        "expires": min(row.expires for row in ending).isoformat(), "expired": [],
        "keysHeld": [row.role for row in found.roles if row.at_hand], "serverSnapshot": found.server_snapshot,
        "roles": [
            {"role": row.role, "version": row.version, "expires": row.expires.isoformat(), "keyIds": list(row.key_ids),
             "keysHeld": list(row.at_hand)}
            for row in found.roles
        ],
        "pending": list(found.pending), "stale": found.stale, "warnings": list(found.warnings),
    }  # fmt: skip


# A lost root key


def lost_key(
    context: Context, root: str | None = None, repositories: list[str] | None = None, **access: Any
) -> dict[str, Any]:
    """Return what a lost root key means: the repositories and tags under it, what is lost with it, the ways out.

    Raises:
        CLIError: nothing is known of any repository, or no repository is under such a key.
    """
    asked = Access(context, **access)
    if repositories or asked.registry:
        _refresh(asked, _images(asked, repositories))
    held = store().ids()
    known = list(lost.cached(trust_directory()))
    wanted = [root] if root else sorted(lost.root_keys(known) - held)
    found = [one for key in wanted for one in lost.concerned(key, known)]
    if not found and (root or not known):
        raise CLIError(_none(root))
    if not found:
        words.say(context, "No root key is missing: those of all repositories that are known here are in the key store.",
                  words.GOOD)  # fmt: skip
        return {"rootKeys": [], "repositories": [], "waysOut": []}
    here = [key for key in wanted if key in held or any(one.startswith(key) for one in held)]
    _explain(context, found, here, f"the missing root key{'s' if len(wanted) > 1 else ''}")
    return {"rootKeys": wanted, "repositories": [_concerned(one) for one in found], "waysOut": list(lost.WAYS_OUT)}


def _refresh(asked: Access, images: list[Image]) -> None:
    """Bring the cache up to date: it is what is looked at, so that it also works where no server answers."""
    with Progress("Reading trust data") as progress:
        for at, image in enumerate(images):
            progress.set(at / len(images), f"Reading trust data of {image.gun}")
            try:
                asked.opened(image, READ, None).load()
            except NotInitialized:
                continue
            except (CloudError, TufError) as error:
                words.warn(asked.context, f"{image.gun}: {error}")


def _none(root: str | None) -> str:
    if root:
        return (f"no repository that is known here is signed under the root key {root}; with --registry, those of a "
                "registry are looked at")  # fmt: skip
    return "no trust data is known here: name the registry with --registry, so that its repositories are looked at"


def _concerned(one: lost.Concerned) -> dict[str, Any]:
    return {
        "repository": one.gun, "certificateIds": list(one.certificate_ids), "otherRootKeys": list(one.other_root_keys),
        "tags": [{"tag": tag, "digest": f"sha256:{digest}"} for tag, digest in one.tags.items()],
    }  # fmt: skip


def _explain(context: Context, found: list[lost.Concerned], here: list[str], missing: str) -> None:
    for key in here:
        words.say(
            context, f"The root key {key} is here, in {trust_directory() / 'private'}: it is not lost.", words.GOOD
        )
    tags = sum(len(one.tags) for one in found)
    counted = (
        f"{len(found)} {'repository' if len(found) == 1 else 'repositories'} with {tags} signed "
        f"{'tag' if tags == 1 else 'tags'}"
    )
    words.say(
        context,
        f"Under {'it' if here else missing}: {counted}. They can be pulled as before; new tags can be signed "
        "as long as the repository's own key is here, but no key can be changed any more, and the root cannot be renewed "
        "when it expires.",
        words.ODD,
    )  # fmt: skip
    for number, way in enumerate(lost.WAYS_OUT, 1):
        words.say(context, f"{number}. {way}")


# The cache


def cached(context: Context) -> list[dict[str, Any]]:
    """Return the repositories whose trust data are cached here, with changes that docker noted and never published."""
    return [
        {"repository": one.gun, "roles": ["root", *one.cached_roles()], "pending": [str(p) for p in one.pending()]}
        for one in cache.repositories(trust_directory())
    ]


def clear(
    context: Context, repositories: list[str] | None = None, all_repositories: bool = False, **access: Any
) -> list[str]:
    """Forget what was trusted of repositories: whatever their server shows next is trusted anew. Keys stay.

    Raises:
        CLIError: nothing was named, or a file may not be deleted.
    """
    asked = Access(context, **access)
    try:
        found = [one.gun for one in _to_clear(asked, repositories, all_repositories) if one.clear()]
    except OSError as error:
        raise CLIError(f"{error.filename}: {error.strerror}") from None
    for gun in found:
        words.say(context, f"Forgot the trust data of {gun}", words.GOOD)
    if not found:
        words.say(context, "Nothing of it was cached here: 'aztrust trust cache list' shows what is.")
    return found


def _to_clear(asked: Access, names: list[str] | None, every: bool) -> Iterator[cache.TrustCache]:
    directory = trust_directory()
    if names:
        yield from (cache.TrustCache(directory, asked.repository_named(text).gun) for text in names)
    elif asked.registry:
        host = asked.named().host.lower()
        yield from (one for one in list(cache.folders(directory)) if one.gun.lower().startswith(f"{host}/"))
    elif every:
        yield from list(cache.folders(directory))
    else:
        raise CLIError("usage error: REPOSITORY [REPOSITORY ...] | --registry REGISTRY | --all")
