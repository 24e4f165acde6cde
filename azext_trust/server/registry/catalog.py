"""The ping and the lists of repositories."""

from __future__ import annotations

from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors, paging
from azext_trust.server.store import repositories
from azext_trust.server.store.transaction import Transaction


def ping(transaction: Transaction, call: RegistryCall) -> Reply:
    """Tell that this is a registry and that the token is good (OCI Distribution 1.1, Determining Support)."""
    return Reply({}, 200, dict(errors.HEADERS))


def docker(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return the names of repositories (``GET /v2/_catalog``)."""
    return _listed(transaction, call)


def acr(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return the names of repositories (``GET /acr/v1/_catalog``)."""
    return _listed(transaction, call)


def _listed(transaction: Transaction, call: RegistryCall) -> Reply:
    page = paging.asked(call)
    names = repositories.listed(transaction.session, call.here.id, page.last, page.size + 1)
    return paging.reply(call, page, names, lambda name: name, lambda shown: {"repositories": shown})
