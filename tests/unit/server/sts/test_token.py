"""The token endpoint, as MSAL sees it (M6)."""

from __future__ import annotations

import jwt
import pytest

from tests.conftest import BUILDER, TENANT, Client

_SECRET = {"grant_type": "client_credentials", "client_secret": "x"}


def test_password_gives_an_entra_access_token(cloud: Client) -> None:
    """M6: the access token carries Entra's claims."""
    claims = jwt.decode(cloud.sign_in("alain@contoso.com", "Alain-pass-1"), options={"verify_signature": False})
    assert claims["upn"] == "alain@contoso.com"
    assert claims["tid"] == TENANT
    assert claims["aud"] == "https://management.core.windows.net/"
    assert claims["iss"] == f"https://sts.windows.net/{TENANT}/"
    assert len(claims["groups"]) == 1


@pytest.mark.parametrize(
    ("form", "status", "error", "number"),
    [
        ({"grant_type": "password", "username": "alain@contoso.com", "password": "x"}, 400, "invalid_grant", 50126),
        ({"grant_type": "password", "username": "nobody@contoso.com", "password": "x"}, 400, "invalid_grant", 50034),
        (_SECRET | {"client_id": BUILDER}, 401, "invalid_client", 7000215),
        (_SECRET | {"client_id": TENANT}, 400, "unauthorized_client", 700016),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant", 9002313),
        ({"grant_type": "password", "scope": "https://nowhere/.default"}, 400, "invalid_resource", 500011),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type", 70003),
    ],
)  # fmt: skip
def test_refusals_have_entras_codes(cloud: Client, form: dict[str, str], status: int, error: str, number: int) -> None:
    """M6: each refusal has the real AADSTS number and OAuth error."""
    reply = cloud.token_request(**form)
    body = cloud.json(reply)
    assert (reply.status, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")


def test_client_secret(cloud: Client) -> None:
    """M6: a service principal signs in with its secret."""
    reply = cloud.token_request(
        grant_type="client_credentials", client_id=BUILDER, client_secret="Builder-secret-1",
        scope="https://management.core.windows.net//.default",
    )  # fmt: skip
    claims = jwt.decode(cloud.json(reply)["access_token"], options={"verify_signature": False})
    assert (claims["appid"], claims["idtyp"]) == (BUILDER, "app")


def test_refresh_rotates_and_reuse_ends_the_sign_in(cloud: Client) -> None:
    """M6: a refresh token is replaced at use; using the old one later ends the whole sign-in."""
    first = cloud.json(
        cloud.token_request(grant_type="password", username="alain@contoso.com", password="Alain-pass-1")
    )["refresh_token"]
    second = cloud.json(cloud.token_request(grant_type="refresh_token", refresh_token=first))["refresh_token"]
    assert second != first
    with cloud.app.store.write() as transaction:
        from azext_trust.server.store import facts

        facts.put(transaction.session, facts.CLOCK_OFFSET, "120")
    assert cloud.token_request(grant_type="refresh_token", refresh_token=first).status == 400
    assert cloud.token_request(grant_type="refresh_token", refresh_token=second).status == 400


def test_unknown_tenant(cloud: Client) -> None:
    """M6: discovery of a tenant that is not here is AADSTS90002."""
    reply = cloud.call("GET", "/other.example/v2.0/.well-known/openid-configuration")
    assert (reply.status, cloud.json(reply)["error_codes"]) == (400, [90002])


def test_every_sign_in_is_logged_without_secrets(cloud: Client) -> None:
    """M25: sign-ins are in the activity log; no secret is."""
    cloud.sign_in("alain@contoso.com", "Alain-pass-1")
    cloud.token_request(grant_type="password", username="alain@contoso.com", password="Wrong-pass-9")
    from azext_trust.server.store import activity

    with cloud.app.store.read() as transaction:
        rows = list(activity.entries(transaction.session))
    text = "".join(row.details for row in rows)
    assert [row.outcome for row in rows][-2:] == ["Allowed", "Denied"]
    assert "Alain-pass-1" not in text
    assert "Wrong-pass-9" not in text
