"""The golden matrix of rbac-semantics.md section 12, every row and column, and each of its surprises."""

from __future__ import annotations

import pytest

from azext_trust.rbac import capabilities, operations
from azext_trust.rbac.capabilities import ABAC, Needs
from azext_trust.rbac.roles import built_in_roles
from azext_trust.rbac.who_can import who_can
from tests.unit.rbac.tenants import NAME, PULL, PUSH, REGISTRY, SIGN, SUBSCRIPTION, TRUST, A, R, Tenant


def one(*actions: str) -> Needs:
    """All of these actions."""
    return tuple((action,) for action in actions)


def capability(name: str, mode: str = capabilities.LEGACY) -> Needs:
    """What a capability takes."""
    found = capabilities.needs(name, mode)
    assert found is not None
    return found


COLUMNS: dict[str, Needs] = {
    "pull": capability("pull"), "push": capability("push"), "delete": capability("delete"),
    "lock": capability("metadata_write"), "sign": capability("sign"), "sign/write": one(SIGN),
    "trustedColl.": one(TRUST), "abac pull": capability("pull", ABAC), "abac push": capability("push", ABAC),
    "abac delete": capability("delete", ABAC), "abac catalog": capability("catalog", ABAC), "reg read": one(f"{R}/read"),
    "reg write": capability("manage-policy"), "listCred": one(f"{R}/listCredentials/action"),
    "import": capability("import"), "assign roles": capability("grant"), "define roles": one(f"{A}/roleDefinitions/write"),
}  # fmt: skip
MATRIX = """
Owner | y y y y - y - - - - - y y y y y y
Contributor | y y y y - y - - - - - y y y y - -
Reader | y - - - - - - - - - - y - - - - -
User Access Administrator | y - - - - - - - - - - y - - - y y
Role Based Access Control Administrator | y - - - - - - - - - - y - - - y -
AcrPull | y - - - - - - - - - - - - - - - -
AcrPush | y y - - - - - - - - - - - - - - -
AcrDelete | - - y - - - - - - - - - - - - - -
AcrImageSigner | - - - - - y y - - - - - - - - - -
AcrQuarantineReader | - - - - - - - - - - - - - - - - -
AcrQuarantineWriter | - - - - - - - - - - - - - - - - -
Container Registry Repository Reader | - - - - - - - y - - - - - - - - -
Container Registry Repository Writer | - - - - - - - y y - - - - - - - -
Container Registry Repository Contributor | - - - - - - - y y y - - - - - - -
Container Registry Repository Catalog Lister | - - - - - - - - - - y - - - - - -
Container Registry Contributor and Data Access Configuration Administrator | - - - - - - - - - - - y y y - - -
Container Registry Configuration Reader and Data Access Configuration Reader | - - - - - - - - - - - y - y - - -
Container Registry Data Importer and Data Reader | y - - - - - - y - - y y - - y - -
Container Registry Tasks Contributor | - - - - - - - - - - - y - - - - -
Container Registry Transfer Pipeline Contributor | - - - - - - - - - - - - - - - - -
Managed Identity Operator | - - - - - - - - - - - - - - - - -
Security Reader | - - - - - - - - - - - - - - - - -
Security Admin | - - - - - - - - - - - - - - - - -
Monitoring Reader | y - - - - - - - - - - y - - - - -
Monitoring Contributor | y - - - - - - - - - - y - - - - -
Log Analytics Reader | y - - - - - - - - - - y - - - - -
Tag Contributor | - - - - - - - - - - - - - - - - -
Defender Registry Access | y y y - - - - y y y - - - - - - -
Key Vault Data Access Administrator | - - - - - - - - - - - - - - - y -
AcrPush + AcrImageSigner | y y - - y y y - - - - - - - - - -
"""
ROWS = [
    (row.split(" | ")[0], column, mark == "y")
    for row in MATRIX.strip().splitlines()
    for column, mark in zip(COLUMNS, row.split(" | ")[1].split(), strict=True)
]


def tenant_with(roles: str) -> Tenant:
    """Return a tenant where ann holds these roles (joined by a plus) at the registry."""
    tenant = Tenant()
    for role in roles.split(" + "):
        tenant.assign(role)
    return tenant


@pytest.mark.parametrize(("roles", "column", "yes"), ROWS)
def test_matrix(roles: str, column: str, yes: bool) -> None:
    """M8, M12: what each built-in role alone can do at a registry."""
    holders = who_can(tenant_with(roles).index, COLUMNS[column], REGISTRY)
    # A role's own condition decides by the role that is to be assigned: Key Vault Data Access Administrator.
    assert (holders.ids() + holders.ids(depends=True) == ["ann"]) is yes


def test_matrix_is_whole() -> None:
    """M12: 30 rows of 17 columns, and every built-in role of the data that concerns registries or their rights."""
    assert len(ROWS) == 30 * 17
    names = {role.name for role in built_in_roles().values()}
    assert {roles for roles, _, _ in ROWS if " + " not in roles} <= names


def test_contributor_holds_all_but_the_data_action() -> None:
    """Surprise: Contributor pushes, deletes, reads the admin passwords and has sign/write, yet does not sign."""
    tenant = tenant_with("Contributor")
    assert all(tenant.allows(action) for action in (PUSH, f"{R}/artifacts/delete", f"{R}/listCredentials/action", SIGN))
    assert not tenant.allows(TRUST)


@pytest.mark.parametrize(
    "role",
    ["Monitoring Reader", "Monitoring Contributor", "Log Analytics Reader", "User Access Administrator",
     "Role Based Access Control Administrator"],
)  # fmt: skip
def test_star_read_pulls_every_image(role: str) -> None:
    """Surprise: ``*/read`` pulls in mode rbac."""
    decision = tenant_with(role).decide(PULL)
    assert [grant.pattern for grant in decision.grants] == ["*/read"]


def test_image_signer_alone_cannot_even_read_trust_data() -> None:
    """Surprise: AcrImageSigner alone neither pushes nor pulls."""
    tenant = tenant_with("AcrImageSigner")
    assert not tenant.allows(PUSH)
    assert not len(who_can(tenant.index, capability("trust_read"), REGISTRY))


@pytest.mark.parametrize(
    ("roles", "ways"),
    [
        ("Contributor", {"admin account", "admin password", "repository token"}),
        ("Owner", {"admin account", "admin password", "repository token", "own assignment"}),
        ("Container Registry Contributor and Data Access Configuration Administrator",
         {"admin account", "admin password", "repository token"}),
        ("Container Registry Configuration Reader and Data Access Configuration Reader", {"admin password"}),
        ("User Access Administrator", {"own assignment"}), ("AcrPush", set()), ("Reader", set()),
    ],
)  # fmt: skip
def test_indirect_ways(roles: str, ways: set[str]) -> None:
    """Surprise: admin account, its password, a token, or an own assignment; only the last one ends in signing."""
    index = tenant_with(roles).index
    assert {way.name for way in capabilities.indirect() if len(who_can(index, way.needs, REGISTRY))} == ways
    assert {way.name for way in capabilities.indirect() if "sign" in way.gives} == {"own assignment"}


def assignable(tenant: Tenant, role_id: str) -> bool:
    """Tell whether ann may assign a role to herself."""
    prefix = f"{A}/roleAssignments:"
    request = {prefix + "RoleDefinitionId": role_id, prefix + "PrincipalId": "ann", prefix + "PrincipalType": "User"}
    return tenant.allows(f"{A}/roleAssignments/write", REGISTRY, **request)


def test_constrained_delegate_can_become_signer_if_its_condition_admits_it() -> None:
    """Surprise: whoever may assign AcrImageSigner can make itself a signer."""
    signer, puller = "6cef56e8-d556-48e5-a04f-b8e64114680f", "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    write = f"{A}/roleAssignments/write"
    condition = (
        f"((!(ActionMatches{{'{write}'}})) OR (@Request[{A}/roleAssignments:RoleDefinitionId] "
        f"ForAnyOfAnyValues:GuidEquals{{{signer}}}))"
    )
    tenant = Tenant()
    tenant.assign("Role Based Access Control Administrator", SUBSCRIPTION, condition=condition)
    assert assignable(tenant, signer)
    assert not assignable(tenant, puller)
    assert tenant.allows(f"{A}/roleAssignments/delete")
    assert who_can(tenant.index, ((write,),), REGISTRY).ids(depends=True) == ["ann"]


@pytest.mark.parametrize("role", ["Owner", "Contributor", "Reader"])
def test_no_privileged_role_pulls_in_abac_mode(role: str) -> None:
    """Surprise: in mode rbac-abac Owner cannot pull."""
    assert not len(who_can(tenant_with(role).index, capability("pull", ABAC), REGISTRY))


def test_nobody_signs_in_abac_mode() -> None:
    """M8: content trust signing is not supported there."""
    assert capabilities.needs("sign", ABAC) is None


def test_repository_condition() -> None:
    """M12: in mode rbac-abac a condition names the repositories; catalog/read ignores it."""
    tenant = Tenant()
    tenant.assign(
        "Container Registry Repository Reader", condition=f"@Request[{NAME}] StringStartsWithIgnoreCase 'team/'"
    )
    needs = capability("pull", ABAC)
    assert who_can(tenant.index, needs, REGISTRY, request={NAME: "Team/app"}).ids() == ["ann"]
    assert not len(who_can(tenant.index, needs, REGISTRY, request={NAME: "other"}))
    assert who_can(tenant.index, needs, REGISTRY).ids(depends=True) == ["ann"]


@pytest.mark.parametrize("mode", [capabilities.LEGACY, ABAC])
def test_every_action_of_a_capability_exists(mode: str) -> None:
    """M12: capabilities and ways round are made of operations that the providers have."""
    groups = [group for name in capabilities.names() for group in capabilities.needs(name, mode) or ()]
    groups += [group for way in capabilities.indirect() for group in way.needs]
    assert {action for group in groups for action in group if action.lower() not in operations.operations()} == set()
