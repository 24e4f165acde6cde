"""What applications sign in with: client secrets and client assertions (RFC 6749 section 2.3, RFC 7523)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from azext_trust.server.gate.call import Call
from azext_trust.server.store import clock, principals, secrets
from azext_trust.server.store.transaction import Store, Transaction
from azext_trust.server.sts import clients, errors
from azext_trust.server.sts.clients import Client

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRET, CERTIFICATE = "1", "2"
"""What the `appidacr` claim says: a client secret; a certificate or another's assertion."""


@dataclass(frozen=True)
class Held:
    """What the directory holds of a client, read at one moment; proofs are checked outside the transaction.

    Attributes:
        client: the application.
        rows: its secrets, certificates and federated credentials.
        tenant: the tenant's id.
        domain: the tenant's domain.
        now: the cloud's present.
    """

    client: Client
    rows: list[principals.Credential]
    tenant: str
    domain: str
    now: datetime

    def of(self, kind: str) -> list[principals.Credential]:
        """Return the credentials of a kind."""
        return [row for row in self.rows if row.kind == kind]


def held(transaction: Transaction, client_id: str) -> Held:
    """Read what the directory holds of a client.

    Raises:
        errors.SignInError: there is no such application.
    """
    from azext_trust.server.store import facts

    client = clients.find(transaction, client_id)
    owners = [row.id for row in (client.principal, client.application) if row is not None]
    rows = principals.credentials(transaction.session, owners) if owners else []
    domain = facts.get(transaction.session, facts.TENANT_DOMAIN)
    return Held(client, rows, transaction.tenant_id(), domain, transaction.now())


def authenticate(store: Store, call: Call, form: dict[str, str], *, needed: bool) -> tuple[Client, str]:
    """Return the client of a token request and what it proved itself with.

    Args:
        store: the state.
        call: the request.
        form: its fields.
        needed: whether the client must show a credential.

    Returns:
        The client, and ``0``, ``1`` or ``2`` as in the `appidacr` claim.

    Raises:
        errors.SignInError: unknown application; wrong, expired, missing or unasked credential.
    """
    with store.read() as transaction:
        found = held(transaction, form["client_id"])
    shown = bool(form.get("client_assertion") or form.get("client_secret"))
    if found.client.first_party and shown:
        raise errors.refuse("public_client")
    if not shown:
        if needed:
            raise errors.refuse("no_credential")
        return found.client, "0"
    return found.client, _prove(store, call, found, form)


def _prove(store: Store, call: Call, found: Held, form: dict[str, str]) -> str:
    client = found.client
    if client.principal is None:
        raise errors.refuse("no_service_principal", client=client.id, tenant=found.tenant)
    if form.get("client_assertion"):
        from azext_trust.server.sts import assertions

        if form.get("client_assertion_type") != ASSERTION:
            raise errors.refuse("bad_parameter", parameter="client_assertion_type")
        assertions.check(store, call, found, form["client_assertion"])
    else:
        check_secret(found, form["client_secret"])
    if not client.principal.enabled:
        raise errors.refuse("disabled_application", client=client.id, name=client.name)
    return CERTIFICATE if form.get("client_assertion") else SECRET


def check_secret(found: Held, secret: str) -> None:
    """Go on only with one of a client's secrets that is in force.

    Raises:
        errors.SignInError: it is wrong or has expired.
    """
    row = secrets.among(found.of("secret"), secret)
    if row is None:
        raise errors.refuse("wrong_secret", client=found.client.id)
    if not secrets.in_force(row, clock.to_text(found.now)):
        raise errors.refuse("expired_secret", client=found.client.id)
