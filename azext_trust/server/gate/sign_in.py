"""Signing in to a login server: names with passwords, refresh tokens, access tokens of the directory."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import replace

from azext_trust.names.guids import is_guid
from azext_trust.server.gate import grants, scope_tokens
from azext_trust.server.gate.authenticate import NotAuthenticated, verified_claims
from azext_trust.server.gate.grants import Holder
from azext_trust.server.gate.login_servers import NULL_USER, Door, LoginServer, Pass
from azext_trust.server.store import passwords, principals, scope_maps, secrets
from azext_trust.server.store.transaction import Transaction

AUDIENCE = "https://containerregistry.azure.net"
ARM_AUDIENCES = frozenset(
    {"https://management.core.windows.net", "https://management.azure.com", "797f4846-ba00-4fd7-ba43-dac1f8f63013"}
)
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$MDAwMDAwMDAwMDAwMDAwMA$bFJ6QbVY3Zmvu7SN7F9NBg0Oi0mXOlnLy0bJQYVt2BY"


class SignInRefused(Exception):
    """The credentials are not good here.

    Args:
        reason: why, for the log and where the real service says it too.
        name: the name that was given.
        who: object id of whoever proved to be itself and may not come in all the same.
    """

    def __init__(self, reason: str, name: str = "", who: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.name = name
        self.who = who


def basic(header: str) -> tuple[str, str] | None:
    """Return user name and password of an Authorization header (RFC 7617), or None.

    Raises:
        SignInRefused: the header cannot be read.
    """
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise SignInRefused("the Basic credentials cannot be read") from None
    if not colon:
        raise SignInRefused("the Basic credentials hold no password")
    return name, password


def by_password(
    transaction: Transaction, door: Door, server: LoginServer, name: str, password: str
) -> tuple[Holder, Pass | None]:
    """Return who signs in with a name and a password.

    Args:
        transaction: a reading one.
        door: verifies tokens.
        server: the registry.
        name: the admin account's name, a client id, a token's name, or the null GUID.
        password: one of its passwords, or with the null GUID a refresh or access token.

    Returns:
        The holder, and the access token shown if it was one: it limits what can be had.

    Raises:
        SignInRefused: unknown, wrong, expired, disabled.
    """
    if name == NULL_USER:
        return _by_token(transaction, door, server, password)
    if name.lower() == server.name.lower() and server.row.admin_enabled:
        return _admin(transaction, server, name, password), None
    if is_guid(name):
        return _service_principal(transaction, name, password), None
    token = scope_maps.registry_token(transaction.session, server.id, name)
    if token is not None:
        if not scope_tokens.accepts(token, password, transaction.now_text()):
            raise SignInRefused("wrong or expired password, or the token is disabled", name)
        return Holder(grants.SCOPE_MAP, "", token.name, False, tuple(token.actions)), None
    passwords.verify_secret(_NOBODY, password)  # the time taken does not tell who exists
    if name.lower() == server.name.lower():
        raise SignInRefused("the admin account is disabled", name)
    raise SignInRefused("aad access token with sp failed client id must be guid", name)


def _admin(transaction: Transaction, server: LoginServer, name: str, password: str) -> Holder:
    sealed = server.row.admin_sealed
    held: dict[str, str] = json.loads(transaction.vault.decrypt(sealed, f"admin:{server.id}")) if sealed else {}
    # All are compared, so that the time taken does not tell which one is near.
    matches = [hmac.compare_digest(value.encode(), password.encode()) for value in held.values()]
    if not any(matches):
        raise SignInRefused("wrong password of the admin account", name)
    return Holder(grants.ADMIN, "", server.name)


def _service_principal(transaction: Transaction, client_id: str, secret: str) -> Holder:
    found = principals.service_principal_by_app_id(transaction.session, client_id.lower())
    if found is None:
        passwords.verify_secret(_NOBODY, secret)
        raise SignInRefused("no such application in the directory", client_id)
    row = secrets.matching(
        transaction.session, secrets.owners(transaction.session, found), secret, secrets.verify_again
    )
    if row is None:
        raise SignInRefused("wrong client secret", client_id)
    if not secrets.in_force(row, transaction.now_text()):
        raise SignInRefused("the client secret has expired", client_id)
    return principal_holder(found)


def principal_holder(found: principals.DirectoryObject) -> Holder:
    """Return a user or service principal as a holder.

    Raises:
        SignInRefused: it is disabled.
    """
    name = found.upn if found.kind == principals.USER else found.app_id
    if not found.enabled:
        raise SignInRefused("the account is disabled", name or found.id)
    return Holder(found.kind, found.id, name or found.id, found.classic_administrator)


def _by_token(transaction: Transaction, door: Door, server: LoginServer, token: str) -> tuple[Holder, Pass | None]:
    try:
        return by_refresh_token(transaction, door, server, token), None
    except SignInRefused:
        pass
    try:
        shown = door.pass_of(transaction, token, server, "access_token")
    except NotAuthenticated as refused:
        raise SignInRefused(f"the token is not good here: {refused.problem}") from None
    return holder_of(shown), shown


def by_refresh_token(transaction: Transaction, door: Door, server: LoginServer, token: str) -> Holder:
    """Return who holds a refresh token, with what it carries; the account must still exist and be enabled.

    Raises:
        SignInRefused: the token is not good here.
    """
    try:
        shown = door.pass_of(transaction, token, server, "refresh_token")
    except NotAuthenticated as refused:
        raise SignInRefused(f"the refresh token is not good here: {refused.problem}") from None
    found = principals.by_id(transaction.session, shown.holder_id)
    if found is None:
        raise SignInRefused("the account no longer exists", shown.subject)
    return replace(principal_holder(found), held=shown.held)


def holder_of(shown: Pass) -> Holder:
    """Return who a verified token names, without asking whether the account still exists (M11)."""
    return Holder(shown.kind, shown.holder_id, shown.subject)


def by_directory_token(transaction: Transaction, server: LoginServer, token: str) -> Holder:
    """Return whose access token of the directory this is (``/oauth2/exchange``).

    Raises:
        SignInRefused: another audience, another tenant, expired, or the account is gone.
    """
    try:
        claims = verified_claims(transaction, token)
    except NotAuthenticated as refused:
        raise SignInRefused(f"the access token is not good: {refused.problem}") from None
    audience = str(claims.get("aud", "")).rstrip("/").lower()
    allowed = {AUDIENCE} | (ARM_AUDIENCES if server.enabled("azureADAuthenticationAsArmPolicy") else frozenset())
    if audience not in allowed:
        raise SignInRefused(f"access tokens for {audience} are not taken here")
    if claims.get("tid") != transaction.tenant_id():
        raise SignInRefused("the access token is of another tenant")
    found = principals.by_id(transaction.session, str(claims.get("oid", "")))
    if found is None:
        raise SignInRefused("the account no longer exists")
    return principal_holder(found)
