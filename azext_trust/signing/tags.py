"""Sign, verify, resolve and revoke tags, as docker does (dct-wire-contract.md section 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from azext_trust.names import images
from azext_trust.signing import delegations
from azext_trust.signing.draft import Draft, Repository, change
from azext_trust.signing.errors import InvalidName, NoSuchTag, NotASigner, NothingToDo, SigningError
from azext_trust.signing.updater import Loaded
from azext_trust.tuf import roles, walk
from azext_trust.tuf.metadata import FileMeta
from azext_trust.tuf.walk import SignedTag


@dataclass(frozen=True)
class Outcome:
    """What an operation did.

    Attributes:
        gun: the repository.
        tags: the tags concerned.
        roles: the roles that were signed.
        initialised: whether the repository began with it.
        warnings: what the user should know.
    """

    gun: str
    tags: tuple[str, ...]
    roles: tuple[str, ...]
    initialised: bool = False
    warnings: tuple[str, ...] = field(default=())


def manifest(digest: str, length: int) -> FileMeta:
    """Describe a manifest as docker signs it: SHA-256 alone, and its size.

    Args:
        digest: ``sha256:...``.
        length: bytes of the manifest.

    Raises:
        InvalidName: the digest or length is none.
    """
    if not images.valid_digest(digest) or not digest.startswith("sha256:") or length <= 0:
        raise InvalidName(f"{digest} with {length} bytes is no manifest that could be signed")
    return FileMeta(length, {"sha256": bytes.fromhex(digest.partition(":")[2])})


def sign(repository: Repository, tag: str, file: FileMeta, *, signer: str = "") -> Outcome:
    """Sign one tag; see `sign_all`."""
    return sign_all(repository, {tag: file}, signer=signer)


def sign_all(repository: Repository, files: Mapping[str, FileMeta], *, signer: str = "") -> Outcome:
    """Sign tags in one publish: each into every direct child delegation for which a key is held, else into targets.

    Args:
        repository: where; it is begun when it has no trust data yet.
        files: tag to what it stands for, see `manifest`.
        signer: begin a new repository with this signer (``docker trust sign``); empty begins it without
            (``docker push``).

    Raises:
        NotASigner: there are delegations, and no key for any of them that covers a tag.
        MissingKeys: there are none, and the repository's key is not at hand.
        RemoteError, TrustError: the server, or what it sent.
    """
    if not all(images.valid_tag(tag) for tag in files):
        raise InvalidName("invalid reference format")
    signed: dict[str, None] = {}

    def make(draft: Draft) -> None:
        if draft.root is None and signer:
            delegations.add_signer_to(draft, signer, [delegations.key_of(repository.store, signer).public])
        signed.clear()
        for tag, file in files.items():
            for role in signable(draft, tag):
                draft.set_target(role, tag, file)
                signed[role] = None

    draft = change(repository, make, initialise=True)
    return Outcome(
        repository.remote.gun, tuple(files), tuple(signed), draft.root is None, _warnings(repository, draft)
    )  # fmt: skip


def signable(draft: Draft, tag: str) -> list[str]:
    """Return the roles into which a tag is signed with the keys at hand (docker cli/trust GetSignableRoles).

    Raises:
        NotASigner: there are delegations, and none of them can be signed.
    """
    declared = (draft.fields(roles.TARGETS).get("delegations") or {}).get("roles") or []
    if not declared:
        return [roles.TARGETS]
    names = [value["name"] for value in declared if roles.covers(value.get("paths") or (), tag)]
    found = [name for name in names if draft.at_hand(name)]
    if not found:
        raise NotASigner
    return found


def _warnings(repository: Repository, draft: Draft) -> tuple[str, ...]:
    found = list(draft.loaded.warnings) if draft.loaded else []
    for pending in repository.cache.pending():
        found.append(
            f"A change that docker noted and never published is waiting: {pending}. The next docker push of this "
            "repository sends it along; aztrust does not."
        )
    return tuple(found)


# Reading


def resolve(repository: Repository, tag: str) -> SignedTag:
    """Return what a tag stands for, as docker's pull finds it: targets/releases first, then targets.

    Raises:
        NotInitialized: the repository has no trust data.
        NoSuchTag: the tag is not signed there.
        RemoteError, TrustError: the server, or what it sent.
    """
    return resolve_in(repository.load(), tag)


def resolve_in(loaded: Loaded, tag: str) -> SignedTag:
    """Return what a tag stands for in a verified collection.

    Raises:
        NoSuchTag: the tag is not signed there.
    """
    found = walk.find(loaded.targets, tag)
    if found is None or found.role not in walk.PULL_ORDER:
        raise NoSuchTag(tag)
    return found


def verify(repository: Repository, tag: str, digest: str) -> SignedTag:
    """Return a tag's signature when it is for this digest.

    Raises:
        NoSuchTag: the tag is not signed.
        SigningError: it is signed for another digest.
    """
    found = resolve(repository, tag)
    if f"sha256:{found.file.sha256}" != digest:
        raise SigningError(f"{tag} is signed for sha256:{found.file.sha256}, not for {digest}")
    return found


# Revoking


def revoke(repository: Repository, tag: str) -> Outcome:
    """Take a tag out of every role that signs it and for which a key is held (``docker trust revoke``).

    docker leaves a tag in targets when there are delegations; here it goes from there too, if the key is at hand.

    Raises:
        NoSuchTag: the tag is not released.
        NotASigner, MissingKeys: no key for any of the roles that sign it.
    """
    return _revoke(repository, [tag])


def revoke_all(repository: Repository) -> Outcome:
    """Take all released tags out of every role for which a key is held.

    Raises:
        NothingToDo: there are none.
    """
    return _revoke(repository, None)


def _revoke(repository: Repository, wanted: Iterable[str] | None) -> Outcome:
    done: dict[str, set[str]] = {}

    def make(draft: Draft) -> None:
        done.clear()
        released = walk.listed(draft.targets, walk.PULL_ORDER)
        names = list(released) if wanted is None else list(wanted)
        if not names:
            raise NothingToDo("no signed tags to remove")
        for name in names:
            if name not in released:
                raise NoSuchTag(name)
            done[name] = set(_remove(draft, name))

    draft = change(repository, make)
    gone = {role for found in done.values() for role in found}
    return Outcome(
        repository.remote.gun,
        tuple(done),
        tuple(sorted(gone)),
        False,
        _warnings(repository, draft) + _left(draft, done),
    )


def _remove(draft: Draft, name: str) -> list[str]:
    holders = [role for role, targets in draft.targets.items() if name in targets.targets]
    found = [role for role in holders if draft.at_hand(role)]
    if not found:
        if holders == [roles.TARGETS]:
            draft.require_key(roles.TARGETS)
        raise NotASigner
    for role in found:
        draft.remove_target(role, name)
    return found


def _left(draft: Draft, done: dict[str, set[str]]) -> tuple[str, ...]:
    """Name tags that a reader still finds, because a role signs them whose key is not at hand."""
    return tuple(
        f"{found.name} is still signed by {found.role}, whose key is not here"
        for name, gone in done.items()
        for found in walk.signatures(draft.targets, name)
        if found.role in walk.PULL_ORDER and found.role not in gone
    )
