"""From the store's rows to the evaluator's index: the whole tenant, or only what moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, and_, select, tuple_
from sqlmodel import Session, SQLModel

from azext_trust.rbac import roles
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import (
    ALL_SUBSCRIPTIONS,
    GROUP,
    DenyAssignment,
    Permission,
    Principal,
    RoleAssignment,
    RoleDefinition,
)
from azext_trust.rbac.scope_tree import management_group_key
from azext_trust.server.store import authorization, principals, resources
from azext_trust.server.store.changes import Change

CHUNK = 10_000
"""Rows held at once while the tenant is read."""
_KEYS = 400


def permission(raw: dict[str, list[str]]) -> Permission:
    """Return a stored permission object in the evaluator's form."""
    return Permission(
        tuple(raw.get("actions", ())), tuple(raw.get("notActions", ())),
        tuple(raw.get("dataActions", ())), tuple(raw.get("notDataActions", ())),
    )  # fmt: skip


def role(row: Any) -> RoleDefinition:
    """Return a custom role's row in the evaluator's form."""
    return RoleDefinition(
        row.id, row.name, row.description, "CustomRole", tuple(permission(p) for p in row.permissions),
        tuple(row.assignable_scopes),
    )  # fmt: skip


def deny(row: Any) -> DenyAssignment:
    """Return a deny assignment's row in the evaluator's form."""
    return DenyAssignment(
        row.id, row.name, row.scope, tuple(permission(p) for p in row.permissions),
        tuple(p["id"].lower() for p in row.principals), tuple(p["id"].lower() for p in row.exclude_principals),
        row.only_this_scope,
    )  # fmt: skip


def assignment(row: Any) -> RoleAssignment:
    """Return a role assignment's row in the evaluator's form."""
    return RoleAssignment(row.id, row.scope, row.role_id, row.principal_id, row.condition, row.condition_version)


def principal(row: Any) -> Principal:
    """Return a directory object's row in the evaluator's form; the classic flag counts in every subscription."""
    return Principal(row.id, row.kind, ALL_SUBSCRIPTIONS if row.classic_administrator else frozenset())


def management_group_of(name: str | None) -> str | None:
    """Return the scope of a management group, None for none."""
    return management_group_key(name) if name else None


@dataclass(frozen=True)
class _Kind:
    """How one kind of fact is read: its table, the columns needed, the key, and what is done with a row or without."""

    model: type[SQLModel]
    columns: tuple[str, ...]
    key: tuple[str, ...]
    put: Callable[[Index, Any], None]
    remove: Callable[..., None]

    @property
    def table(self) -> Table:
        found: Table = getattr(self.model, "__table__")  # noqa: B009  (SQLModel's types do not know it)
        return found

    def query(self, where: ColumnElement[bool] | None) -> Select[Any]:
        query = select(*(self.table.c[name] for name in self.columns))
        return query if where is None else query.where(where)

    def select(self, session: Session, where: ColumnElement[bool]) -> Sequence[Row[Any]]:
        return session.connection().execute(self.query(where)).all()

    def keys(self) -> ColumnElement[Any]:
        return tuple_(*(self.table.c[name] for name in self.key))


_KINDS: dict[str, _Kind] = {
    "management group": _Kind(
        resources.ManagementGroup, ("key", "parent_key"), ("key",),
        lambda index, row: index.put_parent(management_group_key(row.key), management_group_of(row.parent_key)),
        lambda index, key: index.put_parent(management_group_key(key), None),
    ),
    "subscription": _Kind(
        resources.Subscription, ("id", "management_group"), ("id",),
        lambda index, row: index.put_parent(f"/subscriptions/{row.id}", management_group_of(row.management_group)),
        lambda index, key: index.put_parent(f"/subscriptions/{key}", None),
    ),
    "principal": _Kind(
        principals.DirectoryObject, ("id", "kind", "classic_administrator"), ("id",),
        lambda index, row: index.put_principal(principal(row)), Index.remove_principal,
    ),
    "member": _Kind(
        principals.Membership, ("group_id", "member_id"), ("group_id", "member_id"),
        lambda index, row: index.put_member(row.group_id, row.member_id), Index.remove_member,
    ),
    "role": _Kind(
        authorization.CustomRole, ("id", "name", "description", "permissions", "assignable_scopes"), ("id",),
        lambda index, row: index.put_role(role(row)), Index.remove_role,
    ),
    "assignment": _Kind(
        authorization.Assignment, ("id", "scope", "role_id", "principal_id", "condition", "condition_version"), ("id",),
        lambda index, row: index.put_assignment(assignment(row)), Index.remove_assignment,
    ),
    "deny": _Kind(
        authorization.Deny,
        ("id", "name", "scope", "permissions", "principals", "exclude_principals", "only_this_scope"), ("id",),
        lambda index, row: index.put_deny(deny(row)), Index.remove_deny,
    ),
}  # fmt: skip
"""Every kind of change that the feed knows, in an order in which they can be read."""


def load(session: Session, index: Index, stopped: Callable[[], bool] = lambda: False) -> None:
    """Read the whole tenant as this transaction sees it.

    Args:
        session: a reading session.
        index: an empty index.
        stopped: tells whether to give up.
    """
    for known in roles.built_in_roles().values():
        index.put_role(known)
    # Groups are numbered first: the sets of bits that decisions rest on are then short.
    groups = principals.DirectoryObject.__table__.c.kind == GROUP  # type: ignore[attr-defined]  # SQLModel's types
    for row in _scan(session, _KINDS["principal"], stopped, groups):
        index.put_principal(principal(row))
    for name, kind in _KINDS.items():
        rows = _scan(session, kind, stopped)
        if name == "member":
            index.put_members(rows)
        elif name == "assignment":
            index.put_assignments(_shared(rows))
        else:
            for row in rows:
                kind.put(index, row)


def _shared(rows: Iterable[Any]) -> Iterator[RoleAssignment]:
    """Yield assignments. A million of them name few scopes, roles and principals: each text is kept once."""
    texts: dict[str, str] = {}
    one = texts.setdefault
    for name, scope, role_id, holder, condition, version in rows:
        yield RoleAssignment(name, one(scope, scope), one(role_id, role_id), one(holder, holder), condition, version)


def _scan(
    session: Session, kind: _Kind, stopped: Callable[[], bool], where: ColumnElement[bool] | None = None
) -> Iterator[Any]:
    """Yield all rows of a kind, in the order in which they lie in the database, never many at once."""
    with closing(session.connection().execute(kind.query(where).execution_options(yield_per=CHUNK))) as found:
        for rows in found.partitions():
            if stopped():
                return
            yield from rows


def assignments_of(
    session: Session, principal_ids: Iterable[str], scope_keys: Iterable[str] | None = None
) -> Iterator[RoleAssignment]:
    """Yield the assignments of principals, at any scope or at these."""
    kind, ids = _KINDS["assignment"], sorted(principal_ids)
    for at in range(0, len(ids), _KEYS):
        parts = [kind.table.c.principal_id.in_(ids[at : at + _KEYS])]
        if scope_keys is not None:
            parts.append(kind.table.c.scope_key.in_(list(scope_keys)))
        for row in kind.select(session, and_(*parts)):
            yield assignment(row)


def follow(session: Session, index: Index, moved: Iterable[Change]) -> None:
    """Bring what moved into an index, as this transaction sees it now."""
    for name, same in groupby(sorted(moved), key=lambda change: change.kind):
        kind = _KINDS.get(name)
        keys = [tuple(change.key.split(" ")) if len(kind.key) > 1 else (change.key,) for change in same] if kind else []
        for at in range(0, len(keys), _KEYS):
            assert kind is not None
            wanted = dict.fromkeys(keys[at : at + _KEYS])
            for row in kind.select(session, kind.keys().in_(wanted)):
                kind.put(index, row)
                wanted.pop(tuple(getattr(row, name) for name in kind.key))
            for key in wanted:
                kind.remove(index, *key)
