"""Who somebody is: passwords, client secrets, client assertions."""

from __future__ import annotations

import base64
import hashlib

from azext_trust.server.gate.authenticate import NotAuthenticated, verified_claims
from azext_trust.server.gate.call import Call
from azext_trust.server.store import passwords, principals, secrets
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.sts import errors

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
"""The Azure portal's client id: here the portal of this cloud, which alone its codes are sent to."""
PORTAL_REDIRECT = "/portal/signed-in"
FIRST_PARTY = frozenset({"04b07795-8ddb-461a-bbee-02f9e1bf7b46", "1950a258-227b-4e31-a9cf-717495945fc2", PORTAL})
"""Public clients that every tenant knows: the Azure CLI, Azure PowerShell and the portal."""
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$MDAwMDAwMDAwMDAwMDAwMA$bFJ6QbVY3Zmvu7SN7F9NBg0Oi0mXOlnLy0bJQYVt2BY"


def user(transaction: Transaction, name: str, password: str) -> principals.DirectoryObject:
    """Return the user whose name and password these are.

    Raises:
        errors.SignInError: no such user, wrong password, disabled.
    """
    found = principals.user_by_upn(transaction.session, name)
    if found is None:
        passwords.verify_secret(_NOBODY, password)  # the time taken does not tell who exists
        raise errors.no_such_user(name, transaction.tenant_id())
    held = principals.credentials(transaction.session, [found.id], "password")
    if not any(passwords.verify_secret(row.hashed, password) for row in held):
        raise errors.wrong_password()
    if not found.enabled:
        raise errors.disabled_user()
    return found


def client_known(transaction: Transaction, client_id: str) -> None:
    """Go on only with an application of this tenant or a first-party client.

    Raises:
        errors.SignInError: AADSTS700016.
    """
    if client_id.lower() in FIRST_PARTY:
        return
    if principals.application_by_app_id(transaction.session, client_id) is None:
        raise errors.no_such_client(client_id, transaction.tenant_id())


def application(transaction: Transaction, call: Call, form: dict[str, str]) -> principals.DirectoryObject:
    """Return the service principal whose secret or assertion a request carries.

    Raises:
        errors.SignInError: unknown application, wrong or expired credential.
    """
    client_id = form["client_id"].lower()
    session = transaction.session
    principal = principals.service_principal_by_app_id(session, client_id)
    registered = principals.application_by_app_id(session, client_id)
    if registered is None and principal is None:
        raise errors.no_such_client(client_id, transaction.tenant_id())
    if principal is None:
        raise errors.no_service_principal(client_id, transaction.tenant_id())
    owners = [principal.id, *([registered.id] if registered else [])]
    if form.get("client_assertion"):
        _check_assertion(transaction, call, owners, client_id, form["client_assertion"])
    elif form.get("client_secret"):
        _check_secret(transaction, owners, client_id, form["client_secret"])
    else:
        raise errors.missing("client_assertion' or 'client_secret")
    if not principal.enabled:
        raise errors.disabled_application(client_id)
    return principal


def _check_secret(transaction: Transaction, owners: list[str], client_id: str, secret: str) -> None:
    found = secrets.matching(transaction.session, owners, secret)
    if found is None:
        raise errors.wrong_secret(client_id)
    if not secrets.in_force(found, transaction.now_text()):
        raise errors.expired_secret(client_id)


def _check_assertion(transaction: Transaction, call: Call, owners: list[str], client_id: str, assertion: str) -> None:
    import jwt

    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise errors.bad_assertion(str(error)) from None
    if str(claims.get("iss", "")).lower() == client_id:
        _check_certificate(transaction, call, owners, assertion, header, claims)
    else:
        _check_federated(transaction, call, owners, assertion, claims)


def _check_certificate(
    transaction: Transaction, call: Call, owners: list[str], assertion: str,
    header: dict[str, object], claims: dict[str, object],
) -> None:  # fmt: skip
    import jwt
    from cryptography import x509

    thumbprint = _thumbprint(header)
    now = transaction.now().timestamp()
    for row in principals.credentials(transaction.session, owners, "certificate"):
        der = base64.b64decode(str(row.properties.get("der", "")))
        if hashlib.sha1(der, usedforsecurity=False).hexdigest().upper() != thumbprint and (
            hashlib.sha256(der).hexdigest().upper() != thumbprint
        ):
            continue
        if row.end and row.end <= transaction.now_text():
            raise errors.unknown_certificate(thumbprint)
        key = x509.load_der_x509_certificate(der).public_key()
        options: jwt.types.Options = {
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
            "verify_aud": False,
        }
        try:
            jwt.decode(assertion, key, ["RS256", "PS256"], options=options)  # type: ignore[arg-type]  # RSA or refused
        except (jwt.InvalidTokenError, TypeError):
            raise errors.unknown_certificate(thumbprint) from None
        # exp is a float in az's assertions.
        if float(str(claims.get("exp", 0))) <= now or float(str(claims.get("nbf", 0))) > now + 300:
            raise errors.bad_assertion("The assertion is not within its valid time range.")
        if not str(claims.get("aud", "")).startswith(call.settings.origin):
            raise errors.bad_assertion("Audience validation failed.")
        return
    raise errors.unknown_certificate(thumbprint)


def _thumbprint(header: dict[str, object]) -> str:
    text = str(header.get("x5t") or header.get("x5t#S256") or "")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex().upper()
    except ValueError:
        return ""


def _check_federated(
    transaction: Transaction, call: Call, owners: list[str], assertion: str, claims: dict[str, object]
) -> None:
    issuer, subject, audience = claims.get("iss"), claims.get("sub"), claims.get("aud")
    for row in principals.credentials(transaction.session, owners, "federated"):
        known = row.properties
        audiences = known.get("audiences")
        asked = audience if isinstance(audience, list) else [audience]
        if (
            known.get("issuer") == issuer
            and known.get("subject") == subject
            and (isinstance(audiences, list) and set(audiences).intersection(asked))
        ):
            _check_issuer(transaction, call, str(issuer), assertion)
            return
    raise errors.no_federated_record(issuer, subject, audience)


def _check_issuer(transaction: Transaction, call: Call, issuer: str, assertion: str) -> None:
    tenant = transaction.tenant_id()
    if issuer.rstrip("/") in (f"https://sts.windows.net/{tenant}", f"{call.settings.origin}/{tenant}/v2.0"):
        try:
            verified_claims(transaction, assertion)
        except NotAuthenticated as refused:
            raise errors.bad_assertion(refused.problem) from None
        return
    _check_foreign_issuer(transaction, issuer, assertion)


def _check_foreign_issuer(transaction: Transaction, issuer: str, assertion: str) -> None:
    """Verify against the keys an issuer publishes; only issuers that a credential names are ever asked."""
    import jwt
    import requests

    try:
        base = issuer.rstrip("/")
        found = requests.get(f"{base}/.well-known/openid-configuration", timeout=10).json()
        published = jwt.PyJWKSet.from_dict(requests.get(found["jwks_uri"], timeout=10).json())
        key = published[str(jwt.get_unverified_header(assertion).get("kid"))]
        claims = jwt.decode(
            assertion, key, ["RS256", "ES256", "PS256"], options={"verify_aud": False, "verify_exp": False}
        )
    except (requests.RequestException, jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
        raise errors.bad_assertion(f"The issuer's keys do not verify it: {error}") from None
    if float(str(claims.get("exp", 0))) <= transaction.now().timestamp():
        raise errors.bad_assertion("The assertion is not within its valid time range.")
