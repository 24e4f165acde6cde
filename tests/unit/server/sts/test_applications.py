"""Service principals at the token endpoint: secrets, certificates, federated credentials (M6)."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid

import jwt
import pytest

from azext_trust.server.gate.call import Reply
from azext_trust.server.store import principals
from tests.conftest import BUILDER, TENANT, Client
from tests.sign_in import ARM, TOKEN_ENDPOINT, Certificate, advance, change_application, claims_of, shown

ISSUER = "https://issuer.example"
SUBJECT = "repo:contoso/images:ref:refs/heads/main"
EXCHANGE = "api://AzureADTokenExchange"


def attempt(cloud: Client, client_id: str = BUILDER, scope: str = ARM, **form: str) -> Reply:
    """Ask for a service principal's token."""
    return cloud.token_request(grant_type="client_credentials", client_id=client_id, scope=scope, **form)


def codes(cloud: Client, reply: Reply) -> object:
    """Return a refusal's AADSTS numbers, or the status of an answer."""
    return cloud.json(reply).get("error_codes", [reply.status])


def enable(cloud: Client, enabled: bool) -> None:
    """Switch the service principal on or off."""
    with cloud.app.store.write() as transaction:
        found = principals.service_principal_by_app_id(transaction.session, BUILDER)
        assert found is not None
        found.enabled = enabled


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    """A certificate with its key; making one takes long."""
    return Certificate.new()


def test_answer_has_no_refresh_token(cloud: Client) -> None:
    """M6: a service principal gets an access token and nothing else (RFC 6749 section 4.4.3)."""
    body = cloud.json(attempt(cloud, client_secret="Builder-secret-1"))
    assert set(body) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    claims = claims_of(body["access_token"])
    assert (claims["appid"], claims["appidacr"], claims["idtyp"]) == (BUILDER, "1", "app")
    assert claims["sub"] == claims["oid"]
    assert not {"scp", "upn", "groups"} & set(claims)


def test_basic_authentication(cloud: Client) -> None:
    """M6: client id and secret may stand in the Authorization header (RFC 6749 section 2.3.1)."""
    header = "Basic " + base64.b64encode(f"{BUILDER}:Builder-secret-1".encode()).decode()
    form = f"grant_type=client_credentials&scope={ARM}".encode()
    assert cloud.call("POST", f"/{TENANT}/oauth2/v2.0/token", form, authorization=header).status == 200


def test_expired_secret(cloud: Client) -> None:
    """M6: a secret past its end is AADSTS7000222, not yet begun as well."""
    with cloud.app.store.write() as transaction:
        owner = principals.application_by_app_id(transaction.session, BUILDER)
        assert owner is not None
        for row in principals.credentials(transaction.session, [owner.id], "secret"):
            row.end = "2020-01-01T00:00:00.0000000Z"
    assert codes(cloud, attempt(cloud, client_secret="Builder-secret-1")) == [7000222]
    assert codes(cloud, attempt(cloud, client_secret="Builder-wrong")) == [7000215]


@pytest.mark.parametrize("tenant", ["common", "organizations"])
def test_tenant_must_be_told(cloud: Client, tenant: str) -> None:
    """M6: an application's tenant follows from nothing but the path (AADSTS50059)."""
    form = f"grant_type=client_credentials&client_id={BUILDER}&client_secret=x&scope={ARM}".encode()
    assert codes(cloud, cloud.call("POST", f"/{tenant}/oauth2/v2.0/token", form)) == [50059]


@pytest.mark.parametrize("scope", ["https://management.azure.com/user_impersonation", "User.Read", "openid"])
def test_only_default_scope(cloud: Client, scope: str) -> None:
    """M6: applications ask for ``/.default`` only (AADSTS1002012)."""
    assert codes(cloud, attempt(cloud, scope=scope, client_secret="Builder-secret-1")) == [1002012]


def test_no_credential(cloud: Client) -> None:
    """M6: who shows nothing is told what is missing (AADSTS7000218)."""
    assert codes(cloud, attempt(cloud)) == [7000218]


def test_disabled(cloud: Client) -> None:
    """M6: a service principal that is switched off gets nothing (AADSTS7000112)."""
    enable(cloud, False)
    assert codes(cloud, attempt(cloud, client_secret="Builder-secret-1")) == [7000112]
    assert codes(cloud, attempt(cloud, client_secret="wrong")) == [7000215]


def test_first_party_client(cloud: Client) -> None:
    """M6: az's own client is public: it signs nobody in by a secret."""
    assert codes(cloud, attempt(cloud, "04b07795-8ddb-461a-bbee-02f9e1bf7b46", client_secret="x")) == [700025]


@pytest.mark.parametrize("options", [{}, {"padding": False}, {"header": "x5t#S256"}, {"aud": f"https://localhost/{TENANT}/v2.0"},
                                     {"aud": "https://localhost/adfs/oauth2/token"}])  # fmt: skip
def test_certificate(cloud: Client, certificate: Certificate, options: dict[str, object]) -> None:
    """M6: an assertion signs in, with a padded thumbprint and broken seconds as az's MSAL writes them."""
    certificate.register(cloud.app.store, BUILDER)
    body = cloud.json(attempt(cloud, **shown(certificate.assertion(BUILDER, **options))))  # type: ignore[arg-type]
    assert claims_of(body["access_token"])["appidacr"] == "2"


def test_certificate_may_be_shown_again(cloud: Client, certificate: Certificate) -> None:
    """M6: an assertion is good until it expires, as at Entra: MSAL for Node keeps its own."""
    certificate.register(cloud.app.store, BUILDER)
    assertion = certificate.assertion(BUILDER)
    assert [attempt(cloud, **shown(assertion)).status for _ in range(2)] == [200, 200]
    advance(cloud, 1000)
    assert codes(cloud, attempt(cloud, **shown(assertion))) == [700024]


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({"aud": "https://login.microsoftonline.com/common/oauth2/v2.0/token"}, 700023),
        ({"aud": TOKEN_ENDPOINT + ".evil.example"}, 700023),
        ({"aud": "https://localhost.evil.example/x"}, 700023),
        ({"sub": TENANT}, 700021),
        ({"exp": 1.0}, 700024),
        ({"exp": None}, 700024),
        ({"exp": "soon"}, 700024),
        ({"nbf": time.time() + 4000}, 700024),
        ({"iss": TENANT}, 70025),
    ],
)  # fmt: skip
def test_bad_certificate_assertion(
    cloud: Client, certificate: Certificate, claims: dict[str, object], number: int
) -> None:
    """M6: each fault of an assertion has its own code."""
    certificate.register(cloud.app.store, BUILDER)
    reply = attempt(cloud, **shown(certificate.assertion(BUILDER, **claims)))  # type: ignore[arg-type]
    assert (reply.status, codes(cloud, reply)) == (401, [number])


def test_certificate_of_somebody_else(cloud: Client, certificate: Certificate) -> None:
    """M6: a certificate that is not registered is AADSTS700027, with its thumbprint."""
    body = cloud.json(attempt(cloud, **shown(certificate.assertion(BUILDER))))
    assert body["error_codes"] == [700027]
    assert hashlib.sha1(certificate.der).hexdigest().upper() in body["error_description"]


def test_certificate_past_its_end(cloud: Client, certificate: Certificate) -> None:
    """M6: an expired certificate no longer signs in."""
    certificate.register(cloud.app.store, BUILDER)
    advance(cloud, 400 * 86400)
    fresh = certificate.assertion(BUILDER, exp=time.time() + 400 * 86400 + 600)
    assert codes(cloud, attempt(cloud, **shown(fresh))) == [700027]


def test_not_a_token(cloud: Client) -> None:
    """M6: what is no JWT is AADSTS50027."""
    assert codes(cloud, attempt(cloud, **shown("no.jwt.here"))) == [50027]


def trust(cloud: Client, issuer: str = ISSUER, subject: str = SUBJECT, audience: str = EXCHANGE) -> None:
    """Give the application a federated credential."""
    with cloud.app.store.write() as transaction:
        owner = principals.application_by_app_id(transaction.session, BUILDER)
        assert owner is not None
        transaction.session.add(
            principals.Credential(
                id=str(uuid.uuid4()), owner_id=owner.id, kind="federated", display_name="main",
                properties={"issuer": issuer, "subject": subject, "audiences": [audience]},
            )
        )  # fmt: skip


def foreign(certificate: Certificate, **claims: object) -> str:
    """Return a token as a pipeline gets it from its own issuer."""
    body = {"iss": ISSUER, "sub": SUBJECT, "aud": EXCHANGE, "exp": int(time.time()) + 600, **claims}
    return jwt.encode(body, certificate.key, "RS256", headers={"kid": "1"})


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({"iss": "https://other.example"}, 700211),
        ({"iss": ISSUER + "/"}, 700211),
        ({"sub": "repo:contoso/other"}, 700213),
        ({"sub": SUBJECT.upper()}, 7002138),
        ({"aud": "api://other"}, 700212),
        ({"exp": 1}, 700024),
        ({}, 90061),
    ],
)
def test_federated_refusals(cloud: Client, certificate: Certificate, claims: dict[str, object], number: int) -> None:
    """M6: what does not match says which part; an issuer that cannot be asked is AADSTS90061."""
    trust(cloud)
    assert codes(cloud, attempt(cloud, **shown(foreign(certificate, **claims)))) == [number]


def test_federated_without_any(cloud: Client, certificate: Certificate) -> None:
    """M6: an application without federated credentials says so."""
    assert codes(cloud, attempt(cloud, **shown(foreign(certificate)))) == [70025]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, certificate: Certificate) -> None:
    """An issuer that publishes the certificate's key."""
    from azext_trust.server.sts import assertions

    key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(certificate.key.public_key())) | {"kid": "1", "use": "sig"}
    documents = {
        f"{ISSUER}/.well-known/openid-configuration": {"jwks_uri": f"{ISSUER}/keys"}, f"{ISSUER}/keys": {"keys": [key]},
    }  # fmt: skip
    monkeypatch.setattr(assertions, "_fetch", documents.__getitem__)


@pytest.mark.usefixtures("published")
def test_federated_token(cloud: Client, certificate: Certificate) -> None:
    """M6: a token of an issuer that the application trusts signs in, verified with the keys the issuer publishes."""
    trust(cloud)
    body = cloud.json(attempt(cloud, **shown(foreign(certificate))))
    assert claims_of(body["access_token"])["appid"] == BUILDER


@pytest.mark.usefixtures("published")
def test_federated_token_signed_by_another(cloud: Client) -> None:
    """M6: the issuer's name is worth nothing without its signature."""
    trust(cloud)
    assert codes(cloud, attempt(cloud, **shown(foreign(Certificate.new())))) == [700027]


def test_token_of_this_cloud_as_federated_token(cloud: Client) -> None:
    """M6: an application may trust another one of this cloud, as it trusts a managed identity."""
    body = cloud.json(attempt(cloud, scope=f"{EXCHANGE}/.default", client_secret="Builder-secret-1"))
    claims = claims_of(body["access_token"])
    assert (claims["ver"], claims["aud"]) == ("2.0", "fb60f99c-7a34-4190-8149-302f77469936")
    trust(cloud, issuer=claims["iss"], subject=claims["sub"])
    assert attempt(cloud, **shown(body["access_token"])).status == 200


def test_own_api(cloud: Client) -> None:
    """M6: tokens for an application of the tenant are of the version it asks for."""
    form = {"scope": "api://builder/.default", "client_secret": "Builder-secret-1"}
    claims = claims_of(cloud.json(attempt(cloud, **form))["access_token"])
    assert (claims["ver"], claims["aud"], claims["iss"]) == (
        "1.0",
        "api://builder",
        f"https://sts.windows.net/{TENANT}/",
    )
    change_application(cloud, BUILDER, api={"requestedAccessTokenVersion": 2})
    claims = claims_of(cloud.json(attempt(cloud, **form))["access_token"])
    assert (claims["ver"], claims["aud"], claims["iss"]) == ("2.0", BUILDER, f"https://localhost/{TENANT}/v2.0")
    assert claims["azp"] == BUILDER
