"""Users and passwords at the token endpoint (M6)."""

from __future__ import annotations

import re

import pytest

from azext_trust.server.gate.call import Reply
from azext_trust.server.store import activity
from tests.conftest import BUILDER, TENANT, Client
from tests.sign_in import advance, change_application, change_user, claims_of

NAME, RIGHT = "alain@contoso.com", "Alain-pass-1"


def attempt(cloud: Client, password: str = RIGHT, name: str = NAME, **form: str) -> Reply:
    """Sign in with a password."""
    return cloud.token_request(grant_type="password", username=name, password=password, **form)


def codes(cloud: Client, reply: Reply) -> object:
    """Return a refusal's AADSTS numbers, or the status of an answer."""
    return cloud.json(reply).get("error_codes", [reply.status])


def test_answer(cloud: Client) -> None:
    """M6: what MSAL reads of a user's tokens is there (az-wire-contract.md section 2)."""
    body = cloud.json(attempt(cloud, client_info="1"))
    assert (body["token_type"], type(body["expires_in"])) == ("Bearer", int)
    assert {"access_token", "refresh_token", "id_token", "client_info", "scope"} <= set(body)
    assert "offline_access" not in body["scope"]
    identity = claims_of(body["id_token"])
    assert (identity["preferred_username"], identity["tid"], identity["ver"]) == (NAME, TENANT, "2.0")


def test_only_what_is_asked(cloud: Client) -> None:
    """M6: without openid no id_token, without offline_access no refresh token."""
    body = cloud.json(attempt(cloud, scope="https://management.azure.com/.default"))
    assert not {"refresh_token", "id_token"} & set(body)


def test_adfs_gives_all_unasked(cloud: Client) -> None:
    """M6: in the ADFS shape MSAL asks for the resource alone and needs the other tokens all the same."""
    form = b"grant_type=password&client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&username=alain%40contoso.com&" \
           b"password=Alain-pass-1&scope=https%3A%2F%2Fmanagement.core.windows.net%2F%2F.default"  # fmt: skip
    body = cloud.json(cloud.call("POST", "/adfs/oauth2/token", form))
    assert {"refresh_token", "id_token", "client_info"} <= set(body)
    assert isinstance(body["expires_in"], int)


def test_refusal_has_entras_members(cloud: Client) -> None:
    """M6: an error carries what MSAL reads and what support asks for."""
    form = b"grant_type=password&client_id=x&username=u&password=p"
    body = cloud.json(cloud.call("POST", f"/{TENANT}/oauth2/v2.0/token", form, client_request_id="my-id"))
    assert set(body) == {"error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id",
                         "error_uri"}  # fmt: skip
    assert body["correlation_id"] == "my-id"
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"
    assert re.fullmatch(moment, body["timestamp"])
    shape = rf"AADSTS700016: .* Trace ID: [0-9a-f-]{{36}} Correlation ID: my-id Timestamp: {moment}"
    assert re.fullmatch(shape, body["error_description"])


def test_smart_lockout(cloud: Client) -> None:
    """M6: ten wrong passwords lock the account (AADSTS50053), also for the right one; a minute later it opens again."""
    assert [codes(cloud, attempt(cloud, f"wrong-{n}")) for n in range(10)] == [[50126]] * 10
    assert codes(cloud, attempt(cloud)) == [50053]
    advance(cloud, 61)
    assert codes(cloud, attempt(cloud)) == [200]
    assert codes(cloud, attempt(cloud, "wrong")) == [50126]


def test_lockout_grows(cloud: Client) -> None:
    """M6: once it was locked, a single wrong password locks an account for longer."""
    for n in range(10):
        attempt(cloud, f"wrong-{n}")
    advance(cloud, 61)
    assert codes(cloud, attempt(cloud, "wrong-again")) == [50126]
    advance(cloud, 61)
    assert codes(cloud, attempt(cloud)) == [50053]
    advance(cloud, 60)
    assert codes(cloud, attempt(cloud)) == [200]


def test_same_wrong_password_counts_once(cloud: Client) -> None:
    """M6: a program that repeats an old password locks nobody out."""
    assert [codes(cloud, attempt(cloud, "old-password")) for _ in range(12)] == [[50126]] * 12
    assert codes(cloud, attempt(cloud)) == [200]


def test_right_password_forgets_the_wrong_ones(cloud: Client) -> None:
    """M6: nine wrong, one right, nine wrong: nobody is locked out."""
    for _ in range(2):
        for n in range(9):
            attempt(cloud, f"wrong-{n}")
        assert codes(cloud, attempt(cloud)) == [200]


def test_disabled_user_is_told_only_who_knows_the_password(cloud: Client) -> None:
    """M6: a disabled account is AADSTS50057 for its owner, and a wrong password for others."""
    change_user(cloud, NAME, enabled=False)
    assert codes(cloud, attempt(cloud, "x")) == [50126]
    assert codes(cloud, attempt(cloud)) == [50057]


def test_password_to_be_changed(cloud: Client) -> None:
    """M6: a password that an administrator gave for one sign-in is AADSTS50055 at the token endpoint."""
    owner = cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://graph.microsoft.com/.default")
    change = {"passwordProfile": {"password": "Temporary-1", "forceChangePasswordNextSignIn": True}}
    assert cloud.call("PATCH", f"/v1.0/users/{NAME}", change, owner).status == 204
    assert codes(cloud, attempt(cloud, "Temporary-1")) == [50055]


def test_new_password_unlocks(cloud: Client) -> None:
    """M6: whom an administrator gives a new password is no longer locked out."""
    owner = cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://graph.microsoft.com/.default")
    for n in range(10):
        attempt(cloud, f"wrong-{n}")
    cloud.call("PATCH", f"/v1.0/users/{NAME}", {"passwordProfile": {"password": "New-pass-1"}}, owner)
    assert codes(cloud, attempt(cloud, "New-pass-1")) == [200]


def test_name_of_another_case(cloud: Client) -> None:
    """M6: user names know no case."""
    assert codes(cloud, attempt(cloud, name="ALAIN@Contoso.com")) == [200]


@pytest.mark.parametrize(("tenant", "number"), [("common", 9001023), ("organizations", 200), ("contoso.com", 200)])
def test_tenant_in_the_path(cloud: Client, tenant: str, number: int) -> None:
    """M6: passwords are taken where the tenant is known, and at organizations, as at Entra."""
    form = b"grant_type=password&client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&username=alain%40contoso.com&" \
           b"password=Alain-pass-1&scope=openid"  # fmt: skip
    assert codes(cloud, cloud.call("POST", f"/{tenant}/oauth2/v2.0/token", form)) == [number]


def test_confidential_client_needs_its_secret(cloud: Client) -> None:
    """M6: an application that keeps a secret shows it with a user's password too (AADSTS7000218)."""
    assert codes(cloud, attempt(cloud, client_id=BUILDER)) == [7000218]
    assert codes(cloud, attempt(cloud, client_id=BUILDER, client_secret="wrong")) == [7000215]
    assert codes(cloud, attempt(cloud, client_id=BUILDER, client_secret="Builder-secret-1")) == [200]
    change_application(cloud, BUILDER, isFallbackPublicClient=True)
    assert codes(cloud, attempt(cloud, client_id=BUILDER)) == [200]


def test_first_party_client_has_no_secret(cloud: Client) -> None:
    """M6: who shows a secret for a public client is told so (AADSTS700025)."""
    assert codes(cloud, attempt(cloud, client_secret="x")) == [700025]


@pytest.mark.parametrize(
    ("scope", "error", "number"),
    [
        ("https://management.azure.com/.default https://graph.microsoft.com/.default", "invalid_request", 28000),
        (
            "https://management.azure.com/.default https://management.azure.com/user_impersonation",
            "invalid_scope",
            70011,
        ),
        ("https://management.azure.com/", "invalid_scope", 70011),
        ("https://nowhere.example/.default", "invalid_resource", 500011),
        ("api://33333333-3333-3333-3333-333333333333/.default", "invalid_resource", 500011),
    ],
)
def test_bad_scope(cloud: Client, scope: str, error: str, number: int) -> None:
    """M6: scopes that cannot be have the real codes."""
    body = cloud.json(attempt(cloud, scope=scope))
    assert (body["error"], body["error_codes"]) == (error, [number])


def test_version_1_endpoint(cloud: Client) -> None:
    """M6: the older endpoint takes a resource and answers with texts."""
    form = b"grant_type=password&client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&username=alain%40contoso.com&" \
           b"password=Alain-pass-1&resource=https%3A%2F%2Fmanagement.core.windows.net%2F"  # fmt: skip
    body = cloud.json(cloud.call("POST", f"/{TENANT}/oauth2/token", form))
    assert body["resource"] == "https://management.core.windows.net/" == claims_of(body["access_token"])["aud"]
    assert int(body["expires_on"]) - int(body["not_before"]) == int(body["expires_in"]) == 4800
    assert body["scope"] == "user_impersonation"
    assert body["refresh_token"]


def test_each_refusal_is_logged_once(cloud: Client) -> None:
    """M6, M25: a wrong password is one entry of the activity log, without the password."""
    with cloud.app.store.read() as transaction:
        before = len(list(activity.entries(transaction.session)))
    attempt(cloud, "Not-the-password-7")
    with cloud.app.store.read() as transaction:
        rows = list(activity.entries(transaction.session))[before:]
    assert [(row.operation, row.outcome) for row in rows] == [("Microsoft.aadiam/signIn", "Denied")]
    assert "Not-the-password-7" not in rows[0].details
