"""Who is calling: bearer tokens of our own security token service, and the operator key."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

from azext_trust.server.gate.call import Call, Caller
from azext_trust.server.store import principals, tokens
from azext_trust.server.store.transaction import Transaction

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


class NotAuthenticated(Exception):
    """The caller is not known.

    Args:
        problem: ``missing``, ``invalid``, ``expired``, ``audience``, ``tenant`` or ``principal``.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def bearer(call: Call) -> str:
    """Return the bearer token of a request (RFC 6750 section 2.1).

    Raises:
        NotAuthenticated: there is none.
    """
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("missing")
    return token.strip()


def operator(transaction: Transaction, call: Call) -> Caller:
    """Return the operator, whose key the request carries.

    Raises:
        NotAuthenticated: it carries none or another one.
    """
    if not hmac.compare_digest(bearer(call).encode(), transaction.vault.operator_key().encode()):
        raise NotAuthenticated("invalid")
    return Caller(id="operator", kind="Operator", name="operator")


def holder(transaction: Transaction, call: Call, audiences: Collection[str]) -> Caller:
    """Return the principal whose access token the request carries.

    Args:
        transaction: reads keys, clock and principal.
        call: the request.
        audiences: the resources this service answers for, with no slash at the end.

    Raises:
        NotAuthenticated: no token, or one that is not good here; `problem` says why.
    """
    claims = verified_claims(transaction, bearer(call))
    if str(claims.get("aud", "")).rstrip("/").lower() not in audiences:
        raise NotAuthenticated("audience")
    if claims.get("tid") != transaction.tenant_id():
        raise NotAuthenticated("tenant")
    principal = principals.by_id(transaction.session, str(claims.get("oid", "")))
    if principal is None or not principal.enabled:
        raise NotAuthenticated("principal")
    name = principal.upn if principal.kind == principals.USER else principal.app_id
    return Caller(principal.id, principal.kind, name or principal.id, claims, principal.classic_administrator)


def verified_claims(transaction: Transaction, token: str) -> dict[str, object]:
    """Return a token's claims when one of our keys signed it and it is in force.

    Raises:
        NotAuthenticated: with problem ``invalid`` or ``expired``.
    """
    import jwt

    try:
        kid = str(jwt.get_unverified_header(token).get("kid", ""))
        key = transaction.session.get(tokens.SigningKey, kid)
        if key is None:
            raise NotAuthenticated("invalid")
        # exp and nbf are checked below: the cloud has a clock of its own.
        options: jwt.types.Options = {
            "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False,
        }  # fmt: skip
        claims: dict[str, object] = jwt.decode(token, public_key(key.public_pem), ["RS256"], options=options)
    except jwt.InvalidTokenError:
        raise NotAuthenticated("invalid") from None
    now = transaction.now().timestamp()
    if not isinstance(claims.get("exp"), int) or now >= int(str(claims["exp"])):
        raise NotAuthenticated("expired")
    if now < float(str(claims.get("nbf", 0))) - 300:
        raise NotAuthenticated("invalid")
    return claims


@lru_cache(maxsize=32)
def public_key(pem: str) -> RSAPublicKey:
    """Return a stored public key (PEM), loaded once per process."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = load_pem_public_key(pem.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    return key
