"""What the pages ask about images and their signatures. Who answers is chosen in one place, `images_of`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlencode

import requests

from azext_trust.clients.notary import Notary
from azext_trust.clients.notary_errors import RemoteError
from azext_trust.clients.registry import LoginServer, RegistryError
from azext_trust.cloud.connect import Connection
from azext_trust.signing.errors import NotInitialized
from azext_trust.signing.looking import SeenTag, look

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
    """A login server's catalog and tags, with what its trust data say of each tag.

    Args:
        connection: the visitor's.
        now: the cloud's present, for what has ended.
    """

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._server: LoginServer | None = None
        self._dates: dict[str, str] = {}

    def repositories(self, login_server: str, after: str, size: int) -> Sequence[str]:
        """Return names of repositories, none in a cloud that has no login servers."""
        found = self._asked(login_server, "/acr/v1/_catalog", "registry:catalog:*", after, size)
        return [str(name) for name in found.get("repositories") or ()]

    def tags(self, login_server: str, repository: str, after: str, size: int) -> Sequence[Tag]:
        """Return tags of a repository.

        Raises:
            Distrusted: the trust data are not to be believed.
        """
        path = f"/acr/v1/{quote(repository)}/_tags"
        found = self._asked(login_server, path, f"repository:{repository}:metadata_read", after, size)
        seen = {one.name: one for one in self._seen(login_server, repository)} if found else {}
        return [self._tag(row, seen.get(str(row["name"]))) for row in found.get("tags") or ()]

    def signed(self, login_server: str) -> Sequence[Signed]:
        """Return the repositories with signed tags, of the first that the catalog names."""
        found = []
        for name in self.repositories(login_server, "", _MOST):
            seen = self._seen(login_server, name)
            signers = sorted({signer for one in seen for signer in one.signers})
            if seen:
                found.append(Signed(name, tuple(one.name for one in seen), tuple(signers)))
        return found

    def _login(self, login_server: str) -> LoginServer:
        if self._server is None or self._server.host != login_server:
            self._server = LoginServer(self._connection, login_server)
        return self._server

    def _asked(self, login_server: str, path: str, scope: str, after: str, size: int) -> dict[str, Any]:
        query = urlencode({"n": size, **({"last": after} if after else {})})
        server = self._login(login_server)
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

    def _seen(self, login_server: str, repository: str) -> list[SeenTag]:
        """Return what is signed; nothing where content trust is off, or nobody ever signed."""
        gun, server = f"{login_server}/{repository}", self._login(login_server)
        session = self._connection.session
        session.hooks["response"] = [self._note]

        def authorise(needs: str) -> dict[str, str]:
            return {"Authorization": f"Bearer {server.access_token(f'repository:{gun}:{needs}')}"}

        try:
            return look(Notary(session, f"https://{login_server}", gun, authorise), self._now)
        except (NotInitialized, RemoteError):
            return []
        finally:
            session.hooks["response"] = []

    def _note(self, answer: requests.Response, *_arguments: object, **_more: object) -> None:
        """Keep when the server received a role's metadata: the moment of its last signature."""
        found = re.search(r"/_trust/tuf/(.+?)(?:\.[0-9a-f]{64})?\.json$", unquote(str(answer.url)))
        if found and answer.headers.get("Last-Modified"):
            moment = parsedate_to_datetime(answer.headers["Last-Modified"])
            self._dates[found[1]] = moment.astimezone(UTC).isoformat(timespec="seconds")

    def _tag(self, row: dict[str, Any], seen: SeenTag | None) -> Tag:
        name, digest, updated = str(row["name"]), str(row["digest"]), str(row.get("lastUpdateTime") or "")
        if seen is None:
            return Tag(name, digest, SIGNED if row.get("signed") else UNSIGNED, updated=updated)
        return Tag(
            name, digest, EXPIRED if seen.expired else SIGNED, seen.digest, ", ".join(seen.signers),
            self._dates.get(seen.role, ""), seen.expires.isoformat(timespec="seconds"), updated,
        )  # fmt: skip


_MOST = 100
"""Repositories that are looked through for the warning before content trust is disabled."""


def images_of(connection: Connection, now: datetime) -> Images:
    """Return what answers for a cloud's images.

    Args:
        connection: the visitor's; login servers are reached with it.
        now: the cloud's present.
    """
    return LoginServerImages(connection, now)
