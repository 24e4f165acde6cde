"""What clients are told about the token service before they sign in (M6)."""

from __future__ import annotations

import base64
from urllib.parse import quote

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conftest import TENANT, Client

OWN = f"https://localhost/{TENANT}"
DOCUMENTS = [
    (f"/{TENANT}/v2.0", f"{OWN}/oauth2/v2.0/token", f"{OWN}/v2.0"),
    ("/contoso.com/v2.0", f"{OWN}/oauth2/v2.0/token", f"{OWN}/v2.0"),
    ("/CONTOSO.com/v2.0", f"{OWN}/oauth2/v2.0/token", f"{OWN}/v2.0"),
    ("/organizations/v2.0", "https://localhost/organizations/oauth2/v2.0/token", "https://localhost/{tenantid}/v2.0"),
    ("/common/v2.0", "https://localhost/common/oauth2/v2.0/token", "https://localhost/{tenantid}/v2.0"),
    (f"/{TENANT}", f"{OWN}/oauth2/token", f"https://sts.windows.net/{TENANT}/"),
    ("/common", "https://localhost/common/oauth2/token", "https://sts.windows.net/{tenantid}/"),
    ("/adfs", "https://localhost/adfs/oauth2/token", f"{OWN}/v2.0"),
    ("/adfs/contoso.com/v2.0", "https://localhost/adfs/oauth2/token", f"{OWN}/v2.0"),
    (f"/adfs/{TENANT}", "https://localhost/adfs/oauth2/token", f"{OWN}/v2.0"),
]


@pytest.mark.parametrize(("path", "token_endpoint", "issuer"), DOCUMENTS)
def test_configuration(cloud: Client, path: str, token_endpoint: str, issuer: str) -> None:
    """M6: discovery in each shape that az and MSAL ask for; each document leads to endpoints that are there."""
    body = cloud.json(cloud.call("GET", f"{path}/.well-known/openid-configuration"))
    assert (body["token_endpoint"], body["issuer"]) == (token_endpoint, issuer)
    assert {"authorization_endpoint", "device_authorization_endpoint", "jwks_uri", "end_session_endpoint"} <= set(body)
    assert cloud.call("GET", body["jwks_uri"].removeprefix("https://localhost")).status == 200
    assert cloud.call("GET", body["end_session_endpoint"].removeprefix("https://localhost")).status == 200


@pytest.mark.parametrize(
    ("tenant", "number"),
    [("other.example", 90002), (TENANT.replace("1", "2"), 90002), ("consumers", 900023), ("x y", 900023)],
)
def test_unknown_tenant(cloud: Client, tenant: str, number: int) -> None:
    """M6: a tenant that is not here is AADSTS90002, what is no tenant's name AADSTS900023."""
    reply = cloud.call("GET", f"/{quote(tenant)}/v2.0/.well-known/openid-configuration")
    assert (reply.status, cloud.json(reply)["error_codes"]) == (400, [number])


def test_keys_verify_tokens(cloud: Client) -> None:
    """M6: an independent library verifies an access token with the published keys, by modulus and by certificate."""
    token = cloud.sign_in("alain@contoso.com", "Alain-pass-1")
    published = cloud.json(cloud.call("GET", "/common/discovery/v2.0/keys"))
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWKSet.from_dict(published)[kid]
    audience = "https://management.core.windows.net/"
    assert jwt.decode(token, key, ["RS256"], audience=audience)["upn"] == "alain@contoso.com"
    (row,) = (row for row in published["keys"] if row["kid"] == kid)
    certificate = x509.load_der_x509_certificate(base64.b64decode(row["x5c"][0])).public_key()
    assert isinstance(certificate, rsa.RSAPublicKey)
    assert jwt.decode(token, certificate, ["RS256"], audience=audience)["tid"] == TENANT
    assert row["issuer"] == f"{OWN}/v2.0"


@pytest.mark.parametrize(("name", "kind"), [("alain@contoso.com", "Managed"), ("x@other.example", "Unknown")])
def test_user_realm(cloud: Client, name: str, kind: str) -> None:
    """M6: MSAL asks who checks a user's password before it sends it."""
    body = cloud.json(cloud.call("GET", f"/common/userrealm/{quote(name)}?api-version=1.0"))
    assert (body["ver"], body["account_type"]) == ("1.0", kind)


def test_user_realm_tells_nobody_who_exists(cloud: Client) -> None:
    """M6: the realm of a name says nothing about the name."""
    known, unknown = (
        cloud.json(cloud.call("GET", f"/common/userrealm/{name}@contoso.com")) for name in ("alain", "nobody")
    )
    assert known == unknown


def test_instance_discovery(cloud: Client) -> None:
    """M6: the cloud vouches for itself and for no other authority."""
    mine = quote(f"https://localhost/{TENANT}/oauth2/v2.0/authorize")
    body = cloud.json(cloud.call("GET", f"/common/discovery/instance?api-version=1.1&authorization_endpoint={mine}"))
    assert body["tenant_discovery_endpoint"] == f"{OWN}/v2.0/.well-known/openid-configuration"
    other = cloud.call("GET", "/common/discovery/instance?authorization_endpoint=https://evil.example/x/authorize")
    assert (other.status, cloud.json(other)["error"]) == (400, "invalid_instance")


def test_endpoint_takes_no_get(cloud: Client) -> None:
    """M6: the token endpoint says which methods it takes (AADSTS900561)."""
    reply = cloud.call("GET", f"/{TENANT}/oauth2/v2.0/token")
    assert (reply.status, cloud.json(reply)["error_codes"]) == (405, [900561])


def test_error_uri_explains(cloud: Client) -> None:
    """M6: the address in an error leads to its meaning."""
    body = cloud.json(cloud.token_request(grant_type="password", username="alain@contoso.com", password="x"))
    page = str(cloud.call("GET", body["error_uri"].removeprefix("https://localhost")).body)
    assert "Error validating credentials due to invalid username or password." in page
