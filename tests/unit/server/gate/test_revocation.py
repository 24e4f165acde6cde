"""Continuous access evaluation: revoked access tokens meet a challenge (M6)."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import urlencode

from azext_trust.server.gate.call import Reply
from tests.conftest import Client
from tests.sign_in import ALL, AZURE_CLI, claims_of

CAPABLE = '{"access_token": {"xms_cc": {"values": ["CP1"]}}}'
NAME = "owner@contoso.com"


def sign_in(cloud: Client, claims: str = CAPABLE) -> dict[str, str]:
    """Return the tokens of a client that understands challenges, or of one that does not."""
    reply = cloud.token_request(grant_type="password", username=NAME, password="Owner-pass-1", claims=claims)
    return cloud.json(reply)


def ask(cloud: Client, token: str, path: str = "/subscriptions?api-version=2022-12-01") -> Reply:
    """Ask Resource Manager, or another service."""
    return cloud.call("GET", path, token=token)


def revoke(cloud: Client) -> None:
    """Challenge all tokens made until now."""
    reply = cloud.call("POST", "/operator/access-tokens/revoke", {}, cloud.app.store.vault.operator_key())
    assert reply.status == 200


def test_challenge_and_renewal(cloud: Client) -> None:
    """M6: the old token is challenged; a refresh with the claims of the challenge brings one that works."""
    body = sign_in(cloud)
    revoke(cloud)
    refused = ask(cloud, body["access_token"])
    header = refused.headers["www-authenticate"]
    assert (refused.status, 'error="insufficient_claims"' in header) == (401, True)
    found = re.search(r'claims="([^"]+)"', header)
    assert found is not None
    claims = json.loads(base64.b64decode(found[1]))
    wanted = int(claims["access_token"]["nbf"]["value"])
    form = {"grant_type": "refresh_token", "client_id": AZURE_CLI, "refresh_token": body["refresh_token"], "scope": ALL,
            "claims": json.dumps({"access_token": {**claims["access_token"], "xms_cc": {"values": ["CP1"]}}})}  # fmt: skip
    renewed = cloud.json(cloud.call("POST", "/contoso.com/oauth2/v2.0/token", urlencode(form).encode()))
    assert claims_of(renewed["access_token"])["nbf"] >= wanted
    assert ask(cloud, renewed["access_token"]).status == 200


def test_clients_that_understand_no_challenge(cloud: Client) -> None:
    """M6: as in Azure the token of a client without the capability lives to its end."""
    token = sign_in(cloud, "{}")["access_token"]
    revoke(cloud)
    assert ask(cloud, token).status == 200


def test_revoked_sessions(cloud: Client) -> None:
    """M6: when an administrator revokes a user's sessions, its access tokens are challenged and cannot be renewed."""
    body = sign_in(cloud)
    graph = cloud.sign_in(NAME, "Owner-pass-1", "https://graph.microsoft.com/.default")
    assert cloud.call("POST", f"/v1.0/users/{NAME}/revokeSignInSessions", {}, graph).status == 200
    assert 'error="insufficient_claims"' in ask(cloud, body["access_token"]).headers["www-authenticate"]
    reply = cloud.token_request(grant_type="refresh_token", refresh_token=body["refresh_token"], claims=CAPABLE)
    assert cloud.json(reply)["error_codes"] == [50173]


def test_graph_says_it_in_its_words(cloud: Client) -> None:
    """M6: Graph names continuous access evaluation."""
    form = {"username": NAME, "password": "Owner-pass-1", "claims": CAPABLE, "scope": "https://localhost//.default"}
    token = cloud.json(cloud.token_request(grant_type="password", **form))["access_token"]
    assert ask(cloud, token, "/v1.0/me").status == 200
    revoke(cloud)
    refused = ask(cloud, token, "/v1.0/me")
    assert refused.status == 401
    assert "TokenIssuedBeforeRevocationTimestamp" in str(refused.body)
    assert 'error="insufficient_claims"' in refused.headers["www-authenticate"]


def test_token_made_in_the_same_second(cloud: Client) -> None:
    """M6: a token made right after the revocation is good, one made right before is not."""
    before = sign_in(cloud)["access_token"]
    revoke(cloud)
    after = sign_in(cloud)["access_token"]
    assert [ask(cloud, before).status, ask(cloud, after).status] == [401, 200]


def test_userinfo(cloud: Client) -> None:
    """M6: OpenID clients learn who signed in, with a token for Graph."""
    token = cloud.sign_in(NAME, "Owner-pass-1", "https://graph.microsoft.com/.default")
    assert cloud.json(ask(cloud, token, "/oidc/userinfo"))["name"] == "owner"
    assert ask(cloud, "x.y.z", "/oidc/userinfo").status == 401
