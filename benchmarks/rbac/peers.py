"""The same tenant said to Cedar and to Casbin, and asked the same questions.

Without conditions and denials: a role is a group of actions, an assignment a policy, groups and scopes are hierarchies,
which both engines know.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from azext_trust.names import scopes
from azext_trust.rbac import operations
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import RoleAssignment
from azext_trust.rbac.permissions import granting_pattern
from benchmarks.rbac.tenants import ACTIONS, Tenant

CASBIN_MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
g2 = _, _
g3 = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && g2(r.obj, p.obj) && g3(r.act, p.act)
"""


def plain(tenant: Tenant) -> list[RoleAssignment]:
    """Return a tenant's assignments without conditions."""
    return [RoleAssignment(row.id, row.scope, row.role_id, row.principal_id) for row in tenant.assignments()]


def action_roles(tenant: Tenant) -> list[tuple[str, str]]:
    """Return each action with each role that has it."""
    return [
        (action, role.id)
        for role in tenant.roles
        for action in ACTIONS
        if granting_pattern(role.permissions, action, operations.is_data_action(action))[0]
    ]


def scope_edges(tenant: Tenant, index: Index) -> list[tuple[str, str]]:
    """Return each scope with the one around it."""
    edges: set[tuple[str, str]] = set()
    for scope in (*tenant.registries, *tenant.resource_groups, *tenant.subscriptions, *tenant.management_groups):
        chain = index.tree.chain(scope)
        edges.update(pairwise(chain))
    return sorted(edges)


class Cedar:
    """Cedar through cedarpy, with policies and entities read beforehand."""

    def __init__(self, tenant: Tenant, index: Index, rows: list[RoleAssignment]) -> None:
        import cedarpy

        self._cedar = cedarpy
        texts = (
            f'permit(principal in P::"{row.principal_id}", action in Action::"{row.role_id}", '
            f'resource in S::"{scopes.key(row.scope)}");'
            for row in rows
        )
        self._policies = cedarpy.PolicySet.from_str("\n".join(texts))
        above: dict[tuple[str, str], list[dict[str, str]]] = {}
        for kind, edges in (
            ("P", [(member, group) for group, member in tenant.members]), ("S", scope_edges(tenant, index)),
            ("Action", action_roles(tenant)),
        ):  # fmt: skip
            for inner, outer in edges:
                above.setdefault((kind, inner), []).append({"type": kind, "id": outer})
        self._entities = cedarpy.Entities.from_json_str(
            _json([{"uid": {"type": k, "id": n}, "attrs": {}, "parents": p} for (k, n), p in above.items()])
        )

    def ask(self, asked: list[tuple[str, str, str]]) -> list[bool]:
        """Answer a batch of questions."""
        requests: list[dict[str, Any]] = [
            {"principal": {"type": "P", "id": who}, "action": {"type": "Action", "id": action},
             "resource": {"type": "S", "id": scope}, "context": {}}
            for who, action, scope in asked
        ]  # fmt: skip
        return [one.allowed for one in self._cedar.is_authorized_batch(requests, self._policies, self._entities)]


class Casbin:
    """pycasbin's enforcer."""

    def __init__(self, tenant: Tenant, index: Index, rows: list[RoleAssignment]) -> None:
        import logging

        import casbin

        logging.getLogger("casbin").setLevel(logging.ERROR)
        model = casbin.Enforcer.new_model(text=CASBIN_MODEL)
        self._enforcer = casbin.Enforcer(model)
        self._enforcer.enable_auto_build_role_links(False)
        # It takes no rule twice.
        policies = dict.fromkeys((row.principal_id, scopes.key(row.scope), row.role_id) for row in rows)
        self._enforcer.add_policies([list(one) for one in policies])
        members = dict.fromkeys((member, group) for group, member in tenant.members)
        self._enforcer.add_named_grouping_policies("g", [list(one) for one in members])
        self._enforcer.add_named_grouping_policies("g2", [list(one) for one in scope_edges(tenant, index)])
        self._enforcer.add_named_grouping_policies("g3", [list(one) for one in action_roles(tenant)])
        self._enforcer.build_role_links()

    def ask(self, asked: list[tuple[str, str, str]]) -> list[bool]:
        """Answer questions one after the other."""
        return [bool(self._enforcer.enforce(who, scope, action)) for who, action, scope in asked]


def _json(value: object) -> str:
    import json

    return json.dumps(value)
