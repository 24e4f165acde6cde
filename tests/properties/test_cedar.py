"""A third opinion: Cedar, on the part of Azure RBAC that its language can say.

A role is a group of actions, an assignment a permit, a deny assignment a forbid; groups and scopes are its hierarchy,
which knows no circles. Conditions go over where their operators have a counterpart.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import cedarpy
from hypothesis import assume, given
from hypothesis import strategies as st

from azext_trust.rbac import decide as deciding
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import DenyAssignment
from tests.properties import reference, worlds
from tests.properties.reference import EVERYBODY, Ask, World
from tests.properties.test_decide import query_of


class Unsayable(Exception):
    """Cedar's language has no counterpart."""


def quoted(text: str) -> str:
    """Return a text as a Cedar literal."""
    return json.dumps(text)


def condition(tree: Any) -> str:
    """Return a condition's tree in Cedar; a missing attribute makes a comparison false there too."""
    kind = tree[0]
    if kind in ("and", "or"):
        return "(" + {"and": " && ", "or": " || "}[kind].join(map(condition, tree[1])) + ")"
    if kind == "not":
        return f"!({condition(tree[1])})"
    if kind == "action":
        return f'action in Action::"matches {tree[1]}"'
    if kind == "exists":
        return f"context has {quoted(tree[1])}"
    _, quantifier, name, attribute, values = tree
    signs = {"StringEquals": "==", "StringNotEquals": "!=", "NumericEquals": "==", "NumericLessThan": "<",
             "NumericNotEquals": "!=", "NumericGreaterThanEquals": ">=", "BoolEquals": "=="}  # fmt: skip
    if quantifier or len(values) > 1 or attribute != attribute.replace("REPO", "repo") or name not in signs:
        raise Unsayable
    value = quoted(values[0]) if isinstance(values[0], str) else str(values[0]).lower()
    return f"(context has {quoted(attribute)} && context[{quoted(attribute)}] {signs[name]} {value})"


def sayable(world: World) -> World:
    """Return the world without what Cedar cannot say."""
    kept = {}
    for row in world.assignments.values():
        role = world.roles.get(row.role_id)
        texts = [text for text in (row.condition, role.condition if role else None) if text]
        try:
            for text in texts:
                condition(world.trees[text])
        except Unsayable:
            continue
        kept[row.id] = row
    return replace(world, assignments=kept)


def policies(world: World) -> str:
    """Return the world's grants and denials as Cedar policies."""
    lines = []
    for row in world.assignments.values():
        role = world.roles.get(row.role_id)
        if role is not None:
            texts = [condition(world.trees[text]) for text in (row.condition, role.condition) if text]
            when = f" when {{ {' && '.join(texts)} }}" if texts else ""
            lines.append(
                f"permit(principal in P::{quoted(row.principal_id)}, action in Action::{quoted('role ' + role.id)}, "
                f"resource in S::{quoted(key(row.scope))}){when};"
            )
    for who, principal in world.principals.items():
        for name in principal.classic_administrator_of:
            scopes = ["/subscriptions/s1", "/subscriptions/s2"] if name == "*" else [f"/subscriptions/{name}"]
            lines += [
                f'permit(principal == P::{quoted(who)}, action in Action::"control", resource in S::{quoted(scope)});'
                for scope in scopes
            ]
    return "\n".join(lines + [forbid(deny) for deny in world.denies.values()])


def forbid(deny: DenyAssignment) -> str:
    """Return a deny assignment as a Cedar policy."""
    named = "true" if EVERYBODY in deny.principals else f"principal in [{ids(deny.principals)}]"
    where = f"resource {'==' if deny.do_not_apply_to_child_scopes else 'in'} S::{quoted(key(deny.scope))}"
    return (
        f"forbid(principal, action in Action::{quoted('deny ' + deny.id)}, {where}) "
        f"when {{ {named} }} unless {{ principal in [{ids(deny.exclude_principals)}] }};"
    )


def ids(names: tuple[str, ...]) -> str:
    """Return principals as a list of Cedar."""
    return ", ".join(f"P::{quoted(name)}" for name in names)


def key(scope: str) -> str:
    """Return a scope as it is compared."""
    return "/" + scope.lower().strip("/")


def entities(world: World) -> list[dict[str, Any]]:
    """Return principals in groups, scopes in scopes, actions in roles and denials, as Cedar entities."""
    found = [entity("P", who, [("P", g) for g, m in world.members if m == who]) for who in worlds.EVERYONE]
    parents: dict[str, set[str]] = {}
    for scope in worlds.SCOPES:
        chain = reference.ancestors(world, scope)
        for inner, outer in pairwise(chain):
            parents.setdefault(inner, set()).add(outer)
    found += [entity("S", scope, [("S", p) for p in above]) for scope, above in parents.items()]
    for name, data in worlds.ACTIONS:
        sets = [f"role {r.id}" for r in world.roles.values() if reference.grants(r.permissions, name, data)]
        sets += [f"deny {d.id}" for d in world.denies.values() if reference.grants(d.permissions, name, data)]
        sets += [f"matches {p}" for p in worlds.PATTERNS if reference.matches(p, name)]
        found.append(entity("Action", name, [("Action", one) for one in [*sets, *([] if data else ["control"])]]))
    return found


def entity(kind: str, name: str, above: list[tuple[str, str]]) -> dict[str, Any]:
    """Return one entity in Cedar's JSON."""
    parents = [{"type": outer, "id": one} for outer, one in above]
    return {"uid": {"type": kind, "id": name}, "attrs": {}, "parents": parents}


def circular(world: World) -> bool:
    """Tell whether groups or management groups go round in a circle."""
    inside = any(who in reference.groups(world, who) for who in worlds.GROUPS)
    for scope in world.parents:
        at = world.parents[scope]
        for _ in world.parents:
            if at == scope:
                return True
            at = world.parents.get(at, "/")
    return inside


@given(worlds.histories, st.lists(st.tuples(st.sampled_from(worlds.EVERYONE), worlds.asks), min_size=8, max_size=8))
def test_cedar_agrees(history: tuple[worlds.Change, ...], asked: list[tuple[str, Ask]]) -> None:
    """M12: an engine by others, in another language, comes to the same verdicts."""
    world = sayable(worlds.world_of(history))
    assume(not circular(world))
    plain = [(who, replace(ask, open=False)) for who, ask in asked if who in world.principals]
    plain = [(who, ask) for who, ask in plain if not any(isinstance(value, tuple) for _, value in ask.request)]
    requests: list[dict[str, Any]] = [
        {"principal": {"type": "P", "id": who}, "action": {"type": "Action", "id": ask.action},
         "resource": {"type": "S", "id": key(ask.scope)}, "context": dict(ask.request)}
        for who, ask in plain
    ]  # fmt: skip
    index = built(world)
    for (who, ask), answer in zip(
        plain, cedarpy.is_authorized_batch(requests, policies(world), entities(world)), strict=True
    ):
        assert not answer.diagnostics.errors
        assert deciding.allows(index, who, query_of(ask)) == answer.allowed


def built(world: World) -> Index:
    """Return the index of a world."""
    index = Index(strict_classic=False)
    for principal in world.principals.values():
        index.put_principal(principal)
    for group, member in world.members:
        index.put_member(group, member)
    for scope, parent in world.parents.items():
        index.put_parent(scope, parent)
    for role in world.roles.values():
        index.put_role(role)
    index.put_assignments(world.assignments.values())
    for deny in world.denies.values():
        index.put_deny(deny)
    return index
