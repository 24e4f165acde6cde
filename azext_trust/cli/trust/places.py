"""From what was typed to a repository's trust data: which login server, as whom, with which keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from knack.util import CLIError

from azext_trust.cli.acr.access import login_server, repository_scope
from azext_trust.cli.context import Context
from azext_trust.cli.progress import Progress
from azext_trust.cli.trust import failures, words
from azext_trust.clients.notary import ALL, PULL, Notary
from azext_trust.clients.registry import Credential, LoginServer, RegistryError
from azext_trust.cloud.errors import CloudError
from azext_trust.names.images import Image
from azext_trust.signing.draft import Repository
from azext_trust.signing.key_store import KeyStore, trust_directory
from azext_trust.tuf.errors import TufError

READ, WRITE, MANAGE = "pull", "pull,push", "*"
"""What a command asks a token for, as docker and notary do: once, for all its requests."""


@dataclass
class Access:
    """How login servers are asked: the signed-in account, or a user name with its password.

    Attributes:
        context: the cloud.
        registry: ``--registry``: names may then be written without it.
        username: of a token, the admin account or a service principal.
        password: its password.
        resource_group: of the registry.
    """

    context: Context
    registry: str | None = None
    username: str | None = None
    password: str | None = None
    resource_group: str | None = None
    _servers: dict[str, LoginServer] = field(default_factory=dict)
    _named: LoginServer | None = None

    def named(self) -> LoginServer:
        """Return the login server of ``--registry``.

        Raises:
            CLIError: the option was not given.
        """
        if not self.registry:
            raise CLIError("usage error: a name without its registry needs --registry REGISTRY")
        if self._named is None:
            self._named = login_server(
                self.context, self.registry, self.username, self.password, None, self.resource_group
            )  # fmt: skip
            self._servers[self._named.host.lower()] = self._named
        return self._named

    def server(self, host: str) -> LoginServer:
        """Return a login server by its name.

        Raises:
            CLIError: it is none of this cloud: it must not get the account's token.
        """
        if host.lower() not in self._servers:
            profile = self.context.connection.profile
            # Served elsewhere than on 443 the suffix ends in the port, too.
            suffix = "." + profile.acr_suffix.lower()
            if not self.username and not host.lower().removesuffix(":443").endswith(suffix):
                raise CLIError(
                    f"'{host}' is no login server of the cloud '{profile.name}': they end in '.{profile.acr_suffix}'. "
                    "Name another registry's user with --username."
                )
            given = Credential(self.username, self.password or "") if self.username else None
            self._servers[host.lower()] = LoginServer(self.context.connection, host, given)
        return self._servers[host.lower()]

    def image(self, text: str, *, tagged: bool = False) -> Image:
        """Return an image that was named with its registry, or without where ``--registry`` names it.

        Args:
            text: ``myregistry.azurecr.io/app:v1``, or ``app:v1``.
            tagged: a tag is needed; without, none is allowed.

        Raises:
            CLIError: it is no such name.
        """
        if self.registry and not text.lower().startswith(f"{self.named().host.lower()}/"):
            text = f"{self.named().host}/{text}"
        try:
            found = Image.parse(text)
        except ValueError as error:
            raise CLIError(str(error)) from None
        if tagged and found.digest:
            raise CLIError("cannot use a digest reference for IMAGE:TAG")
        if tagged and not found.tag:
            raise CLIError(f"no tag specified for {found.gun}")
        return found

    def repository_named(self, text: str) -> Image:
        """Return a repository that was named; a tag is refused.

        Raises:
            CLIError: it is no repository's name.
        """
        found = self.image(text)
        if found.tag or found.digest:
            raise CLIError(f"'{text}' names an image; the name of its repository is wanted: {found.gun}")
        return found

    @contextmanager
    def repository(self, image: Image, needs: str, doing: str = "", title: str = "") -> Iterator[Repository]:
        """Give a repository's trust data to work on; failures within are told in docker's words.

        Args:
            image: the repository, its tag aside.
            needs: `READ`, `WRITE` or `MANAGE`.
            doing: what docker says first when it fails.
            title: what a terminal shows meanwhile.

        Raises:
            TrustFailure: the work failed.
        """
        progress = Progress(title or f"Asking {image.host}")
        try:
            with progress:
                yield self.opened(image, needs, progress)
        except TufError as error:
            raise failures.told(error, image.gun, doing) from None
        except CloudError as error:
            raise failures.told(error, image.gun, doing) from None

    def opened(self, image: Image, needs: str, progress: Progress | None) -> Repository:
        """Return a repository's trust data to work on.

        Args:
            image: the repository, its tag aside.
            needs: `READ`, `WRITE` or `MANAGE`.
            progress: the line that must not move while a passphrase is typed.
        """
        store = KeyStore(trust_directory(), words.passphrases(progress))
        return Repository.of(self._remote(image, needs), store, lambda: datetime.now(UTC))

    def _remote(self, image: Image, needs: str) -> Notary:
        server = self.server(image.host)

        def authorise(asked: str) -> Mapping[str, str]:
            actions = {PULL: needs, ALL: MANAGE}.get(asked, needs if needs != READ else WRITE)
            return {"Authorization": f"Bearer {server.access_token(repository_scope(image.gun, actions))}"}

        return Notary(self.context.connection.session, f"https://{image.host}", image.gun, authorise)

    def manifest(self, image: Image, reference: str) -> tuple[str, int]:
        """Return digest and size of a manifest as the registry has it now.

        Raises:
            CLIError: there is none.
        """
        try:
            return self.server(image.host).manifest(image.repository, reference)
        except RegistryError as error:
            if error.status == 404:
                raise CLIError(f"manifest for {image} not found: manifest unknown") from None
            raise


def store() -> KeyStore:
    """Return the keys of this user, docker's own."""
    return KeyStore(trust_directory(), words.passphrases())
