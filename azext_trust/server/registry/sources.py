"""Where imported images come from: a registry of this cloud, or one elsewhere. Both say what an image consists of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from azext_trust.names import images
from azext_trust.server.gate import sign_in
from azext_trust.server.gate.call import Settings
from azext_trust.server.gate.grants import NOBODY, Holder, Rights
from azext_trust.server.gate.login_servers import Door, LoginServer, login_server
from azext_trust.server.registry import import_failures, manifest_form
from azext_trust.server.registry.import_failures import MOST_MANIFESTS, Failed
from azext_trust.server.registry.landing import Arriving
from azext_trust.server.registry.manifest_form import Descriptor, FormError
from azext_trust.server.store import blobs, manifests, registries, repositories, tags
from azext_trust.server.store.transaction import Store, Transaction

Fetch = Callable[[str], tuple[bytes, str]]
"""Returns a manifest's content and media type, by tag or digest."""


class Source(Protocol):
    """A repository that an image is taken from."""

    def manifest(self, reference: str) -> tuple[bytes, str]:
        """Return a manifest's content and media type, by tag or digest."""
        ...

    def referrers(self, digest: str) -> list[str]:
        """Return the digests of what has a manifest as its subject."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


@dataclass(frozen=True)
class Picture:
    """What an image consists of.

    Attributes:
        root: the digest of what was asked for.
        manifests: all its manifests, those that others refer to first.
        blobs: all that they refer to, by digest, but for what may lie elsewhere.
        elsewhere: what may lie at addresses of its own, by digest.
    """

    root: str
    manifests: tuple[Arriving, ...]
    blobs: dict[str, Descriptor]
    elsewhere: dict[str, Descriptor]


def picture(source: Source, reference: str) -> Picture:
    """Return what an image consists of, and with it what has it as its subject.

    Signatures of the Notary Project are such referrers, and travel (acr-content-trust-facts.md section 9); those of
    content trust lie elsewhere and do not.

    Args:
        source: the repository.
        reference: tag or digest of what is asked for.

    Raises:
        Failed: something of it is missing, is not what its digest says, or is too much.
    """
    root = _fetched(source.manifest, reference)
    found, waiting = {root.digest: root}, [root]
    while waiting:
        arriving = waiting.pop()
        for digest in (*(one.digest for one in arriving.form.manifests), *source.referrers(arriving.digest)):
            if digest not in found:
                if len(found) > MOST_MANIFESTS:
                    raise import_failures.too_many()
                found[digest] = _fetched(source.manifest, digest)
                waiting.append(found[digest])
    named = {one.digest: one for arriving in found.values() for one in arriving.form.blobs}
    needed = {digest: one for digest, one in named.items() if not one.elsewhere}
    elsewhere = {digest: one for digest, one in named.items() if one.elsewhere}
    return Picture(root.digest, _children_first(found), needed, elsewhere)


def _children_first(found: dict[str, Arriving]) -> tuple[Arriving, ...]:
    """Return manifests in an order in which each can land: digests allow no circles."""
    ordered: dict[str, Arriving] = {}
    while len(ordered) < len(found):
        ordered |= {
            digest: one
            for digest, one in found.items()
            if digest not in ordered and all(child.digest in ordered for child in one.form.manifests)
        }
    return tuple(ordered.values())


def _fetched(fetch: Fetch, reference: str) -> Arriving:
    content, media_type = fetch(reference)
    algorithm = reference.partition(":")[0] if ":" in reference else "sha256"
    if ":" in reference and not images.valid_digest(reference):
        raise import_failures.copying(f"Digests like {reference} are not taken.")
    digest = f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    if ":" in reference and digest != reference:
        raise import_failures.copying(f"The manifest {reference} is not what its digest says.")
    try:
        return Arriving(content, manifest_form.read(content, media_type), digest)
    except FormError as error:
        raise import_failures.copying(f"The manifest {digest} cannot be taken: {error}.") from None


class Own:
    """A repository of this cloud.

    Args:
        store: the state.
        server: its registry.
        repository: its name.
        sees_quarantined: whether images that have not passed quarantine may be taken.
    """

    def __init__(self, store: Store, server: LoginServer, repository: str, *, sees_quarantined: bool) -> None:
        self._store = store
        self.server = server
        self.repository = repository
        self._all = sees_quarantined or not server.enabled("quarantinePolicy")

    def manifest(self, reference: str) -> tuple[bytes, str]:
        """Return a manifest's content and media type.

        Raises:
            Failed: there is none, or it may not be read.
        """
        with self._store.read() as transaction:
            row = self._found(transaction, reference)
        if row is None:
            raise import_failures.no_manifest(self.repository, reference)
        return row.content, row.media_type

    def _found(self, transaction: Transaction, reference: str) -> manifests.Manifest | None:
        session = transaction.session
        repository = repositories.by_name(session, self.server.id, self.repository)
        if repository is None:
            return None
        tag = None if ":" in reference else tags.by_name(session, repository.key, reference)
        digest = reference if ":" in reference else tag.digest if tag is not None else ""
        row = manifests.by_digest(session, repository.key, digest) if digest else None
        if row is None or (row.quarantine_state != manifests.PASSED and not self._all):
            return None
        if not (repository.read_enabled and row.read_enabled and (tag is None or tag.read_enabled)):
            raise import_failures.locked(self.repository)
        return row

    def referrers(self, digest: str) -> list[str]:
        """Return the digests of what has a manifest as its subject, as far as it may be taken."""
        with self._store.read() as transaction:
            repository = repositories.by_name(transaction.session, self.server.id, self.repository)
            found = manifests.referrers(transaction.session, repository.key, digest, None) if repository else []
            return [
                one.digest
                for one in found
                if one.read_enabled and (self._all or one.quarantine_state == manifests.PASSED)
            ]

    def held(self, transaction: Transaction, image: Picture) -> dict[str, int]:
        """Return those of an image's blobs that the repository holds, with their sizes."""
        row = repositories.by_name(transaction.session, self.server.id, self.repository)
        wanted = image.blobs.keys() | image.elsewhere.keys()
        return blobs.sizes(transaction.session, row.key, wanted) if row is not None else {}

    def close(self) -> None:
        """Nothing is held open."""


def of_registry(
    transaction: Transaction, store: Store, settings: Settings, registry_id: str, target_id: str, repository: str
) -> Own:
    """Return a repository of a registry that whoever began the import may take images from.

    Raises:
        Failed: the registry is gone, or keeps its images to itself.
    """
    row = transaction.session.get(registries.Registry, registry_id)
    if row is None:
        raise import_failures.no_manifest(repository, "")
    server = login_server(row, settings)
    if registry_id != target_id and not server.enabled("exportPolicy"):
        raise import_failures.exports_off(server.host)
    return Own(store, server, repository, sees_quarantined=registry_id == target_id)


def of_login_server(
    transaction: Transaction, store: Store, settings: Settings, server: LoginServer, repository: str,
    credentials: tuple[str, str] | None,
) -> Own:  # fmt: skip
    """Return a repository of this cloud that was named by its login server, as somebody or as nobody.

    Raises:
        Failed: the credentials do not give the right to pull, or the registry keeps its images to itself.
    """
    try:
        holder = _holder(transaction, Door(store, settings), server, credentials)
    except sign_in.SignInRefused:
        raise import_failures.no_access(server.host) from None
    rights = Rights(transaction, server, holder, server.host)
    if not rights.may("pull", repository):
        raise import_failures.no_access(server.host)
    if not server.enabled("exportPolicy"):
        raise import_failures.exports_off(server.host)
    return Own(store, server, repository, sees_quarantined=rights.may("quarantine_read", repository))


def _holder(
    transaction: Transaction, door: Door, server: LoginServer, credentials: tuple[str, str] | None
) -> Holder:  # fmt: skip
    if credentials is None:
        return NOBODY
    name, password = credentials
    if not name:
        # An access token of the directory, as for a registry of another tenant.
        return sign_in.by_directory_token(transaction, server, password)
    holder, shown = sign_in.by_password(transaction, door, server, name, password)
    if shown is not None:
        # An access token of the registry carries repositories, not a person: it is not taken here.
        raise sign_in.SignInRefused("an access token of a registry is no sign-in")
    return holder


__all__ = ["Failed", "Own", "Picture", "Source", "of_login_server", "of_registry", "picture"]
