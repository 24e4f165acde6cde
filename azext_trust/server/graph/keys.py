"""addKey and removeKey: an application rolls its own certificates, with a proof that it holds one (proof of possession)."""

from __future__ import annotations

import base64

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import applications, bodies, certificates, credentials, errors, query, service_principals
from azext_trust.server.store import clock, principals
from azext_trust.server.store.transaction import Transaction

_AUDIENCES = ["00000002-0000-0000-c000-000000000000", "00000003-0000-0000-c000-000000000000"]
"""What a proof is for: the directory."""


def add_to_application(transaction: Transaction, call: Call) -> Reply:
    """Add a certificate to an application."""
    return _add(transaction, call, applications.named(transaction, call.params["id"]).id)


def add_to_service_principal(transaction: Transaction, call: Call) -> Reply:
    """Add a certificate to a service principal."""
    return _add(transaction, call, service_principals.named(transaction, call.params["id"]).id)


def remove_from_application(transaction: Transaction, call: Call) -> Reply:
    """Remove a certificate from an application."""
    return _remove(transaction, call, applications.named(transaction, call.params["id"]).id)


def remove_from_service_principal(transaction: Transaction, call: Call) -> Reply:
    """Remove a certificate from a service principal."""
    return _remove(transaction, call, service_principals.named(transaction, call.params["id"]).id)


def _add(transaction: Transaction, call: Call, owner_id: str) -> Reply:
    body = call.json()
    _check_proof(transaction, owner_id, body.get("proof"))
    given = body.get("keyCredential")
    if not isinstance(given, dict) or not given.get("key"):
        raise errors.bad_request("A value is required for property 'keyCredential'.")
    row = certificates.certificate(owner_id, given)
    transaction.session.add(row)
    transaction.session.flush()
    call.change(after={"keyId": row.id, "displayName": row.display_name})
    what = query.context(call, "microsoft.graph.keyCredential")
    return query.reply(call, {"@odata.context": what, **bodies.key(row)})


def _remove(transaction: Transaction, call: Call, owner_id: str) -> Reply:
    _check_proof(transaction, owner_id, call.json().get("proof"))
    return credentials.remove(transaction, call, owner_id, "certificate", "key")


def _check_proof(transaction: Transaction, owner_id: str, proof: object) -> None:
    """Go on only with a JWT that one of the object's certificates in force signed, for the directory, not expired.

    Its issuer is the object id (Graph: application: addKey, "Generate proof of possession tokens").

    Raises:
        ServiceError: it is not.
    """
    import jwt
    from cryptography import x509

    now = transaction.now()
    options: jwt.types.Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    for row in principals.credentials(transaction.session, [owner_id], "certificate"):
        if not row.start <= clock.to_text(now) < row.end:
            continue
        public = x509.load_der_x509_certificate(base64.b64decode(str(row.properties["der"]))).public_key()
        try:
            claims = jwt.decode(str(proof), public, ["RS256", "PS256", "ES256"], options=options)  # type: ignore[arg-type]  # other kinds of key fail below
        except (jwt.InvalidTokenError, TypeError, ValueError):
            continue
        lasts = float(str(claims.get("exp", 0))) > now.timestamp() >= float(str(claims.get("nbf", 0))) - 300
        if claims.get("aud") in _AUDIENCES and claims.get("iss") == owner_id and lasts:
            return
    raise errors.bad_proof()
