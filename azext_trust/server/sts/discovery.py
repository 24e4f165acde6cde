"""OpenID discovery, signing keys, user realm and instance discovery (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

import re

from azext_trust.names.guids import is_guid
from azext_trust.server.gate import minting, signing_keys
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.gate.signing_keys import encode
from azext_trust.server.store import facts, tokens
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.sts import errors

ADFS = "adfs"
ALIASES = frozenset({"organizations", "common", ADFS})
"""Words in the tenant's place: az without ``-t`` says organizations; the ADFS shape has adfs there."""
_HEADERS = {
    "cache-control": "max-age=86400, private", "access-control-allow-origin": "*", "access-control-allow-methods":
    "GET, OPTIONS", "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}  # fmt: skip
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", re.IGNORECASE)


def resolve(transaction: Transaction, tenant: str) -> str:
    """Return the tenant id that a path's tenant names.

    Raises:
        errors.SignInError: AADSTS90002 for one that is not ours, AADSTS900023 for what is no tenant's name.
    """
    own = transaction.tenant_id()
    domain = facts.get(transaction.session, facts.TENANT_DOMAIN)
    if tenant.lower() in ALIASES or tenant.lower() in (own, domain.lower()):
        return own
    if not is_guid(tenant) and not _DOMAIN.fullmatch(tenant):
        raise errors.refuse("no_tenant_name", tenant=tenant)
    raise errors.refuse("no_such_tenant", tenant=tenant)


def configuration(transaction: Transaction, call: Call) -> Reply:
    """Return the OpenID configuration of version 2.0."""
    return _configuration(transaction, call, 2, "/v2.0")


def configuration_v1(transaction: Transaction, call: Call) -> Reply:
    """Return the OpenID configuration of version 1.0, or AD FS's where the tenant is called so."""
    return _configuration(transaction, call, 1, "")


def _configuration(transaction: Transaction, call: Call, version: int, path: str) -> Reply:
    tenant = call.params["tenant"].lower()
    own = resolve(transaction, tenant)
    if tenant == ADFS:
        return _adfs(call, own)
    named = tenant if tenant in ALIASES or is_guid(tenant) else own
    # Entra's own words: whoever signs in through an alias belongs to a tenant that is not known yet.
    issuer = minting.issuer(call.settings, "{tenantid}" if tenant in ALIASES else own, version)
    return _document(call, f"{call.settings.origin}/{named}", path, issuer)


def configuration_adfs(transaction: Transaction, call: Call) -> Reply:
    """Return AD FS's for ``{login}/adfs/TENANT``, where az looks a domain up."""
    return _adfs(call, resolve(transaction, call.params["tenant"]))


def _adfs(call: Call, tenant: str) -> Reply:
    # az takes the tenant id from the issuer's third segment, also in this shape.
    return _document(call, f"{call.settings.origin}/{ADFS}", "", minting.issuer(call.settings, tenant, 2))


def _document(call: Call, base: str, version: str, issuer: str) -> Reply:
    origin = call.settings.origin
    host = origin.removeprefix("https://")
    body = {
        "token_endpoint": f"{base}/oauth2{version}/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery{version}/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{origin}/oidc/userinfo",
        "authorization_endpoint": f"{base}/oauth2{version}/authorize",
        "device_authorization_endpoint": f"{base}/oauth2{version}/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2{version}/logout",
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver",
        ],
        "tenant_region_scope": None,
        "cloud_instance_name": host,
        "cloud_graph_host_name": host,
        "msgraph_host": host,
    }  # fmt: skip
    return Reply(body, headers=dict(_HEADERS))


def keys(transaction: Transaction, call: Call) -> Reply:
    """Return the public signing keys as a JWK set (RFC 7517); version 2 says whose tokens a key signs."""
    resolve(transaction, call.params["tenant"])
    held = signing_keys.published(tokens.signing_keys(transaction.session), transaction.now())
    issuer = minting.issuer(call.settings, transaction.tenant_id(), 2)
    more = {"issuer": issuer} if "/v2.0/" in call.path.lower() else {}
    return Reply({"keys": [_jwk(row) | more for row in held]}, headers=dict(_HEADERS))


def _jwk(row: tokens.SigningKey) -> dict[str, object]:
    from azext_trust.server.gate.authenticate import public_key

    numbers = public_key(row.public_pem).public_numbers()
    return {
        "kty": "RSA", "use": "sig", "kid": row.kid, "x5t": row.kid,
        "n": encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
        "e": encode(numbers.e.to_bytes(3, "big")),
        **({"x5c": [row.certificate]} if row.certificate else {}),
    }  # fmt: skip


def user_realm(transaction: Transaction, call: Call) -> Reply:
    """Say that a user's password is checked here (``Managed``), or that the domain is unknown."""
    domain = call.params["name"].rpartition("@")[2].lower()
    host = call.settings.origin.removeprefix("https://")
    if domain != facts.get(transaction.session, facts.TENANT_DOMAIN).lower():
        return Reply({"ver": "1.0", "account_type": "Unknown", "cloud_instance_name": host})
    return Reply(
        {
            "ver": "1.0", "account_type": "Managed", "domain_name": domain, "cloud_instance_name": host,
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }
    )  # fmt: skip


def instance(transaction: Transaction, call: Call) -> Reply:
    """Answer MSAL's instance discovery: this cloud knows itself and no other."""
    from urllib.parse import urlsplit

    origin = call.settings.origin
    asked = urlsplit(call.query.get("authorization_endpoint", f"{origin}/common"))
    host = origin.removeprefix("https://")
    if asked.scheme != "https" or asked.netloc.lower() != host.lower():
        raise errors.refuse("no_instance")
    tenant = (asked.path.split("/", 2)[1:2] or [""])[0] or "common"
    return Reply(
        {
            "tenant_discovery_endpoint": f"{origin}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": call.query.get("api-version", "1.1"),
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
    )
