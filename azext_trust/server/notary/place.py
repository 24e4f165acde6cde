"""Where a request works: the registry behind the host name, and the repository that the path names."""

from __future__ import annotations

from azext_trust.names import images
from azext_trust.server.gate.call import Call
from azext_trust.server.gate.login_servers import LoginServer
from azext_trust.server.notary import errors
from azext_trust.server.store import registries
from azext_trust.server.store.registries import Registry
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.store.trust_data import Repository


def registry_of(transaction: Transaction, call: Call) -> Registry:
    """Return the registry of a request, when content trust is on there.

    Raises:
        ServiceError: no registry has this login server, or trust is off: policy, SKU, or retirement.
    """
    host = call.headers.get("host", "").lower()
    known: LoginServer | None = getattr(call, "server", None)
    # The door knows it already, unless something has changed since.
    if known is not None and known.revision == transaction.revision():
        found: Registry | None = known.row
    else:
        found = registries.by_name(transaction.session, host.partition(":")[0].partition(".")[0])
    if found is None:
        raise errors.not_found(call)
    if not registries.trust_in_force(found, transaction.retirement()):
        raise errors.off()
    return found


def repository_of(transaction: Transaction, call: Call) -> Repository:
    """Return whose trust data a request is about.

    A GUN begins with the login server as clients write it, port included; a name of another host is nobody's here
    (dct-wire-contract.md section 8, traps 1 and 21).

    Raises:
        ServiceError: trust is off, or the path names no repository of this registry.
    """
    registry = registry_of(transaction, call)
    host, _, repository = call.params["gun"].partition("/")
    if host != call.headers.get("host", "").lower() or not images.valid_repository(repository):
        raise errors.not_found(call)
    return Repository(registry.trust_space, f"{host}/{repository}")
