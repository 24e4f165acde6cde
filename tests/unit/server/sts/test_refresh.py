"""Refresh tokens: rotation, reuse, revocation (M6)."""

from __future__ import annotations

import pytest

from azext_trust.server.gate.call import Reply
from azext_trust.server.store import tokens
from azext_trust.server.sts.token import GRACE_SECONDS
from tests.conftest import BUILDER, TENANT, Client
from tests.sign_in import advance, change_user, claims_of

NAME = "alain@contoso.com"


def first(cloud: Client, **form: str) -> str:
    """Sign in and return the refresh token."""
    reply = cloud.token_request(grant_type="password", username=NAME, password="Alain-pass-1", **form)
    return str(cloud.json(reply)["refresh_token"])


def refresh(cloud: Client, token: str, **form: str) -> Reply:
    """Show a refresh token."""
    return cloud.token_request(grant_type="refresh_token", refresh_token=token, **form)


def codes(cloud: Client, reply: Reply) -> object:
    """Return a refusal's AADSTS numbers, or the status of an answer."""
    return cloud.json(reply).get("error_codes", [reply.status])


def next_of(cloud: Client, token: str, **form: str) -> str:
    """Return the refresh token that replaces one."""
    return str(cloud.json(refresh(cloud, token, **form))["refresh_token"])


def test_rotation(cloud: Client) -> None:
    """M6: each use brings another refresh token and a fresh access token."""
    token = first(cloud)
    body = cloud.json(refresh(cloud, token))
    assert body["refresh_token"] != token
    assert claims_of(body["access_token"])["upn"] == NAME


def test_two_processes_at_once(cloud: Client) -> None:
    """M6: two processes that share a cache may use one refresh token at the same moment; both go on."""
    token = first(cloud)
    both = [next_of(cloud, token) for _ in range(2)]
    assert [codes(cloud, refresh(cloud, one)) for one in both] == [[200], [200]]


def test_reuse_ends_the_sign_in(cloud: Client) -> None:
    """M6: whoever shows a token that was replaced a while ago ends the sign-in, for the thief and for the owner."""
    token = first(cloud)
    newer = next_of(cloud, token)
    advance(cloud, GRACE_SECONDS + 1)
    assert codes(cloud, refresh(cloud, token)) == [50173]
    assert codes(cloud, refresh(cloud, newer)) == [50173]


def test_reuse_ends_no_other_sign_in(cloud: Client) -> None:
    """M6: another sign-in of the same user goes on."""
    token, other = first(cloud), first(cloud)
    refresh(cloud, token)
    advance(cloud, GRACE_SECONDS + 1)
    refresh(cloud, token)
    assert codes(cloud, refresh(cloud, other)) == [200]


def test_another_resource(cloud: Client) -> None:
    """M6: one sign-in brings tokens for every resource."""
    body = cloud.json(refresh(cloud, first(cloud), scope="https://containerregistry.azure.net/.default"))
    assert claims_of(body["access_token"])["aud"] == "https://containerregistry.azure.net"


def test_without_scope(cloud: Client) -> None:
    """M6: without a scope the one of the sign-in holds."""
    body = cloud.json(refresh(cloud, first(cloud), scope=""))
    assert claims_of(body["access_token"])["aud"] == "https://management.core.windows.net/"


def test_expired(cloud: Client) -> None:
    """M6: after 90 days without use it is AADSTS700082."""
    token = first(cloud)
    advance(cloud, 91 * 86400)
    assert codes(cloud, refresh(cloud, token)) == [700082]


@pytest.mark.parametrize("token", ["x", "", "a" * 5000])
def test_garbage(cloud: Client, token: str) -> None:
    """M6: what was never a refresh token is no valid grant."""
    assert codes(cloud, refresh(cloud, token)) in ([9002313], [900144])


def test_disabled_and_deleted_users(cloud: Client) -> None:
    """M6: the directory is asked at each refresh."""
    token = first(cloud)
    change_user(cloud, NAME, enabled=False)
    assert codes(cloud, refresh(cloud, token)) == [50057]
    change_user(cloud, NAME, enabled=True)
    assert codes(cloud, refresh(cloud, token)) == [200]
    owner = cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://graph.microsoft.com/.default")
    assert cloud.call("DELETE", f"/v1.0/users/{NAME}", token=owner).status == 204
    assert codes(cloud, refresh(cloud, token)) == [50034]


@pytest.mark.parametrize("way", ["revokeSignInSessions", "password"])
def test_revoked(cloud: Client, way: str) -> None:
    """M6: revoked sessions and a new password end what began before (AADSTS50173), not what begins after."""
    token = first(cloud)
    owner = cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://graph.microsoft.com/.default")
    if way == "password":
        change = {"passwordProfile": {"password": "Alain-pass-1", "forceChangePasswordNextSignIn": False}}
        assert cloud.call("PATCH", f"/v1.0/users/{NAME}", change, owner).status == 204
    else:
        assert cloud.json(cloud.call("POST", f"/v1.0/users/{NAME}/{way}", {}, owner))["value"] is True
    assert codes(cloud, refresh(cloud, token)) == [50173]
    assert codes(cloud, refresh(cloud, first(cloud))) == [200]


def test_revoked_once_for_all_later_tokens(cloud: Client) -> None:
    """M6: refreshing does not make a sign-in younger."""
    token = next_of(cloud, first(cloud))
    owner = cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://graph.microsoft.com/.default")
    cloud.call("POST", f"/v1.0/users/{NAME}/revokeSignInSessions", {}, owner)
    assert codes(cloud, refresh(cloud, token)) == [50173]


def test_plain_user_revokes_only_itself(cloud: Client) -> None:
    """M12: revoking another's sessions takes a directory role; one's own take none."""
    alain = cloud.sign_in(NAME, "Alain-pass-1", "https://graph.microsoft.com/.default")
    token = first(cloud)
    assert cloud.call("POST", "/v1.0/users/owner@contoso.com/revokeSignInSessions", {}, alain).status == 403
    assert cloud.call("POST", "/v1.0/me/revokeSignInSessions", {}, alain).status == 200
    assert codes(cloud, refresh(cloud, token)) == [50173]


def test_confidential_client_shows_its_secret_again(cloud: Client) -> None:
    """M6: a refresh token that a secret was shown for needs it at each use (RFC 6749 section 6)."""
    secret = {"client_id": BUILDER, "client_secret": "Builder-secret-1"}
    token = first(cloud, **secret)
    assert codes(cloud, refresh(cloud, token, client_id=BUILDER)) == [7000218]
    assert codes(cloud, refresh(cloud, token, **secret)) == [200]


def test_expired_grants_are_forgotten(cloud: Client) -> None:
    """M6: the store does not keep what expired long ago."""
    token = first(cloud)
    advance(cloud, 100 * 86400)
    first(cloud)
    from azext_trust.server.gate import minting

    with cloud.app.store.read() as transaction:
        assert transaction.session.get(tokens.Grant, minting.digest(token)) is None


def test_refresh_through_another_name_of_the_tenant(cloud: Client) -> None:
    """M6: az signs in at organizations and refreshes at its tenant."""
    form = f"grant_type=refresh_token&client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&refresh_token={first(cloud)}"
    answer = cloud.json(cloud.call("POST", "/organizations/oauth2/v2.0/token", form.encode()))
    assert claims_of(answer["access_token"])["tid"] == TENANT
