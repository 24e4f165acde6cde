"""The ways to sign in, through msal (az-wire-contract.md section 2)."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import requests

from azext_trust.cloud import token_cache
from azext_trust.cloud.accounts import Account
from azext_trust.cloud.errors import CloudError, unreachable
from azext_trust.cloud.profile import Profile

P = ParamSpec("P")
R = TypeVar("R")

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""az's own client id: a public client that every tenant knows."""


@dataclass(frozen=True)
class SignedIn:
    """What a sign-in gave.

    Attributes:
        name: user name or client id.
        kind: ``user`` or ``servicePrincipal``.
        tenant: tenant id.
        login: how tokens are found and renewed: client id, home account id, managed identity.
        details: what az shows of the user besides.
    """

    name: str
    kind: str
    tenant: str
    login: dict[str, str]
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Door:
    """Where and over which wire to sign in.

    Attributes:
        profile: the cloud.
        session: carries the requests.
        cache_name: the cloud's key, for the token cache.
    """

    profile: Profile
    session: requests.Session
    cache_name: str

    def authority(self, tenant: str | None) -> str:
        """Return msal's authority; in the ADFS shape it has no tenant."""
        base = self.profile.login
        return base if base.endswith("/adfs") else f"{base}/{tenant or 'organizations'}"

    def public(self, tenant: str | None) -> Any:
        """Return msal's public client."""
        import msal

        return msal.PublicClientApplication(
            AZURE_CLI, authority=self.authority(tenant), http_client=self.session, instance_discovery=False,
            token_cache=token_cache.cache(self.cache_name), client_capabilities=["CP1"],
        )  # fmt: skip

    def confidential(self, tenant: str | None, client_id: str, credential: dict[str, str]) -> Any:
        """Return msal's confidential client."""
        import msal

        return msal.ConfidentialClientApplication(
            client_id, client_credential=_credential(credential), authority=self.authority(tenant),
            http_client=self.session, instance_discovery=False, token_cache=token_cache.cache(self.cache_name),
            client_capabilities=["CP1"],
        )  # fmt: skip

    @property
    def scope(self) -> str:
        """The scope of ARM's tokens."""
        return f"{self.profile.audience}/.default"


def _speaks(function: Callable[Concatenate[Door, P], R]) -> Callable[Concatenate[Door, P], R]:
    """Tell what goes wrong on the wire, or with what msal is given, in words for the user."""

    @wraps(function)
    def told(door: Door, /, *arguments: P.args, **named: P.kwargs) -> R:
        try:
            return function(door, *arguments, **named)
        except requests.RequestException as error:
            raise unreachable(door.profile.name, door.profile.login, error) from None
        except ValueError as error:  # msal's own: an unknown tenant, a reserved scope, a key that is none
            raise CloudError(str(error)) from None

    return told


def _credential(kept: dict[str, str]) -> Any:
    if "secret" in kept:
        return kept["secret"]
    if "assertion" in kept:
        return {"client_assertion": kept["assertion"]}
    return _certificate(kept["certificate"], chain="chain" in kept)


def _certificate(text: str, *, chain: bool) -> dict[str, str]:
    """Return private key and thumbprint of a PEM file that holds a key and its certificate.

    Raises:
        CloudError: one of the two is missing.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    try:
        loaded = x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        raise CloudError("The certificate file needs a private key and a certificate, both in PEM form.") from None
    if "PRIVATE KEY" not in text:
        raise CloudError("The certificate file has no private key.")
    thumbprint = loaded.fingerprint(hashes.SHA1()).hex()  # Entra finds certificates by SHA-1
    found = {"private_key": text, "thumbprint": thumbprint}
    return {**found, "public_certificate": text} if chain else found


WRONG_SECRET = 7000215


def refusal(result: dict[str, Any] | None, *words: str) -> CloudError:
    """Return the service's own text with az's advice.

    Args:
        result: what msal returned.
        words: what the advised ``login`` is to be told.
    """
    found = result or {}
    text = str(found.get("error_description") or found.get("error") or "Sign-in failed.")
    if WRONG_SECRET in (found.get("error_codes") or ()):
        advice = (
            "The error may be caused by passing a service principal certificate with --password. Please note that "
            "--password no longer accepts a service principal certificate. To pass a service principal certificate, use "
            "--certificate instead."
        )
    else:
        advice = (
            "Run the command below to authenticate interactively; additional arguments may be added as needed:\n"
            "aztrust logout\n" + " ".join(("aztrust login", *words))
        )
    return CloudError(f"{text}\n{advice}")


def _checked(result: dict[str, Any] | None) -> dict[str, Any]:
    """Return a successful answer.

    Raises:
        CloudError: with the service's own text.
    """
    if result and "access_token" in result:
        return result
    raise refusal(result)


def _user(door: Door, result: dict[str, Any]) -> SignedIn:
    claims = result.get("id_token_claims") or decode(str(result.get("id_token", "")))
    info = json.loads(_unpadded(str(result["client_info"]))) if result.get("client_info") else {}
    home_id = f"{info['uid']}.{info['utid']}" if info else f"{claims.get('oid')}.{claims.get('tid')}"
    name = str(claims.get("preferred_username") or claims.get("upn") or claims.get("oid"))
    login = {"clientId": AZURE_CLI, "homeAccountId": home_id}
    return SignedIn(name, "user", str(claims["tid"]), login)


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decode(token: str) -> dict[str, Any]:
    """Return a token's claims, unverified: only for showing and for finding the tenant."""
    try:
        found: dict[str, Any] = json.loads(_unpadded(token.split(".")[1]))
    except (IndexError, ValueError):
        return {}
    return found


@dataclass(frozen=True)
class Asked:
    """What a user's sign-in is for.

    Attributes:
        tenant: tenant id, or None for the user's own.
        scopes: scopes instead of Resource Manager's, or None.
        claims: a claims challenge (JSON) that a service sent, or None.
    """

    tenant: str | None = None
    scopes: list[str] | None = None
    claims: str | None = None


@_speaks
def password(door: Door, name: str, secret: str, asked: Asked) -> SignedIn:
    """Sign in with user name and password (ROPC)."""
    app = door.public(asked.tenant)
    result = app.acquire_token_by_username_password(
        name, secret, asked.scopes or [door.scope], claims_challenge=asked.claims
    )
    return _user(door, _checked(result))


@_speaks
def device_code(door: Door, asked: Asked, page: str = "") -> SignedIn:
    """Sign in on another device: the code is shown on stderr.

    Args:
        door: the cloud.
        asked: what for.
        page: where the code is entered, when the service does not know it.
    """
    app = door.public(asked.tenant)
    flow = app.initiate_device_flow(asked.scopes or [door.scope], claims_challenge=asked.claims)
    if "user_code" not in flow:
        _checked(flow)
    text = str(flow["message"])
    print(text.replace(str(flow["verification_uri"]), page) if page else text, file=sys.stderr, flush=True)
    return _user(door, _checked(app.acquire_token_by_device_flow(flow, claims_challenge=asked.claims)))


@_speaks
def browser(door: Door, asked: Asked) -> SignedIn:
    """Sign in in the browser: authorization code with PKCE, sent back to a loopback port."""
    app = door.public(asked.tenant)
    print(
        f"A web browser has been opened at {app.authority.authorization_endpoint}. Please continue the login in the web "
        "browser. If no web browser is available or if the web browser fails to open, use device code flow with "
        "`aztrust login --use-device-code`.", file=sys.stderr, flush=True,
    )  # fmt: skip
    result = app.acquire_token_interactive(
        asked.scopes or [door.scope], prompt="select_account", timeout=600, claims_challenge=asked.claims
    )
    return _user(door, _checked(result))


@_speaks
def service_principal(door: Door, client_id: str, tenant: str | None, credential: dict[str, str]) -> SignedIn:
    """Sign in as a service principal with a secret, a certificate or a federated token; the credential is kept."""
    app = door.confidential(tenant, client_id, credential)
    # A token that the cache still holds would hide that the credential is wrong (az-wire-contract.md section 0).
    app.remove_tokens_for_client()
    result = _checked(app.acquire_token_for_client([door.scope]))
    found = str(decode(result["access_token"]).get("tid", tenant))
    token_cache.keep_secret(door.cache_name, client_id, found, credential)
    details = {"useCertSNIssuerAuth": True} if "chain" in credential else {}
    return SignedIn(client_id, "servicePrincipal", found, {"clientId": client_id}, details)


IDENTITY_KINDS = {"client_id": "MSIClient", "object_id": "MSIObject", "resource_id": "MSIResource"}
"""How az writes down by what a managed identity was named."""


def managed_identity(door: Door, named: dict[str, str]) -> SignedIn:
    """Sign in as a managed identity, through the instance metadata service.

    Args:
        door: the cloud.
        named: its client, object or resource id under a key of `IDENTITY_KINDS`; empty for the only one there is.
    """
    kind, value = next(iter(named.items()), ("", ""))
    info = f"{IDENTITY_KINDS[kind]}-{value}" if kind else "MSI"
    result = identity_token(door, info, door.scope)
    name = "userAssignedIdentity" if kind else "systemAssignedIdentity"
    tenant = str(decode(str(result["access_token"])).get("tid"))
    return SignedIn(name, "servicePrincipal", tenant, {"identity": info}, {"assignedIdentityInfo": info})


def identity_token(door: Door, info: str, scope: str) -> dict[str, Any]:
    """Return a token answer for a managed identity.

    Args:
        door: the cloud.
        info: by what it is named, as az writes it down.
        scope: ``<resource>/.default``.

    Raises:
        CloudError: the metadata service refused, or cannot be reached.
    """
    import msal

    kind, _, value = info.partition("-")
    name = next((name for name, known in IDENTITY_KINDS.items() if known == kind), None)
    identity = msal.UserAssignedManagedIdentity(**{name: value}) if name else msal.SystemAssignedManagedIdentity()
    client = msal.ManagedIdentityClient(identity, http_client=door.session)
    try:
        return _checked(client.acquire_token_for_client(resource=scope.removesuffix("/.default")))
    except (requests.RequestException, ValueError) as error:
        raise CloudError(
            f"The instance metadata service cannot be reached: {error}. Serve one with 'aztrust serve --imds' and name it "
            "in AZURE_POD_IDENTITY_AUTHORITY_HOST."
        ) from None


@_speaks
def embedded_owner(door: Door, operator_key: str) -> SignedIn:
    """Sign in to the embedded cloud as the first Owner of its seed; no password: this person holds the files."""
    answer = door.session.post(
        f"{door.profile.arm}/operator/sign-in", json={"scope": f"{door.scope} openid profile offline_access"},
        headers={"Authorization": f"Bearer {operator_key}"},
    )  # fmt: skip
    result = answer.json()
    if "error" in result:
        raise CloudError(str(result["error"]["message"]))
    cache = token_cache.cache(door.cache_name)
    tenant = result["tenantId"]
    cache.add(
        {
            "client_id": AZURE_CLI, "scope": [door.scope], "data": {},
            "token_endpoint": f"{door.authority(tenant)}/oauth2/v2.0/token", "response": result,
        }
    )  # fmt: skip
    return _user(door, result)


def read_certificate(path: str) -> str:
    """Return the text of a certificate file.

    Raises:
        CloudError: it cannot be read.
    """
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CloudError(f"The certificate file {path} cannot be read: {error}") from None


@_speaks
def renewed(door: Door, account: Account, scope: str, *, claims: str | None, force: bool) -> dict[str, Any]:
    """Return a token answer for a scope from the cache or the token service.

    Args:
        door: the cloud.
        account: who.
        scope: ``<resource>/.default``.
        claims: a claims challenge that a service sent, or None.
        force: ask the token service even if a cached token looks good.

    Raises:
        CloudError: the sign-in has ended; the text says how to sign in again.
    """
    login, tenant = account["login"], account["tenantId"]
    if "identity" in login:
        return identity_token(door, login["identity"], scope)
    scopes = scope.split()
    if account["user"]["type"] == "servicePrincipal":
        credential = token_cache.secret_of(door.cache_name, login["clientId"], tenant)
        if not credential:
            raise CloudError(
                f"Could not retrieve credential from local cache for service principal {login['clientId']}. "
                "Run `aztrust login` for this service principal."
            )
        app = door.confidential(tenant, login["clientId"], credential)
        if force:
            app.remove_tokens_for_client()
        return _checked(app.acquire_token_for_client(scopes, claims_challenge=claims))
    app = door.public(tenant)
    known = next((a for a in app.get_accounts() if a["home_account_id"] == login["homeAccountId"]), None)
    result = app.acquire_token_silent_with_error(scopes, known, claims_challenge=claims, force_refresh=force)
    if result is None:
        raise CloudError("The sign-in has ended. Please run 'aztrust login' to setup account.")
    if "access_token" not in result:
        raise refusal(result, f'--tenant "{tenant}" --scope "{scope}"')
    return dict(result)
