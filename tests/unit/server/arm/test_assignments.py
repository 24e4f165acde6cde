"""Role and deny assignments: rules, filters, and who may read them (M7, M12; rbac-semantics.md sections 5, 7, 9)."""

from __future__ import annotations

import pytest

from tests.conftest import Client
from tests.desk import LAB, REGISTRY, SUB, Desk, found

PUSH, PULL = "8311e382-0749-4cb8-b61a-304f252e45ec", "7f951dda-4ed3-4680-a7ca-43fe172d538d"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
EVERYBODY = "00000000-0000-0000-0000-000000000000"


def at(scope: str, number: int = 1, kind: str = "roleAssignments") -> str:
    """Return the path of an assignment."""
    return f"{scope}/providers/Microsoft.Authorization/{kind}/aaaaaaaa-0000-0000-0000-{number:012}"


def asked(principal: str, role: str = PULL, **more: str) -> dict[str, object]:
    """Return the body of a request for an assignment."""
    role_id = f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return {"properties": {"roleDefinitionId": role_id, "principalId": principal, **more}}


@pytest.fixture
def alain(cloud: Client) -> str:
    """The object id of a user."""
    return found(cloud, "alain@contoso.com").id


def test_duplicates(owner: Desk, alain: str) -> None:
    """M7: the same again is 200; under another name 409; changed in place 400."""
    owner("PUT", at(REGISTRY), asked(alain), status=201)
    owner("PUT", at(REGISTRY), asked(alain, description="same"), status=200)
    assert owner.code("PUT", at(REGISTRY, 2), asked(alain)) == (409, "RoleAssignmentExists")
    assert owner.code("PUT", at(REGISTRY), asked(alain, PUSH)) == (400, "RoleAssignmentUpdateNotPermitted")
    assert owner.code("PUT", at(LAB), asked(alain)) == (400, "RoleAssignmentUpdateNotPermitted")


@pytest.mark.parametrize(
    ("name", "code"),
    [("nobody", "PrincipalNotFound"), ("application", "PrincipalTypeNotSupported"), ("word", "InvalidPrincipalId")],
)
def test_principals_that_cannot_be_assigned(owner: Desk, cloud: Client, name: str, code: str) -> None:
    """M7: an unknown id, an application's own object id, a word."""
    from azext_trust.server.store import principals

    with cloud.app.store.read() as transaction:
        application = principals.applications(transaction.session)[0].id
    ids = {"nobody": "bbbbbbbb-0000-0000-0000-000000000000", "application": application, "word": "x"}
    assert owner.code("PUT", at(REGISTRY), asked(ids[name])) == (400, code)


def test_wrong_type_and_missing_scope(owner: Desk, alain: str) -> None:
    """M7: a principalType that is another's; a scope that does not exist."""
    assert owner.code("PUT", at(REGISTRY), asked(alain, principalType="Group")) == (400, "UnmatchedPrincipalType")
    assert owner.code("PUT", at(f"{SUB}/resourceGroups/none"), asked(alain)) == (404, "ResourceGroupNotFound")
    assert owner.code("PUT", at(REGISTRY + "x"), asked(alain)) == (404, "ResourceNotFound")


def test_orphans_stay(owner: Desk, cloud: Client, alain: str) -> None:
    """M7: an assignment outlives its principal."""
    owner("PUT", at(REGISTRY), asked(alain))
    Desk(cloud, audience="https://graph.microsoft.com/")("DELETE", f"/users/{alain}")
    held = owner("GET", at(REGISTRY))["properties"]
    assert (held["principalId"], held["principalType"]) == (alain, "User")


FILTERS = [
    ("", {"owner", "reader", "builder", "group"}),
    ("atScope()", {"owner", "reader", "group"}),
    ("principalId eq '{builder}'", {"builder"}),
    ("assignedTo('{alain}')", {"group"}),
    ("atScope()+and+assignedTo('{alain}')", {"group"}),
    ("atScope() and assignedTo('{builder}')", set()),
]


@pytest.mark.parametrize(("text", "expected"), FILTERS)
def test_filters(owner: Desk, cloud: Client, text: str, expected: set[str], alain: str) -> None:
    """M7: every form of $filter, at the resource group."""
    ids = {"builder": found(cloud, "builder").id, "alain": alain, "group": found(cloud, "signers").id,
           "owner": found(cloud, "owner@contoso.com").id, "reader": found(cloud, "reader@contoso.com").id}  # fmt: skip
    owner("PUT", at(LAB), asked(ids["group"]))
    filled = text.format(**ids)
    listed = owner("GET", f"{LAB}/providers/Microsoft.Authorization/roleAssignments?$filter={filled}")["value"]
    assert {row["properties"]["principalId"] for row in listed} == {ids[name] for name in expected}


@pytest.mark.parametrize("text", ["principalId eq '{0}' and atScope()", "roleName eq 'x'", "atScope"])
def test_filters_that_are_not_supported(owner: Desk, text: str) -> None:
    """M7: anything else is UnsupportedQuery."""
    listed = f"{LAB}/providers/Microsoft.Authorization/roleAssignments?$filter={text}"
    assert owner.code("GET", listed) == (400, "UnsupportedQuery")


def test_elevated_access(owner: Desk, reader: Desk) -> None:
    """M12: a Global Administrator gets User Access Administrator at the root, once; nobody else does."""
    path = "/providers/Microsoft.Authorization/elevateAccess?api-version=2015-07-01"
    assert reader.code("POST", path) == (403, "AuthorizationFailed")
    owner("POST", path, status=200)
    owner("POST", path, status=200)
    listed = owner("GET", "/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()")["value"]
    assert [row["properties"]["scope"] for row in listed] == ["/"]
    assert listed[0]["id"].startswith("/providers/Microsoft.Authorization/roleAssignments/")


def test_last_administrator_stays(owner: Desk, cloud: Client) -> None:
    """M12: the last Owner of a subscription goes only by a Global Administrator."""
    from azext_trust.server.store import principals

    listed = owner("GET", f"{SUB}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()")["value"]
    own = found(cloud, owner.name).id
    mine = next(row["id"] for row in listed if row["properties"]["principalId"] == own)
    with cloud.app.store.write() as transaction:
        held = transaction.session.get(principals.DirectoryRoleMember, ("Global Administrator", own))
        transaction.session.delete(held)
    assert owner.code("DELETE", mine) == (400, "CannotDeleteLastRbacAdminAssignment")


def deny(
    principals: list[dict[str, str]], excluded: list[dict[str, str]] | None = None, **more: object
) -> dict[str, object]:
    """Return the body of a deny assignment of registries/write."""
    properties = {
        "denyAssignmentName": "no writes", "permissions": [{"actions": ["Microsoft.ContainerRegistry/registries/write"]}],
        "principals": principals, "excludePrincipals": excluded or [], **more,
    }  # fmt: skip
    return {"properties": properties}


def test_a_deny_assignment_beats_owner(owner: Desk, cloud: Client, alain: str) -> None:
    """M12: everybody but the excluded ones is denied, the Owner too; without it all is as before."""
    everybody = [{"id": EVERYBODY, "type": "SystemDefined"}]
    path = at(REGISTRY, 1, "denyAssignments")
    made = owner("PUT", path, deny(everybody, [{"id": alain, "type": "User"}]), status=201)
    assert made["properties"]["excludePrincipals"] == [{"id": alain, "type": "User"}]
    assert owner.code("PATCH", REGISTRY, {"tags": {}}) == (403, "DenyAssignmentAuthorizationFailed")
    owner("PATCH", LAB, {"tags": {}})
    listed = f"{SUB}/providers/Microsoft.Authorization/denyAssignments"
    assert [row["name"] for row in owner("GET", listed)["value"]] == [made["name"]]
    assert owner("GET", f"{listed}?$filter=atScope()")["value"] == []
    assert len(owner("GET", f"{listed}?$filter=assignedTo('{alain}')")["value"]) == 1
    owner("DELETE", path, status=200)
    owner("DELETE", path, status=204)
    owner("PATCH", REGISTRY, {"tags": {}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"principals": [{"id": EVERYBODY, "type": "SystemDefined"}]},
        {"principals": []},
        {"permissions": [{"actions": ["Microsoft.ContainerRegistry/registries/read"]}]},
        {"permissions": [{"actions": ["*/write"], "dataActions": ["*"]}]},
        {"permissions": [{"actions": []}]},
        {"doNotApplyToChildScopes": True},
        {"isSystemProtected": True},
        {"denyAssignmentName": ""},
    ],
)
def test_rules_of_deny_assignments(owner: Desk, alain: str, wrong: dict[str, object]) -> None:
    """M12: what user-assigned deny assignments may not hold."""
    body = deny([{"id": alain, "type": "User"}])
    properties = body["properties"]
    assert isinstance(properties, dict)
    assert owner.reply("PUT", at(REGISTRY, 1, "denyAssignments"), {"properties": properties | wrong}).status == 400


def test_groups_cannot_be_denied(owner: Desk, cloud: Client) -> None:
    """M12: a group is no principal of a user-assigned deny assignment."""
    body = deny([{"id": found(cloud, "signers").id, "type": "Group"}])
    assert owner.code("PUT", at(REGISTRY, 1, "denyAssignments"), body)[0] == 400


def test_conditions_are_enforced(owner: Desk, nobody: Desk, cloud: Client, alain: str) -> None:
    """M12: a delegate whose condition admits one role assigns that role and no other, and the refusal says why."""
    administrator = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
    condition = (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR (@Request[Microsoft.Authorization/"
        f"roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals{{{PULL}}}))"
    )
    owner("PUT", at(LAB), asked(alain, administrator, condition=condition, conditionVersion="2.0"))
    builder = found(cloud, "builder").id
    nobody("PUT", at(REGISTRY, 2), asked(builder, PULL), status=201)
    reply = nobody.reply("PUT", at(LAB, 3), asked(builder, PUSH))
    assert isinstance(reply.body, dict)
    assert reply.status == 403
    assert "or an ABAC condition not fulfilled" in reply.body["error"]["message"]
    held = owner("GET", at(LAB))["properties"]
    assert (held["condition"], held["conditionVersion"]) == (condition, "2.0")


def test_permissions_are_the_callers(reader: Desk, nobody: Desk) -> None:
    """M12: anybody may ask what they may do; the answer is their roles' permission objects."""
    path = f"{LAB}/providers/Microsoft.Authorization/permissions"
    assert reader("GET", path)["value"][0]["actions"] == ["*/read"]
    assert nobody("GET", path)["value"] == []
