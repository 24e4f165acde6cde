"""Who may change what in the directory: roles, owners, oneself, what the tenant leaves to users, applications (M6)."""

from __future__ import annotations

from typing import Any

import pytest

from azext_trust.server.store import principals
from tests.conftest import BUILDER, Client
from tests.desk import GRAPH, Desk, found, set_options

GRAPH_APP = "00000003-0000-0000-c000-000000000000"
DENIED = (403, "Authorization_RequestDenied")
USER = {
    "accountEnabled": True, "displayName": "New", "mailNickname": "new", "userPrincipalName": "new@contoso.com",
    "passwordProfile": {"password": "Take-a-look-1"},
}  # fmt: skip
GROUP = {"displayName": "team", "mailNickname": "team", "mailEnabled": False, "securityEnabled": True}


def give_role(admin: Desk, role: str, who: str) -> None:
    """Make somebody a holder of a directory role."""
    roles = {row["displayName"]: row["id"] for row in admin("GET", "/directoryRoles")["value"]}
    reference = {"@odata.id": f"https://localhost/v1.0/directoryObjects/{found(admin.client, who).id}"}
    admin("POST", f"/directoryRoles/{roles[role]}/members/$ref", reference)


def give_permission(admin: Desk, role: str) -> None:
    """Give the builder an application permission of Microsoft Graph."""
    builder = found(admin.client, BUILDER).id
    graph = admin("GET", f"/servicePrincipals(appId='{GRAPH_APP}')")["id"]
    body = {"principalId": builder, "resourceId": graph, "appRoleId": role}
    admin("POST", f"/servicePrincipals/{builder}/appRoleAssignments", body)


def ids(client: Client) -> dict[str, str]:
    """Return the names that the requests of these tests use."""
    return {
        "alain": found(client, "alain@contoso.com").id, "reader": found(client, "reader@contoso.com").id,
        "owner": found(client, "owner@contoso.com").id, "signers": found(client, "signers").id,
        "sp": found(client, BUILDER).id,
    }  # fmt: skip


CHANGES: list[tuple[str, str, str, Any]] = [
    ("user create", "POST", "/users", USER),
    ("user update", "PATCH", "/users/{reader}", {"displayName": "Other"}),
    ("user own name", "PATCH", "/users/{alain}", {"displayName": "King Alain"}),
    ("user password", "PATCH", "/users/{reader}", {"passwordProfile": {"password": "Take-a-look-1"}}),
    ("user delete", "DELETE", "/users/{reader}", None),
    ("group update", "PATCH", "/groups/{signers}", {"description": "d"}),
    ("group delete", "DELETE", "/groups/{signers}", None),
    ("member add", "POST", "/groups/{signers}/members/$ref", {"@odata.id": "/users/{reader}"}),
    ("member remove", "DELETE", "/groups/{signers}/members/{alain}/$ref", None),
    ("owner add", "POST", "/groups/{signers}/owners/$ref", {"@odata.id": "/users/{alain}"}),
    ("app update", "PATCH", f"/applications(appId='{BUILDER}')", {"displayName": "d"}),
    ("app secret", "POST", f"/applications(appId='{BUILDER}')/addPassword", {}),
    ("app delete", "DELETE", f"/applications(appId='{BUILDER}')", None),
    ("sp secret", "POST", "/servicePrincipals/{sp}/addPassword", {}),
    ("sp delete", "DELETE", "/servicePrincipals/{sp}", None),
    ("sp owner", "POST", "/servicePrincipals/{sp}/owners/$ref", {"@odata.id": "/users/{alain}"}),
    ("role give", "POST", "/directoryRoles/62e90394-69f5-4237-9190-012177145e10/members/$ref",
     {"@odata.id": "/users/{alain}"}),
    ("consent", "POST", "/oauth2PermissionGrants",
     {"clientId": "{sp}", "consentType": "AllPrincipals", "resourceId": "{sp}", "scope": "User.Read"}),
]  # fmt: skip


def fill(value: Any, names: dict[str, str]) -> Any:
    """Put object ids into a request."""
    if isinstance(value, dict):
        return {key: fill(held, names) for key, held in value.items()}
    if not isinstance(value, str):
        return value
    text = value.format(**names) if "{" in value else value
    return f"https://localhost/v1.0{text}" if text.startswith("/users/") else text


def try_change(desk: Desk, number: int, known: dict[str, str] | None = None) -> int:
    """Send a change and return the status."""
    _, method, path, body = CHANGES[number]
    known = known or ids(desk.client)
    return desk.reply(method, path.format(**known), fill(body, known)).status


@pytest.mark.parametrize("number", range(len(CHANGES)), ids=[row[0] for row in CHANGES])
@pytest.mark.parametrize("who", ["alain@contoso.com", BUILDER])
def test_without_a_role_nothing_is_changed(cloud: Client, number: int, who: str) -> None:
    """M6: a plain user and an application without permission change nothing, not even an own name."""
    assert try_change(Desk(cloud, who, GRAPH), number) == 403


@pytest.mark.parametrize("number", range(len(CHANGES)), ids=[row[0] for row in CHANGES])
def test_global_administrators_change_everything(admin: Desk, number: int) -> None:
    """M6: each of these requests is a good one."""
    assert try_change(admin, number) in (200, 201, 204)


ROLES = {
    "Global Reader": "",
    "Directory Readers": "",
    "User Administrator": "user create,user update,user own name,user password,user delete,group update,group delete,"
    "member add,member remove,owner add",
    "Groups Administrator": "group update,group delete,member add,member remove,owner add",
    "Application Administrator": "app update,app secret,app delete,sp secret,sp delete,sp owner,consent",
    "Cloud Application Administrator": "app update,app secret,app delete,sp secret,sp delete,sp owner,consent",
    "Privileged Role Administrator": "group update,group delete,member add,member remove,owner add,role give,consent",
}


@pytest.mark.parametrize("role", list(ROLES))
def test_each_directory_role_opens_its_own_part(admin: Desk, alain: Desk, role: str) -> None:
    """M6: what each role lets its holder do, and nothing else."""
    give_role(admin, role, "alain@contoso.com")
    allowed, known = set(filter(None, ROLES[role].split(","))), ids(alain.client)
    for number, (name, *_) in enumerate(CHANGES):
        if name not in allowed:
            assert try_change(alain, number, known) == 403, name
    # Last what takes away what others name.
    for name in sorted(sorted(allowed, reverse=True), key=lambda name: ("delete" in name, "remove" in name)):
        number = [row[0] for row in CHANGES].index(name)
        assert try_change(alain, number, known) in (200, 201, 204), name


def test_a_plain_user_reads_everything(alain: Desk, cloud: Client) -> None:
    """M6: Entra lets members read users, groups, applications and who holds roles."""
    names = ids(cloud)
    for path in ("/users", "/groups", f"/groups/{names['signers']}/members", "/applications", "/servicePrincipals",
                 "/directoryRoles", f"/users/{names['owner']}/memberOf", "/organization", "/domains"):  # fmt: skip
        alain("GET", path)


@pytest.mark.parametrize(
    "path", ["/users", "/groups", "/applications", "/servicePrincipals", "/organization", "/users/$count"]
)
def test_an_application_reads_nothing_unasked(builder: Desk, path: str) -> None:
    """M6: an application needs a permission to read the directory."""
    assert builder.code("GET", path) == DENIED


PERMISSIONS = [
    ("df021288-bdef-4463-88db-98f22de89214", ["/users"], ["/groups"], {}),
    ("5b567255-7703-4780-807c-7be8301ae99b", ["/groups"], ["/users"], {}),
    ("7ab1d382-f21e-4acd-a863-ba3e13f7da61", ["/users", "/groups", "/applications", "/domains"], [], {}),
    ("741f803b-c850-494e-b5df-cde7c675a1ca", ["/users"], ["/groups"], {"/users": USER}),
    ("62a82d76-70ea-41e2-9197-370581804d09", ["/groups"], ["/users"], {"/groups": GROUP}),
    ("1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9", ["/applications"], ["/users"], {"/applications": {"displayName": "x"}}),
]


@pytest.mark.parametrize(("role", "reads", "not_read", "writes"), PERMISSIONS)
def test_application_permissions(
    admin: Desk, builder: Desk, role: str, reads: list[str], not_read: list[str], writes: dict[str, object]
) -> None:
    """M6: an app role of Microsoft Graph gives an application what its name says."""
    give_permission(admin, role)
    for path in reads:
        builder("GET", path)
    for path in not_read:
        assert builder.code("GET", path) == DENIED
    for path, body in (("/users", USER), ("/groups", GROUP), ("/applications", {"displayName": "x"})):
        assert builder.reply("POST", path, body).status == (201 if path in writes else 403), path


def test_users_change_their_own_profile(alain: Desk) -> None:
    """M6: contact data, no names, no password by this way; and the signed-in user's own route."""
    alain("PATCH", "/users/alain@contoso.com", {"mobilePhone": "+33 1"})
    alain("PATCH", "/me", {"preferredLanguage": "fr"})
    assert alain("GET", "/me?$select=mobilePhone,preferredLanguage")["mobilePhone"] == "+33 1"
    assert alain.code("PATCH", "/me", {"displayName": "King Alain"}) == DENIED
    assert alain.code("PATCH", "/me", {"passwordProfile": {"password": "Take-a-look-1"}}) == DENIED


def test_users_change_their_password_who_know_the_old_one(alain: Desk, cloud: Client) -> None:
    """M6: the way of the account page."""
    wrong = {"currentPassword": "Alain-pass-2", "newPassword": "Take-a-look-1"}
    assert alain.reply("POST", "/me/changePassword", wrong).status == 400
    weak = {"currentPassword": "Alain-pass-1", "newPassword": "short"}
    assert alain.reply("POST", "/me/changePassword", weak).status == 400
    alain("POST", "/me/changePassword", {"currentPassword": "Alain-pass-1", "newPassword": "Take-a-look-1"}, 204)
    assert cloud.sign_in("alain@contoso.com", "Take-a-look-1")


def test_a_new_application_belongs_to_its_user(alain: Desk, admin: Desk) -> None:
    """M6: users register applications, make their principal, add secrets, hand them over, and delete them."""
    made = alain("POST", "/applications", {"displayName": "mine"}, 201)
    base = f"/applications/{made['id']}"
    assert [row["id"] for row in alain("GET", f"{base}/owners")["value"]] == [found(alain.client, alain.name).id]
    principal = alain("POST", "/servicePrincipals", {"appId": made["appId"]}, 201)
    assert alain("POST", f"{base}/addPassword", {})["secretText"]
    assert alain("POST", f"/servicePrincipals/{principal['id']}/addPassword", {})["secretText"]
    reader = Desk(alain.client, "reader@contoso.com", GRAPH)
    assert reader.code("PATCH", base, {"displayName": "stolen"}) == DENIED
    assert reader.code("POST", "/servicePrincipals", {"appId": made["appId"]}) == DENIED
    reference = {"@odata.id": f"https://localhost/v1.0/users/{found(alain.client, 'reader@contoso.com').id}"}
    alain("POST", f"{base}/owners/$ref", reference, 204)
    reader("PATCH", base, {"displayName": "shared"}, 204)
    alain("DELETE", base, None, 204)


def test_a_new_group_belongs_to_its_user(alain: Desk, admin: Desk) -> None:
    """M6: users create security groups and fill their own ones."""
    group = alain("POST", "/groups", GROUP, 201)["id"]
    reference = {"@odata.id": f"https://localhost/v1.0/users/{found(alain.client, 'reader@contoso.com').id}"}
    alain("POST", f"/groups/{group}/members/$ref", reference, 204)
    assert alain.code("POST", "/groups", GROUP | {"isAssignableToRole": True}) == DENIED
    alain("DELETE", f"/groups/{group}", None, 204)


def test_a_tenant_may_keep_that_from_users(alain: Desk, admin: Desk, cloud: Client) -> None:
    """M6: the two settings of Entra; administrators go on."""
    set_options(cloud, usersRegisterApplications=False, usersCreateGroups=False)
    assert alain.code("POST", "/applications", {"displayName": "mine"}) == DENIED
    assert alain.code("POST", "/groups", GROUP) == DENIED
    admin("POST", "/applications", {"displayName": "mine"}, 201)
    admin("POST", "/groups", GROUP, 201)


def test_administrators_are_out_of_reach_of_lesser_ones(admin: Desk, alain: Desk, cloud: Client) -> None:
    """M6: a User Administrator cannot reset a Global Administrator's password, nor touch a group that holds roles."""
    give_role(admin, "User Administrator", "alain@contoso.com")
    owner = found(cloud, "owner@contoso.com").id
    assert alain.code("PATCH", f"/users/{owner}", {"passwordProfile": {"password": "Take-a-look-1"}}) == DENIED
    assert alain.code("DELETE", f"/users/{owner}") == DENIED
    high = admin("POST", "/groups", GROUP | {"isAssignableToRole": True}, 201)["id"]
    reference = {"@odata.id": f"https://localhost/v1.0/users/{found(cloud, 'alain@contoso.com').id}"}
    assert alain.code("POST", f"/groups/{high}/members/$ref", reference) == DENIED
    admin("POST", f"/groups/{high}/members/$ref", reference, 204)


def test_a_token_for_somebody_else_is_none_for_graph(cloud: Client) -> None:
    """M6: Graph answers its own words to a token of another audience."""
    reply = cloud.call("GET", "/v1.0/users", token=Desk(cloud).token())
    assert isinstance(reply.body, dict)
    assert (reply.status, reply.body["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_disabled_users_are_shut_out(admin: Desk, alain: Desk, cloud: Client) -> None:
    """M6: a token of somebody who was switched off ends at once."""
    admin("PATCH", "/users/alain@contoso.com", {"accountEnabled": False}, 204)
    token = Desk(cloud, "alain@contoso.com", GRAPH)
    with cloud.app.store.read() as transaction:
        assert not principals.user_by_upn(transaction.session, "alain@contoso.com").enabled  # type: ignore[union-attr]
    assert token.reply("GET", "/me").status == 401
