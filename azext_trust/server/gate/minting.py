"""Tokens that the cloud signs: RS256 JWTs with Entra's claims (az-wire-contract.md section 2)."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

from azext_trust.rbac import directory
from azext_trust.server.gate import resources, signing_keys
from azext_trust.server.gate.call import Settings
from azext_trust.server.gate.resources import Resource
from azext_trust.server.gate.signing_keys import encode
from azext_trust.server.store import clock, facts, principals, tokens
from azext_trust.server.store.transaction import Transaction

__all__ = ["encode"]

ACCESS_SECONDS = 4800
"""How long an access token holds, in seconds: Entra gives 60 to 90 minutes."""
IDENTITY_SECONDS = 86399
"""How long a managed identity's token holds: a day."""
ID_SECONDS = 3600
REFRESH_DAYS = 90
GROUPS_LIMIT = 200
"""More groups than this are not in the token: the overage claim points to Graph."""
SESSIONS_FROM = "signInSessionsValidFromDateTime"
"""The property of a user that holds the moment before which its sign-ins are no longer good (Graph: user resource)."""
_FORGET_DAYS = 7
"""Expired grants stay so long: a late client learns that its code has expired, not that it never was."""


@dataclass(frozen=True)
class Wanted:
    """What a client asks of an access token, beyond its resource.

    Attributes:
        permissions: delegated permissions asked for by name; empty means all that there are.
        proof: the `appidacr` or `azpacr` claim: 0 a public client, 1 a secret, 2 a certificate or assertion.
        methods: the `amr` claim of a user.
        capabilities: what the client says it can do: CP1 means it understands claims challenges.
        identity: resource id of the managed identity, or empty.
        seconds: how long the token holds.
    """

    permissions: tuple[str, ...] = ()
    proof: str = "0"
    methods: tuple[str, ...] = ("pwd",)
    capabilities: tuple[str, ...] = ()
    identity: str = ""
    seconds: int = ACCESS_SECONDS


ANYTHING = Wanted(capabilities=("CP1",))


def add_signing_key(transaction: Transaction) -> tokens.SigningKey:
    """Make the first signing key."""
    return signing_keys.add(transaction, transaction.now())


def sign(transaction: Transaction, claims: dict[str, object]) -> str:
    """Return claims as a JWT signed with the key that signs now."""
    import jwt

    row = signing_keys.current(transaction)
    headers = {"kid": row.kid, "x5t": row.kid}
    return jwt.encode(claims, signing_keys.private_key(transaction.vault, row), "RS256", headers=headers)


def access_token(
    transaction: Transaction, settings: Settings, principal: principals.DirectoryObject, client_id: str, resource: str,
    wanted: Wanted = ANYTHING,
) -> str:  # fmt: skip
    """Return an access token for a resource, as az receives it (real-responses.md section 3).

    Args:
        transaction: reads the directory and the clock.
        settings: name the cloud's origin.
        principal: who.
        client_id: through which application.
        resource: the resource's name, as asked.
        wanted: what else the client asks.
    """
    found = resources.find(transaction, settings, resource) or Resource(resource)
    claims = _common(transaction, settings, principal, found, wanted)
    claims |= _client(found.version, client_id, wanted.proof)
    if wanted.capabilities:
        claims["xms_cc"] = list(wanted.capabilities)
    if principal.kind == principals.USER:
        claims |= _user(principal, client_id, found, wanted)
        claims |= _directory_claims(transaction, settings, principal, found)
    else:
        claims |= {"idtyp": "app", "sub": principal.id}
        claims |= {"idp": claims["iss"]} if found.version == 1 else {}
        claims |= {"xms_mirid": wanted.identity} if wanted.identity else {}
    return sign(transaction, claims)


def _common(
    transaction: Transaction, settings: Settings, principal: principals.DirectoryObject, resource: Resource,
    wanted: Wanted,
) -> dict[str, object]:  # fmt: skip
    tenant, begins = transaction.tenant_id(), issue_time(transaction, principal)
    return {
        "aud": resource.audience, "iss": issuer(settings, tenant, resource.version), "iat": begins, "nbf": begins,
        "exp": begins + wanted.seconds, "oid": principal.id, "tid": tenant, "uti": encode(secrets.token_bytes(16)),
        "ver": f"{resource.version}.0",
    }  # fmt: skip


def issuer(settings: Settings, tenant: str, version: int) -> str:
    """Return the `iss` of access tokens: version 1 has the same one in every cloud that is Entra's."""
    return f"https://sts.windows.net/{tenant}/" if version == 1 else f"{settings.origin}/{tenant}/v2.0"


def valid_from(transaction: Transaction, principal: principals.DirectoryObject) -> float:
    """Return the Unix time before which no access token of this principal is good any more; 0 when there is none.

    Tokens carry whole seconds, so it is rounded up, and new tokens begin no earlier.
    """
    moments = [facts.get(transaction.session, tokens.VALID_FROM), str(principal.properties.get(SESSIONS_FROM) or "")]
    return max((math.ceil(clock.from_text(text).timestamp()) for text in moments if text), default=0)


def issue_time(transaction: Transaction, principal: principals.DirectoryObject) -> int:
    """Return the `iat` of a token made now."""
    return int(max(transaction.now().timestamp(), valid_from(transaction, principal)))


def _client(version: int, client_id: str, proof: str) -> dict[str, object]:
    names = ("appid", "appidacr") if version == 1 else ("azp", "azpacr")
    return dict(zip(names, (client_id, proof), strict=True))


def _user(
    principal: principals.DirectoryObject, client_id: str, resource: Resource, wanted: Wanted
) -> dict[str, object]:
    named = tuple(name for name in wanted.permissions if name != resources.DEFAULT)
    claims: dict[str, object] = {
        "idtyp": "user", "name": principal.display_name, "scp": " ".join(named) or resource.permissions,
        "sub": _pairwise(principal.id, client_id),
    }  # fmt: skip
    if resource.version == 2:
        return claims | {"preferred_username": principal.upn}
    return claims | {"acr": "1", "amr": list(wanted.methods), "unique_name": principal.upn, "upn": principal.upn}


def _directory_claims(
    transaction: Transaction, settings: Settings, principal: principals.DirectoryObject, resource: Resource
) -> dict[str, object]:
    claims: dict[str, object] = {}
    if resource.roles:
        known = directory.directory_roles()
        held = principals.directory_roles(transaction.session, principal.id)
        # Every member of a directory that is no guest holds this role.
        claims["wids"] = [*sorted(known[name].id for name in held if name in known), _MEMBER]
    if not resource.groups:
        return claims
    groups = sorted(principals.group_chains(transaction.session, principal.id))
    if len(groups) <= GROUPS_LIMIT:
        return claims | {"groups": groups}
    where = f"{settings.origin}/v1.0/users/{principal.id}/getMemberObjects"
    return claims | {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": where}}}


_MEMBER = "b79fbf4d-3ef9-4689-8143-76b194e85509"


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
    begins = issue_time(transaction, principal)
    tenant = transaction.tenant_id()
    claims: dict[str, object] = {
        "aud": client_id, "iss": issuer(settings, tenant, 2), "iat": begins, "nbf": begins, "exp": begins + ID_SECONDS,
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
    now = transaction.now()
    tokens.forget_expired(transaction.session, clock.to_text(now - timedelta(days=_FORGET_DAYS)))
    made = secrets.token_urlsafe(48)
    row.digest = digest(made)
    row.kind = kind
    row.family = row.family or str(uuid.uuid4())
    row.expires = clock.to_text(now + timedelta(seconds=seconds))
    transaction.session.add(row)
    transaction.session.flush()
    return made


def digest(text: str) -> str:
    """Return the SHA-256 (hex) under which a grant's text is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class SignIn:
    """A sign-in whose tokens are made, beyond its client and scopes.

    Attributes:
        nonce: for the id_token.
        family: the sign-in the refresh token belongs to; empty begins a new one.
        began: when the sign-in began; empty is now. Revoking sessions ends those that began before.
        public: the client showed no secret: none is asked of its refresh token either.
        everything: id_token and refresh token are answered unasked, as AD FS and the older endpoint do.
        wanted: what else is asked of the access token.
    """

    nonce: str | None = None
    family: str = ""
    began: str = ""
    public: bool = True
    everything: bool = False
    wanted: Wanted = ANYTHING


NEW = SignIn()


def user_tokens(
    transaction: Transaction, settings: Settings, principal: principals.DirectoryObject, client_id: str, scope: str,
    sign_in: SignIn = NEW,
) -> dict[str, object]:  # fmt: skip
    """Return the token endpoint's answer for a user: access, id and refresh token (RFC 6749 section 5.1).

    Args:
        transaction: a writing one: the refresh token is stored.
        settings: names the origin.
        principal: the user.
        client_id: the application's appId.
        scope: the scopes asked for.
        sign_in: what else is known of the sign-in.

    Raises:
        azext_trust.server.gate.resources.ScopeError: scopes that cannot be.
    """
    asked = resources.read(scope)
    resource = asked.resource or f"{settings.origin}/"
    wanted = replace(sign_in.wanted, permissions=asked.permissions)
    made: dict[str, object] = {
        "token_type": "Bearer",
        "scope": granted_scope(scope),
        "expires_in": ACCESS_SECONDS,
        "ext_expires_in": ACCESS_SECONDS,
        "access_token": access_token(transaction, settings, principal, client_id, resource, wanted),
    }
    if sign_in.everything or "offline_access" in asked.openid:
        made["refresh_token"] = _refresh_token(transaction, principal, client_id, scope, sign_in)
    if sign_in.everything or "openid" in asked.openid:
        made["id_token"] = id_token(transaction, settings, principal, client_id, sign_in.nonce)
    info = {"uid": principal.id, "utid": transaction.tenant_id()}
    return made | {"client_info": encode(json.dumps(info).encode())}


def granted_scope(scope: str) -> str:
    """Return the scopes that were granted: what was asked, but for the one that only brings a refresh token."""
    return " ".join(name for name in scope.split() if name.lower() != "offline_access")


def _refresh_token(
    transaction: Transaction, principal: principals.DirectoryObject, client_id: str, scope: str, sign_in: SignIn
) -> str:
    now = transaction.now_text()
    kept: dict[str, object] = {
        "issued": now, "began": sign_in.began or now, "scope": scope, "public": sign_in.public,
    }  # fmt: skip
    grant = tokens.Grant(digest="", kind="", family=sign_in.family, client_id=client_id,
                         principal_id=principal.id, expires="", properties=kept)  # fmt: skip
    return new_grant(transaction, "refresh", REFRESH_DAYS * 86400, grant)


def tenant_name(transaction: Transaction) -> str:
    """Return the tenant's display name."""
    return facts.get(transaction.session, facts.TENANT_NAME) or facts.get(transaction.session, facts.TENANT_DOMAIN)
