"""Real Azure: azure-identity's credentials, with its own token cache."""

from __future__ import annotations

import os
import sys
from typing import Any

from azext_trust.cloud import token_cache
from azext_trust.cloud.accounts import Account
from azext_trust.cloud.errors import CloudError
from azext_trust.cloud.sign_in import IDENTITY_KINDS, SignedIn, decode

_CACHE = "aztrust"
_SECRETS = ("secret", "certificate", "chain", "assertion")
"""What of a sign-in is kept with the tokens, and not with the accounts."""


def _options() -> Any:
    from azure.identity import TokenCachePersistenceOptions

    return TokenCachePersistenceOptions(name=_CACHE, allow_unencrypted_storage=True)


def credential(login: dict[str, Any], tenant: str | None) -> Any:
    """Return the credential that an account was made with.

    Args:
        login: ``way`` is browser, device-code, secret, certificate, assertion or identity, with what each needs.
        tenant: tenant id, or None for the user's own.
    """
    import azure.identity as identity

    way = login["way"]
    # Whoever names an authority of their own (Azure Stack, a test) has none that Entra could vouch for.
    own: dict[str, Any] = {"disable_instance_discovery": True} if os.environ.get("AZURE_AUTHORITY_HOST") else {}
    theirs = tenant or ""  # asked for by `login --service-principal`; empty is azure-identity's own error
    if way == "secret":
        return identity.ClientSecretCredential(theirs, login["clientId"], login["secret"], **own)
    if way == "certificate":
        data, chain = login["certificate"].encode(), "chain" in login
        return identity.CertificateCredential(
            theirs, login["clientId"], certificate_data=data, send_certificate_chain=chain, **own
        )
    if way == "assertion":
        return identity.ClientAssertionCredential(theirs, login["clientId"], lambda: str(login["assertion"]), **own)
    if way == "identity":
        return _identity(login["identity"])
    if login.get("record"):
        # Whoever has signed in is not sent to a browser in the middle of another command.
        own |= {"authentication_record": _record(login["record"]), "disable_automatic_authentication": True}
    own |= {"tenant_id": tenant} if tenant else {}
    if way == "device-code":
        return identity.DeviceCodeCredential(prompt_callback=_told, cache_persistence_options=_options(), **own)
    return identity.InteractiveBrowserCredential(cache_persistence_options=_options(), **own)


def _record(text: str) -> Any:
    """Return the record of a sign-in; the library writes its authority without a scheme, and then misreads a port."""
    from azure.identity import AuthenticationRecord

    found = AuthenticationRecord.deserialize(text)
    authority = found.authority if "://" in found.authority else f"https://{found.authority}"
    return AuthenticationRecord(found.tenant_id, found.client_id, authority, found.home_account_id, found.username)


def _told(where: str, code: str, _ends: object) -> None:
    """Show a device code; the library would print it among the results."""
    text = f"To sign in, use a web browser to open the page {where} and enter the code {code} to authenticate."
    print(text, file=sys.stderr, flush=True)


def _identity(info: str) -> Any:
    """Return a managed identity's credential, named as az writes it down."""
    from azure.identity import ManagedIdentityCredential

    kind, _, value = info.partition("-")
    name = next((name for name, known in IDENTITY_KINDS.items() if known == kind), None)
    if name == "client_id":
        return ManagedIdentityCredential(client_id=value)
    return ManagedIdentityCredential(identity_config={name: value} if name else None)


def sign_in(name: str, login: dict[str, Any], tenant: str | None, scope: str, claims: str | None = None) -> SignedIn:
    """Sign in to real Azure.

    Args:
        name: the cloud's key, under which a service principal's credential is kept.
        login: as for `credential`.
        tenant: tenant id, or None.
        scope: ``<resource>/.default``.
        claims: a claims challenge (JSON), or None.

    Raises:
        CloudError: with Entra's own text.
    """
    from azure.core.exceptions import ClientAuthenticationError

    made = credential(login, tenant)
    try:
        if hasattr(made, "authenticate"):
            # The tokens of clients that take challenges are kept apart: all that follow ask for these.
            record = made.authenticate(scopes=[scope], enable_cae=True, **({"claims": claims} if claims else {}))
            return SignedIn(record.username, "user", record.tenant_id, {**login, "record": record.serialize()})
        found = str(decode(made.get_token(scope).token).get("tid", tenant))
    except (ClientAuthenticationError, ValueError) as error:
        raise CloudError(str(error)) from None
    if login["way"] == "identity":
        info = login["identity"]
        user = "systemAssignedIdentity" if info == "MSI" else "userAssignedIdentity"
        return SignedIn(user, "servicePrincipal", found, login, {"assignedIdentityInfo": info})
    kept = {part: login[part] for part in _SECRETS if part in login}
    token_cache.keep_secret(name, login["clientId"], found, kept)
    shown = {part: value for part, value in login.items() if part not in _SECRETS}
    details = {"useCertSNIssuerAuth": True} if "chain" in kept else {}
    return SignedIn(login["clientId"], "servicePrincipal", found, shown, details)


def token(name: str, account: Account, scope: str, claims: str | None) -> tuple[str, int]:
    """Return an access token and when it ends.

    Raises:
        CloudError: with Entra's own text, or where the sign-in is gone.
    """
    from azure.core.exceptions import ClientAuthenticationError

    login, tenant = dict(account["login"]), account["tenantId"]
    if account["user"]["type"] == "servicePrincipal" and login["way"] != "identity":
        login |= token_cache.secret_of(name, login["clientId"], tenant)
    try:
        more: dict[str, Any] = {"claims": claims} if claims else {}
        found = credential(login, tenant).get_token(*scope.split(), enable_cae=True, **more)
    except (ClientAuthenticationError, ValueError, KeyError) as error:
        raise CloudError(f"{error} Please run 'aztrust login' to setup account.") from None
    return found.token, found.expires_on


def forget(account: Account) -> None:
    """Remove a user's tokens from azure-identity's cache, which has no way of its own to forget one."""
    from azure.identity import AuthenticationRecord

    record = account["login"].get("record")
    if not record:
        return
    owner = AuthenticationRecord.deserialize(record).home_account_id
    for cae in (False, True):
        tokens = _cache(cae)
        for kind in ("AccessToken", "RefreshToken", "IdToken", "Account"):
            for row in list(tokens.search(kind)) if tokens else ():
                if row.get("home_account_id") == owner:
                    token_cache.REMOVE[kind](tokens, row)


def _cache(cae: bool) -> Any:
    try:
        # The library shares the file's place and form with nobody else.
        from azure.identity._persistent_cache import _load_persistent_cache

        return _load_persistent_cache(_options(), cae)
    except (ImportError, ValueError):
        return None
