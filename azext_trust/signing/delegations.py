"""Signers and delegations (``docker trust signer``, ``notary delegation``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from azext_trust.signing.draft import Draft, Repository, change
from azext_trust.signing.errors import InvalidName, NothingToDo
from azext_trust.signing.key_store import KeyStore, check_signer_name
from azext_trust.tuf import edit, keys, roles, walk
from azext_trust.tuf.errors import UndelegatedRole
from azext_trust.tuf.keys import PrivateKey, PublicKey
from azext_trust.tuf.metadata import Role, Targets


@dataclass(frozen=True)
class DelegationInfo:
    """A delegation as it stands.

    Attributes:
        role: its name.
        paths: prefixes of the tags it may sign.
        key_ids: ids of its keys, without certificates around them.
        threshold: how many must sign.
    """

    role: str
    paths: tuple[str, ...]
    key_ids: tuple[str, ...]
    threshold: int


def listed(repository: Repository) -> list[DelegationInfo]:
    """Return all delegations, parents first; errors as in `Repository.load`."""
    return of(repository.load().targets)


def of(loaded: dict[str, Targets]) -> list[DelegationInfo]:
    """Return the delegations of verified targets."""
    found = []
    for targets, _ in walk.walk(loaded):
        for name, delegation in targets.delegations.items():
            bare = keys.same_material(delegation.role.keys)
            key_ids = tuple(bare[key_id] for key_id in delegation.key_ids)
            found.append(DelegationInfo(name, delegation.role.paths, key_ids, delegation.role.threshold))
    return found


def key_of(store: KeyStore, signer: str) -> PrivateKey:
    """Return a signer's key: the first of this name by id, else a new one."""
    held = store.of_role(signer)
    return store.get(held[0].key_id) if held else store.create(signer)


# Signers: a delegation with the signer's name, and targets/releases


def add_signer(repository: Repository, name: str, public: Sequence[PublicKey]) -> bool:
    """Let a signer sign a repository (``docker trust signer add``); tell whether it was begun with this.

    Args:
        repository: where; it is begun when it has no trust data yet.
        name: the signer.
        public: its public keys.

    Raises:
        InvalidName: a signer cannot be called this.
        MissingKeys: the repository's key is not at hand.
    """
    check_name(name)
    draft = change(repository, lambda draft: add_signer_to(draft, name, public), initialise=True)
    return draft.root is None


def check_name(name: str) -> None:
    """Refuse names that docker refuses for signers.

    Raises:
        InvalidName: with docker's text.
    """
    check_signer_name(name)
    if name == "releases":
        raise InvalidName("releases is a reserved keyword, please use a different signer name")


def add_signer_to(draft: Draft, name: str, public: Sequence[PublicKey]) -> None:
    """Declare a signer's two delegations in a draft."""
    check_name(name)
    for role in (f"targets/{name}", roles.RELEASES):
        draft.change(roles.TARGETS, edit.with_delegation, Role(role, 1, {key.id: key for key in public}))


def last_signer(repository: Repository, name: str) -> bool:
    """Tell whether without a signer the released tags could no longer be pulled (docker asks before it goes on).

    Raises:
        NothingToDo: there is no such signer, or no released tag is signed.
    """
    loaded = repository.load()
    found = _signer(loaded.targets, name)
    released = loaded.targets.get(roles.RELEASES)
    if released is None or not released.envelope.signatures:
        raise NothingToDo("All signed tags are currently revoked, use docker trust sign to fix")
    gone = set(found.key_ids)
    left = [one for one in released.envelope.signatures if one.key_id not in gone]
    role = loaded.targets[roles.TARGETS].delegations[roles.RELEASES].role
    return len(left) < role.threshold


def _signer(loaded: dict[str, Targets], name: str) -> DelegationInfo:
    for found in of(loaded):
        if found.role == f"targets/{name}":
            return found
    raise NothingToDo(f"No signer {name} for this repository")


def remove_signer(repository: Repository, name: str) -> None:
    """Take a signer out of a repository; its keys go from targets/releases too.

    Raises:
        InvalidName: releases is no signer.
        NothingToDo: there is no such signer.
        MissingKeys: the repository's key is not at hand.
    """
    if name == "releases":
        raise InvalidName("releases is a reserved keyword and cannot be removed")

    def make(draft: Draft) -> None:
        found = _signer(draft.targets, name)
        draft.change(roles.TARGETS, edit.without_delegation_keys, roles.RELEASES, found.key_ids)
        draft.change(roles.TARGETS, edit.without_delegation, found.role)

    change(repository, make)


# Delegations of any depth


def add(repository: Repository, role: str, public: Sequence[PublicKey], paths: Sequence[str]) -> None:
    """Delegate to a role, or add keys and paths to it (``notary delegation add``).

    Raises:
        InvalidName: no delegation can be called this.
        UndelegatedRole: the role above it is not delegated, or may not give away these paths.
        MissingKeys: the key of the role above is not at hand.
    """
    _check(role)

    def make(draft: Draft) -> None:
        parent = roles.parent(role)
        if roles.restrict(draft.role_of(parent).paths if parent != roles.TARGETS else ("",), paths) != tuple(paths):
            raise UndelegatedRole(role, "invalid paths to add to role")
        draft.change(parent, edit.with_delegation, Role(role, 1, {key.id: key for key in public}, tuple(paths)))

    change(repository, make)


def remove(repository: Repository, role: str, key_ids: Iterable[str] = (), paths: Iterable[str] | None = ()) -> None:
    """Take keys or paths from a delegation; with neither, take the delegation away (``notary delegation remove``).

    Args:
        repository: where.
        role: the delegation; ending in ``/*`` with keys: all direct children (``notary delegation purge``).
        key_ids: ids of keys, with or without certificates around them.
        paths: paths; None means all of them.

    Raises:
        NothingToDo: there is no such delegation.
        MissingKeys: the key of the role above is not at hand.
    """
    if not role.endswith("/*"):
        _check(role)
    key_ids, paths = list(key_ids), paths if paths is None else list(paths)

    def make(draft: Draft) -> None:
        parent = roles.parent(role)
        if not role.endswith("/*"):
            draft.role_of(role)
        if key_ids:
            draft.change(parent, edit.without_delegation_keys, role, key_ids)
        if paths is None or paths:
            draft.change(parent, edit.without_delegation_paths, role, paths)
        if not key_ids and paths == []:
            draft.change(parent, edit.without_delegation, role)

    change(repository, make)


def purge(repository: Repository, key_ids: Iterable[str]) -> tuple[list[str], list[str]]:
    """Take keys out of all delegations, in one publish (``notary delegation purge``).

    Args:
        repository: where.
        key_ids: ids of keys, with or without certificates around them.

    Returns:
        the delegations that changed, and those that still name a key because that of the role above is not at hand.

    Raises:
        NothingToDo: no delegation names any of the keys.
        MissingKeys: those that do cannot be changed with the keys at hand.
    """
    gone = frozenset(key_ids)
    changed: list[str] = []
    left: list[str] = []

    def make(draft: Draft) -> None:
        changed.clear()
        left.clear()
        for parent, names in _naming(draft.targets, gone).items():
            (changed if draft.at_hand(parent) else left).extend(names)
            if draft.at_hand(parent):
                draft.change(parent, edit.without_delegation_keys, f"{parent}/*", gone)
        if not changed and left:
            draft.require_key(roles.parent(left[0]))
        if not changed:
            raise NothingToDo("no delegation names any of these keys")

    change(repository, make)
    return changed, left


def _naming(loaded: dict[str, Targets], key_ids: frozenset[str]) -> dict[str, list[str]]:
    """Return each role with those of its delegations that name one of the keys."""
    found: dict[str, list[str]] = {}
    for parent, targets in loaded.items():
        for name, delegation in targets.delegations.items():
            bare = keys.same_material(delegation.role.keys)
            if key_ids & {*bare, *bare.values()}:
                found.setdefault(parent, []).append(name)
    return found


def _check(role: str) -> None:
    if not roles.is_delegation(role):
        raise InvalidName(f"tuf: invalid role {role}. invalid delegation role name")
