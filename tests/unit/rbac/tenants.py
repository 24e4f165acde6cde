"""Small tenants for tests, said in few words."""

from __future__ import annotations

from azext_trust.rbac import decide as deciding
from azext_trust.rbac import operations, roles
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import (
    Decision,
    DenyAssignment,
    Permission,
    Principal,
    Query,
    RoleAssignment,
    RoleDefinition,
)

SUBSCRIPTION = "/subscriptions/s1"
GROUP = SUBSCRIPTION + "/resourceGroups/rg"
REGISTRY = GROUP + "/providers/Microsoft.ContainerRegistry/registries/myregistry"
OTHER = GROUP + "/providers/Microsoft.ContainerRegistry/registries/other"
R, A = "Microsoft.ContainerRegistry/registries", "Microsoft.Authorization"
PULL, PUSH, SIGN, TRUST = f"{R}/pull/read", f"{R}/push/write", f"{R}/sign/write", f"{R}/trustedCollections/write"
CONTENT_READ = f"{R}/repositories/content/read"
NAME = f"{R}/repositories:name"


class Tenant:
    """An index with one user, ``ann``, and what a test adds."""

    def __init__(self, *, strict_classic: bool = False) -> None:
        self.index = Index(strict_classic=strict_classic)
        for role in roles.built_in_roles().values():
            self.index.put_role(role)
        self.people("ann")

    def people(self, *names: str) -> None:
        """Add users."""
        for name in names:
            self.index.put_principal(Principal(name))

    def group(self, name: str, *members: str) -> None:
        """Add a group with members."""
        self.index.put_principal(Principal(name, "Group"))
        for member in members:
            self.index.put_member(name, member)

    def assign(self, role: str, scope: str = REGISTRY, who: str = "ann", condition: str | None = None) -> str:
        """Assign a built-in role, by its name, or a custom one, by its id; return the assignment's id."""
        known = roles.built_in_by_name(role)
        name = f"{who} {role} {scope}"
        self.index.put_assignment(RoleAssignment(name, scope, known.id if known else role, who, condition))
        return name

    def role(self, name: str, *permissions: Permission, condition: str | None = None) -> None:
        """Define a custom role."""
        self.index.put_role(RoleDefinition(name, name, "", "CustomRole", permissions, (), condition))

    def deny(
        self, *actions: str, scope: str = REGISTRY, who: tuple[str, ...] = ("ann",), but: tuple[str, ...] = (),
        here_only: bool = False,
    ) -> None:  # fmt: skip
        """Add a deny assignment for actions of both planes."""
        self.index.put_deny(
            DenyAssignment("deny", "no", scope, (Permission(actions, (), actions),), who, but, here_only)
        )

    def decide(self, action: str, scope: str = REGISTRY, who: str = "ann", **request: object) -> Decision:
        """Decide, with reasons; attributes of the request are given with ``name=`` (the repository) or by their names."""
        given = {NAME if name == "name" else name: value for name, value in request.items()}
        return deciding.explain(self.index, who, Query(action, operations.is_data_action(action), scope, given))

    def allows(self, action: str, scope: str = REGISTRY, who: str = "ann", **request: object) -> bool:
        """Decide."""
        return self.decide(action, scope, who, **request).allowed
