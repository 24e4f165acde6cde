"""OpenID discovery, signing keys, user realm and instance discovery (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from azext_trust.names.guids import is_guid
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.gate.minting import encode
from azext_trust.server.store import facts, tokens
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.sts import errors

ALIASES = frozenset({"organizations", "common", "adfs"})
"""Words in the tenant's place: az without ``-t`` says organizations; the ADFS shape has adfs there."""


def resolve(transaction: Transaction, tenant: str) -> str:
    """Return the tenant id that a path's tenant names.

    Raises:
        errors.SignInError: AADSTS90002 for one that is not ours.
    """
    own = transaction.tenant_id()
    domain = facts.get(transaction.session, facts.TENANT_DOMAIN)
    if tenant.lower() in ALIASES or tenant.lower() in (own, domain.lower()):
        return own
    raise errors.no_such_tenant(tenant)


def configuration(transaction: Transaction, call: Call) -> Reply:
    """Return the OpenID configuration of a tenant."""
    tenant = call.params["tenant"]
    own = resolve(transaction, tenant)
    if tenant.lower() == "adfs":
        return _document(call, own, f"{call.settings.origin}/adfs", "")
    named = tenant if tenant.lower() in ALIASES or is_guid(tenant) else own
    return _document(call, own, f"{call.settings.origin}/{named}", "/v2.0")


def configuration_adfs(transaction: Transaction, call: Call) -> Reply:
    """Return the same for ``{login}/adfs/TENANT``, where az looks a domain up."""
    return _document(call, resolve(transaction, call.params["tenant"]), f"{call.settings.origin}/adfs", "")


def _document(call: Call, tenant: str, base: str, version: str) -> Reply:
    origin = call.settings.origin
    return Reply(
        {
            "token_endpoint": f"{base}/oauth2{version}/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery{version}/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            # az takes the tenant id from the third segment, also in the ADFS shape.
            "issuer": f"{origin}/{tenant}/v2.0",
            "request_uri_parameter_supported": False,
            "authorization_endpoint": f"{base}/oauth2{version}/authorize",
            "device_authorization_endpoint": f"{base}/oauth2{version}/devicecode",
            "end_session_endpoint": f"{base}/oauth2{version}/logout",
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "oid",
            ],
            "msgraph_host": origin.removeprefix("https://"),
        }
    )


def keys(transaction: Transaction, call: Call) -> Reply:
    """Return the public signing keys as a JWK set (RFC 7517)."""
    resolve(transaction, call.params["tenant"])
    return Reply({"keys": [_jwk(row, transaction) for row in tokens.signing_keys(transaction.session)]})


def _jwk(row: tokens.SigningKey, transaction: Transaction) -> dict[str, object]:
    from azext_trust.server.gate.authenticate import public_key

    numbers = public_key(row.public_pem).public_numbers()
    return {
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": row.kid, "x5t": row.kid,
        "n": encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
        "e": encode(numbers.e.to_bytes(3, "big")),
        "issuer": f"https://sts.windows.net/{transaction.tenant_id()}/",
    }  # fmt: skip


def user_realm(transaction: Transaction, call: Call) -> Reply:
    """Say that a user's password is checked here (``Managed``), or that the domain is unknown."""
    domain = call.params["name"].rpartition("@")[2].lower()
    if domain != facts.get(transaction.session, facts.TENANT_DOMAIN).lower():
        return Reply({"ver": "1.0", "account_type": "Unknown"})
    return Reply(
        {
            "ver": "1.0", "account_type": "Managed", "domain_name": domain,
            "cloud_instance_name": call.settings.host, "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }
    )  # fmt: skip


def instance(transaction: Transaction, call: Call) -> Reply:
    """Answer MSAL's instance discovery for this authority."""
    host = call.settings.origin.removeprefix("https://")
    return Reply(
        {
            "tenant_discovery_endpoint": f"{call.settings.origin}/common/v2.0/.well-known/openid-configuration",
            "api-version": call.query.get("api-version", "1.1"),
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
    )
