"""A made-up tenant of a given size, the same for the same seed: facts as rows, which an index, a store or a peer takes."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from azext_trust.names import scopes
from azext_trust.rbac import roles
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import DenyAssignment, Permission, Principal, RoleAssignment, RoleDefinition

PULL = "Microsoft.ContainerRegistry/registries/pull/read"
PUSH = "Microsoft.ContainerRegistry/registries/push/write"
SIGN = "Microsoft.ContainerRegistry/registries/sign/write"
TRUST = "Microsoft.ContainerRegistry/registries/trustedCollections/write"
ACTIONS = (
    PULL, PUSH, SIGN, TRUST, "Microsoft.ContainerRegistry/registries/read",
    "Microsoft.ContainerRegistry/registries/write", "Microsoft.ContainerRegistry/registries/artifacts/delete",
    "Microsoft.ContainerRegistry/registries/listCredentials/action", "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.ContainerRegistry/registries/repositories/content/read",
)  # fmt: skip
_WEIGHTS = {
    "AcrPull": 26, "AcrPush": 18, "AcrImageSigner": 8, "Reader": 14, "Contributor": 10, "Owner": 2, "AcrDelete": 5,
    "User Access Administrator": 1, "Container Registry Repository Reader": 4, "Container Registry Repository Writer": 2,
}  # fmt: skip
_CONDITION = "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringStartsWithIgnoreCase 'team{}/'"


@dataclass(frozen=True)
class Size:
    """How large a tenant is.

    Attributes:
        assignments: role assignments.
        principals: users and service principals.
        groups: groups.
        depth: how deep they are nested.
        registries: container registries.
        denies: deny assignments.
    """

    assignments: int
    principals: int
    groups: int
    depth: int
    registries: int
    denies: int = 20

    @classmethod
    def of(cls, assignments: int) -> Size:
        """Return a tenant of this many assignments, the rest in the proportions of issue 8's large tenant."""
        return cls(assignments, max(100, assignments // 10), max(20, assignments // 50), 6, max(10, assignments // 100))


SMALL = Size(4_000, 10_000, 1_000, 5, 1_800)
LARGE = Size(1_000_000, 100_000, 20_000, 6, 10_000)


@dataclass
class Tenant:
    """The facts; assignments are made as they are asked for, always the same ones."""

    size: Size
    seed: int = 1
    people: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    members: list[tuple[str, str]] = field(default_factory=list)
    parents: list[tuple[str, str]] = field(default_factory=list)
    registries: list[str] = field(default_factory=list)
    resource_groups: list[str] = field(default_factory=list)
    subscriptions: list[str] = field(default_factory=list)
    management_groups: list[str] = field(default_factory=list)
    roles: list[RoleDefinition] = field(default_factory=list)
    denies: list[DenyAssignment] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        self.people = [_guid(rng) for _ in range(self.size.principals)]
        self.groups = [_guid(rng) for _ in range(self.size.groups)]
        self._nest(rng)
        self._scopes(rng)
        self.roles = [*roles.built_in_roles().values(), *(_custom(rng, n) for n in range(50))]
        self.denies = [self._deny(rng, n) for n in range(self.size.denies)]

    def _nest(self, rng: random.Random) -> None:
        """Each group lies in one or two groups of the level above; each person in one to five of the lowest."""
        levels: list[list[str]] = [[] for _ in range(self.size.depth)]
        for at, group in enumerate(self.groups):
            levels[min(self.size.depth - 1, at * 2 * self.size.depth // (self.size.groups + 1))].append(group)
        for above, level in pairwise(levels):
            for group in level:
                self.members += [
                    (parent, group) for parent in rng.sample(above, min(len(above), rng.choice((1, 1, 2))))
                ]
        for person in self.people:
            self.members += [
                (group, person) for group in rng.sample(levels[-1], min(len(levels[-1]), rng.randint(1, 5)))
            ]

    def _scopes(self, rng: random.Random) -> None:
        subscriptions = max(1, self.size.assignments // 4000)
        management = "/providers/Microsoft.Management/managementGroups/mg{}"
        self.management_groups = [management.format(n) for n in range(1 + subscriptions // 8)]
        self.parents = [(self.management_groups[n], self.management_groups[(n - 1) // 3])
                        for n in range(1, len(self.management_groups))]  # fmt: skip
        self.subscriptions = [f"/subscriptions/{_guid(rng)}" for _ in range(subscriptions)]
        self.parents += [(scope, rng.choice(self.management_groups)) for scope in self.subscriptions]
        groups = max(1, self.size.registries // 6)
        self.resource_groups = [f"{self.subscriptions[n % subscriptions]}/resourceGroups/rg{n}" for n in range(groups)]
        self.registries = [
            f"{self.resource_groups[n % groups]}/providers/Microsoft.ContainerRegistry/registries/registry{n}"
            for n in range(self.size.registries)
        ]

    def _deny(self, rng: random.Random, n: int) -> DenyAssignment:
        return DenyAssignment(
            _guid(rng), f"deny{n}", rng.choice(self.resource_groups),
            (Permission(("Microsoft.ContainerRegistry/registries/*/write",)),),
            tuple(rng.sample(self.people, 3)), (), rng.random() < 0.3,
        )  # fmt: skip

    def assignments(self) -> Iterator[RoleAssignment]:
        """Yield the role assignments: seven of twelve at registries, few high up; half of them to groups."""
        rng = random.Random(self.seed + 1)
        names, weights = zip(*_WEIGHTS.items(), strict=True)
        ids = [role.id for role in (roles.built_in_by_name(name) for name in names) if role] + [self.roles[-1].id]
        weights = (*weights, 10)
        places = (self.registries, self.resource_groups, self.subscriptions, self.management_groups, ["/"])
        for n in range(self.size.assignments):
            # Signing is granted at registries, broad roles anywhere.
            role = rng.choices(ids, weights)[0]
            shares = (90, 9, 1, 0, 0) if role == ids[2] else (58, 28, 13, 1, 0.01)
            scope = rng.choice(rng.choices(places, shares)[0])
            principal = rng.choice(self.groups if rng.random() < 0.4 else self.people)
            condition = _CONDITION.format(n % 500) if role in (ids[8], ids[9]) else None
            yield RoleAssignment(_guid(rng), scope, role, principal, condition, "2.0" if condition else None)

    def index(self, assignments: Iterable[RoleAssignment] | None = None) -> Index:
        """Return the index of it all."""
        return fill(self, Index(), self.assignments() if assignments is None else assignments)


def fill(tenant: Tenant, index: Index, assignments: Iterable[RoleAssignment]) -> Index:
    """Put a tenant's facts into an index."""
    for role in tenant.roles:
        index.put_role(role)
    for scope, parent in tenant.parents:
        index.put_parent(scope, parent)
    for group in tenant.groups:
        index.put_principal(Principal(group, "Group"))
    for person in tenant.people:
        index.put_principal(Principal(person))
    index.put_members(tenant.members)
    index.put_assignments(assignments)
    for deny in tenant.denies:
        index.put_deny(deny)
    return index


def questions(tenant: Tenant, count: int, seed: int = 7) -> list[tuple[str, str, str]]:
    """Return questions as principal, action, registry: half about somebody who is assigned near there."""
    rng = random.Random(seed)
    held = [row for row, _ in zip(tenant.assignments(), range(20000), strict=False)]
    rng.shuffle(held)
    people = set(tenant.people)
    direct = [row for row in held if row.principal_id in people and "/registries/" in row.scope] or held
    found = []
    for n in range(count):
        row = direct[n % len(direct)]
        near = n % 2 == 0 and row.principal_id in people and "/registries/" in row.scope
        who, where = (
            (row.principal_id, row.scope) if near else (rng.choice(tenant.people), rng.choice(tenant.registries))
        )
        found.append((who, rng.choice(ACTIONS), scopes.key(where)))
    return found


def _custom(rng: random.Random, n: int) -> RoleDefinition:
    return RoleDefinition(
        _guid(rng), f"Custom {n}", "", "CustomRole",
        (Permission(("Microsoft.ContainerRegistry/*/read", "Microsoft.ContainerRegistry/registries/push/*"),
                    ("Microsoft.ContainerRegistry/registries/metadata/*",)),), ("/subscriptions/x",),
    )  # fmt: skip


def _guid(rng: random.Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
