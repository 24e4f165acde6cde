"""Tokens that the cloud signs: RS256 JWTs with Entra's claims (az-wire-contract.md section 2)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import uuid
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from azext_trust.rbac import directory
from azext_trust.server.gate.call import Settings
from azext_trust.server.store import clock, facts, principals, tokens
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.store.vault import Vault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ACCESS_SECONDS = 4800
"""How long an access token holds, in seconds: Entra gives 60 to 90 minutes."""
REFRESH_DAYS = 90
GROUPS_LIMIT = 200
"""More groups than this are not in the token: the overage claim points to Graph."""


def add_signing_key(transaction: Transaction) -> tokens.SigningKey:
    """Make a new signing key, which becomes the one tokens are signed with; older ones still verify."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    plain = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    kid = encode(hashlib.sha256(public).digest()[:20])
    made = tokens.SigningKey(
        kid=kid, created=transaction.now_text(), public_pem=public.decode(),
        private_sealed=transaction.vault.encrypt(plain, f"signing-key:{kid}"),
    )  # fmt: skip
    transaction.session.add(made)
    transaction.session.flush()
    return made


def encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


_loaded: dict[tuple[str, str], RSAPrivateKey] = {}


def _private_key(vault: Vault, row: tokens.SigningKey) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    known = _loaded.get((row.kid, row.private_sealed))
    if known is None:
        plain = vault.decrypt(row.private_sealed, f"signing-key:{row.kid}")
        loaded = load_pem_private_key(plain, None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        known = _loaded[(row.kid, row.private_sealed)] = loaded
    return known


def sign(transaction: Transaction, claims: dict[str, object]) -> str:
    """Return claims as a JWT signed with the newest key."""
    import jwt

    keys = tokens.signing_keys(transaction.session)
    row = keys[0] if keys else add_signing_key(transaction)
    headers = {"kid": row.kid, "x5t": row.kid}
    return jwt.encode(claims, _private_key(transaction.vault, row), "RS256", headers=headers)


def access_token(
    transaction: Transaction, settings: Settings, principal: principals.DirectoryObject, client_id: str, resource: str
) -> str:
    """Return a v1.0 access token for a resource, as az receives it (real-responses.md section 3)."""
    now = int(transaction.now().timestamp())
    tenant = transaction.tenant_id()
    issuer = f"https://sts.windows.net/{tenant}/"
    claims: dict[str, object] = {
        "aud": resource, "iss": issuer, "iat": now, "nbf": now, "exp": now + ACCESS_SECONDS, "appid": client_id,
        "idp": issuer, "oid": principal.id, "sub": _pairwise(principal.id, client_id), "tid": tenant,
        "uti": encode(secrets.token_bytes(16)), "ver": "1.0", "xms_cc": ["CP1"],
    }  # fmt: skip
    if principal.kind == principals.USER:
        claims |= {
            "acr": "1", "amr": ["pwd"], "appidacr": "0", "idtyp": "user", "name": principal.display_name,
            "scp": "user_impersonation", "unique_name": principal.upn, "upn": principal.upn,
        }  # fmt: skip
        claims |= _directory_claims(transaction, settings, principal)
    else:
        claims |= {"appidacr": "1", "idtyp": "app", "sub": principal.id}
    return sign(transaction, claims)


def _directory_claims(
    transaction: Transaction, settings: Settings, principal: principals.DirectoryObject
) -> dict[str, object]:
    groups = sorted(principals.group_chains(transaction.session, principal.id))
    known = directory.directory_roles()
    held = principals.directory_roles(transaction.session, principal.id)
    claims: dict[str, object] = {"wids": sorted(known[name].id for name in held if name in known)}
    if len(groups) <= GROUPS_LIMIT:
        return claims | {"groups": groups}
    where = f"{settings.origin}/v1.0/users/{principal.id}/getMemberObjects"
    return claims | {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": where}}}


@lru_cache(maxsize=4096)
def _pairwise(object_id: str, client_id: str) -> str:
    return encode(hashlib.sha256(f"{object_id}:{client_id}".encode()).digest())


def id_token(
    transaction: Transaction,
    settings: Settings,
    principal: principals.DirectoryObject,
    client_id: str,
    nonce: str | None,
) -> str:
    """Return an OpenID Connect id_token; the nonce is the request's."""
    now = int(transaction.now().timestamp())
    tenant = transaction.tenant_id()
    claims: dict[str, object] = {
        "aud": client_id, "iss": f"{settings.origin}/{tenant}/v2.0", "iat": now, "nbf": now, "exp": now + 3600,
        "name": principal.display_name, "oid": principal.id, "preferred_username": principal.upn,
        "upn": principal.upn, "sub": _pairwise(principal.id, client_id), "tid": tenant, "ver": "2.0",
        "uti": encode(secrets.token_bytes(16)),
    }  # fmt: skip
    return sign(transaction, claims | ({"nonce": nonce} if nonce else {}))


def new_grant(transaction: Transaction, kind: str, seconds: float, row: tokens.Grant) -> str:
    """Store a refresh token, code or device code under its digest, and return its text.

    Args:
        transaction: a writing one.
        kind: ``refresh``, ``code`` or ``device``.
        seconds: how long it holds.
        row: the grant with client, principal, family and properties; digest, kind and expiry are set here.
    """
    made = secrets.token_urlsafe(48)
    row.digest = digest(made)
    row.kind = kind
    row.family = row.family or str(uuid.uuid4())
    row.expires = clock.to_text(transaction.now() + timedelta(seconds=seconds))
    transaction.session.add(row)
    transaction.session.flush()
    return made


def digest(text: str) -> str:
    """Return the SHA-256 (hex) under which a grant's text is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def user_tokens(  # noqa: PLR0913  (the two last are of two grants only)
    transaction: Transaction,
    settings: Settings,
    principal: principals.DirectoryObject,
    client_id: str,
    scope: str,
    *,
    nonce: str | None = None,
    family: str = "",
) -> dict[str, object]:
    """Return the token endpoint's answer for a user: access, id and refresh token (RFC 6749 section 5.1).

    Args:
        transaction: a writing one: the refresh token is stored.
        settings: names the origin.
        principal: the user.
        client_id: the application's appId.
        scope: the scopes asked for; the resource is taken from them.
        nonce: for the id_token.
        family: the sign-in the refresh token belongs to; empty begins a new one.
    """
    info = {"uid": principal.id, "utid": transaction.tenant_id()}
    grant = tokens.Grant(digest="", kind="", family=family, client_id=client_id, principal_id=principal.id, expires="",
                         properties={"issued": transaction.now_text()})  # fmt: skip
    return {
        "token_type": "Bearer",
        "scope": scope,
        "expires_in": ACCESS_SECONDS,
        "ext_expires_in": ACCESS_SECONDS,
        "access_token": access_token(transaction, settings, principal, client_id, resource_of(scope, settings)),
        "refresh_token": new_grant(transaction, "refresh", REFRESH_DAYS * 86400, grant),
        "id_token": id_token(transaction, settings, principal, client_id, nonce),
        "client_info": encode(json.dumps(info).encode()),
    }


_OPENID = frozenset({"openid", "profile", "offline_access", "email"})


def resource_of(scope: str, settings: Settings) -> str:
    """Return the resource that scopes name: what stands before the last slash, one slash of two kept."""
    for name in scope.split():
        if name.lower() in _OPENID:
            continue
        if "/" in name:
            return name.rpartition("/")[0]
        return f"{settings.origin}/"
    return f"{settings.origin}/"


def known_resource(transaction: Transaction, settings: Settings, resource: str) -> bool:
    """Tell whether tokens can be had for a resource: our services, ACR, and the tenant's own applications."""
    wanted = resource.rstrip("/").lower()
    fixed = {
        settings.origin.lower(), "https://management.core.windows.net", "https://management.azure.com",
        "https://graph.microsoft.com", "https://containerregistry.azure.net", "00000003-0000-0000-c000-000000000000",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    }  # fmt: skip
    if wanted in fixed:
        return True
    name = wanted.removeprefix("api://") if wanted.startswith("api://") else wanted
    session = transaction.session
    return any(principals.service_principal_by_name(session, text) is not None for text in (wanted, name))


def tenant_name(transaction: Transaction) -> str:
    """Return the tenant's display name."""
    return facts.get(transaction.session, facts.TENANT_NAME) or facts.get(transaction.session, facts.TENANT_DOMAIN)
