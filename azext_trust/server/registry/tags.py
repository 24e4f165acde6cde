"""The list of a repository's tags (OCI Distribution 1.1, Content discovery)."""

from __future__ import annotations

from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors, paging
from azext_trust.server.store import repositories, tags
from azext_trust.server.store.transaction import Transaction


def listed(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return a repository's tags in lexical order, all of them unless ``n`` says how many."""
    name = call.params["name"]
    repository = repositories.seen(transaction.session, call.here.id, name)
    if repository is None:
        raise errors.no_repository(name)
    page = paging.asked(call, paging.LARGEST)
    limit = None if "n" not in call.query else page.size + 1
    found = tags.names(transaction.session, repository.key, page.last, limit)
    if limit is None:
        return Reply({"name": name, "tags": found}, 200, dict(errors.HEADERS))
    return paging.reply(call, page, found, lambda tag: tag, lambda shown: {"name": name, "tags": list(shown)})
