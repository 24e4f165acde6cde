"""A change that is only thought of: read from a change file's rows, made in an overlay, never in the facts.

Each change says at which scopes access may move; what lies elsewhere needs not be asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from azext_trust.names import scopes
from azext_trust.names.guids import is_guid
from azext_trust.rbac import conditions
from azext_trust.rbac.capabilities import ABAC, LEGACY
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import GROUP, Permission, RoleAssignment, RoleDefinition
from azext_trust.rbac.questions.answers import AskError
from azext_trust.rbac.questions.facts import CAN_NOT_DELETE, READ_ONLY, Lock, Registry, State, Tenant

Row = Mapping[str, object]


class ChangeError(AskError):
    """A row of a change file cannot be made.

    Args:
        at: which row, from 0.
        key: which member of it, or empty.
        message: why.
    """

    def __init__(self, at: int, key: str, message: str) -> None:
        super().__init__(f"change {at + 1}{f' ({key})' if key else ''}: {message}")
        self.at = at
        self.key = key
        self.message = message


@dataclass
class _Draft:
    """The facts as they would be, while they are being changed."""

    tenant: Tenant
    state: State
    touched: set[str] = field(default_factory=set)
    everywhere: bool = False
    at: int = 0

    @property
    def index(self) -> Index:
        return self.state.index

    def wrong(self, key: str, message: str) -> ChangeError:
        return ChangeError(self.at, key, message)

    def moves(self, scope: str) -> None:
        """Note that access may move at a scope and below it."""
        self.touched.add(scopes.key(scope))


@dataclass(frozen=True)
class Changed:
    """What a change comes to.

    Attributes:
        state: the facts afterwards.
        touched: scope keys at and below which access may have moved; None for everywhere.
    """

    state: State
    touched: frozenset[str] | None

    def moved(self, registry: Registry) -> bool:
        """Tell whether access to a registry may have moved."""
        return self.touched is None or not self.touched.isdisjoint(self.state.index.tree.chain(registry.id))


def make(tenant: Tenant, rows: Iterable[Row]) -> Changed:
    """Make changes over the facts, which stay as they are.

    Args:
        tenant: the facts.
        rows: the change file's.

    Raises:
        ChangeError: a row is wrong, or speaks of what does not exist.
    """
    state = State(tenant.state.index.overlay(), dict(tenant.state.registries), tenant.state.locks)
    draft = _Draft(tenant, state)
    for draft.at, row in enumerate(rows):
        known = check(draft.at, row)
        known.apply(draft, row)
    return Changed(draft.state, None if draft.everywhere else frozenset(draft.touched))


@dataclass(frozen=True)
class _Kind:
    """A kind of change: its members, and what it does."""

    apply: Callable[[_Draft, Any], None]
    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()


def check(at: int, row: object) -> _Kind:
    """Return the kind of a change, once its members are those it takes.

    Raises:
        ChangeError: they are not.
    """
    if not isinstance(row, Mapping):
        raise ChangeError(at, "", "a change is an object with a member 'change'")
    kind = KINDS.get(str(row.get("change")))
    if kind is None:
        raise ChangeError(at, "change", f"'{row.get('change')}' is no kind of change: {', '.join(KINDS)}")
    for name in kind.needed:
        if row.get(name) in (None, "", []):
            raise ChangeError(at, name, "is missing")
    for name, value in row.items():
        if name not in ("change", *kind.needed, *kind.optional):
            taken = ", ".join((*kind.needed, *kind.optional))
            raise ChangeError(at, str(name), f"is not taken here: {row['change']} takes {taken}")
        if name != "permissions" and not isinstance(value, str) and not (value is None and name in kind.optional):
            raise ChangeError(at, str(name), "must be text")
    return kind


# Assignments


def _add_assignment(draft: _Draft, row: Row) -> None:
    who, role = _principal(draft, row, "principalId"), _role(draft, str(row["role"]))
    scope = scopes.canonical(str(row["scope"]))
    condition = str(row["condition"]) if row.get("condition") else None
    if condition is not None:
        try:
            conditions.parse(condition)
        except conditions.ConditionError as error:
            raise draft.wrong("condition", str(error)) from None
    key = draft.index.tree.chain(scope)[0]
    number = draft.index.numbers.of(who)
    if any(one.role_id == role.id for one in draft.index.at(key).get(number, ())):
        raise draft.wrong("", "the role assignment already exists")
    draft.index.put_assignment(RoleAssignment(f"what-if-{draft.at}", scope, role.id, who, condition, "2.0"))
    draft.moves(scope)


def _remove_assignment(draft: _Draft, row: Row) -> None:
    name = str(row["id"]).rstrip("/").rsplit("/", 1)[1 if "/" in str(row["id"]) else 0].lower()
    found = draft.index.assignment(name)
    if found is None:
        raise draft.wrong("id", f"there is no role assignment '{row['id']}'")
    draft.index.remove_assignment(found.id)
    draft.moves(found.scope)


def _role(draft: _Draft, text: str) -> RoleDefinition:
    name = text.rstrip("/").rsplit("/", 1)[-1].lower() if "/roledefinitions/" in text.lower() else text.lower()
    found = draft.index.role(name)
    if found is None:
        found = next((role for role in draft.index.role_definitions() if role.name.lower() == name), None)
    if found is None:
        raise draft.wrong("role", f"there is no role '{text}'")
    return found


def _principal(draft: _Draft, row: Row, key: str, *, group: bool = False) -> str:
    text = str(row[key])
    found = [person.id for person in draft.tenant.find(text)]
    found = found or ([text.lower()] if is_guid(text) else [])
    number = draft.index.numbers.known(found[0]) if len(found) == 1 else None
    principal = draft.index.principal(number) if number is not None else None
    if principal is None:
        raise draft.wrong(key, f"the directory has no principal '{text}'" if len(found) < 2
                          else f"several principals are called '{text}': take an object id")  # fmt: skip
    if group and principal.kind != GROUP:
        raise draft.wrong(key, f"'{text}' is no group")
    return principal.id


# Memberships and principals


def _add_member(draft: _Draft, row: Row) -> None:
    group, member = _principal(draft, row, "groupId", group=True), _principal(draft, row, "memberId")
    draft.index.put_member(group, member)
    _moved_by_group(draft, group)


def _remove_member(draft: _Draft, row: Row) -> None:
    group, member = _principal(draft, row, "groupId", group=True), _principal(draft, row, "memberId")
    numbers = draft.index.numbers
    if not draft.index.groups.holds(numbers.of(group), numbers.of(member)):
        raise draft.wrong("memberId", f"'{row['memberId']}' is no direct member of '{row['groupId']}'")
    _moved_by_group(draft, group)
    draft.index.remove_member(group, member)


def _delete_principal(draft: _Draft, row: Row) -> None:
    who = _principal(draft, row, "principalId")
    _moved_by_group(draft, who)
    number = draft.index.numbers.of(who)
    known = draft.index.principal(number)
    if known is not None and known.classic_administrator_of:
        draft.everywhere = True
    draft.index.remove_principal(who)


def _moved_by_group(draft: _Draft, principal_id: str) -> None:
    """Note where a principal and the groups above it are assigned or denied anything."""
    index = draft.index
    above = index.groups.closure(index.numbers.of(principal_id))
    for number in above:
        for assignment in index.held(number):
            draft.moves(assignment.scope)
    names = {index.numbers.name(number) for number in above}
    for deny in index.denies():
        if names & {*deny.principals, *deny.exclude_principals}:
            draft.moves(deny.scope)


# Roles and deny assignments


def _role_permissions(draft: _Draft, row: Row) -> None:
    role = _role(draft, str(row["role"]))
    given = row["permissions"]
    if not isinstance(given, list):
        raise draft.wrong("permissions", "is a list of permission objects")
    draft.index.put_role(replace(role, permissions=tuple(_permission(draft, one) for one in given)))
    for assignment in draft.index.assignments():
        if assignment.role_id == role.id:
            draft.moves(assignment.scope)


_LISTS = ("actions", "notActions", "dataActions", "notDataActions")


def _permission(draft: _Draft, given: object) -> Permission:
    if not isinstance(given, Mapping) or any(name not in _LISTS for name in given):
        raise draft.wrong("permissions", f"a permission object has {', '.join(_LISTS)}")
    lists = []
    for name in _LISTS:
        texts = given.get(name) or []
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise draft.wrong("permissions", f"{name} is a list of actions")
        lists.append(tuple(texts))
    return Permission(*lists)


def _remove_deny(draft: _Draft, row: Row) -> None:
    name = str(row["name"]).rstrip("/").rsplit("/", 1)[-1].lower()
    found = [deny for deny in draft.index.denies() if name in (deny.id.lower(), deny.name.lower())]
    if not found:
        raise draft.wrong("name", f"there is no deny assignment '{row['name']}'")
    for deny in found:
        draft.index.remove_deny(deny.id)
        draft.moves(deny.scope)


# Registries and locks


def _registry(draft: _Draft, row: Row) -> Registry:
    wanted = str(row["registry"])
    for found in draft.state.registries.values():
        if wanted.lower() == found.name.lower() or scopes.key(wanted) == found.key:
            return found
    raise draft.wrong("registry", f"there is no registry '{wanted}'")


def _set(draft: _Draft, found: Registry, **settings: Any) -> None:
    draft.state.registries = {**draft.state.registries, found.key: replace(found, **settings)}
    draft.moves(found.id)


def _registry_mode(draft: _Draft, row: Row) -> None:
    words = {"rbac": LEGACY, "rbac-abac": ABAC, LEGACY.lower(): LEGACY, ABAC.lower(): ABAC}
    mode = words.get(str(row["roleAssignmentMode"]).lower())
    if mode is None:
        raise draft.wrong("roleAssignmentMode", f"is {LEGACY} (rbac) or {ABAC} (rbac-abac)")
    _set(draft, _registry(draft, row), mode=mode)


def _trust_policy(draft: _Draft, row: Row) -> None:
    status, found = str(row["status"]).lower(), _registry(draft, row)
    if status not in ("enabled", "disabled"):
        raise draft.wrong("status", "is enabled or disabled")
    if status == "enabled" and found.sku != "Premium":
        raise draft.wrong("status", f"the SKU {found.sku} is not supported: content trust takes Premium")
    _set(draft, found, trust=status == "enabled")


def _sku(draft: _Draft, row: Row) -> None:
    sku, found = str(row["sku"]).capitalize(), _registry(draft, row)
    if sku not in ("Basic", "Standard", "Premium"):
        raise draft.wrong("sku", "is Basic, Standard or Premium")
    if sku != "Premium" and found.trust:
        raise draft.wrong("sku", f"content trust is enabled on {found.name}: it must be disabled first, which deletes "
                          "all signatures")  # fmt: skip
    _set(draft, found, sku=sku)


def _level(draft: _Draft, row: Row) -> str:
    for level in (READ_ONLY, CAN_NOT_DELETE):
        if str(row["level"]).lower() == level.lower():
            return level
    raise draft.wrong("level", f"is {READ_ONLY} or {CAN_NOT_DELETE}")


def _add_lock(draft: _Draft, row: Row) -> None:
    lock = Lock(scopes.canonical(str(row["scope"])), _level(draft, row), "what-if")
    draft.state.locks = (*draft.state.locks, lock)
    draft.moves(lock.scope)


def _remove_lock(draft: _Draft, row: Row) -> None:
    key, level = scopes.key(str(row["scope"])), _level(draft, row)
    gone = [one for one in draft.state.locks if scopes.key(one.scope) == key and one.level.lower() == level.lower()]
    if not gone:
        raise draft.wrong("scope", f"there is no lock {level} at '{row['scope']}'")
    draft.state.locks = tuple(one for one in draft.state.locks if one not in gone)
    draft.moves(gone[0].scope)


KINDS: Mapping[str, _Kind] = {
    "add-assignment": _Kind(_add_assignment, ("principalId", "role", "scope"), ("condition",)),
    "remove-assignment": _Kind(_remove_assignment, ("id",)),
    "add-member": _Kind(_add_member, ("groupId", "memberId")),
    "remove-member": _Kind(_remove_member, ("groupId", "memberId")),
    "role-permissions": _Kind(_role_permissions, ("role", "permissions")),
    "remove-deny": _Kind(_remove_deny, ("name",)),
    "registry-mode": _Kind(_registry_mode, ("registry", "roleAssignmentMode")),
    "delete-principal": _Kind(_delete_principal, ("principalId",)),
    "trust-policy": _Kind(_trust_policy, ("registry", "status")),
    "sku": _Kind(_sku, ("registry", "sku")),
    "add-lock": _Kind(_add_lock, ("scope", "level")),
    "remove-lock": _Kind(_remove_lock, ("scope", "level")),
}
"""Every kind of change, by its name in a change file."""
