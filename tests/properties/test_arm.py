"""What Resource Manager answers over random tenants is what the evaluator and the referee say (M12, M22, M29)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from azext_trust.names import scopes
from azext_trust.rbac import decide as deciding
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import DenyAssignment, Permission, Principal, RoleAssignment, RoleDefinition
from azext_trust.server.app import create_app
from azext_trust.server.gate import minting
from azext_trust.server.gate.call import Settings
from azext_trust.server.store import authorization, principals
from tests.conftest import SUBSCRIPTION, TENANT, Client
from tests.properties import reference, worlds
from tests.properties.reference import Ask, World
from tests.properties.test_decide import query_of
from tests.tokens import AZURE_CLI

R, A = "Microsoft.ContainerRegistry/registries", "Microsoft.Authorization"
PEOPLE = tuple(f"{n}0000000-1111-2222-3333-444444444444" for n in (1, 2, 3))
GROUPS = tuple(f"{n}0000000-1111-2222-3333-444444444444" for n in (6, 7, 8))
ROLES = tuple(f"{n}0000000-9999-8888-7777-666666666666" for n in (1, 2, 3))
MANAGEMENT = "/providers/Microsoft.Management/managementGroups/"
SUB = f"/subscriptions/{SUBSCRIPTION}"
LAB, OTHER = f"{SUB}/resourceGroups/lab", f"{SUB}/resourceGroups/other"
ONE, TWO = f"{LAB}/providers/{R}/registryone", f"{OTHER}/providers/{R}/registrytwo"
SCOPES = ("/", MANAGEMENT + TENANT, MANAGEMENT + "platform", SUB, LAB, OTHER, ONE, TWO)
ASKED = SCOPES[3:]
"""Where questions are asked: at what Resource Manager serves with a subscription in its path."""
PATTERNS = ("*", "*/read", "*", "*/read", f"{R}/*", f"{R}/read", f"{A}/*/read", f"{A}/roleAssignments/*",
            f"{A}/roleAssignments/read", f"{A}/locks/read", "Microsoft.Resources/*")  # fmt: skip
READS = {
    "roleAssignments": f"{A}/roleAssignments/read", "locks": f"{A}/locks/read",
    "roleDefinitions": f"{A}/roleDefinitions/read", "denyAssignments": f"{A}/denyAssignments/read",
}  # fmt: skip
SEED = f"""
tenant: {{id: {TENANT}, domain: contoso.com}}
managementGroups: [{{name: platform}}]
subscription: {{id: {SUBSCRIPTION}, name: Lab, managementGroup: platform}}
users: [{", ".join(f"{{name: user{n}@contoso.com, id: {one}, password: Sign-me-in-1}}" for n, one in enumerate(PEOPLE))}]
groups: [{", ".join(f"{{name: group{n}, id: {one}}}" for n, one in enumerate(GROUPS))}]
resourceGroups: [{{name: lab, location: westeurope}}, {{name: other, location: westeurope}}]
registries:
  - {{name: registryone, resourceGroup: lab, sku: Premium}}
  - {{name: registrytwo, resourceGroup: other, sku: Premium}}
"""
few = st.sampled_from


def some(values: tuple[str, ...], most: int) -> st.SearchStrategy[tuple[str, ...]]:
    """A few different ones of these."""
    return st.lists(few(values), max_size=most, unique=True).map(tuple)


@dataclass(frozen=True)
class Facts:
    """What is random: who is in which group, what roles and deny assignments say, who is assigned what where."""

    members: frozenset[tuple[str, str]]
    roles: tuple[RoleDefinition, ...]
    assignments: tuple[tuple[RoleAssignment, Any], ...]
    denies: tuple[DenyAssignment, ...]


permissions = st.builds(Permission, st.lists(few(PATTERNS), min_size=1, max_size=2, unique=True).map(tuple),
                        some(PATTERNS[5:], 1))  # fmt: skip


def _roles_named(name: str) -> st.SearchStrategy[RoleDefinition]:
    parts = st.lists(permissions, min_size=1, max_size=2).map(tuple)
    return parts.map(lambda given: RoleDefinition(name, f"role {name[0]}", "", "CustomRole", given, (SUB,)))


roles = st.tuples(*map(_roles_named, ROLES))
assignments = st.lists(
    st.tuples(few(SCOPES), few(ROLES), few((*PEOPLE, *GROUPS)), worlds.conditions), min_size=4, max_size=12,
    unique_by=lambda row: row[:3],
).map(lambda rows: tuple(
    (RoleAssignment(f"{n:08d}-aaaa-bbbb-cccc-dddddddddddd", scope, role, who), tree)
    for n, (scope, role, who, tree) in enumerate(rows)
))  # fmt: skip
denies = st.lists(
    st.tuples(few(SCOPES[3:]), permissions, some((*PEOPLE, *GROUPS, reference.EVERYBODY), 2), some(PEOPLE, 1), st.booleans()),
    max_size=1,
).map(lambda rows: tuple(
    DenyAssignment(f"{n:08d}-dddd-bbbb-cccc-dddddddddddd", "no", scope, (permission,), who, but, only)
    for n, (scope, permission, who, but, only) in enumerate(rows)
))  # fmt: skip
tenants = st.builds(Facts, st.frozensets(st.tuples(few(GROUPS), few((*PEOPLE, *GROUPS))).filter(lambda edge: edge[0] != edge[1]),
                                         max_size=5), roles, assignments, denies)  # fmt: skip


@dataclass
class Cloud:
    """A cloud whose directory and roles are replaced for each example."""

    client: Client
    tokens: dict[str, str] = field(default_factory=dict)

    def hold(self, given: Facts) -> None:
        """Replace what is random."""
        with self.client.app.store.write() as transaction:
            session = transaction.session
            for table in (
                principals.Membership,
                authorization.Assignment,
                authorization.Deny,
                authorization.CustomRole,
            ):
                session.execute(delete(table))
            session.add_all(principals.Membership(group_id=group, member_id=who) for group, who in given.members)
            session.add_all(_role(role) for role in given.roles)
            session.add_all(_assignment(row, tree) for row, tree in given.assignments)
            session.add_all(_deny(row) for row in given.denies)

    def get(self, who: str, path: str) -> tuple[int, Any]:
        """Ask as somebody; return status and body."""
        if who not in self.tokens:
            with self.client.app.store.read() as transaction:
                user = principals.by_id(transaction.session, who)
                assert user is not None
                self.tokens[who] = minting.access_token(
                    transaction, self.client.app.settings, user, AZURE_CLI, "https://management.core.windows.net/"
                )
        reply = self.client.call("GET", path, token=self.tokens[who])
        return reply.status, reply.body


def _permissions(parts: tuple[Permission, ...]) -> list[dict[str, list[str]]]:
    return [{"actions": [*one.actions], "notActions": [*one.not_actions], "dataActions": [], "notDataActions": []}
            for one in parts]  # fmt: skip


def _role(role: RoleDefinition) -> authorization.CustomRole:
    return authorization.CustomRole(
        id=role.id, name=role.name, name_key=role.name, permissions=_permissions(role.permissions),
        assignable_scopes=[SUB], created_on="2026-01-01T00:00:00Z", updated_on="2026-01-01T00:00:00Z",
    )  # fmt: skip


def _assignment(row: RoleAssignment, tree: Any) -> authorization.Assignment:
    return authorization.Assignment(
        id=row.id, scope=row.scope, scope_key=scopes.key(row.scope), role_id=row.role_id, principal_id=row.principal_id,
        principal_type="User" if row.principal_id in PEOPLE else "Group", condition_version="2.0" if tree else None,
        condition=reference.render(tree) if tree else None, created_on="2026-01-01T00:00:00Z",
        updated_on="2026-01-01T00:00:00Z",
    )  # fmt: skip


def _deny(row: DenyAssignment) -> authorization.Deny:
    def named(ids: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"id": one, "type": "Everyone" if one == reference.EVERYBODY else "User"} for one in ids]

    return authorization.Deny(
        id=row.id, name=row.name, scope=row.scope, scope_key=scopes.key(row.scope),
        permissions=_permissions(row.permissions), principals=named(row.principals),
        exclude_principals=named(row.exclude_principals), only_this_scope=row.do_not_apply_to_child_scopes,
    )  # fmt: skip


def referee_of(given: Facts) -> tuple[World, Index]:
    """Return the same facts for the referee, and for an index of the evaluator."""
    world, index = World(), Index()
    parents = {SCOPES[2]: SCOPES[1], SUB: SCOPES[2]}
    changes: list[worlds.Change] = [
        *(("put_principal", Principal(who, "User" if who in PEOPLE else "Group")) for who in (*PEOPLE, *GROUPS)),
        *(("put_parent", child, parent) for child, parent in parents.items()),
        *(("put_member", *edge) for edge in given.members),
        *(("put_role", (role, None)) for role in given.roles),
        *(("put_assignment", pair) for pair in given.assignments),
        *(("put_deny", row) for row in given.denies),
    ]
    for what in changes:
        worlds.change(world, what)
        worlds.move(index, what)
    return world, index


def may(world: World, index: Index, who: str, action: str, scope: str) -> bool:
    """Return what is right, on which both evaluators agree."""
    ask = Ask(action, False, scope)
    right = reference.decide(world, who, ask).allowed
    assert deciding.explain(index, who, query_of(ask)).allowed == right
    return right


@pytest.fixture(scope="module")
def random_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One cloud for all examples."""
    directory: Path = tmp_path_factory.mktemp("arm")
    (directory / "seed.yaml").write_text(SEED)
    made = Client(create_app(Settings(state=directory / "cloud", seed=directory / "seed.yaml", quiet=True)))
    yield Cloud(made)
    made.app.store.close()


def below(world: World, row: RoleAssignment, scope: str) -> bool:
    """Tell whether an assignment is at a scope or under it."""
    return scope.lower() in reference.ancestors(world, row.scope)


def expected(world: World, scope: str, principal: str, form: str) -> set[str]:
    """Return the assignments that a $filter keeps at a scope (rbac-semantics.md section 7), by walking all of them."""
    above = reference.ancestors(world, scope)
    chosen = set()
    for row in world.assignments.values():
        here = row.scope.lower() in above
        if not here and (form.startswith("atScope()") or not below(world, row, scope)):
            continue
        if "principalId" in form and row.principal_id != principal:
            continue
        if "assignedTo" in form and row.principal_id not in {principal, *reference.groups(world, principal)}:
            continue
        chosen.add(row.id)
    return chosen


FORMS = ("", "atScope()", "principalId eq '{}'", "assignedTo('{}')", "atScope() and assignedTo('{}')")


@settings(max_examples=60)
@given(given=tenants, who=few(PEOPLE), whose=few((*PEOPLE, *GROUPS)), scope=few(ASKED))
def test_lists_of_assignments(random_cloud: Cloud, given: Facts, who: str, whose: str, scope: str) -> None:
    """M22, M29: every form of $filter, or 403 for who may not read."""
    random_cloud.hold(given)
    world, index = referee_of(given)
    allowed = may(world, index, who, READS["roleAssignments"], scope)
    for form in FORMS:
        asked = quote(form.format(whose))
        path = f"{scope}/providers/{A}/roleAssignments?api-version=2022-04-01&$filter={asked}"
        status, body = random_cloud.get(who, path)
        assert status == (200 if allowed else 403)
        if allowed:
            assert {row["name"] for row in body["value"]} == expected(world, scope, whose, form), form


@settings(max_examples=60)
@given(given=tenants, who=few(PEOPLE), scope=few(ASKED))
def test_permissions(random_cloud: Cloud, given: Facts, who: str, scope: str) -> None:
    """M22, M29: the permission objects of the caller's roles at a scope, its groups' among them."""
    random_cloud.hold(given)
    world, _ = referee_of(given)
    above, everything = reference.ancestors(world, scope), {who, *reference.groups(world, who)}
    right = [
        part for row in world.assignments.values() if row.principal_id in everything and row.scope.lower() in above
        for part in _permissions(world.roles[row.role_id].permissions)
    ]  # fmt: skip
    status, body = random_cloud.get(who, f"{scope}/providers/{A}/permissions?api-version=2022-04-01")
    shown = [{name: part.get(name, []) for name in ("actions", "notActions", "dataActions", "notDataActions")}
             for part in body["value"]]  # fmt: skip
    assert status == 200
    assert sorted(map(str, shown)) == sorted(map(str, right))


@settings(max_examples=60)
@given(given=tenants, who=few(PEOPLE), scope=few(ASKED))
def test_reads(random_cloud: Cloud, given: Facts, who: str, scope: str) -> None:
    """M12, M29: 200 for who may, 403 for who may not; the list of resources holds what its reader may read."""
    random_cloud.hold(given)
    world, index = referee_of(given)
    for kind, action in READS.items():
        status, _ = random_cloud.get(who, f"{scope}/providers/{A}/{kind}?api-version=2022-04-01")
        assert (kind, status) == (kind, 200 if may(world, index, who, action, scope) else 403)
    readable = {path for path in (ONE, TWO) if may(world, index, who, f"{R}/read", path)}
    for path in (ONE, TWO):
        status, _ = random_cloud.get(who, f"{path}?api-version=2023-07-01")
        assert status == (200 if path in readable else 403)
    _, body = random_cloud.get(who, f"{SUB}/resources?api-version=2021-04-01")
    assert {row["id"] for row in body["value"]} == readable
