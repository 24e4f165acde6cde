"""Who is calling: bearer tokens of our own security token service, and the operator key."""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

from azext_trust.server.gate import minting, signing_keys
from azext_trust.server.gate.call import Call, Caller
from azext_trust.server.store import principals, tokens
from azext_trust.server.store.transaction import Transaction

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

SKEW_SECONDS = 300
"""So far ahead another clock may be."""


class NotAuthenticated(Exception):
    """The caller is not known.

    Args:
        problem: ``missing``, ``invalid``, ``expired``, ``audience``, ``tenant``, ``principal`` or ``revoked``.
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
        call: the request; is told the challenge that a revoked token meets.
        audiences: the resources this service answers for, with no slash at the end.

    Raises:
        NotAuthenticated: no token, or one that is not good here; `problem` says why.
    """
    claims = verified_claims(transaction, bearer(call))
    if str(claims.get("aud", "")).rstrip("/").lower() not in audiences:
        raise NotAuthenticated("audience")
    tenant = transaction.tenant_id()
    issuers = {minting.issuer(call.settings, tenant, version) for version in (1, 2)}
    if claims.get("tid") != tenant or claims.get("iss") not in issuers:
        raise NotAuthenticated("tenant")
    principal = principals.by_id(transaction.session, str(claims.get("oid", "")))
    if principal is None or not principal.enabled:
        raise NotAuthenticated("principal")
    _check_revoked(transaction, call, principal, claims)
    name = principal.upn if principal.kind == principals.USER else principal.app_id
    return Caller(principal.id, principal.kind, name or principal.id, claims, principal.classic_administrator)


def _check_revoked(
    transaction: Transaction, call: Call, principal: principals.DirectoryObject, claims: dict[str, object]
) -> None:
    """Challenge tokens from before a revocation (continuous access evaluation).

    As in Azure only clients that said they understand a challenge meet one; the tokens of others live to their end.
    https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation
    """
    capable = claims.get("xms_cc")
    if not isinstance(capable, list) or "CP1" not in [str(text).upper() for text in capable]:
        return
    begins = minting.valid_from(transaction, principal)
    if float(str(claims.get("iat", 0))) < begins:
        call.challenge = json.dumps({"access_token": {"nbf": {"essential": True, "value": str(int(begins))}}})
        raise NotAuthenticated("revoked")


def verified_claims(transaction: Transaction, token: str) -> dict[str, object]:
    """Return a token's claims when one of our keys signed it and it is in force.

    Raises:
        NotAuthenticated: with problem ``invalid`` or ``expired``.
    """
    import jwt

    try:
        kid = str(jwt.get_unverified_header(token).get("kid", ""))
        keys = signing_keys.published(tokens.signing_keys(transaction.session), transaction.now())
        key = next((row for row in keys if row.kid == kid), None)
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
    begins = claims.get("nbf", 0)
    if not isinstance(begins, int) or now < begins - SKEW_SECONDS:
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
