"""The token service: who gets what, when it ends, and what the log says of a refusal."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from tests.conftest import BUILDER, SUBSCRIPTION
from tests.unit.server.registry.conftest import HOST, REGISTRY, Login, basic

A = "Microsoft.Authorization"
SIGNER = "6cef56e8-d556-48e5-a04f-b8e64114680f"
READER = "b93aa761-3e63-49ed-ac28-beffa264f7ac"
"""Container Registry Repository Reader."""


def claims(token: str) -> dict[str, Any]:
    """Return a token's claims."""
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def granted(token: str) -> dict[str, list[str]]:
    """Return what a token carries: name to actions."""
    return {entry["name"]: entry["actions"] for entry in claims(token)["access"]}


def builder_id(login: Login) -> str:
    """Return the object id of the builder's service principal."""
    from azext_trust.server.store import principals

    with login.cloud.app.store.read() as transaction:
        found = principals.service_principal_by_app_id(transaction.session, BUILDER)
    assert found is not None
    return found.id


def assign(login: Login, principal: str, role: str, **more: str) -> str:
    """Assign a role at the registry; return the assignment's path."""
    path = f"{REGISTRY}/providers/{A}/roleAssignments/{uuid.uuid4()}"
    role_id = f"/subscriptions/{SUBSCRIPTION}/providers/{A}/roleDefinitions/{role}"
    login.arm("PUT", path, {"properties": {"roleDefinitionId": role_id, "principalId": principal, **more}})
    return path


def test_claims(login: Login) -> None:
    """M11: heads, lifetime and access of an access token are Azure's."""
    found = claims(login.token("repository:team/web:pull,push"))
    assert found["iss"] == "Azure Container Registry"
    assert found["aud"] == HOST
    assert found["exp"] - found["nbf"] == 4500
    assert found["access"] == [{"type": "repository", "name": "team/web", "actions": ["pull", "push"]}]


def test_exchange_and_refresh(login: Login) -> None:
    """M11: a user's token of the directory becomes a refresh token of three hours, and that an access token."""
    found = claims(login.exchange("owner@contoso.com", "Owner-pass-1").json["refresh_token"])
    assert (found["sub"], found["grant_type"], found["exp"] - found["iat"]) == (
        "owner@contoso.com", "refresh_token", 10800,
    )  # fmt: skip
    assert granted(login.owner("team/web", "pull,push,delete")) == {"team/web": ["pull", "push", "delete"]}


def test_no_permission_no_refresh_token(login: Login) -> None:
    """M12: who has nothing to do with the registry gets no refresh token."""
    assert login.exchange("alain@contoso.com", "Alain-pass-1").status == 401


def test_only_what_is_held(login: Login) -> None:
    """M12: a scope is cut to what RBAC allows; nothing left is still 200."""
    token = login.token("repository:team/web:pull,push,delete,metadata_write repository:x:delete registry:catalog:*")
    assert granted(token) == {"team/web": ["pull", "push"], "catalog": ["*"]}


@pytest.mark.parametrize(("user", "password"), [(BUILDER, "wrong"), (SUBSCRIPTION, "x"), ("admin", "x")])
def test_wrong_credentials(login: Login, user: str, password: str) -> None:
    """M12: wrong, unknown and ill-formed names are refused, and the log knows why."""
    assert login.ask("repository:team/web:pull", user, password).status == 401
    assert login.denied()[-1]["reason"]


def test_client_id_must_be_a_guid(login: Login) -> None:
    """M12: the text that docker shows for another kind of name is Azure's."""
    answer = login.ask("", "someone", "x")
    assert answer.json["errors"][0]["message"] == "aad access token with sp failed client id must be guid"


def test_nobody(login: Login) -> None:
    """M12: nobody gets 401 for images, and an empty grant where trust is asked for."""
    assert login.ask("repository:team/web:pull", "").status == 401
    assert granted(login.token(f"repository:{HOST}/team/web:pull", "", "")) == {}
    assert login.denied() == []


def test_anonymous_pull(login: Login) -> None:
    """M12: where anybody may pull, nobody may push."""
    login.arm("PATCH", REGISTRY, {"properties": {"anonymousPullEnabled": True}})
    assert granted(login.token("repository:team/web:pull,push", "", "")) == {"team/web": ["pull"]}


def test_admin_account(login: Login) -> None:
    """M9: both passwords work while the account is enabled, and none of them signs."""
    login.arm("PATCH", REGISTRY, {"properties": {"adminUserEnabled": True}})
    held = login.arm("POST", f"{REGISTRY}/listCredentials")["passwords"]
    scope = f"repository:team/web:pull,push,delete repository:{HOST}/team/web:pull,push"
    for password in held:
        found = granted(login.token(scope, "myregistry", password["value"]))
        assert found == {"team/web": ["pull", "push", "delete"], f"{HOST}/team/web": ["pull"]}
    login.arm("PATCH", REGISTRY, {"properties": {"adminUserEnabled": False}})
    assert login.ask(scope, "myregistry", held[0]["value"]).status == 401


def test_signing_needs_all_its_permissions(login: Login) -> None:
    """M8, M9: push on a GUN needs AcrPush and both halves of AcrImageSigner."""
    scope = f"repository:{HOST}/team/web:pull,push"
    assert granted(login.token(scope)) == {f"{HOST}/team/web": ["pull"]}
    owner = login.for_user("owner@contoso.com", "Owner-pass-1", scope)
    assert granted(owner) == {f"{HOST}/team/web": ["pull"]}
    assign(login, builder_id(login), SIGNER)
    assert granted(login.token(scope)) == {f"{HOST}/team/web": ["pull", "push"]}
    assert granted(login.token(f"repository:{HOST}/team/web:*")) == {f"{HOST}/team/web": ["pull", "push"]}


def test_a_gun_of_another_host(login: Login) -> None:
    """M12: a GUN of another login server gets no grant."""
    assert granted(login.token("repository:other1.azurecr.io/team/web:pull")) == {}


def test_a_role_change_shows_with_the_next_token(login: Login) -> None:
    """M11: an old token keeps what it carried; a new one carries what is allowed now."""
    principal = builder_id(login)
    listed = login.arm("GET", f"{REGISTRY}/providers/{A}/roleAssignments")["value"]
    own = next(row for row in listed if row["properties"]["principalId"] == principal)
    old = login.token("repository:team/web:pull,push")
    login.arm("DELETE", own["id"])
    assert login.call("POST", "/v2/team/web/blobs/uploads/", old).status == 202
    new = login.token("repository:team/web:pull,push")
    assert login.call("POST", "/v2/team/web/blobs/uploads/", new).status == 401
    assert login.denied()[-1]["missing"].endswith("registries/pull/read")


def test_a_refusal_that_a_newer_token_would_not_meet(login: Login) -> None:
    """M11: the log says so, and names both revisions."""
    scope = "repository:team/web:delete"
    old = login.token(scope)
    assign(login, builder_id(login), "c2f4ef07-c644-48eb-af81-4b1b4947fb11")
    digest = "sha256:" + "0" * 64
    answer = login.call("DELETE", f"/v2/team/web/manifests/{digest}", old)
    assert answer.status == 401
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    said = login.denied()[-1]
    assert said["reason"] == "sign in again: roles changed since"
    assert said["tokenRevision"] < said["revision"]
    assert login.call("DELETE", f"/v2/team/web/manifests/{digest}", login.token(scope)).status == 404


def test_a_role_granted_later_takes_a_new_login(login: Login) -> None:
    """M11: a refresh token, which docker keeps, carries what was allowed when it was cut; the log says what to do."""
    from azext_trust.server.store import principals

    with login.cloud.app.store.read() as transaction:
        owner = principals.user_by_upn(transaction.session, "owner@contoso.com")
    assert owner is not None
    scope = f"repository:{HOST}/team/web:pull,push"

    def access(refresh: str) -> str:
        form = {"grant_type": "refresh_token", "service": HOST, "scope": scope, "refresh_token": refresh}
        return str(login.call("POST", "/oauth2/token", body=urlencode(form).encode()).json["access_token"])

    before = login.exchange("owner@contoso.com", "Owner-pass-1").json["refresh_token"]
    login.policy(trustPolicy={"type": "Notary", "status": "enabled"})
    assign(login, owner.id, SIGNER)
    assert granted(access(before)) == {f"{HOST}/team/web": ["pull"]}
    assert login.call("GET", f"/v2/{HOST}/team/web/_trust/tuf/timestamp.key", access(before)).status == 401
    assert login.denied()[-1]["reason"] == "sign in again: roles changed since"
    after = login.exchange("owner@contoso.com", "Owner-pass-1").json["refresh_token"]
    assert granted(access(after)) == {f"{HOST}/team/web": ["pull", "push"]}


def test_a_switch_of_mode_ends_every_token(login: Login) -> None:
    """M11: also when the mode is switched back at once."""
    old = login.token("repository:team/web:pull,push")
    for mode in ("AbacRepositoryPermissions", "LegacyRegistryPermissions"):
        login.arm("PATCH", REGISTRY, {"properties": {"roleAssignmentMode": mode}})
        answer = login.call("GET", "/v2/", old)
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_repository_conditions(login: Login) -> None:
    """M12: in the other mode roles of before do not count, and a condition says which repositories."""
    login.arm("PATCH", REGISTRY, {"properties": {"roleAssignmentMode": "AbacRepositoryPermissions"}})
    name = "@Request[Microsoft.ContainerRegistry/registries/repositories:name]"
    action = "Microsoft.ContainerRegistry/registries/repositories/content/read"
    condition = f"((!(ActionMatches{{'{action}'}})) OR ({name} StringStartsWithIgnoreCase 'team/'))"
    assign(login, builder_id(login), READER, condition=condition, conditionVersion="2.0")
    token = login.token("repository:team/web:pull,push repository:other:pull")
    assert granted(token) == {"team/web": ["pull"]}


def test_tokens_end_by_the_clouds_clock(login: Login) -> None:
    """M11: 75 minutes on the cloud's clock."""
    from azext_trust.server.store import facts

    token = login.token("repository:team/web:pull")
    assert login.call("GET", "/v2/", token).status == 200
    with login.cloud.app.store.write() as transaction:
        facts.put(transaction.session, facts.CLOCK_OFFSET, "4501")
    assert login.call("GET", "/v2/", token).status == 401


def test_arm_tokens_where_the_policy_takes_them(login: Login) -> None:
    """M12: a token for Resource Manager can be exchanged until azureADAuthenticationAsArmPolicy is disabled."""
    arm = "https://management.core.windows.net/"
    assert login.exchange("owner@contoso.com", "Owner-pass-1", arm).status == 200
    login.policy(azureADAuthenticationAsArmPolicy={"status": "disabled"})
    assert login.exchange("owner@contoso.com", "Owner-pass-1", arm).status == 401


def test_tokens_of_others(login: Login) -> None:
    """M12: neither the directory's token nor a refresh token opens a path, nor an access token the token service."""
    entra = login.cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://containerregistry.azure.net/.default")
    refresh = login.exchange("owner@contoso.com", "Owner-pass-1").json["refresh_token"]
    for token in (entra, refresh, "x.y.z"):
        assert login.call("GET", "/v2/", token).status == 401
    form = {"grant_type": "refresh_token", "refresh_token": login.token("repository:team/web:pull")}
    assert login.call("POST", "/oauth2/token", body=urlencode(form).encode()).status == 401


def test_a_token_as_password_gives_no_more_than_it_carries(login: Login) -> None:
    """M11: with the null GUID an access token can be shown again, and only narrowed."""
    shown = login.token("repository:team/web:pull")
    nobody = "00000000-0000-0000-0000-000000000000"
    assert granted(login.token("repository:team/web:pull,push", nobody, shown)) == {"team/web": ["pull"]}


def test_docker_keeps_the_refresh_token(login: Login) -> None:
    """M14: a login with a refresh token as password answers it again, as docker's identity token."""
    refresh = login.exchange("owner@contoso.com", "Owner-pass-1").json["refresh_token"]
    shown = basic("00000000-0000-0000-0000-000000000000", refresh)
    answer = login.call("GET", f"/oauth2/token?service={HOST}&offline_token=true", authorization=shown)
    assert answer.json["refresh_token"] == refresh


def test_name_and_password_directly(login: Login) -> None:
    """M12: Basic credentials open a path for what their holder may do (az falls back to them)."""
    shown = basic(BUILDER, "Builder-secret-1")
    assert login.call("GET", "/v2/_catalog", authorization=shown).status == 200
    assert login.call("DELETE", "/acr/v1/team/web", authorization=shown).status == 401


def test_a_disabled_account_is_not_renewed(login: Login) -> None:
    """M11: a refresh token ends with its account."""
    from azext_trust.server.store import principals

    refresh = login.exchange("reader@contoso.com", "Reader-pass-1").json["refresh_token"]
    with login.cloud.app.store.write() as transaction:
        found = principals.user_by_upn(transaction.session, "reader@contoso.com")
        assert found is not None
        found.enabled = False
    form = {"grant_type": "refresh_token", "refresh_token": refresh, "scope": "repository:team/web:pull"}
    assert login.call("POST", "/oauth2/token", body=urlencode(form).encode()).status == 401
