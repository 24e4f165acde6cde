"""Rotating keys of the base roles (``notary key rotate``)."""

from __future__ import annotations

from dataclasses import dataclass

from azext_trust.signing.draft import Draft, Repository, change
from azext_trust.signing.errors import InvalidName
from azext_trust.signing.notary import read_key
from azext_trust.tuf import certificates, roles
from azext_trust.tuf.keys import PublicKey


@dataclass(frozen=True)
class Rotated:
    """What a rotation did.

    Attributes:
        role: the role.
        before, after: ids of its keys as the root names them.
        server: whether the server keeps the new key.
    """

    role: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    server: bool


def rotate(repository: Repository, role: str, *, server: bool = False, key_id: str = "") -> Rotated:
    """Give a base role a new key; the root is signed with the old root key and the new one.

    Args:
        repository: where.
        role: ``root``, ``targets``, ``snapshot`` or ``timestamp``.
        server: let the server make and keep the key (snapshot and timestamp).
        key_id: rotate to this key of the store instead of a new one.

    Raises:
        InvalidName: the role's key cannot be managed there; the text is notary's.
        MissingKeys: the root key, or that of what must be signed anew, is not at hand.
    """
    check(role, server)
    # Made once: a second try after a conflict must not make a second key.
    made: list[PublicKey] = []
    done: list[Rotated] = []

    def make(draft: Draft) -> None:
        assert draft.root is not None  # change() without initialise has loaded one
        draft.require_key(roles.ROOT)
        if not made:
            made.append(_new_key(repository, draft, role, server, key_id))
        before = tuple(draft.root.of(role).keys)
        draft.replace_keys(role, made)
        done[:] = [Rotated(role, before, tuple(key.id for key in made), server)]

    change(repository, make)
    return done[0]


def check(role: str, server: bool) -> None:
    """Refuse what notary refuses.

    Raises:
        InvalidName: with notary's text.
    """
    if role not in roles.BASE_ROLES:
        raise InvalidName(f"notary does not currently permit rotating the {role} key")
    if server and role not in (roles.SNAPSHOT, roles.TIMESTAMP):
        raise InvalidName(f"notary does not permit the server managing the {role} key")
    if not server and role == roles.TIMESTAMP:
        raise InvalidName(f"notary does not permit the client managing the {role} key")


def _new_key(repository: Repository, draft: Draft, role: str, server: bool, key_id: str) -> PublicKey:
    if server:
        return read_key(repository.remote.rotate_key(role))
    gun = repository.remote.gun
    private = (
        repository.store.get(repository.store.info(key_id).key_id) if key_id else repository.store.create(role, gun)
    )
    return certificates.make(private, gun, draft.now) if role == roles.ROOT else private.public
