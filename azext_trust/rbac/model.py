"""The terms of role-based access control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

ALL_SUBSCRIPTIONS = frozenset({"*"})
"""A classic administrator of every subscription of the tenant."""
EVERYBODY = "00000000-0000-0000-0000-000000000000"
"""The principal id of a deny assignment that concerns all principals (rbac-semantics.md section 5)."""
GROUP = "Group"
"""The kind of a principal that has members."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission object of a role: two planes, each with what it allows and what it takes away again."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role. `id` is its GUID in lower case; `kind` is ``BuiltInRole`` or ``CustomRole``."""

    id: str
    name: str
    description: str
    kind: str
    permissions: tuple[Permission, ...]
    assignable_scopes: tuple[str, ...]
    condition: str | None = None


class RoleAssignment(NamedTuple):
    """A role given to a principal at a scope, perhaps under a condition. Ids are in lower case.

    A tuple, as grants and decisions are: there are millions, and a frozen dataclass is made four times slower.
    """

    id: str
    scope: str
    role_id: str
    principal_id: str
    condition: str | None = None
    condition_version: str | None = None


@dataclass(frozen=True, slots=True)
class DenyAssignment:
    """What is denied to principals at a scope; it beats every role."""

    id: str
    name: str
    scope: str
    permissions: tuple[Permission, ...]
    principals: tuple[str, ...]
    exclude_principals: tuple[str, ...]
    do_not_apply_to_child_scopes: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody in the directory.

    Attributes:
        id: object id, lower case.
        kind: ``User``, ``ServicePrincipal``, ``Group`` or another word of the directory.
        classic_administrator_of: subscription ids in lower case, or `ALL_SUBSCRIPTIONS` (M9).
    """

    id: str
    kind: str = "User"
    classic_administrator_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """What concerns one principal: its groups, the assignments of all of these, their roles.

    Attributes:
        principal: who.
        groups: group id -> chain of group ids from a direct group to that one.
        assignments: of the principal and its groups, at any scope.
        roles: the roles of these, by id.
    """

    principal: Principal
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assignments: tuple[RoleAssignment, ...] = ()
    roles: Mapping[str, RoleDefinition] = field(default_factory=dict)


@dataclass(slots=True)
class Query:
    """What is asked.

    Attributes:
        action: the action or data action.
        is_data_action: which plane it is of.
        scope: the resource.
        request: attributes for ``@Request[..]``.
        resource: attributes for ``@Resource[..]``.
        principal: attributes for ``@Principal[..]``.
        now: for ``@Environment[UtcNow]``.
        suboperation: for ``SubOperationMatches``.
        open: attributes not given are unknown rather than absent: the question is about any request, not about one.
    """

    action: str
    is_data_action: bool
    scope: str
    request: Mapping[str, object] = field(default_factory=dict)
    resource: Mapping[str, object] = field(default_factory=dict)
    principal: Mapping[str, object] = field(default_factory=dict)
    now: datetime | None = None
    suboperation: str | None = None
    open: bool = False


class Grant(NamedTuple):
    """Why it is allowed.

    Attributes:
        assignment: the assignment, None for a classic administrator.
        role: its role, None for a classic administrator.
        pattern: the action pattern of the role that matched.
        group_chain: group ids from a direct group of the principal to the assigned one; empty when assigned itself.
        condition: empty, ``holds``, or ``depends`` (of an open query: on attributes that were not given).
    """

    assignment: RoleAssignment | None
    role: RoleDefinition | None
    pattern: str
    group_chain: tuple[str, ...] = ()
    condition: str = ""


class Miss(NamedTuple):
    """What nearly allowed it.

    Attributes:
        kind: ``condition``, ``classic``, ``notActions``, ``plane``, ``scope`` or ``principal``, nearest first.
        assignment: the assignment, None where none is concerned.
        role: its role.
        detail: what stands in the way, in words.
    """

    kind: str
    assignment: RoleAssignment | None
    role: RoleDefinition | None
    detail: str


class Decision(NamedTuple):
    """The verdict with its reasons.

    Attributes:
        allowed: the verdict; of an open query, whether some request would be allowed.
        grants: every way, nearest scope first; also those that a deny assignment overrules.
        denied_by: the deny assignment that overrules them.
        misses: of a refusal: what nearly allowed it, nearest first.
        condition_refused: the refusal is due to a condition.
    """

    allowed: bool
    grants: tuple[Grant, ...] = ()
    denied_by: DenyAssignment | None = None
    misses: tuple[Miss, ...] = ()
    condition_refused: bool = False

    @property
    def depends(self) -> bool:
        """Tell whether an open query is allowed for some requests only."""
        return self.allowed and all(grant.condition == "depends" for grant in self.grants)
