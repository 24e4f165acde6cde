"""What the pages ask about images and their signatures. Who answers is chosen in one place, `images_of`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from azext_trust.clients.registry import LoginServer, RegistryError
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


class LoginServerImages:
    """What a login server itself tells: its catalog and tags, each tag with ACR's own mark of a signature.

    Signers and times are in the trust data, which its own service tells.

    Args:
        connection: the visitor's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def repositories(self, login_server: str, after: str, size: int) -> Sequence[str]:
        """Return names of repositories, none in a cloud that has no login servers."""
        found = self._asked(login_server, "/acr/v1/_catalog", "registry:catalog:*", after, size)
        return [str(name) for name in found.get("repositories") or ()]

    def tags(self, login_server: str, repository: str, after: str, size: int) -> Sequence[Tag]:
        """Return tags of a repository."""
        path = f"/acr/v1/{quote(repository)}/_tags"
        found = self._asked(login_server, path, f"repository:{repository}:metadata_read", after, size)
        return [_tag(row) for row in found.get("tags") or ()]

    def signed(self, login_server: str) -> Sequence[Signed]:
        """Return the repositories with signed tags, of the first that the catalog names."""
        rows = [
            Signed(name, tuple(tag.name for tag in self.tags(login_server, name, "", _MOST) if tag.state == SIGNED), ())
            for name in self.repositories(login_server, "", _MOST)
        ]
        return [row for row in rows if row.signed]

    def _asked(self, login_server: str, path: str, scope: str, after: str, size: int) -> dict[str, Any]:
        query = urlencode({"n": size, **({"last": after} if after else {})})
        server = LoginServer(self._connection, login_server)
        try:
            # What has no token service is no login server: a cloud without them answers 404 everywhere.
            if not server.challenge():
                return {}
            found: dict[str, Any] = server.call("GET", f"{path}?{query}", scope)
        except RegistryError as error:
            if error.status != 404:
                raise
            return {}
        return found


_MOST = 100
"""Repositories, and tags of each, that are looked through for the warning before content trust is disabled."""


def _tag(row: dict[str, Any]) -> Tag:
    state = SIGNED if row.get("signed") else UNSIGNED
    return Tag(str(row["name"]), str(row["digest"]), state, updated=str(row.get("lastUpdateTime") or ""))


def images_of(connection: Connection) -> Images:
    """Return what answers for a cloud's images.

    Args:
        connection: the visitor's; login servers are reached with it.
    """
    return LoginServerImages(connection)
