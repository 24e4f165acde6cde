"""A second evaluator, slow and obviously right: it reads like rbac-semantics.md and shares only the terms with rbac.

Facts lie in plain lists; every question walks all of them. Conditions come as trees, not as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from azext_trust.rbac.model import DenyAssignment, Permission, Principal, RoleAssignment, RoleDefinition

EVERYBODY = "00000000-0000-0000-0000-000000000000"
TRUST = {"microsoft.containerregistry/registries/sign/write",
         "microsoft.containerregistry/registries/trustedcollections/write"}  # fmt: skip


@dataclass
class World:
    """All facts of a tenant."""

    principals: dict[str, Principal] = field(default_factory=dict)
    members: set[tuple[str, str]] = field(default_factory=set)
    parents: dict[str, str] = field(default_factory=dict)
    roles: dict[str, RoleDefinition] = field(default_factory=dict)
    assignments: dict[str, RoleAssignment] = field(default_factory=dict)
    denies: dict[str, DenyAssignment] = field(default_factory=dict)
    trees: dict[str, Any] = field(default_factory=dict)
    strict: bool = False


@dataclass(frozen=True)
class Ask:
    """A question: the action, its plane, where, with which attributes; open when attributes may be unknown."""

    action: str
    data: bool
    scope: str
    request: tuple[tuple[str, Any], ...] = ()
    open: bool = False


@dataclass
class Verdict:
    """What is right: allowed, by which assignments, denied by which, and whether a condition stood in the way."""

    allowed: bool
    grants: set[str] = field(default_factory=set)
    depends: set[str] = field(default_factory=set)
    denied_by: set[str] = field(default_factory=set)
    condition: bool = False


@cache
def matches(pattern: str, text: str) -> bool:
    """A star is any run of characters; nothing else is special; case does not matter."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return matches(pattern[1:], text) or (bool(text) and matches(pattern, text[1:]))
    return bool(text) and pattern[0].lower() == text[0].lower() and matches(pattern[1:], text[1:])


def grants(permissions: tuple[Permission, ...], action: str, data: bool) -> bool:
    """Some permission object has it in its list and not in its not-list, in the plane of the action."""
    return any(
        any(matches(p, action) for p in (one.data_actions if data else one.actions))
        and not any(matches(p, action) for p in (one.not_data_actions if data else one.not_actions))
        for one in permissions
    )


_SCOPE = re.compile(
    r"/|/providers/microsoft\.management/managementgroups/[^/]+|"
    r"/subscriptions/[^/]+(/resourcegroups/[^/]+)?(/providers/[^/]+(/(?!providers/)[^/]+/[^/]+)+)*"
)


def ancestors(world: World, scope: str) -> list[str]:
    """Every beginning of the path that is a scope, then management groups, then the root; nearest first."""
    path = "/" + scope.lower().strip("/")
    cuts = [path[:at] for at in range(len(path), 0, -1) if at == len(path) or path[at] == "/"]
    found = [cut for cut in cuts if _SCOPE.fullmatch(cut) or cut == path]
    while found[-1] in world.parents and world.parents[found[-1]] not in found:
        found.append(world.parents[found[-1]])
    return [*(one for one in found if one != "/"), "/"]


def groups(world: World, who: str) -> set[str]:
    """All groups, transitively: add until nothing is added."""
    found: set[str] = set()
    while True:
        more = {group for group, member in world.members if member == who or member in found} - found
        if not more:
            return found
        found |= more


def is_classic(world: World, who: str, above: list[str]) -> bool:
    """The flag counts in its subscriptions; a star is all of them."""
    held = world.principals[who].classic_administrator_of
    inside = [scope for scope in above if re.fullmatch("/subscriptions/[^/]+", scope)]
    return any("*" in held or scope.rpartition("/")[2] in held for scope in inside)


def decide(world: World, who: str, ask: Ask) -> Verdict:
    """rbac-semantics.md section 1, step by step."""
    if who not in world.principals:
        return Verdict(False)
    above, everything = ancestors(world, ask.scope), {who, *groups(world, who)}
    if world.strict and ask.action.lower() in TRUST and is_classic(world, who, above):
        return Verdict(False)
    verdict = Verdict(False)
    for one in world.assignments.values():
        role = world.roles.get(one.role_id)
        here = "/" + one.scope.lower().strip("/") in above
        if role is None or one.principal_id not in everything or not here:
            continue
        if grants(role.permissions, ask.action, ask.data):
            texts = [text for text in (one.condition, role.condition) if text]
            found = [holds(world.trees[text], ask) for text in texts]
            if False in found:
                verdict.condition = True
            else:
                verdict.grants.add(one.id)
                if None in found:
                    verdict.depends.add(one.id)
    if not ask.data and is_classic(world, who, above):
        verdict.grants.add("classic")
    verdict.denied_by = {deny.id for deny in world.denies.values() if denies(deny, everything, above, ask)}
    verdict.allowed = bool(verdict.grants) and not verdict.denied_by
    return verdict


def denies(deny: DenyAssignment, everything: set[str], above: list[str], ask: Ask) -> bool:
    """rbac-semantics.md section 5."""
    scope = "/" + deny.scope.lower().strip("/")
    return (
        scope in above
        and (scope == above[0] or not deny.do_not_apply_to_child_scopes)
        and (EVERYBODY in deny.principals or bool(everything & set(deny.principals)))
        and not everything & set(deny.exclude_principals)
        and grants(deny.permissions, ask.action, ask.data)
    )


def holds(tree: Any, ask: Ask) -> bool | None:
    """Evaluate a condition's tree; None is "it depends", and only an open question has it."""
    kind = tree[0]
    if kind in ("and", "or"):
        found = [holds(part, ask) for part in tree[1]]
        decisive = kind == "or"
        return decisive if decisive in found else None if None in found else not decisive
    if kind == "not":
        inner = holds(tree[1], ask)
        return None if inner is None else not inner
    if kind == "action":
        return matches(tree[1], ask.action)
    missing = None if ask.open else False
    if kind == "exists":
        return True if tree[1].lower() in _given(ask) else missing
    _, quantifier, name, attribute, values = tree
    if attribute.lower() not in _given(ask):
        return missing
    given = _given(ask)[attribute.lower()]
    left = list(given) if isinstance(given, tuple) else [given]
    rows = [[compare(name, a, b) for b in values] for a in left]
    over_left, over_right = {"": (any, any), "ForAnyOfAnyValues:": (any, any), "ForAllOfAnyValues:": (all, any),
                             "ForAnyOfAllValues:": (any, all), "ForAllOfAllValues:": (all, all)}[quantifier]  # fmt: skip
    return over_left(over_right(row) for row in rows)


def _given(ask: Ask) -> dict[str, Any]:
    return {name.lower(): value for name, value in ask.request}


def compare(name: str, a: Any, b: Any) -> bool:
    """One value with one other; of different types nothing holds, negated or not."""
    if name.startswith("Numeric"):
        if type(a) is not int or type(b) is not int:
            return False
        return {"NumericEquals": a == b, "NumericNotEquals": a != b, "NumericLessThan": a < b,
                "NumericLessThanEquals": a <= b, "NumericGreaterThan": a > b,
                "NumericGreaterThanEquals": a >= b}[name]  # fmt: skip
    if name.startswith("Bool"):
        return type(a) is bool and type(b) is bool and (a == b) == (name == "BoolEquals")
    if type(a) is not str or type(b) is not str:
        return False
    if name.endswith("IgnoreCase"):
        return compare(name.removesuffix("IgnoreCase"), a.lower(), b.lower())
    if "Not" in name:
        return not compare(name.replace("Not", ""), a, b)
    return {"StringEquals": a == b, "StringStartsWith": a[: len(b)] == b, "StringLike": matches_exactly(b, a)}[name]


def matches_exactly(pattern: str, text: str) -> bool:
    """StringLike: a star is any run, a question mark one character; case matters."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return matches_exactly(pattern[1:], text) or (bool(text) and matches_exactly(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and matches_exactly(pattern[1:], text[1:])


def render(tree: Any) -> str:
    """Write a condition's tree as text."""
    kind = tree[0]
    if kind in ("and", "or"):
        return "(" + {"and": " AND ", "or": " || "}[kind].join(render(part) for part in tree[1]) + ")"
    if kind == "not":
        return "!(" + render(tree[1]) + ")"
    if kind == "action":
        return f"ActionMatches{{'{tree[1]}'}}"
    if kind == "exists":
        return f"Exists @Request[{tree[1]}]"
    _, quantifier, name, attribute, values = tree
    texts = [f"'{v}'" if isinstance(v, str) else str(v).lower() for v in values]
    right = texts[0] if len(texts) == 1 else "{" + ", ".join(texts) + "}"
    return f"@Request[{attribute}] {quantifier}{name} {right}"
