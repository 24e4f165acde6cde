"""Random small tenants, questions and changes, for the evaluator and its referee alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from azext_trust.rbac.index import Index
from azext_trust.rbac.model import DenyAssignment, Permission, Principal, RoleAssignment, RoleDefinition
from tests.properties.reference import EVERYBODY, Ask, World, render

R, A = "Microsoft.ContainerRegistry/registries", "Microsoft.Authorization"
PEOPLE = ("ann", "bob", "cas", "dan", "sp1")
GROUPS = ("g1", "g2", "g3", "g4")
EVERYONE = (*PEOPLE, *GROUPS)
MANAGEMENT = "/providers/Microsoft.Management/managementGroups/"
SCOPES = (
    "/", MANAGEMENT + "root", MANAGEMENT + "Mid", MANAGEMENT + "leaf", "/subscriptions/s1", "/subscriptions/s2",
    "/subscriptions/s1/resourceGroups/rg", "/subscriptions/s1/resourceGroups/RG2",
    f"/subscriptions/s1/resourceGroups/rg/providers/{R}/one", f"/subscriptions/s1/resourcegroups/RG/providers/{R}/two/",
    f"/subscriptions/s2/resourceGroups/rg/providers/{R}/three",
    f"/subscriptions/s1/resourceGroups/rg/providers/{R}/one/tokens/t",
)  # fmt: skip
ACTIONS = (
    (f"{R}/pull/read", False), (f"{R}/push/write", False), (f"{R}/sign/write", False), (f"{R}/read", False),
    (f"{A}/roleAssignments/write", False), (f"{R}/trustedCollections/write", True),
    (f"{R}/repositories/content/read", True),
)  # fmt: skip
PATTERNS = (
    "*", "*", "*/read", "*/read", "*/write", "Microsoft.ContainerRegistry/*", f"{R}/*/read", f"{A}/*/Write",
    f"{R.upper()}/push/write", f"{R}/repositories/content/read", "*.ContainerRegistry/*/content/*",
    "Microsoft.Compute/*", f"{R}/sign/?rite", f"{R}/trustedCollections/*", f"{R}/sign/write",
)  # fmt: skip
ATTRIBUTE = f"{R}/repositories:name"
_STRINGS = ("team/app", "Team/App", "team/", "other", "team-x/app")

few = st.sampled_from


def tuples_of(values: tuple[str, ...], most: int) -> st.SearchStrategy[tuple[str, ...]]:
    """A few different ones of these."""
    return st.lists(few(values), max_size=most, unique=True).map(tuple)


allowing = st.lists(few(PATTERNS), min_size=1, max_size=2, unique=True).map(tuple)
permissions = st.builds(Permission, allowing, tuples_of(PATTERNS[5:], 1), allowing, tuples_of(PATTERNS[5:], 1))
_quantifiers = few(("", "ForAnyOfAnyValues:", "ForAllOfAnyValues:", "ForAnyOfAllValues:", "ForAllOfAllValues:"))
_words = few(
    [f"String{n}{w}{i}" for n in ("", "Not") for w in ("Equals", "StartsWith", "Like") for i in ("", "IgnoreCase")]
)
_numeric = few(["Numeric" + w for w in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan",
                                        "GreaterThanEquals")])  # fmt: skip
_leaves: st.SearchStrategy[Any] = st.one_of(
    st.tuples(st.just("action"), few(PATTERNS)),
    st.tuples(st.just("exists"), few((ATTRIBUTE, "size"))),
    st.tuples(st.just("compare"), _quantifiers, _words, few((ATTRIBUTE, ATTRIBUTE.upper(), "missing")),
              st.lists(few((*_STRINGS, "team/*", "t?am*")), min_size=1, max_size=2).map(tuple)),
    st.tuples(st.just("compare"), _quantifiers, _numeric, st.just("size"),
              st.lists(st.integers(-1, 3), min_size=1, max_size=2).map(tuple)),
    st.tuples(st.just("compare"), st.just(""), few(("BoolEquals", "BoolNotEquals")), st.just("flag"),
              st.tuples(st.booleans())),
)  # fmt: skip
trees: st.SearchStrategy[Any] = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(few(("and", "or")), st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=4,
)
conditions = st.one_of(st.none(), st.none(), trees)
requests = st.fixed_dictionaries(
    {},
    optional={
        ATTRIBUTE: few(_STRINGS),
        "size": st.one_of(st.integers(-1, 3), st.lists(st.integers(-1, 3), min_size=1, max_size=2).map(tuple)),
        "flag": st.booleans(),
    },
).map(lambda given: tuple(given.items()))
asks = st.builds(lambda action, scope, request, is_open: Ask(action[0], action[1], scope, request, is_open),
                 few(ACTIONS), few(SCOPES), requests, st.booleans())  # fmt: skip
denies = st.builds(
    DenyAssignment, few(("n1", "n2", "n3")), st.just("no"), few(SCOPES), st.tuples(permissions),
    tuples_of((*EVERYONE, EVERYBODY), 2), tuples_of(EVERYONE, 2), st.booleans(),
)  # fmt: skip

Change = tuple[Any, ...]
"""A change as a name and its arguments; `change` makes it in a world, `move` in an index."""

_principals = st.builds(
    lambda who, classic: Principal(who, "Group" if who in GROUPS else "User", frozenset(classic)),
    few(EVERYONE), few(((), (), (), ("s1",), ("*",))),
)  # fmt: skip
_roles = st.builds(lambda name, parts, tree: (RoleDefinition(name, name, "", "CustomRole", tuple(parts), ()), tree),
                   few(("r1", "r2", "r3", "r4")), st.lists(permissions, min_size=1, max_size=2),
                   st.one_of(st.none(), st.none(), st.none(), trees))  # fmt: skip
_assignments = st.builds(
    lambda name, scope, role, who, tree: (RoleAssignment(f"a{name}", scope, role, who), tree),
    st.integers(0, 9), few(SCOPES), few(("r1", "r2", "r3", "r4", "gone")), few((*EVERYONE, "deleted")), conditions,
)  # fmt: skip
changes: st.SearchStrategy[Change] = st.one_of(
    st.tuples(st.just("put_assignment"), _assignments),
    st.tuples(st.just("put_assignment"), _assignments),
    st.tuples(st.just("remove_assignment"), st.integers(0, 9).map("a{}".format)),
    st.tuples(st.just("put_member"), few(GROUPS), few(EVERYONE)),
    st.tuples(st.just("put_member"), few(GROUPS), few(EVERYONE)),
    st.tuples(st.just("remove_member"), few(GROUPS), few(EVERYONE)),
    st.tuples(st.just("put_role"), _roles),
    st.tuples(st.just("remove_role"), few(("r1", "r2"))),
    st.tuples(st.just("put_deny"), denies),
    st.tuples(st.just("remove_deny"), few(("n1", "n2", "n3"))),
    st.tuples(st.just("put_principal"), _principals),
    st.tuples(st.just("remove_principal"), few(EVERYONE)),
    st.tuples(st.just("put_parent"), few(SCOPES[2:6]), few((*SCOPES[:4], None))),
)
_beginning: tuple[Change, ...] = (
    *(("put_principal", Principal(who, "Group" if who in GROUPS else "User")) for who in EVERYONE),
    ("put_parent", SCOPES[2], SCOPES[1]), ("put_parent", SCOPES[3], SCOPES[2]), ("put_parent", SCOPES[4], SCOPES[3]),
)  # fmt: skip


def change(world: World, what: Change) -> None:
    """Make a change in a world."""
    name, *rest = what
    if name in ("put_assignment", "put_role"):
        row, tree = rest[0]
        text = render(tree) if tree else None
        if text:
            world.trees[text] = tree
        row = _under(row, text)
        rows: dict[str, Any] = world.assignments if name == "put_assignment" else world.roles
        rows[row.id] = row
    elif name == "put_member":
        world.members.add((rest[0], rest[1]))
    elif name == "remove_member":
        world.members.discard((rest[0], rest[1]))
    elif name == "put_parent":
        world.parents.pop(rest[0].lower(), None)
        if rest[1]:
            world.parents[rest[0].lower()] = rest[1].lower()
    elif name == "put_principal":
        world.principals[rest[0].id] = rest[0]
    elif name == "put_deny":
        world.denies[rest[0].id] = rest[0]
    else:
        _removed(world, name, rest[0])


def _under(row: Any, text: str | None) -> Any:
    return row._replace(condition=text) if isinstance(row, RoleAssignment) else replace(row, condition=text)


def _removed(world: World, name: str, key: str) -> None:
    if name == "remove_principal":
        world.principals.pop(key, None)
        world.members = {edge for edge in world.members if key not in edge}
        return
    tables: dict[str, dict[str, Any]] = {"remove_assignment": world.assignments, "remove_role": world.roles,
                             "remove_deny": world.denies}  # fmt: skip
    tables[name].pop(key, None)


def move(index: Index, what: Change) -> None:
    """Make the same change in an index."""
    name, *rest = what
    if name in ("put_assignment", "put_role"):
        row, tree = rest[0]
        rest = [_under(row, render(tree) if tree else None)]
    getattr(index, name)(*rest)


def world_of(*steps: tuple[Change, ...], strict: bool = False) -> World:
    """Return the world after changes."""
    world = World(strict=strict)
    for step in (_beginning, *steps):
        for what in step:
            change(world, what)
    return world


def index_of(*steps: tuple[Change, ...], strict: bool = False, asking: Callable[[Index], object] = id) -> Index:
    """Return an index moved by changes one by one; `asking` is called between, so that caches are filled."""
    index = Index(strict_classic=strict)
    for step in (_beginning, *steps):
        for what in step:
            move(index, what)
        asking(index)
    return index


histories = st.tuples(
    st.lists(st.tuples(st.just("put_role"), _roles), min_size=3, max_size=5),
    st.lists(st.tuples(st.just("put_member"), few(GROUPS), few(EVERYONE)), min_size=2, max_size=8),
    st.lists(st.tuples(st.just("put_assignment"), _assignments), min_size=4, max_size=14),
    st.lists(changes, max_size=12),
).map(lambda parts: tuple(what for part in parts for what in part))
"""What happened in a tenant so far."""
sequels = st.lists(changes, min_size=1, max_size=10).map(tuple)
"""What happens next."""
