"""What signing needs of a Notary server; `clients.notary` speaks it over HTTP, tests have a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from azext_trust.tuf import canonical
from azext_trust.tuf.keys import PublicKey


class Remote(Protocol):
    """The trust data of one repository on a server (dct-wire-contract.md section 4).

    Every method may raise a `clients.notary_errors.RemoteError`.
    """

    @property
    def gun(self) -> str:
        """The repository's name, host included."""
        ...

    @property
    def server(self) -> str:
        """The server as docker names it in its texts: ``myregistry.azurecr.io``."""
        ...

    def fetch(self, name: str, limit: int) -> bytes:
        """Return metadata.

        Args:
            name: ``timestamp``, ``targets/alice``; with a digest ``snapshot.<64 hex digits>``; with a version
                ``2.root``.
            limit: largest number of bytes to read; one more may be returned, to show that there are more.

        Raises:
            NoTrustData: there are none of this name.
        """
        ...

    def publish(self, parts: Mapping[str, bytes]) -> None:
        """Store metadata, all of them or none.

        Args:
            parts: role to bytes.

        Raises:
            Rejected: they are refused.
            Conflict: somebody else published first.
        """
        ...

    def server_key(self, role: str) -> bytes:
        """Return the server's key for a role, made on demand, as JSON."""
        ...

    def rotate_key(self, role: str) -> bytes:
        """Return a new key of the server for a role, as JSON; it counts once a root names it."""
        ...

    def delete(self) -> None:
        """Delete all trust data of the repository on the server."""
        ...


def read_key(raw: bytes) -> PublicKey:
    """Return a public key that a server sent.

    Raises:
        MalformedMetadata: it is none.
    """
    return PublicKey.from_dict(canonical.decode(raw))
