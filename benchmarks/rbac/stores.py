"""A made-up tenant in a store, and what the server pays for a decision on it: cold, warm, after another's change."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import SQLModel

from azext_trust.names import scopes
from azext_trust.server.gate import warm
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Caller
from azext_trust.server.store import authorization, changes, principals, resources
from azext_trust.server.store.transaction import Store
from benchmarks.rbac.tenants import Tenant

NOW = "2026-01-01T00:00:00.0000000Z"


def fill(tenant: Tenant, directory: Path) -> Store:
    """Return a store with a tenant's facts.

    They come in without the triggers of the change feed, which would write a row for each: nobody follows it yet.
    """
    store = Store(directory)
    with store.engine.begin() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in names:
            connection.execute(text(f"DROP TRIGGER {name}"))
    one = dict(tenant.parents)
    key = {scope: scope.rpartition("/")[2].lower() for scope in tenant.management_groups}
    _insert(store, resources.ManagementGroup, (
        {"key": key[scope], "id": key[scope], "display_name": key[scope], "parent_key": key.get(one.get(scope, ""))}
        for scope in tenant.management_groups
    ))  # fmt: skip
    _insert(store, resources.Subscription, (
        {"id": scope.rpartition("/")[2], "name": scope, "state": "Enabled", "management_group": key[one[scope]]}
        for scope in tenant.subscriptions
    ))  # fmt: skip
    for kind, names in (("Group", tenant.groups), ("User", tenant.people)):
        _insert(store, principals.DirectoryObject, (
            {"id": name, "kind": kind, "display_name": name, "display_key": name, "enabled": True,
             "classic_administrator": False, "created": NOW, "properties": {}} for name in names
        ))  # fmt: skip
    _insert(store, principals.Membership, ({"group_id": g, "member_id": m} for g, m in dict.fromkeys(tenant.members)))
    _insert(store, authorization.CustomRole, (
        {"id": role.id, "name": role.name, "name_key": role.name.lower(), "description": "", "assignable_scopes": [],
         "permissions": [{"actions": list(p.actions), "notActions": list(p.not_actions)} for p in role.permissions],
         "created_on": NOW, "updated_on": NOW}
        for role in tenant.roles if role.kind == "CustomRole"
    ))  # fmt: skip
    _insert(store, authorization.Assignment, _assignments(tenant))
    with store.engine.begin() as connection:
        changes.install(connection)
    return store


def signer(tenant: Tenant, n: int) -> dict[str, Any]:
    """Return the row of an assignment that lets somebody sign."""
    scope = tenant.registries[n]
    return {
        "id": "new", "scope": scope, "scope_key": scopes.key(scope), "role_id": "6cef56e8-d556-48e5-a04f-b8e64114680f",
        "principal_id": tenant.people[n], "principal_type": "User", "created_on": NOW, "updated_on": NOW,
    }  # fmt: skip


def _assignments(tenant: Tenant) -> Iterable[dict[str, Any]]:
    seen = set()
    for row in tenant.assignments():
        where = scopes.key(row.scope)
        if (where, row.principal_id, row.role_id) not in seen:
            seen.add((where, row.principal_id, row.role_id))
            yield {
                "id": row.id, "scope": row.scope, "scope_key": where, "role_id": row.role_id,
                "principal_id": row.principal_id, "principal_type": "User", "condition": row.condition,
                "condition_version": row.condition_version, "created_on": NOW, "updated_on": NOW,
            }  # fmt: skip


def _insert(store: Store, model: type[SQLModel], rows: Iterable[dict[str, Any]]) -> None:
    table = getattr(model, "__table__")  # noqa: B009  (SQLModel's types do not know it)
    left = iter(rows)
    while chunk := list(islice(left, 50_000)):
        with store.write() as transaction:
            transaction.session.connection().execute(table.insert(), chunk)


def decision_time(store: Store, asked: list[tuple[str, str, str]]) -> float:
    """Return the mean seconds of a transaction with one decision in it."""
    started = time.perf_counter()
    for who, action, scope in asked:
        with store.read() as transaction:
            Authoriser(transaction, Caller(who, "User", who)).allows(action, scope)
    return (time.perf_counter() - started) / len(asked)


def warm_up(store: Store) -> float:
    """Return the seconds of processor time to read the whole tenant into the index."""
    started = time.process_time()
    warm.keep(store).load()
    return time.process_time() - started


def change_time(store: Store, other: Store, row: dict[str, Any]) -> float:
    """Return the seconds from the commit of one process to the decision of another that rests on it."""
    with store.write() as transaction:
        transaction.session.add(authorization.Assignment(**row))
    started = time.perf_counter()
    with other.read() as transaction:
        allowed = Authoriser(transaction, Caller(row["principal_id"], "User")).allows(
            "Microsoft.ContainerRegistry/registries/sign/write", row["scope"]
        )
    took = time.perf_counter() - started
    assert allowed
    with store.write() as transaction:
        transaction.session.delete(transaction.session.get_one(authorization.Assignment, row["id"]))
    return took
