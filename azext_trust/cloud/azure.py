"""Real Azure: azure-identity's credentials, with its own token cache."""

from __future__ import annotations

from typing import Any

from azext_trust.cloud.accounts import Account
from azext_trust.cloud.errors import CloudError
from azext_trust.cloud.sign_in import SignedIn, decode

_CACHE = "aztrust"


def _options() -> Any:
    from azure.identity import TokenCachePersistenceOptions

    return TokenCachePersistenceOptions(name=_CACHE, allow_unencrypted_storage=True)


def credential(login: dict[str, Any], tenant: str | None) -> Any:
    """Return the credential that an account was made with.

    Args:
        login: ``way`` is browser, device-code, secret, certificate or assertion, with what each needs.
        tenant: tenant id, or None for the user's own.
    """
    import azure.identity as identity

    way = login["way"]
    named = {"tenant_id": tenant} if tenant else {}
    theirs = tenant or ""  # asked for by `login --service-principal`; empty is azure-identity's own error
    if way == "secret":
        return identity.ClientSecretCredential(theirs, login["clientId"], login["secret"])
    if way == "certificate":
        return identity.CertificateCredential(theirs, login["clientId"], certificate_data=login["certificate"].encode())
    if way == "assertion":
        return identity.ClientAssertionCredential(theirs, login["clientId"], lambda: str(login["assertion"]))
    record = login.get("record")
    options: dict[str, Any] = {"cache_persistence_options": _options(), **named}
    if record:
        options["authentication_record"] = identity.AuthenticationRecord.deserialize(record)
    kind = identity.DeviceCodeCredential if way == "device-code" else identity.InteractiveBrowserCredential
    return kind(**options)


def sign_in(login: dict[str, Any], tenant: str | None, scope: str) -> SignedIn:
    """Sign in to real Azure.

    Raises:
        CloudError: with Entra's own text.
    """
    from azure.core.exceptions import ClientAuthenticationError

    made = credential(login, tenant)
    try:
        if hasattr(made, "authenticate"):
            record = made.authenticate(scopes=[scope])
            return SignedIn(record.username, "user", record.tenant_id, {**login, "record": record.serialize()})
        claims = decode(made.get_token(scope).token)
    except (ClientAuthenticationError, ValueError) as error:
        raise CloudError(str(error)) from None
    return SignedIn(login["clientId"], "servicePrincipal", str(claims.get("tid", tenant)), login)


def token(account: Account, scope: str, claims: str | None) -> tuple[str, int]:
    """Return an access token and when it ends."""
    from azure.core.exceptions import ClientAuthenticationError

    try:
        found = credential(account["login"], account["tenantId"]).get_token(scope, claims=claims)
    except ClientAuthenticationError as error:
        raise CloudError(f"{error} Please run 'aztrust login' to setup account.") from None
    return found.token, found.expires_on
