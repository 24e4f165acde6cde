"""Client assertions: signed with a registered certificate, or by somebody a federated credential trusts (RFC 7523)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azext_trust.server.gate import minting
from azext_trust.server.gate.authenticate import SKEW_SECONDS, NotAuthenticated, verified_claims
from azext_trust.server.gate.call import Call
from azext_trust.server.store import clock, principals
from azext_trust.server.store.transaction import Store
from azext_trust.server.sts import errors
from azext_trust.server.sts.credentials import Held

if TYPE_CHECKING:
    from jwt.types import Options

EXCHANGE = "api://AzureADTokenExchange"
EXCHANGE_ID = "fb60f99c-7a34-4190-8149-302f77469936"
"""The audience of federated credentials, and what it is called in tokens of managed identities."""
_ALGORITHMS = ["RS256", "PS256"]
_FOREIGN_ALGORITHMS = ["RS256", "PS256", "ES256"]
_SIGNATURE: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False,
                       "verify_iss": False, "verify_sub": False, "verify_jti": False}  # fmt: skip
_NOTHING: Options = {**_SIGNATURE, "verify_signature": False}
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)

Claims = Mapping[str, object]


def check(store: Store, call: Call, found: Held, assertion: str) -> None:
    """Go on only with an assertion that speaks for the client.

    The same assertion may be shown again until it expires, as at Entra: MSAL for Node and for .NET keep theirs, and az
    shows a federated token for each resource.

    Raises:
        errors.SignInError: it does not.
    """
    import jwt

    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options=_NOTHING)
    except (jwt.InvalidTokenError, ValueError):
        raise errors.refuse("bad_assertion") from None
    if str(claims.get("iss", "")).lower() == found.client.id:
        _certificate(call, found, assertion, header, claims)
    else:
        _federated(store, call, found, assertion, claims)


def _certificate(call: Call, found: Held, assertion: str, header: Claims, claims: Claims) -> None:
    import jwt
    from cryptography import x509

    thumbprint = _thumbprint(header)
    row, der = _registered(found, thumbprint)
    values = {
        "client": found.client.id, "thumbprint": thumbprint, "start": _shown(row.start), "end": _shown(row.end),
    }  # fmt: skip
    key: Any = x509.load_der_x509_certificate(der).public_key()
    try:
        jwt.decode(assertion, key, _ALGORITHMS, options=_SIGNATURE)
    except (jwt.InvalidTokenError, TypeError, ValueError):
        raise errors.refuse("wrong_signature", **values) from None
    if not row.start <= clock.to_text(found.now) < (row.end or "9"):
        raise errors.refuse("expired_certificate", **values)
    if str(claims.get("sub", "")).lower() != found.client.id:
        raise errors.refuse("wrong_subject")
    if not _audiences(call, found).intersection(_texts(claims.get("aud"))):
        raise errors.refuse("wrong_assertion_audience")
    _check_time(found, claims)


def _registered(found: Held, thumbprint: str) -> tuple[principals.Credential, bytes]:
    for row in found.of("certificate"):
        der = base64.b64decode(str(row.properties.get("der", "")))
        known = (hashlib.sha1(der, usedforsecurity=False).hexdigest(), hashlib.sha256(der).hexdigest())
        if thumbprint.lower() in known:
            return row, der
    raise errors.refuse("unknown_certificate", client=found.client.id, thumbprint=thumbprint)


def _thumbprint(header: Claims) -> str:
    """Return the thumbprint an assertion names, hex: base64url with or without padding (RFC 7515 section 4.1.7)."""
    text = str(header.get("x5t") or header.get("x5t#S256") or "")
    try:
        found = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)).hex().upper()
    except ValueError:
        found = ""
    if not found:
        raise errors.refuse("no_thumbprint")
    return found


def _audiences(call: Call, found: Held) -> set[str]:
    """Return what an assertion may be for: the token endpoints and issuers of this tenant, in each of its names."""
    origin, tenant = call.settings.origin, found.tenant
    names = (tenant, found.domain, "common", "organizations")
    endpoints = {f"{origin}/{name}/{path}" for name in names for path in ("oauth2/v2.0/token", "oauth2/token", "v2.0")}
    return endpoints | {f"{origin}/adfs/oauth2/token", f"https://sts.windows.net/{tenant}/", f"{origin}/{tenant}/"}


def _texts(value: object) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else [str(value)]


def _moment(claims: Claims, name: str, default: datetime) -> datetime:
    """Return a time claim; az writes them with fractions (RFC 7519 section 2, NumericDate)."""
    try:
        return _ZERO + timedelta(seconds=float(str(claims[name])))
    except (KeyError, ValueError, OverflowError):
        return default


def _check_time(found: Held, claims: Claims) -> None:
    start, end = _moment(claims, "nbf", _ZERO), _moment(claims, "exp", _ZERO)
    skew = timedelta(seconds=SKEW_SECONDS)
    if end + skew <= found.now or start - skew > found.now:
        raise errors.refuse("assertion_time", now=clock.to_text(found.now), start=clock.to_text(start),
                            end=clock.to_text(end))  # fmt: skip


def _shown(moment: str) -> str:
    return clock.from_text(moment).strftime("%m/%d/%Y %H:%M:%S") if moment else ""


def _federated(store: Store, call: Call, found: Held, assertion: str, claims: Claims) -> None:
    issuer = str(claims.get("iss", ""))
    _match(found, issuer, str(claims.get("sub", "")), _texts(claims.get("aud")))
    _check_time(found, claims)
    ours = {minting.issuer(call.settings, found.tenant, version) for version in (1, 2)}
    if issuer in ours:
        _check_ours(store, assertion)
    else:
        _check_foreign(issuer, assertion)


def _match(found: Held, issuer: str, subject: str, audiences: list[str]) -> None:
    """Go on only when a federated credential names issuer, subject and audience; case counts since August 2024."""
    rows = [row.properties for row in found.of("federated")]
    if not rows:
        raise errors.refuse("no_federation", client=found.client.id, name=found.client.name)
    rows = [row for row in rows if row.get("issuer") == issuer]
    if not rows:
        raise errors.refuse("federated_issuer", value=issuer)
    fitting = [row for row in rows if row.get("subject") == subject]
    if not fitting:
        near = any(str(row.get("subject")).lower() == subject.lower() for row in rows)
        raise errors.refuse("federated_case" if near else "federated_subject", value=subject)
    shown = {EXCHANGE if text == EXCHANGE_ID else text for text in audiences}
    if not any(shown.intersection(_texts(row.get("audiences"))) for row in fitting):
        raise errors.refuse("federated_audience", value=", ".join(audiences))


def _check_ours(store: Store, assertion: str) -> None:
    """Verify a token of this cloud: a managed identity's, or of another of its applications."""
    try:
        with store.read() as transaction:
            verified_claims(transaction, assertion)
    except NotAuthenticated:
        raise errors.refuse("federated_signature") from None


def _check_foreign(issuer: str, assertion: str) -> None:
    """Verify against the keys an issuer publishes; only issuers that a credential names are ever asked."""
    import jwt

    key = _published_key(issuer, str(jwt.get_unverified_header(assertion).get("kid")))
    try:
        jwt.decode(assertion, key, _FOREIGN_ALGORITHMS, options=_SIGNATURE)
    except (jwt.PyJWTError, TypeError, ValueError):
        raise errors.refuse("federated_signature") from None


def _published_key(issuer: str, kid: str) -> Any:
    """Return an issuer's key (OpenID Connect Discovery 1.0 section 4; RFC 7517).

    Raises:
        errors.SignInError: the issuer cannot be asked over HTTPS, or publishes no such key.
    """
    import jwt

    document = _fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    try:
        return jwt.PyJWKSet.from_dict(_fetch(str(document.get("jwks_uri"))))[kid]
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        raise errors.refuse("federated_signature") from None


_LARGEST = 1 << 20
"""Bytes that are read of what an issuer publishes."""


def _fetch(address: str) -> dict[str, Any]:
    import json

    import requests

    if not address.startswith("https://"):
        raise errors.refuse("federated_unreachable")
    try:
        with requests.get(address, timeout=10, allow_redirects=False, stream=True) as answer:
            answer.raise_for_status()
            found = json.loads(answer.raw.read(_LARGEST, decode_content=True))
    except (requests.RequestException, ValueError, OSError):
        raise errors.refuse("federated_unreachable") from None
    return found if isinstance(found, dict) else {}
