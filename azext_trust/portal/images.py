"""What the pages ask about images and their signatures. Who answers is chosen in one place, `images_of`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from azext_trust.cloud.connect import Connection

SIGNED, UNSIGNED, EXPIRED = "signed", "unsigned", "expired"


@dataclass(frozen=True)
class Tag:
    """A tag of a repository.

    Attributes:
        name: the tag.
        digest: what the registry has under it, ``sha256:...``.
        state: ``signed``, ``unsigned``, or ``expired`` when the trust data that names it has ended.
        signed_digest: what the trust data names; it may differ from `digest` after a push without signature.
        signer: the delegations or ``targets`` that signed it, empty when nobody did.
        signed: when the signature was made, RFC 3339, or empty.
        expires: when it ends, RFC 3339, or empty.
        updated: when the registry last changed the tag, RFC 3339.
    """

    name: str
    digest: str
    state: str
    signed_digest: str = ""
    signer: str = ""
    signed: str = ""
    expires: str = ""
    updated: str = ""


@dataclass(frozen=True)
class Signed:
    """What disabling content trust destroys in one repository: the names of signed tags and of signers."""

    name: str
    signed: tuple[str, ...]
    signers: tuple[str, ...]


class Images(Protocol):
    """A registry's images, as the visitor may see them."""

    def repositories(self, login_server: str, after: str, size: int) -> Sequence[str]:
        """Return names of repositories in order, at most `size`, those that follow `after`."""
        ...

    def tags(self, login_server: str, repository: str, after: str, size: int) -> Sequence[Tag]:
        """Return tags of a repository in order, at most `size`, those that follow `after`."""
        ...

    def signed(self, login_server: str) -> Sequence[Signed]:
        """Return the repositories that have trust data."""
        ...


class NoImages:
    """A registry in a cloud without login servers: nothing was ever pushed, so there is nothing to show."""

    def repositories(self, login_server: str, after: str, size: int) -> Sequence[str]:
        """Return no repository."""
        return ()

    def tags(self, login_server: str, repository: str, after: str, size: int) -> Sequence[Tag]:
        """Return no tag."""
        return ()

    def signed(self, login_server: str) -> Sequence[Signed]:
        """Return no repository."""
        return ()


def images_of(connection: Connection) -> Images:
    """Return what answers for a cloud's images.

    Args:
        connection: the visitor's; login servers are reached with it.
    """
    return NoImages()
