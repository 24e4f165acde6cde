"""The terms of role-based access control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """A role given to a principal at a scope, perhaps under a condition."""

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
    """Who asks.

    Attributes:
        id: object id.
        kind: ``User``, ``ServicePrincipal``, ``AdminAccount``, ``ScopeMapToken`` or ``Anonymous``.
        groups: group id -> chain of group ids from a direct group to that one.
        classic_administrator_of: subscription ids, lower case (M9).
    """

    id: str
    kind: str
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classic_administrator_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision rests on: the assignments of the principal and its groups, their roles, denies in reach."""

    principal: Principal
    assignments: tuple[RoleAssignment, ...]
    roles: Mapping[str, RoleDefinition]
    denies: tuple[DenyAssignment, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked.

    Attributes:
        action: the action or data action.
        is_data_action: which plane it is of.
        scope: the resource.
        chain: scope keys from the resource up to ``/``, management groups included.
        request: attributes for ``@Request[..]``.
        resource: attributes for ``@Resource[..]``.
        now: for ``@Environment[UtcNow]``.
    """

    action: str
    is_data_action: bool
    scope: str
    chain: tuple[str, ...]
    request: Mapping[str, object] = field(default_factory=dict)
    resource: Mapping[str, object] = field(default_factory=dict)
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Why it is allowed; `assignment` and `role` are None for a classic administrator."""

    assignment: RoleAssignment | None
    role: RoleDefinition | None
    pattern: str
    group_chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Miss:
    """What nearly allowed it: `kind` is ``scope``, ``notActions``, ``plane`` or ``condition``."""

    kind: str
    assignment: RoleAssignment | None
    role: RoleDefinition | None
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict with its reasons."""

    allowed: bool
    grants: tuple[Grant, ...] = ()
    denied_by: DenyAssignment | None = None
    misses: tuple[Miss, ...] = ()
    condition_refused: bool = False
