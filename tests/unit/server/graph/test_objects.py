"""Objects of the directory beyond lists: the signed-in user, groups somebody is in, deleted items, batches (M6)."""

from __future__ import annotations

import base64
import datetime
from typing import Any

import pytest

from tests.conftest import BUILDER, Client
from tests.desk import SUB, Desk, found

GRAPH_APP = "00000003-0000-0000-c000-000000000000"
USER_READ = "e1fe6dd8-ba31-4d61-89e7-88639da4683d"


def group(admin: Desk, name: str, *members: str) -> str:
    """Create a group with members, and return its id."""
    body = {
        "displayName": name, "mailNickname": name, "mailEnabled": False, "securityEnabled": True,
        "members@odata.bind": [f"https://localhost/v1.0/directoryObjects/{member}" for member in members],
    }  # fmt: skip
    return str(admin("POST", "/groups", body, 201)["id"])


@pytest.fixture
def nested(admin: Desk, cloud: Client) -> dict[str, str]:
    """Alain in signers in outer in outermost."""
    inner = found(cloud, "signers").id
    outer = group(admin, "outer", inner)
    return {
        "alain": found(cloud, "alain@contoso.com").id, "signers": inner, "outer": outer,
        "outermost": group(admin, "outermost", outer, found(cloud, BUILDER).id),
    }  # fmt: skip


def names(body: Any) -> list[str]:
    """Return the display names of a list, sorted."""
    return sorted(row["displayName"] for row in body["value"])


def test_groups_somebody_is_in(admin: Desk, nested: dict[str, str]) -> None:
    """M6: direct and all, as objects and as ids, by cast and by count."""
    user = f"/users/{nested['alain']}"
    assert names(admin("GET", f"{user}/memberOf")) == ["signers"]
    assert names(admin("GET", f"{user}/transitiveMemberOf")) == ["outer", "outermost", "signers"]
    cast = admin("GET", f"{user}/transitiveMemberOf/microsoft.graph.group?$count=true", ConsistencyLevel="eventual")
    assert names(cast) == ["outer", "outermost", "signers"]
    wanted = {nested["signers"], nested["outer"], nested["outermost"]}
    assert set(admin("POST", f"{user}/getMemberGroups", {"securityEnabledOnly": True})["value"]) == wanted
    asked = {"groupIds": [nested["outermost"], "99999999-0000-0000-0000-000000000000"]}
    assert admin("POST", f"{user}/checkMemberGroups", asked)["value"] == [nested["outermost"]]
    assert admin("POST", f"{user}/checkMemberObjects", {"ids": [nested["outer"]]})["value"] == [nested["outer"]]


def test_members_of_nested_groups(admin: Desk, nested: dict[str, str]) -> None:
    """M6: direct members, all of them, users only, and how many."""
    base = f"/groups/{nested['outermost']}"
    assert names(admin("GET", f"{base}/members")) == ["builder", "outer"]
    assert names(admin("GET", f"{base}/transitiveMembers")) == ["Alain", "builder", "outer", "signers"]
    assert names(admin("GET", f"{base}/transitiveMembers/microsoft.graph.user")) == ["Alain"]
    assert admin.reply("GET", f"{base}/transitiveMembers/$count", consistencylevel="eventual").body == "4"


def test_members_come_in_bulk_and_go_one_by_one(admin: Desk, nested: dict[str, str]) -> None:
    """M6: members@odata.bind in PATCH; twice the same member is refused."""
    owner = found(admin.client, "owner@contoso.com").id
    bind = {"members@odata.bind": [f"https://localhost/v1.0/directoryObjects/{owner}"]}
    admin("PATCH", f"/groups/{nested['outer']}", bind, 204)
    assert admin.reply("PATCH", f"/groups/{nested['outer']}", bind).status == 400
    admin("DELETE", f"/groups/{nested['outer']}/members/{owner}/$ref", None, 204)
    assert admin.reply("DELETE", f"/groups/{nested['outer']}/members/{owner}/$ref").status == 404
    itself = {"members@odata.bind": [f"https://localhost/v1.0/directoryObjects/{nested['outer']}"]}
    assert admin.reply("PATCH", f"/groups/{nested['outer']}", itself).status == 400


def test_the_last_owner_stays(alain: Desk, admin: Desk) -> None:
    """M6: a group that has an owner keeps one."""
    mine = group(alain, "mine")
    owner = found(alain.client, "alain@contoso.com").id
    assert alain.reply("DELETE", f"/groups/{mine}/owners/{owner}/$ref").status == 400


def test_the_signed_in_user(alain: Desk, builder: Desk, nested: dict[str, str]) -> None:
    """M6: /me is a user; an application has none."""
    assert alain("GET", "/me")["userPrincipalName"] == "alain@contoso.com"
    assert names(alain("GET", "/me/memberOf")) == ["signers"]
    assert names(alain("GET", "/me/transitiveMemberOf/microsoft.graph.group")) == ["outer", "outermost", "signers"]
    mine = group(alain, "mine")
    assert [row["id"] for row in alain("GET", "/me/ownedObjects")["value"]] == [mine]
    assert builder.reply("GET", "/me").status == 400


def test_key_syntax(admin: Desk) -> None:
    """M6: users('..'), applications(appId='..') and beta paths, as SDKs write them."""
    assert admin("GET", "/users('alain@contoso.com')")["displayName"] == "Alain"
    assert admin("GET", f"/applications(appId='{BUILDER}')")["displayName"] == "builder"
    assert admin("GET", f"/servicePrincipals(appId='{BUILDER}')/owners")["value"] == []
    reply = admin.client.call("GET", "/beta/users/alain@contoso.com", token=admin.token())
    assert reply.status == 200


def test_objects_by_ids(admin: Desk, nested: dict[str, str]) -> None:
    """M6: of any kind, or of those asked for; unknown ids are left out."""
    asked: dict[str, Any] = {"ids": [*nested.values(), "99999999-0000-0000-0000-000000000000"]}
    kinds = {row["@odata.type"] for row in admin("POST", "/directoryObjects/getByIds", asked)["value"]}
    assert kinds == {"#microsoft.graph.user", "#microsoft.graph.group"}
    asked["types"] = ["user"]
    assert names(admin("POST", "/directoryObjects/getByIds", asked)) == ["Alain"]
    assert admin.reply("POST", "/directoryObjects/getByIds", {"ids": ["x"] * 1001}).status == 400


RESTORED = [("users", "alain@contoso.com", "user"), ("groups", "signers", "group")]


@pytest.mark.parametrize(("noun", "name", "kind"), RESTORED)
def test_deleted_objects_come_back(admin: Desk, cloud: Client, noun: str, name: str, kind: str) -> None:
    """M6: with name, credentials, members and groups; role assignments had stayed."""
    row = found(cloud, name)
    before = admin("GET", f"/groups/{found(cloud, 'signers').id}/members")["value"]
    admin("DELETE", f"/{noun}/{row.id}", None, 204)
    assert admin.reply("GET", f"/{noun}/{row.id}").status == 404
    shown = admin("GET", f"/directory/deletedItems/microsoft.graph.{kind}")["value"]
    assert [item["id"] for item in shown] == [row.id]
    admin("POST", f"/directory/deletedItems/{row.id}/restore", {})
    assert admin("GET", f"/groups/{found(cloud, 'signers').id}/members")["value"] == before
    assert admin("GET", f"/directory/deletedItems/microsoft.graph.{kind}")["value"] == []


def test_a_restored_user_signs_in_again(admin: Desk, cloud: Client) -> None:
    """M6: with the old password; not while deleted."""
    row = found(cloud, "alain@contoso.com")
    admin("DELETE", f"/users/{row.id}", None, 204)
    form = {"grant_type": "password", "username": "alain@contoso.com", "password": "Alain-pass-1"}
    assert cloud.token_request(**form).status == 400
    admin("POST", f"/directory/deletedItems/{row.id}/restore", {})
    assert cloud.token_request(**form).status == 200


def test_an_application_is_restored_with_its_principal_and_secret(admin: Desk, cloud: Client) -> None:
    """M6: deleting the application took its service principal along; both come back."""
    shown = admin("GET", f"/applications(appId='{BUILDER}')")
    admin("DELETE", f"/applications/{shown['id']}", None, 204)
    assert admin.reply("GET", f"/servicePrincipals(appId='{BUILDER}')").status == 404
    admin("POST", f"/directory/deletedItems/{shown['id']}/restore", {})
    assert admin("GET", f"/servicePrincipals(appId='{BUILDER}')")["displayName"] == "builder"
    form = {"grant_type": "client_credentials", "client_id": BUILDER, "client_secret": "Builder-secret-1"}
    scope = "https://management.core.windows.net//.default"
    assert cloud.token_request(**form, scope=scope).status == 200


def test_a_name_taken_meanwhile_stops_a_restore(admin: Desk, cloud: Client) -> None:
    """M6: the new user keeps the name; the deleted one stays deleted."""
    row = found(cloud, "alain@contoso.com")
    admin("DELETE", f"/users/{row.id}", None, 204)
    body = {
        "accountEnabled": True, "displayName": "Second", "mailNickname": "alain",
        "userPrincipalName": "alain@contoso.com", "passwordProfile": {"password": "Take-a-look-1"},
    }  # fmt: skip
    admin("POST", "/users", body, 201)
    assert admin.reply("POST", f"/directory/deletedItems/{row.id}/restore", {}).status == 400
    admin("DELETE", f"/directory/deletedItems/{row.id}", None, 204)
    assert admin.reply("GET", f"/directory/deletedItems/{row.id}").status == 404


def test_a_deleted_user_leaves_orphaned_assignments(admin: Desk, cloud: Client) -> None:
    """M5: az shows them with an empty principal name; ARM still lists them."""
    reader = found(cloud, "reader@contoso.com").id
    admin("DELETE", f"/users/{reader}", None, 204)
    value = Desk(cloud)("GET", f"{SUB}/providers/Microsoft.Authorization/roleAssignments")["value"]
    assert reader in [row["properties"]["principalId"] for row in value]
    assert admin("POST", "/directoryObjects/getByIds", {"ids": [reader]})["value"] == []


def test_a_batch_answers_each_by_its_own_right(alain: Desk) -> None:
    """M6: good ones are done, a refused one is refused, what depends on it is not tried."""
    body = {"requests": [
        {"id": "1", "method": "GET", "url": "/me?$select=displayName"},
        {"id": "2", "method": "DELETE", "url": "/users/reader@contoso.com"},
        {"id": "3", "method": "GET", "url": "/users/reader@contoso.com", "dependsOn": ["2"]},
        {"id": "4", "method": "GET", "url": "/users/reader@contoso.com"},
    ]}  # fmt: skip
    answers = {row["id"]: row for row in alain("POST", "/$batch", body)["responses"]}
    assert {key: row["status"] for key, row in answers.items()} == {"1": 200, "2": 403, "3": 424, "4": 200}
    assert answers["1"]["body"]["displayName"] == "Alain"


def _one(url: str = "/me", name: str = "1") -> dict[str, str]:
    return {"id": name, "method": "GET", "url": url}


WRONG: list[list[dict[str, str]]] = [
    [],
    [_one(name=str(n)) for n in range(21)],
    [_one(), _one()],
    [_one("/$batch")],
    [{}],
]


@pytest.mark.parametrize("requests", WRONG)
def test_batches_that_are_none(alain: Desk, requests: list[dict[str, str]]) -> None:
    """M6: empty, too long, equal ids, nested, unreadable."""
    assert alain.reply("POST", "/$batch", {"requests": requests}).status == 400


def test_consents(admin: Desk, cloud: Client) -> None:
    """M6: delegated permissions as az ad app permission grant makes, reads and takes away."""
    client = found(cloud, BUILDER).id
    graph = admin("GET", f"/servicePrincipals(appId='{GRAPH_APP}')")["id"]
    body = {"clientId": client, "consentType": "AllPrincipals", "resourceId": graph, "scope": "User.Read"}
    made = admin("POST", "/oauth2PermissionGrants", body, 201)
    assert admin.reply("POST", "/oauth2PermissionGrants", body).status in (400, 409)
    admin("PATCH", f"/oauth2PermissionGrants/{made['id']}", {"scope": "User.Read Group.Read.All"}, 204)
    listed = admin("GET", f"/oauth2PermissionGrants?$filter=clientId eq '{client}'")["value"]
    assert [row["scope"] for row in listed] == ["User.Read Group.Read.All"]
    admin("DELETE", f"/oauth2PermissionGrants/{made['id']}", None, 204)
    assert admin("GET", f"/servicePrincipals/{client}/oauth2PermissionGrants")["value"] == []


def test_app_roles_are_given_and_taken(admin: Desk, cloud: Client) -> None:
    """M6: appRoleAssignments seen from both sides."""
    client = found(cloud, BUILDER).id
    graph = admin("GET", f"/servicePrincipals(appId='{GRAPH_APP}')")["id"]
    body = {"principalId": client, "resourceId": graph, "appRoleId": "df021288-bdef-4463-88db-98f22de89214"}
    made = admin("POST", f"/servicePrincipals/{graph}/appRoleAssignedTo", body, 201)
    assert [row["id"] for row in admin("GET", f"/servicePrincipals/{client}/appRoleAssignments")["value"]] == [
        made["id"]
    ]
    assert admin.reply("POST", f"/servicePrincipals/{client}/appRoleAssignments", body).status == 400
    admin("DELETE", f"/servicePrincipals/{graph}/appRoleAssignedTo/{made['id']}", None, 204)
    assert admin("GET", f"/servicePrincipals/{client}/appRoleAssignments")["value"] == []


def _key() -> tuple[Any, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "builder")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return key, made.public_bytes(serialization.Encoding.DER)


def _proof(key: Any, issuer: str, audience: str = "00000002-0000-0000-c000-000000000000", minutes: int = 5) -> str:
    import jwt

    now = datetime.datetime.now(datetime.UTC)
    claims = {"aud": audience, "iss": issuer, "nbf": now, "exp": now + datetime.timedelta(minutes=minutes)}
    return jwt.encode(claims, key, "ES256")


def test_an_application_rolls_its_keys_itself(admin: Desk, cloud: Client) -> None:
    """M6: addKey and removeKey take a proof signed with a key that the application has."""
    base = f"/applications(appId='{BUILDER}')"
    app_id = admin("GET", base)["id"]
    first, certificate = _key()
    held = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(certificate).decode()}
    admin("PATCH", base, {"keyCredentials": [held]}, 204)
    second, more = _key()
    new = {"keyCredential": held | {"key": base64.b64encode(more).decode()}, "passwordCredential": None}
    for proof in ("", "x.y.z", _proof(second, app_id), _proof(first, BUILDER), _proof(first, app_id, "other"),
                  _proof(first, app_id, minutes=-5)):  # fmt: skip
        assert admin.reply("POST", f"{base}/addKey", new | {"proof": proof}).status in (400, 401, 403), proof
    made = admin("POST", f"{base}/addKey", new | {"proof": _proof(first, app_id)})
    assert len(admin("GET", base)["keyCredentials"]) == 2
    admin("POST", f"{base}/removeKey", {"keyId": made["keyId"], "proof": _proof(second, app_id)}, 204)
    assert len(admin("GET", base)["keyCredentials"]) == 1


def test_directory_roles(admin: Desk, cloud: Client) -> None:
    """M6: templates, roles by id and by template, holders come and go."""
    roles = {row["displayName"]: row for row in admin("GET", "/directoryRoles")["value"]}
    templates = {row["displayName"]: row["id"] for row in admin("GET", "/directoryRoleTemplates")["value"]}
    assert roles.keys() == templates.keys()
    role = roles["User Administrator"]
    base = f"/directoryRoles/roleTemplateId={role['roleTemplateId']}"
    alain = found(cloud, "alain@contoso.com").id
    reference = {"@odata.id": f"https://localhost/v1.0/directoryObjects/{alain}"}
    admin("POST", f"{base}/members/$ref", reference, 204)
    assert admin.reply("POST", f"{base}/members/$ref", reference).status == 400
    assert names(admin("GET", f"{base}/members")) == ["Alain"]
    admin("DELETE", f"/directoryRoles/{role['id']}/members/{alain}/$ref", None, 204)
    assert admin("GET", f"/directoryRoles/{role['id']}/members")["value"] == []
    assert admin.reply("GET", "/directoryRoles/99999999-0000-0000-0000-000000000000").status == 404


def test_the_tenant(alain: Desk) -> None:
    """M6: organization and domains."""
    tenant = alain("GET", "/organization")["value"][0]
    assert tenant["verifiedDomains"][0]["name"] == "contoso.com"
    assert alain("GET", f"/organization/{tenant['id']}")["displayName"] == tenant["displayName"]
    assert alain("GET", "/domains/contoso.com")["isDefault"] is True
    assert alain.reply("GET", "/domains/fabrikam.com").status == 404


def test_every_change_is_in_the_activity_log(admin: Desk, cloud: Client) -> None:
    """M7: who, what and when; never the password."""
    from tests.desk import log

    admin("PATCH", "/users/alain@contoso.com", {"passwordProfile": {"password": "Take-a-look-1"}}, 204)
    last = log(cloud)[-1]
    assert last.caller_id == found(cloud, "owner@contoso.com").id
    assert "Take-a-look-1" not in str(last.__dict__)
