"""What stands in access tokens (M6; real-responses.md section 3)."""

from __future__ import annotations

import uuid

import pytest

from azext_trust.server.gate import minting
from azext_trust.server.gate.resources import ScopeError, read
from azext_trust.server.store import principals
from tests.conftest import BUILDER, TENANT, Client
from tests.sign_in import AZURE_CLI, change_application, claims_of, user_id

ARM = "https://management.core.windows.net/"


def claims(cloud: Client, resource: str = ARM, name: str = "alain@contoso.com", **wanted: object) -> dict[str, object]:
    """Return the claims of a user's access token."""
    with cloud.app.store.read() as transaction:
        user = principals.user_by_upn(transaction.session, name)
        assert user is not None
        more = minting.Wanted(**wanted)  # type: ignore[arg-type]
        return claims_of(minting.access_token(transaction, cloud.app.settings, user, AZURE_CLI, resource, more))


def join_groups(cloud: Client, count: int) -> None:
    """Make a user a member of many groups, of which each lies in the next."""
    with cloud.app.store.write() as transaction:
        member = principals.user_by_upn(transaction.session, "alain@contoso.com")
        assert member is not None
        before = member.id
        for number in range(count):
            made = str(uuid.uuid4())
            transaction.session.add(
                principals.DirectoryObject(
                    id=made, kind=principals.GROUP, display_name=f"g{number}", display_key=f"g{number}", created=""
                )
            )
            transaction.session.flush()
            transaction.session.add(principals.Membership(group_id=made, member_id=before))
            transaction.session.flush()
            before = made


def test_user(cloud: Client) -> None:
    """M6: the claims that Azure's own services, and people who debug, look at."""
    found = claims(cloud)
    assert found["aud"] == ARM
    assert found["iss"] == f"https://sts.windows.net/{TENANT}/"
    assert found["oid"] == user_id(cloud, "alain@contoso.com")
    assert (found["appid"], found["appidacr"], found["scp"]) == (AZURE_CLI, "0", "user_impersonation")
    assert (found["idtyp"], found["amr"], found["ver"]) == ("user", ["pwd"], "1.0")
    assert found["unique_name"] == found["upn"] == "alain@contoso.com"
    assert found["exp"] == int(str(found["iat"])) + 4800
    assert "xms_cc" not in found


@pytest.mark.parametrize("count", [199, 200])
def test_overage_of_groups(cloud: Client, count: int) -> None:
    """M6: above 200 groups, nested ones counted, the token points to Graph instead of naming them."""
    join_groups(cloud, count)  # and one in the seed
    found = claims(cloud)
    if count == 199:
        assert len(found["groups"]) == 200  # type: ignore[arg-type]
        return
    assert "groups" not in found
    assert found["_claim_names"] == {"groups": "src1"}
    where = found["_claim_sources"]["src1"]["endpoint"]  # type: ignore[index]
    owner = cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://graph.microsoft.com/.default")
    path = where.removeprefix("https://localhost")
    answer = cloud.json(cloud.call("POST", path, {"securityEnabledOnly": False}, owner))
    assert len(answer["value"]) == 201


def test_directory_roles(cloud: Client) -> None:
    """M6: `wids` names the directory roles by their template ids, the member's own among them."""
    assert claims(cloud)["wids"] == ["b79fbf4d-3ef9-4689-8143-76b194e85509"]
    assert "62e90394-69f5-4237-9190-012177145e10" in claims(cloud, name="owner@contoso.com")["wids"]  # type: ignore[operator]


@pytest.mark.parametrize(
    "resource",
    [
        "https://management.core.windows.net/", "https://management.core.windows.net", "https://management.azure.com",
        "https://management.azure.com/", "https://graph.microsoft.com", "https://localhost/",
        "https://containerregistry.azure.net", "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        "00000003-0000-0000-c000-000000000000",
    ],
)  # fmt: skip
def test_audience_is_what_was_asked(cloud: Client, resource: str) -> None:
    """M6: the audience is the resource as the client spelled it."""
    assert claims(cloud, resource)["aud"] == resource


def test_graph(cloud: Client) -> None:
    """M6: tokens for Graph carry permissions and no groups."""
    found = claims(cloud, "https://graph.microsoft.com")
    assert "Directory.AccessAsUser.All" in str(found["scp"]).split()
    assert "groups" not in found


def test_permissions_asked_by_name(cloud: Client) -> None:
    """M6: who asks for single permissions gets these."""
    assert claims(cloud, "https://graph.microsoft.com", permissions=("User.Read",))["scp"] == "User.Read"


def test_own_api_of_version_2(cloud: Client) -> None:
    """M6: an application that wants version 2 gets it, and groups where it asks for them."""
    change_application(cloud, BUILDER, api={"requestedAccessTokenVersion": 2}, groupMembershipClaims="SecurityGroup")
    found = claims(cloud, "api://builder")
    assert (found["aud"], found["ver"], found["azp"], found["azpacr"]) == (BUILDER, "2.0", AZURE_CLI, "0")
    assert found["iss"] == f"https://localhost/{TENANT}/v2.0"
    assert found["preferred_username"] == "alain@contoso.com"
    assert len(found["groups"]) == 1  # type: ignore[arg-type]
    assert not {"upn", "appid", "unique_name"} & set(found)


def test_subject_is_pairwise(cloud: Client) -> None:
    """M6: two applications cannot tell by `sub` that they see the same user."""
    with cloud.app.store.read() as transaction:
        user = principals.user_by_upn(transaction.session, "alain@contoso.com")
        assert user is not None
        subjects = {
            claims_of(minting.access_token(transaction, cloud.app.settings, user, client, ARM))["sub"]
            for client in (AZURE_CLI, BUILDER, AZURE_CLI)
        }
    assert len(subjects) == 2


@pytest.mark.parametrize(
    ("scope", "resource", "permissions"),
    [
        ("https://management.core.windows.net//.default", "https://management.core.windows.net/", (".default",)),
        ("https://localhost:8443//.default openid", "https://localhost:8443/", (".default",)),
        ("User.Read Mail.Read", "", ("User.Read", "Mail.Read")),
        ("openid profile offline_access", "", ()),
        ("api://builder/read api://builder/write", "api://builder", ("read", "write")),
        ("", "", ()),
    ],
)
def test_scopes(scope: str, resource: str, permissions: tuple[str, ...]) -> None:
    """M6: what stands before the last slash is the resource."""
    found = read(scope)
    assert (found.resource, found.permissions) == (resource, permissions)


@pytest.mark.parametrize(
    ("scope", "problem"),
    [
        ("a/x b/y", "several"),
        ("a/.default a/x", "mixed"),
        ("User.Read api://b/x", "several"),
        ("https://x/", "malformed"),
    ],
)
def test_scopes_that_cannot_be(scope: str, problem: str) -> None:
    """M6: one resource a token, all of it or parts of it."""
    with pytest.raises(ScopeError) as caught:
        read(scope)
    assert caught.value.problem == problem
