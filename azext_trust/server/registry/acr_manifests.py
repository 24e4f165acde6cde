"""ACR's data API: manifests with their attributes, and their way out of quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from azext_trust.names import images
from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import acr_repositories, attributes, errors, paging
from azext_trust.server.store import manifests, tags
from azext_trust.server.store.transaction import Transaction

_STATES = ("Passed", "Failed", "Quarantined")


def _shown(row: manifests.Manifest, named: Sequence[tags.Tag]) -> dict[str, object]:
    changeable = {**attributes.shown(row), "quarantineState": row.quarantine_state}
    if row.quarantine_details:
        changeable["quarantineDetails"] = row.quarantine_details
    shown: dict[str, object] = {
        "digest": row.digest, "imageSize": row.image_size, "createdTime": row.created, "lastUpdateTime": row.updated,
    }  # fmt: skip
    if row.architecture:
        shown |= {"architecture": row.architecture, "os": row.os}
    shown |= {"mediaType": row.media_type, "changeableAttributes": changeable}
    if row.config_media_type:
        shown["configMediaType"] = row.config_media_type
    if row.artifact_type and row.artifact_type != row.config_media_type:
        shown["artifactType"] = row.artifact_type
    return shown | ({"tags": [tag.name for tag in named]} if named else {})


def listed(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return a page of a repository's manifests."""
    session = transaction.session
    repository, page = acr_repositories.found(transaction, call), paging.asked(call)
    after = None
    if images.valid_digest(page.last):
        after = page.end(manifests.by_digest(session, repository.key, page.last))
    found = manifests.listed(
        session, repository.key, newest_first=page.newest_first, after=after, limit=page.size + 1
    )  # fmt: skip
    named: Mapping[str, list[tags.Tag]] = tags.of_manifests(session, repository.key, [row.digest for row in found])

    def body(shown: Sequence[manifests.Manifest]) -> object:
        rows = [_shown(row, named.get(row.digest, ())) for row in shown]
        return acr_repositories.heads(call) | {"manifests": rows}

    return paging.reply(call, page, found, lambda row: row.digest, body)


def _found(transaction: Transaction, call: RegistryCall) -> manifests.Manifest:
    repository = acr_repositories.found(transaction, call)
    row = manifests.by_digest(transaction.session, repository.key, call.params["digest"])
    if row is None:
        raise errors.no_manifest(call.params["digest"])
    return row


def show(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return a manifest's attributes."""
    return _reply(transaction, call, _found(transaction, call))


def _reply(transaction: Transaction, call: RegistryCall, row: manifests.Manifest) -> Reply:
    named = tags.of_manifests(transaction.session, row.repository_id, [row.digest])
    body = acr_repositories.heads(call) | {"manifest": _shown(row, named.get(row.digest, ()))}
    return Reply(body, 200, dict(errors.HEADERS))


def update(transaction: Transaction, call: RegistryCall) -> Reply:
    """Lock or unlock a manifest, or say how its quarantine ended; each takes its own permission."""
    row, body = _found(transaction, call), call.json()
    held = call.access.get(("repository", call.params["name"]), frozenset())
    before = attributes.shown(row) | {"quarantineState": row.quarantine_state}
    if "metadata_write" in held:
        attributes.change(call, row)
    state = body.get("quarantineState")
    if state is not None and held & {"quarantine_write", "metadata_write"}:
        _quarantine(row, state, body.get("quarantineDetails"))
    after = attributes.shown(row) | {"quarantineState": row.quarantine_state}
    call.change(before=before, after=after, repository=call.params["name"], digest=row.digest)
    transaction.session.flush()
    return _reply(transaction, call, row)


def _quarantine(row: manifests.Manifest, state: object, details: object) -> None:
    if state not in _STATES:
        raise errors.bad_request(f"quarantineState must be one of {', '.join(_STATES)}")
    row.quarantine_state = str(state)
    if details is not None:
        row.quarantine_details = str(details)[:10_000]
