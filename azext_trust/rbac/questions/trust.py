"""What is known of a registry's trust data: metadata, keys, delegations, tags; and whose key a delegation's is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from azext_trust.rbac.questions.facts import Person

TARGETS, RELEASES, ROOT = "targets", "targets/releases", "root"


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that some role's metadata name.

    Attributes:
        id: the key's id, without certificates around it.
        kind: ``ecdsa``, ``rsa``, ``ed25519`` or another word.
        size: bits of an RSA key or of a curve; 0 when not known.
        expires: when its certificate ends (ISO 8601), empty without one.
    """

    id: str
    kind: str
    size: int = 0
    expires: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """A role's newest metadata.

    Attributes:
        role: ``root``, ``targets``, ``targets/alice``, ``snapshot``, ``timestamp``.
        version: its number.
        expires: when it ends, ISO 8601.
        keys: those that may sign it.
        threshold: how many of them must.
        server: the server holds its key and signs it again by itself.
    """

    role: str
    version: int
    expires: str
    keys: tuple[Key, ...] = ()
    threshold: int = 1
    server: bool = False


@dataclass(frozen=True, slots=True)
class SignedTag:
    """A tag that a role signs; the digest is in lower-case hex, without ``sha256:``."""

    tag: str
    role: str
    digest: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with trust data, or with images, or both.

    Attributes:
        gun: host and name.
        name: without the host.
        metadata: the newest of every role; empty without trust data.
        signed: signed tags.
        tags: tags of images with their digests (hex); None where images are not known.
        manifests: digests (hex) of all live manifests; None where images are not known.
        publishers: role to the object ids of who published it, as the log has it.
    """

    gun: str
    name: str
    metadata: tuple[Metadata, ...] = ()
    signed: tuple[SignedTag, ...] = ()
    tags: Mapping[str, str] | None = None
    manifests: frozenset[str] | None = None
    publishers: Mapping[str, frozenset[str]] | None = None

    @property
    def delegations(self) -> tuple[Metadata, ...]:
        """The delegated roles that are a signer's own."""
        return tuple(one for one in self.metadata if one.role.startswith("targets/") and one.role != RELEASES)


def signer_of(role: str) -> str:
    """Return a delegation's signer: ``alice`` of ``targets/alice``."""
    return role.partition("/")[2]


def is_named(person: Person, signer: str) -> bool:
    """Tell whether a delegation's name is a principal's: docker takes it as typed, hence only its letters count."""
    names = {person.name, person.name.partition("@")[0], person.display_name, person.app_id, person.id}
    return _letters(signer) in {_letters(name) for name in names if name}


def _letters(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())


def keys_of(person: Person, repositories: Iterable[Repository]) -> tuple[tuple[str, ...], str]:
    """Return the ids of the signing keys that are a principal's in these repositories, and how one knows.

    The log knows best: who published a delegation's metadata held its key. Else the names tell.
    """
    logged: list[str] = []
    named: list[str] = []
    for repository in repositories:
        published = repository.publishers or {}
        for one in repository.metadata:
            if one.role == TARGETS and not repository.delegations and person.id in published.get(one.role, ()):
                logged += [key.id for key in one.keys]
        for one in repository.delegations:
            if person.id in published.get(one.role, ()):
                logged += [key.id for key in one.keys]
            elif is_named(person, signer_of(one.role)):
                named += [key.id for key in one.keys]
    found = tuple(dict.fromkeys(logged or named))
    return found, ("as the log shows" if logged else "by the delegation's name") if found else ""
