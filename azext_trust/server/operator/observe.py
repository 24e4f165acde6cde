"""A live cloud's facts brought into the local store, page by page (M26): each page is one transaction.

The page's rows and the place where reading goes on are committed together: whoever dies in between reads a page again
and nothing else. What a reading does not see any more goes when it ends.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from azext_trust.names import scopes
from azext_trust.rbac import roles
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.operator import errors
from azext_trust.server.store import (
    authorization,
    management_locks,
    observations,
    principals,
    registries,
    resources,
    scope_maps,
    trust,
    trust_data,
)
from azext_trust.server.store.observations import RUN, Observation
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.store.trust import TrustMetadata
from azext_trust.tuf.overview import overview

Row = Mapping[str, Any]


def state(transaction: Transaction, call: Call) -> Reply:
    """Return how far the reading is: ``run``, ``source``, ``done``, and each step."""
    rows = {row.step: row for row in observations.steps(transaction.session)}
    whole = rows.pop(RUN, None)
    shown = [
        {"step": row.step, "next": row.next, "done": row.done, "count": row.count, "problem": row.problem}
        for row in rows.values() if whole is not None and row.run == whole.run
    ]  # fmt: skip
    return Reply({
        "run": whole.run if whole else None, "source": whole.next if whole else None,
        "done": bool(whole and whole.done), "tenantId": transaction.tenant_id(), "steps": shown,
    })  # fmt: skip


def begin(transaction: Transaction, call: Call) -> Reply:
    """Begin a reading of a source: ``{"source": url}``.

    Raises:
        ServiceError: this store holds another source's facts.
    """
    source = str(call.json().get("source", ""))
    before = transaction.session.get(Observation, RUN)
    if before is not None and before.next != source:
        raise errors.bad_value("source", f"This twin is of {before.next}: take another directory for {source}.")
    run = str(uuid.uuid4())
    _put(transaction.session, Observation(step=RUN, run=run, next=source))
    call.change(after={"source": source, "run": run})
    return Reply({"run": run, "source": source, "done": False, "steps": [], "tenantId": transaction.tenant_id()})


def _put(session: Session, row: Observation) -> None:
    session.merge(row)
    session.flush()


def take(transaction: Transaction, call: Call) -> Reply:
    """Take a page: ``{"run", "step", "kind", "rows", "next", "done", "problem"}``.

    Raises:
        ServiceError: it is of another reading, or its rows cannot be stored.
    """
    body = call.json()
    run, step, kind = (str(body.get(name, "")) for name in ("run", "step", "kind"))
    whole = transaction.session.get(Observation, RUN)
    if whole is None or whole.run != run or whole.done:
        raise errors.bad_value("run", f"'{run}' is not the reading that is going on.")
    rows = body.get("rows") or []
    if kind not in KINDS or not isinstance(rows, list) or not step or step == RUN:
        raise errors.bad_value("kind", f"A page has a step, rows, and a kind of {', '.join(KINDS)}.")
    try:
        count = KINDS[kind].store(transaction, run, rows)
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
        raise errors.bad_value("rows", f"A row of kind {kind} cannot be stored: {error!r}.") from None
    before = transaction.session.get(Observation, step)
    counted = before.count if before is not None and before.run == run else 0
    _put(transaction.session, Observation(
        step=step, run=run, next=str(body.get("next") or ""), done=bool(body.get("done")), count=counted + count,
        problem=str(body.get("problem") or ""),
    ))  # fmt: skip
    return Reply({"count": counted + count})


def finish(transaction: Transaction, call: Call) -> Reply:
    """End a reading: ``{"run": id}``. What it did not see any more goes, of the kinds that it could read in full.

    Raises:
        ServiceError: it is another reading, or not all steps are done.
    """
    run, session = str(call.json().get("run", "")), transaction.session
    whole = session.get(Observation, RUN)
    mine = [row for row in observations.steps(session) if row.run == run and row.step != RUN]
    if whole is None or whole.run != run or any(not row.done for row in mine):
        raise errors.bad_value("run", f"'{run}' is not a reading all of whose steps are done.")
    refused = {row.step.rpartition(" ")[2] for row in mine if row.problem}
    gone: dict[str, int] = {}
    for kind in reversed(list(KINDS)):
        keys = observations.unseen(session, kind, run) if kind not in refused else []
        _forget(transaction, kind, keys)
        gone[kind] = len(keys)
    for row in observations.steps(session):
        if row.run != run:
            session.delete(row)
    whole.done = True
    session.flush()
    call.change(
        after={"source": whole.next, "run": run, "gone": {kind: count for kind, count in gone.items() if count}}
    )
    return Reply({"run": run, "done": True, "gone": gone})


def _forget(transaction: Transaction, kind: str, keys: list[str]) -> None:
    """Delete what is gone in the live cloud; with a registry goes what its repositories signed."""
    session, model = transaction.session, KINDS[kind].model
    for key in keys:
        registry = session.get(registries.Registry, key.split(" ")[0]) if kind in ("trust", "registry") else None
        if registry is not None and kind == "trust":
            trust_data.remove(transaction, trust_data.Repository(registry.trust_space, key.split(" ")[1]))
        elif registry is not None:
            trust.erase(transaction, registry)
    session.flush()
    observations.forget(session, model, kind, keys)


def names(transaction: Transaction, call: Call) -> Reply:
    """Return a page of what was observed: ``?kind=group&after=ID&limit=N``; keys in order."""
    kind, after = call.query.get("kind", ""), call.query.get("after", "")
    text = call.query.get("limit", "500")
    limit = min(int(text), 5000) if text.isdigit() else 500
    session = transaction.session
    if kind == "group":
        table = principals.DirectoryObject
        query = select(table.id).where(table.kind == principals.GROUP, col(table.id) > after).order_by(col(table.id))
        return Reply({"value": list(session.exec(query.limit(limit)))})
    if kind == "registry":
        shown = select(registries.Registry).where(col(registries.Registry.scope_key) > after)
        rows = session.exec(shown.order_by(col(registries.Registry.scope_key)).limit(limit))
        return Reply({"value": [
            {"key": row.scope_key, "id": scopes.registry_id(row.subscription_id, row.group_key, row.name),
             "name": row.name, "trust": row.trust_enabled,
             "loginServer": row.properties.get("observedLoginServer") or call.settings.login_server(row.name)}
            for row in rows
        ]})  # fmt: skip
    raise errors.bad_value("kind", "kind is group or registry.")


# How each kind is stored


@dataclass(frozen=True)
class Kind:
    """A kind of row: its table, what its columns are, and which columns are unique besides the key.

    Attributes:
        model: the table; None for kinds that are stored otherwise.
        columns: makes the columns of a row.
        unique: see `observations.upsert`.
        special: stores rows whose columns depend on what is there; returns the keys that were seen.
    """

    model: type[SQLModel] | None
    columns: Callable[[Transaction, Row], dict[str, Any]] | None = None
    unique: tuple[tuple[str, ...], ...] = ()
    special: Callable[[Transaction, list[Row]], list[str]] | None = None
    wanted: Callable[[Transaction, list[Row]], list[Row]] = field(default=lambda transaction, rows: rows)

    def store(self, transaction: Transaction, run: str, rows: list[Row]) -> int:
        """Store rows and note that they were seen."""
        if self.special is not None:
            keys = self.special(transaction, rows)
        else:
            assert self.model is not None
            assert self.columns is not None
            made = [self.columns(transaction, row) for row in self.wanted(transaction, rows)]
            observations.upsert(transaction.session, self.model, made, self.unique)
            key = [column.name for column in observations.table_of(self.model).primary_key]
            keys = [" ".join(str(row[name]) for name in key) for row in made]
        observations.seen(transaction.session, _name(self), keys, run)
        return len(keys)


def _name(kind: Kind) -> str:
    return next(name for name, known in KINDS.items() if known is kind)


def _subscription(transaction: Transaction, row: Row) -> dict[str, Any]:
    return {"id": row["id"].lower(), "name": row["name"], "state": row.get("state") or "Enabled",
            "management_group": row.get("managementGroup")}  # fmt: skip


def _management_group(transaction: Transaction, row: Row) -> dict[str, Any]:
    return {"key": row["name"].lower(), "id": row["name"], "display_name": row.get("displayName") or row["name"],
            "parent_key": row["parent"].lower() if row.get("parent") else None}  # fmt: skip


def _resource_group(transaction: Transaction, row: Row) -> dict[str, Any]:
    return {"subscription_id": row["subscription"].lower(), "name_key": row["name"].lower(), "name": row["name"],
            "location": row.get("location") or "", "tags": row.get("tags") or {}}  # fmt: skip


def _principal(transaction: Transaction, row: Row) -> dict[str, Any]:
    upn, shown = row.get("upn") or None, row.get("displayName") or row.get("upn") or row["id"]
    return {
        "id": row["id"].lower(), "kind": row["kind"], "display_name": shown, "display_key": shown.lower(), "upn": upn,
        "upn_key": upn.lower() if upn else None, "app_id": row.get("appId") or None,
        "classic_administrator": False, "enabled": row.get("enabled") is not False,
        "created": row.get("created") or transaction.now_text(),
        "properties": row.get("raw") or {},
    }  # fmt: skip


def _present(transaction: Transaction, rows: list[Row]) -> list[Row]:
    """Return the memberships both of whose ends are in the directory: devices and contacts are members, too."""
    ids = {row[name].lower() for row in rows for name in ("group", "member")}
    known = principals.by_ids(transaction.session, ids)
    return [row for row in rows if row["group"].lower() in known and row["member"].lower() in known]


def _member(transaction: Transaction, row: Row) -> dict[str, Any]:
    return {"group_id": row["group"].lower(), "member_id": row["member"].lower()}


def _classic(transaction: Transaction, rows: list[Row]) -> list[str]:
    """Set the flag of classic administrators; who has it and is not named loses it when its own row is read anew."""
    for row in rows:
        found = principals.user_by_upn(transaction.session, row["name"])
        if found is not None:
            found.classic_administrator = True
    return []


def _names(transaction: Transaction, row: Row) -> dict[str, Any]:
    return {"name_key": row["name"].lower(), "name": row["name"], "principal_id": row["principal"].lower()}


def _named(transaction: Transaction, rows: list[Row]) -> list[Row]:
    known = principals.by_ids(transaction.session, {row["principal"] for row in rows})
    return [row for row in rows if row["principal"].lower() in known]


def _role(transaction: Transaction, row: Row) -> dict[str, Any]:
    now = transaction.now_text()
    return {
        "id": row["id"].lower(), "name": row["name"], "name_key": row["name"].lower(),
        "description": row.get("description") or "", "permissions": row["permissions"],
        "assignable_scopes": row["assignableScopes"], "created_on": row.get("createdOn") or now,
        "updated_on": row.get("updatedOn") or now,
    }  # fmt: skip


def _own_roles(transaction: Transaction, rows: list[Row]) -> list[Row]:
    """Return the roles that are not built in here as well."""
    return [row for row in rows if row["id"].lower() not in roles.built_in_roles()]


def _assignment(transaction: Transaction, row: Row) -> dict[str, Any]:
    now = transaction.now_text()
    return {
        "id": row["id"].lower(), "scope": row["scope"], "scope_key": scopes.key(row["scope"]),
        "role_id": row["roleId"].lower(), "principal_id": row["principalId"].lower(),
        "principal_type": row.get("principalType") or "Unknown", "description": row.get("description"),
        "condition": row.get("condition"), "condition_version": row.get("conditionVersion"),
        "created_on": row.get("createdOn") or now, "created_by": row.get("createdBy"),
        "updated_on": row.get("updatedOn") or now,
    }  # fmt: skip


def _deny(transaction: Transaction, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"].lower(), "name": row["name"], "scope": row["scope"], "scope_key": scopes.key(row["scope"]),
        "description": row.get("description") or "", "permissions": row["permissions"],
        "principals": row["principals"], "exclude_principals": row["excludePrincipals"],
        "only_this_scope": bool(row.get("onlyThisScope")), "system_protected": bool(row.get("systemProtected")),
    }  # fmt: skip


def _registries(transaction: Transaction, rows: list[Row]) -> list[str]:
    """Store registries under the ids that they have here, new ones under new ids; unknown settings are kept."""
    session, keys = transaction.session, []
    for row in rows:
        scope = scopes.canonical(row["id"])
        found = registries.by_scope(session, scopes.key(scope))
        if found is None:
            found = registries.new(scope, row.get("location") or "", row["sku"], transaction.now_text(), "twin")
            session.add(found)
        found.sku, found.admin_enabled, found.trust_enabled = row["sku"], bool(row["admin"]), bool(row["trust"])
        found.tags = row.get("tags") or {}
        found.policies = {**found.policies, **(row.get("policies") or {})}
        found.properties = {**(row.get("properties") or {}), "observedLoginServer": row.get("loginServer") or ""}
        keys.append(found.id)
    session.flush()
    return keys


def _own_id(*parts: str) -> str:
    """Return an id for what the live cloud names by its place: names may hold spaces, keys here may not."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _registered(transaction: Transaction, rows: list[Row]) -> list[Row]:
    """Return the rows whose registry is here, with the id of its row in the place of its resource id."""
    named = {row["registry"] for row in rows}
    known = {one: registries.by_scope(transaction.session, scopes.key(one)) for one in named}
    return [{**row, "registry": found.id} for row in rows if (found := known[row["registry"]]) is not None]


def _part(transaction: Transaction, row: Row) -> dict[str, Any]:
    """Return the columns that scope maps and tokens share; the row is one of `_registered`."""
    registry, name, now = row["registry"], row["name"], transaction.now_text()
    return {
        "id": _own_id(registry, name.lower()), "registry_id": registry, "name": name, "name_key": name.lower(),
        "created": row.get("created") or now, "created_by": "twin", "modified": now, "modified_by": "twin",
    }  # fmt: skip


def _scope_map(transaction: Transaction, row: Row) -> dict[str, Any]:
    more = {"kind": scope_maps.USER_DEFINED, "description": row.get("description"), "actions": row["actions"]}
    return {**_part(transaction, row), **more}


def _token(transaction: Transaction, row: Row) -> dict[str, Any]:
    status = scope_maps.ENABLED if row["enabled"] else scope_maps.DISABLED
    more = {"scope_map_key": row["scopeMap"].lower(), "status": status, "passwords": [], "certificates": []}
    return {**_part(transaction, row), **more}


def _lock(transaction: Transaction, row: Row) -> dict[str, Any]:
    key, name = scopes.key(row["scope"]), row["name"]
    return {
        "id": _own_id(key, name.lower()), "scope": row["scope"], "scope_key": key, "name": name, "name_key": name.lower(),
        "level": row["level"], "notes": row.get("notes"), "owners": [], "created": transaction.now_text(),
        "created_by": "twin",
    }  # fmt: skip


def _trust(transaction: Transaction, rows: list[Row]) -> list[str]:
    """Store a repository's newest metadata, what they sign, and its images."""
    keys = []
    for row in rows:
        registry = registries.by_scope(transaction.session, scopes.key(row["registry"]))
        if registry is None:
            continue
        of = trust_data.Repository(registry.trust_space, row["gun"])
        contents = {role: base64.b64decode(text) for role, text in row["metadata"].items()}
        _metadata(transaction, of, contents)
        images = row.get("images")
        if images is not None:
            observations.upsert(transaction.session, observations.ObservedImage, [{
                "registry_id": registry.id, "repository": row["repository"], "tags": images["tags"],
                "manifests": images["manifests"],
            }])  # fmt: skip
        keys.append(f"{registry.id} {row['gun']}")
    return keys


def _metadata(transaction: Transaction, of: trust_data.Repository, contents: Mapping[str, bytes]) -> None:
    session = transaction.session
    for seen in overview(contents):
        known = trust_data.newest(session, of, seen.role) if seen.role in contents else None
        if seen.role not in contents or (known is not None and known.content == contents[seen.role]):
            continue
        table = observations.table_of(TrustMetadata)
        here = (table.c.registry_id == of.registry_id, table.c.gun == of.gun, table.c.role == seen.role)
        session.connection().execute(table.delete().where(*here, table.c.version >= seen.version))
        trust_data.add(transaction, of, seen.role, seen.version, contents[seen.role])
        before = {row.tag for row in session.exec(_tags_of(of, seen.role))}
        signed = {tag: (digest, 0) for tag, digest in seen.tags.items()}
        trust_data.change_tags(session, of, seen.role, signed, before - signed.keys())


def _tags_of(of: trust_data.Repository, role: str) -> Any:
    from azext_trust.server.store.trust import TrustTag

    return select(TrustTag).where(TrustTag.registry_id == of.registry_id, TrustTag.gun == of.gun, TrustTag.role == role)


def _event(transaction: Transaction, row: Row) -> dict[str, Any]:
    return {
        "key": row["key"], "time": row["time"], "operation": row["operation"], "scope": row["scope"],
        "outcome": row["outcome"], "caller_id": row["callerId"], "caller_name": row.get("callerName") or "",
        "correlation_id": row.get("correlationId") or "", "details": json.loads(json.dumps(row.get("details") or {})),
    }  # fmt: skip


KINDS: Mapping[str, Kind] = {
    "management-group": Kind(resources.ManagementGroup, _management_group),
    "subscription": Kind(resources.Subscription, _subscription),
    "resource-group": Kind(resources.ResourceGroup, _resource_group),
    "principal": Kind(principals.DirectoryObject, _principal, (("upn_key",), ("app_id",))),
    "name": Kind(principals.ServicePrincipalName, _names, wanted=_named),
    "member": Kind(principals.Membership, _member, wanted=_present),
    "classic": Kind(None, special=_classic),
    "role": Kind(authorization.CustomRole, _role, (("name_key",),), wanted=_own_roles),
    "assignment": Kind(authorization.Assignment, _assignment, (("scope_key", "principal_id", "role_id"),)),
    "deny": Kind(authorization.Deny, _deny),
    "registry": Kind(registries.Registry, special=_registries),
    "scope-map": Kind(scope_maps.ScopeMap, _scope_map, (("registry_id", "name_key"),), wanted=_registered),
    "token": Kind(scope_maps.RegistryToken, _token, (("registry_id", "name_key"),), wanted=_registered),
    "lock": Kind(management_locks.ManagementLock, _lock, (("scope_key", "name_key"),)),
    "trust": Kind(None, special=_trust),
    "event": Kind(observations.ObservedEvent, _event),
}  # fmt: skip
"""The kinds of rows, in an order in which they can be stored."""
