"""Imports of images (``az acr import``): an image appears whole or not at all; its trust data stay behind (M20).

Blobs come first, where nobody sees them; then one transaction lets manifests and tags appear together.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from azext_trust.server.gate.call import Caller, ServiceError, Settings
from azext_trust.server.gate.login_servers import LoginServer, login_server
from azext_trust.server.registry import import_failures, sources
from azext_trust.server.registry.fetching import Fetcher, Stopped
from azext_trust.server.registry.import_failures import Failed
from azext_trust.server.registry.landing import Arriving, Place, land, platform_of
from azext_trust.server.registry.manifest_form import FormError
from azext_trust.server.registry.sources import Own, Picture
from azext_trust.server.registry.upstream import Upstream
from azext_trust.server.store import blobs, facts, imports, registries, repositories, tags, trust, usage
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.errors import StateError
from azext_trust.server.store.imports import ImportOperation
from azext_trust.server.store.transaction import Store, Transaction

ACTION = "Microsoft.ContainerRegistry/registries/importImage/action"
logger = logging.getLogger("aztrust.server")


@dataclass(frozen=True)
class Job:
    """An import that somebody works on.

    Attributes:
        store: the state.
        settings: how the cloud is published.
        operation: as it was taken on.
        server: the target registry's login server.
        going_on: raises `Stopped` when the work is to end.
    """

    store: Store
    settings: Settings
    operation: ImportOperation
    server: LoginServer
    going_on: Callable[[], None]

    @property
    def request(self) -> Mapping[str, Any]:
        """What was asked for."""
        return self.operation.request

    @property
    def targets(self) -> list[tuple[str, str]]:
        """Pairs of repository and tag."""
        return [(repository, tag) for repository, tag in self.request["targets"]]

    @property
    def repositories(self) -> list[str]:
        """The target repositories, each once; blobs from elsewhere come to the first."""
        return list(dict.fromkeys(repository for repository, _ in self.targets))

    @property
    def source(self) -> tuple[str, str]:
        """Repository and reference of the source image."""
        repository, at, digest = str(self.request["image"]).partition("@")
        if at:
            return repository, digest
        repository, _, tag = repository.partition(":")
        return repository, tag or "latest"


def perform(store: Store, settings: Settings, operation_id: str, going_on: Callable[[], None]) -> None:
    """Do an import to its end, good or bad.

    Args:
        store: the state.
        settings: how the cloud is published.
        operation_id: an import that the caller has claimed.
        going_on: gives a sign of life, and raises `Stopped` when the work is to end.

    Raises:
        Stopped: it was left to somebody else.
    """
    with store.read() as transaction:
        operation = imports.by_id(transaction.session, operation_id)
        row = transaction.session.get(registries.Registry, operation.registry_id) if operation else None
    if operation is None:
        return
    try:
        if row is None:
            raise import_failures.gone()
        _import(Job(store, settings, operation, login_server(row, settings), going_on))
    except Failed as failed:
        give_up(store, operation, failed)
    except ServiceError as error:
        give_up(store, operation, Failed(error.status, error.code, error.message))
    except FormError as error:
        give_up(store, operation, import_failures.copying(f"The source cannot be read: {error}."))
    except (Stopped, StateError):
        raise
    except Exception:
        logger.exception("import %s failed", operation.id)
        give_up(store, operation, import_failures.unexpected(operation.correlation_id))


def _import(job: Job) -> None:
    with job.store.read() as transaction:
        _check_targets(transaction, job)
        source = _source(transaction, job)
    try:
        picture = sources.picture(source, job.source[1])
        if isinstance(source, Upstream):
            _fetch(job, source, picture)
    finally:
        source.close()
    _appear(job, picture, source)


def _check_targets(transaction: Transaction, job: Job) -> None:
    """Go on only if no target tag is there already, or it may be moved (ImportMode of the REST reference)."""
    for name, tag in job.targets:
        repository = repositories.by_name(transaction.session, job.server.id, name)
        held = tags.by_name(transaction.session, repository.key, tag) if repository and tag else None
        if held is not None and not job.request["force"]:
            raise import_failures.tag_exists(name, tag)
        if repository is not None and not repository.write_enabled:
            raise import_failures.locked(name)


def _source(transaction: Transaction, job: Job) -> Own | Upstream:
    asked, (repository, _) = job.request["source"], job.source
    if "registry" in asked:
        return sources.of_registry(
            transaction, job.store, job.settings, asked["registry"], job.server.id, repository
        )  # fmt: skip
    credentials = _credentials(transaction, job.operation)
    own = _named(transaction, job, str(asked["address"]))
    if own is not None:
        return sources.of_login_server(transaction, job.store, job.settings, own, repository, credentials)
    return Upstream(str(asked["address"]), repository, credentials)


def _credentials(transaction: Transaction, operation: ImportOperation) -> tuple[str, str] | None:
    if not operation.sealed:
        return None
    held = json.loads(transaction.vault.decrypt(operation.sealed, imports.purpose(operation.id)))
    return held["username"], held["password"]


def _named(transaction: Transaction, job: Job, address: str) -> LoginServer | None:
    """Return the login server of this cloud that an address names, or None for an address elsewhere.

    Whatever DNS says of it: credentials of a local cloud never reach the registry of that name in Azure.
    """
    host = address.rstrip("/").rpartition("://")[2].lower()
    name, dot, suffix = host.rpartition(":")[0].partition(".") if ":" in host else host.partition(".")
    if not dot or suffix != job.settings.suffix.lower():
        return None
    row = registries.by_name(transaction.session, name)
    if row is None:
        raise import_failures.unreachable(address, OSError("no registry of this cloud has this login server"))
    return login_server(row, job.settings)


def _arrival(job: Job, repository: str, digest: str, size: int, location: str | None, content: bytes) -> blobs.Arrival:
    now = job.operation.created
    most = usage.MOST[job.server.row.sku]
    return blobs.Arrival(job.server.id, repository, digest, size, location, most, now, content)


def _fetch(job: Job, source: Upstream, picture: Picture) -> None:
    """Bring the blobs that the first target repository lacks.

    Others of the registry may hold them, but a manifest from elsewhere must not open what they hold to whoever reads
    this one.
    """
    first = job.repositories[0]
    with job.store.read() as transaction:
        repository = repositories.by_name(transaction.session, job.server.id, first)
        held = blobs.sizes(transaction.session, repository.key, picture.blobs) if repository else {}

    def arrival(digest: str, size: int, location: str | None, content: bytes) -> blobs.Arrival:
        return _arrival(job, first, digest, size, location, content)

    name = job.operation.id.removeprefix("registries-")
    missing = [blob for digest, blob in picture.blobs.items() if digest not in held]
    Fetcher(job.store, source, arrival, name, job.going_on).fetch(missing)


def _appear(job: Job, picture: Picture, source: Own | Upstream) -> None:
    """Let the whole image appear in all target repositories, and end the operation, in one transaction."""
    place = Place(job.server.id, job.repositories[0], False)
    if isinstance(source, Own):
        place = Place(source.server.id, source.repository, False)
    shown = [replace(one, platform=platform_of(job.store, place, one.form)) for one in picture.manifests]
    job.going_on()
    with job.store.write(moves=facts.CONTENT) as transaction:
        if transaction.session.get(registries.Registry, job.server.id) is None:
            raise import_failures.gone()
        _check_targets(transaction, job)
        sizes = {digest: one.size for digest, one in picture.blobs.items()}
        if isinstance(source, Own):
            sizes = source.held(transaction, picture)
        for repository in job.repositories:
            _link(transaction, job, sizes, repository)
            _land(transaction, job, shown, picture.root, repository)
        _succeed(transaction, job, picture, _trust_left(transaction, job, source))


def _trust_left(transaction: Transaction, job: Job, source: Own | Upstream) -> str:
    """Say for the log that trust data stayed behind (M20), and in this cloud whether there were any."""
    if isinstance(source, Upstream):
        return "not imported"
    row = transaction.session.get(registries.Registry, source.server.id)
    if row is None or not registries.trust_in_force(row, transaction.retirement()):
        return "not imported; the source registry has none"
    gun, tag = f"{source.server.host}/{source.repository}", job.source[1]
    signed = trust.signed_digests(transaction.session, row.trust_space, gun, [tag])
    return f"not imported; the source's tag is {'signed' if signed else 'unsigned'}"


def _link(transaction: Transaction, job: Job, sizes: Mapping[str, int], repository: str) -> None:
    """Let a repository hold blobs that are there."""
    try:
        for digest, size in sizes.items():
            arrival = _arrival(job, repository, digest, size, None, b"")
            blobs.arrive(transaction.session.connection(), arrival)
    except blobs.Refused:
        raise import_failures.locked(repository) from None
    except blobs.Missing:
        raise import_failures.copying("A blob was deleted while the image was imported.") from None


def _land(transaction: Transaction, job: Job, shown: Sequence[Arriving], root: str, repository: str) -> None:
    place = Place(job.server.id, repository, job.server.enabled("quarantinePolicy"))
    for one in shown:
        land(transaction, place, one, "")
    for name, tag in job.targets:
        if name == repository and tag:
            land(transaction, place, next(one for one in shown if one.digest == root), tag)


def _succeed(transaction: Transaction, job: Job, picture: Picture, trust_data: str) -> None:
    ended = transaction.session.get(ImportOperation, job.operation.id)
    if ended is None or ended.owner != job.operation.owner or ended.state != imports.RUNNING:
        raise Stopped
    ended.state, ended.sealed = imports.SUCCEEDED, ""
    told = {"digest": picture.root, "manifests": len(picture.manifests), "trustData": trust_data}
    transaction.record(_entry(job.operation, "Allowed", **told))


def give_up(store: Store, operation: ImportOperation, failed: Failed) -> None:
    """Write down that an import failed, unless somebody else works on it now."""
    with store.write(moves="") as transaction:
        row = transaction.session.get(ImportOperation, operation.id)
        if row is None or row.owner != operation.owner or row.state != imports.RUNNING:
            return
        row.state, row.sealed = imports.FAILED, ""
        row.status, row.code, row.message = failed.status, failed.code, failed.message
        transaction.record(_entry(operation, "Failed", code=failed.code, reason=failed.message))


def _entry(operation: ImportOperation, outcome: str, **more: object) -> Activity:
    caller = Caller(operation.caller_id, operation.caller_kind, operation.caller_name)
    details = {
        "callerName": caller.name, "callerType": caller.kind, "operation": operation.id,
        "image": operation.request["image"], "targets": operation.request["targets"], **more,
    }  # fmt: skip
    scope = str(cast(Mapping[str, Any], operation.request)["scope"])
    return Activity(ACTION, scope, outcome, caller.id, operation.correlation_id, details)
