"""ACR's data API: tags with their attributes, signed or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import acr_repositories, attributes, errors, paging, removal
from azext_trust.server.store import registries, tags, trust
from azext_trust.server.store.transaction import Transaction


def _signed(transaction: Transaction, call: RegistryCall, rows: Iterable[tags.Tag]) -> set[tuple[str, str]]:
    """Return the (tag, digest) pairs that trust data vouches for, where content trust is on."""
    # Not the registry as remembered: since then an erasure may have given it another trust space.
    here = registries.by_name(transaction.session, call.here.name)
    if here is None or not registries.trust_in_force(here, transaction.retirement()):
        return set()
    gun = f"{call.here.host}/{call.params['name']}"
    return trust.signed_digests(transaction.session, here.trust_space, gun, [row.name for row in rows])


def _shown(row: tags.Tag, signed: set[tuple[str, str]]) -> dict[str, object]:
    return {
        "name": row.name, "digest": row.digest, "createdTime": row.created, "lastUpdateTime": row.updated,
        "signed": (row.name, row.digest) in signed, "changeableAttributes": attributes.shown(row),
    }  # fmt: skip


def listed(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return a page of a repository's tags."""
    repository, page = acr_repositories.found(transaction, call), paging.asked(call)
    last = tags.by_name(transaction.session, repository.key, page.last) if page.last else None
    found = tags.listed(
        transaction.session, repository.key, newest_first=page.newest_first, after=page.end(last), limit=page.size + 1,
        digest=call.query.get("digest", ""),
    )  # fmt: skip
    signed = _signed(transaction, call, found)

    def body(shown: Sequence[tags.Tag]) -> object:
        return acr_repositories.heads(call) | {"tags": [_shown(row, signed) for row in shown]}

    return paging.reply(call, page, found, lambda row: row.name, body)


def _found(transaction: Transaction, call: RegistryCall) -> tags.Tag:
    repository = acr_repositories.found(transaction, call)
    row = tags.by_name(transaction.session, repository.key, call.params["tag"])
    if row is None:
        raise errors.no_tag(call.params["tag"])
    return row


def show(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return a tag's attributes."""
    return _reply(transaction, call, _found(transaction, call))


def _reply(transaction: Transaction, call: RegistryCall, row: tags.Tag) -> Reply:
    shown = _shown(row, _signed(transaction, call, [row]))
    return Reply(acr_repositories.heads(call) | {"tag": shown}, 200, dict(errors.HEADERS))


def update(transaction: Transaction, call: RegistryCall) -> Reply:
    """Lock or unlock a tag."""
    row = _found(transaction, call)
    before = attributes.shown(row)
    call.change(before=before, after=attributes.change(call, row), repository=call.params["name"], tag=row.name)
    transaction.session.flush()
    return _reply(transaction, call, row)


def delete(transaction: Transaction, call: RegistryCall) -> Reply:
    """Remove a tag (``az acr repository untag``); its manifest stays."""
    repository = acr_repositories.found(transaction, call)
    if not removal.tag(transaction, call, repository, call.params["tag"]):
        raise errors.no_tag(call.params["tag"])
    return Reply(None, 202, dict(errors.HEADERS))
