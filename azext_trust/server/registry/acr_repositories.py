"""ACR's data API: a repository's attributes, and its deletion."""

from __future__ import annotations

from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import attributes, errors, removal
from azext_trust.server.store import manifests, repositories, tags
from azext_trust.server.store.transaction import Transaction


def found(transaction: Transaction, call: RegistryCall) -> repositories.Repository:
    """Return the repository a request names.

    Raises:
        ServiceError: NAME_UNKNOWN.
    """
    row = repositories.seen(transaction.session, call.here.id, call.params["name"])
    if row is None:
        raise errors.no_repository(call.params["name"])
    return row


def heads(call: RegistryCall) -> dict[str, object]:
    """Return the members that every answer about a repository begins with."""
    return {"registry": call.here.host, "imageName": call.params["name"]}


def show(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return a repository's attributes."""
    return _reply(transaction, call, found(transaction, call))


def _reply(transaction: Transaction, call: RegistryCall, row: repositories.Repository) -> Reply:
    body = heads(call) | {
        "createdTime": row.created, "lastUpdateTime": row.updated,
        "manifestCount": manifests.counted(transaction.session, row.key),
        "tagCount": tags.counted(transaction.session, row.key),
        "changeableAttributes": {**attributes.shown(row), "teleportEnabled": False},
    }  # fmt: skip
    return Reply(body, 200, dict(errors.HEADERS))


def update(transaction: Transaction, call: RegistryCall) -> Reply:
    """Lock or unlock a repository."""
    row = found(transaction, call)
    before = attributes.shown(row)
    call.change(before=before, after=attributes.change(call, row), repository=row.name)
    transaction.session.flush()
    return _reply(transaction, call, row)


def delete(transaction: Transaction, call: RegistryCall) -> Reply:
    """Delete a repository with all its manifests and tags."""
    digests, names = removal.repository(transaction, call, found(transaction, call))
    return Reply({"manifestsDeleted": digests, "tagsDeleted": names}, 202, dict(errors.HEADERS))


def unoffered(transaction: Transaction, call: RegistryCall) -> Reply:
    """Refuse what registries of Azure offer and this one does not.

    Raises:
        ServiceError: UNSUPPORTED.
    """
    raise errors.unsupported()
