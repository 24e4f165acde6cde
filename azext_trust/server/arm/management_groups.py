"""Management groups: the tree above subscriptions, whose shape decides who inherits what (Management Groups REST)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

from azext_trust.server.arm import bodies, errors
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import authorization, facts, principals, resources
from azext_trust.server.store.resources import ManagementGroup, Subscription
from azext_trust.server.store.transaction import Transaction

KIND = "Microsoft.Management/managementGroups"
_A = KIND
DEPTH, MOST = 6, 10_000
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_NAME = re.compile(r"[-\w.()]{0,89}[-\w()]", re.ASCII)
OPEN = "management-groups-open"
"""The fact that any user may make management groups below the root: Azure's default, here off until it is set."""


def scope_of(name: str) -> str:
    """Return a management group's scope."""
    return f"/providers/{KIND}/{name}"


def found(transaction: Transaction, name: str) -> ManagementGroup:
    """Return the management group of this name.

    Raises:
        ServiceError: there is none.
    """
    row = transaction.session.get(ManagementGroup, name.lower())
    if row is None:
        raise errors.refuse("no_management_group", name=name)
    return row


def root(transaction: Transaction) -> ManagementGroup:
    """Return the root, whose name is the tenant's id."""
    return found(transaction, transaction.tenant_id())


def is_root(transaction: Transaction, call: Call) -> bool:
    """Tell whether a request names the root: moving to or from it takes no right there (Azure's exception)."""
    return call.params["group"].lower() == transaction.tenant_id().lower()


def may_create(transaction: Transaction, call: Call) -> bool:
    """Tell whether the caller may make a new group: it may write its parent, or everybody may below the root.

    In Azure any user may make groups below the root, unless the hierarchy settings require authorization. Here nobody
    gets anything without a right: until these settings say that none is required, it takes a Global Administrator.
    """
    if transaction.session.get(ManagementGroup, call.params["group"].lower()) is not None:
        return False
    parent = _parent_name(call.json())
    if parent is not None and parent.lower() != transaction.tenant_id().lower():
        return Authoriser(transaction, call.caller).allows(f"{_A}/write", scope_of(parent))
    if facts.get(transaction.session, OPEN) == "true":
        return True
    return "Global Administrator" in principals.directory_roles(transaction.session, call.caller.id)


def _parent_name(body: dict[str, object]) -> str | None:
    """Return the parent's name that a PUT or PATCH asks for."""
    properties = body.get("properties")
    details = properties.get("details") if isinstance(properties, dict) else None
    parent = details.get("parent") if isinstance(details, dict) else None
    given = parent.get("id") if isinstance(parent, dict) else body.get("parentGroupId")
    return str(given).rstrip("/").rpartition("/")[2] if given else None


def _linked(row: ManagementGroup | None) -> dict[str, object]:
    return {"id": scope_of(row.id), "name": row.id, "displayName": row.display_name} if row else {}


def _details(transaction: Transaction, row: ManagementGroup) -> dict[str, object]:
    details: dict[str, object] = {"version": row.version, "updatedTime": row.updated_on, "updatedBy": row.updated_by}
    if row.parent_key:
        details["parent"] = _linked(transaction.session.get(ManagementGroup, row.parent_key))
    return details


def body(transaction: Transaction, row: ManagementGroup) -> dict[str, object]:
    """Return a management group as ARM shows it."""
    return {
        "id": scope_of(row.id), "type": KIND, "name": row.id,
        "properties": {
            "tenantId": transaction.tenant_id(), "displayName": row.display_name,
            "details": _details(transaction, row),
        },
    }  # fmt: skip


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the management groups that the caller may read."""
    authoriser = Authoriser(transaction, call.caller)
    value = [
        {
            "id": scope_of(row.id), "type": KIND, "name": row.id,
            "properties": {"tenantId": transaction.tenant_id(), "displayName": row.display_name},
        }
        for row in resources.management_groups(transaction.session)
        if authoriser.allows(f"{_A}/read", scope_of(row.id))
    ]  # fmt: skip
    return bodies.reply(call, {"value": value, "@nextLink": None})


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one management group; ``$expand`` adds its children, path or ancestors."""
    row = found(transaction, call.params["group"])
    shown = body(transaction, row)
    properties = shown["properties"]
    assert isinstance(properties, dict)
    expand = call.query.get("$expand", "").lower()
    if expand == "children":
        deep = call.query.get("$recurse", "").lower() == "true"
        properties["children"] = _children(transaction, row.key, deep=deep) or None
    elif expand in ("path", "ancestors"):
        above = list(ancestors(transaction, row))
        chain = [{"name": one.id, "displayName": one.display_name} for one in above]
        if expand == "path":
            properties["details"]["path"] = [*reversed(chain), {"name": row.id, "displayName": row.display_name}]
        else:
            properties["details"]["managementGroupAncestors"] = [one.id for one in above]
            properties["details"]["managementGroupAncestorsChain"] = chain
    return bodies.reply(call, shown)


def ancestors(transaction: Transaction, row: ManagementGroup) -> Iterator[ManagementGroup]:
    """Yield the groups above one, nearest first."""
    seen = {row.key}
    while row.parent_key and row.parent_key not in seen:
        above = transaction.session.get(ManagementGroup, row.parent_key)
        if above is None:
            return
        seen.add(above.key)
        yield above
        row = above


def _children(transaction: Transaction, key: str, *, deep: bool) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"id": f"/subscriptions/{one.id}", "type": "/subscriptions", "name": one.id, "displayName": one.name}
        for one in resources.subscriptions_of(transaction.session, key)
    ]
    for one in resources.child_groups(transaction.session, key):
        child: dict[str, object] = {"id": scope_of(one.id), "type": KIND, "name": one.id,
                                    "displayName": one.display_name}  # fmt: skip
        if deep:
            child["children"] = _children(transaction, one.key, deep=True) or None
        rows.append(child)
    return rows


def put(transaction: Transaction, call: Call) -> Reply:
    """Create a management group, or change its name and parent; 202 as the real one answers, done at once."""
    name, asked = call.params["group"], call.json()
    properties = asked.get("properties")
    display = properties.get("displayName") if isinstance(properties, dict) else None
    row = transaction.session.get(ManagementGroup, name.lower())
    if row is not None:
        return _changed(transaction, call, row, display, _parent_name(asked))
    if not _NAME.fullmatch(name):
        raise errors.refuse("bad_management_group", name=name)
    if len(resources.management_groups(transaction.session)) >= MOST:
        raise errors.refuse("management_group_limit", most=MOST)
    parent = found(transaction, _parent_name(asked) or transaction.tenant_id())
    row = ManagementGroup(key=name.lower(), id=name, display_name=str(display or name), parent_key=parent.key)
    _check_place(transaction, row, parent)
    _stamp(transaction, call, row, 1)
    transaction.session.add(row)
    transaction.session.flush()
    _own(transaction, call, row)
    call.change(after=body(transaction, row)["properties"])
    return _accepted(call, "create", row.id)


def _own(transaction: Transaction, call: Call, row: ManagementGroup) -> None:
    """Who makes a management group is its Owner, as in Azure."""
    now, scope = transaction.now_text(), scope_of(row.id)
    transaction.session.add(
        authorization.Assignment(
            id=str(uuid.uuid4()), scope=scope, scope_key=scope.lower(), role_id=OWNER, principal_id=call.caller.id,
            principal_type=call.caller.kind, created_on=now, created_by=call.caller.id, updated_on=now,
            updated_by=call.caller.id,
        )
    )  # fmt: skip


def _stamp(transaction: Transaction, call: Call, row: ManagementGroup, version: int) -> None:
    row.version, row.updated_on, row.updated_by = version, transaction.now_text(), call.caller.id


def _accepted(call: Call, verb: str, name: str) -> Reply:
    """Return the 202 whose poller finds the operation done."""
    base = f"{call.settings.origin}/providers/Microsoft.Management/operationResults/{verb}"
    version = f"?api-version={call.api_version}"
    answer = bodies.reply(call, {"id": scope_of(name), "type": KIND, "name": name, "status": "NotStarted"}, 202)
    answer.headers |= {
        "azure-asyncoperation": f"{base}/asyncOperation/status/managementGroups/{name}{version}",
        "location": f"{base}/managementGroups/{name}{version}", "retry-after": "1",
    }  # fmt: skip
    return answer


def _check_place(transaction: Transaction, row: ManagementGroup, parent: ManagementGroup) -> None:
    above = [parent, *ancestors(transaction, parent)]
    if row.key in (one.key for one in above):
        raise errors.refuse("management_group_cycle", name=row.id)
    # The root does not count: `above` holds it, and the group itself is not in it.
    if len(above) + _height(transaction, row.key) > DEPTH:
        raise errors.refuse("management_group_depth", most=DEPTH)


def _height(transaction: Transaction, key: str) -> int:
    """Return how many levels lie below a group."""
    return max(
        (1 + _height(transaction, one.key) for one in resources.child_groups(transaction.session, key)), default=0
    )


def patch(transaction: Transaction, call: Call) -> Reply:
    """Change a management group's display name or parent."""
    asked = call.json()
    row = found(transaction, call.params["group"])
    _changed(transaction, call, row, asked.get("displayName"), _parent_name(asked))
    return bodies.reply(call, body(transaction, row))


def _changed(
    transaction: Transaction, call: Call, row: ManagementGroup, display: object, parent_name: str | None
) -> Reply:
    before = body(transaction, row)["properties"]
    if display:
        row.display_name = str(display)
    if parent_name is not None and parent_name.lower() != row.parent_key:
        _move(transaction, call, row, found(transaction, parent_name))
    _stamp(transaction, call, row, row.version + 1)
    transaction.session.flush()
    call.change(before=before, after=body(transaction, row)["properties"])
    return bodies.reply(call, body(transaction, row))


def _move(transaction: Transaction, call: Call, row: ManagementGroup, parent: ManagementGroup) -> None:
    """Hang a group below another: the caller may write both parents and assign roles in what moves."""
    if row.parent_key is None:
        raise errors.refuse("management_group_root", name=row.id, verb="moved")
    authoriser = Authoriser(transaction, call.caller)
    authoriser.require("Microsoft.Authorization/roleAssignments/write", scope_of(row.id))
    for key in (row.parent_key, parent.key):
        if key != transaction.tenant_id().lower():
            authoriser.require(f"{_A}/write", scope_of(found(transaction, key).id))
    _check_place(transaction, row, parent)
    row.parent_key = parent.key


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a management group that holds nothing; one that is not there is 204."""
    name = call.params["group"]
    session = transaction.session
    row = session.get(ManagementGroup, name.lower())
    if row is None:
        return bodies.reply(call, None, 204)
    if row.parent_key is None:
        raise errors.refuse("management_group_root", name=row.id, verb="deleted")
    if resources.child_groups(session, row.key) or resources.subscriptions_of(session, row.key):
        raise errors.refuse("management_group_children", name=row.id)
    call.change(before=body(transaction, row)["properties"])
    authorization.remove_below(session, scope_of(row.id).lower())
    session.delete(row)
    return _accepted(call, "delete", row.id)


def status(transaction: Transaction, call: Call) -> Reply:
    """Return how an operation on a management group went; who may read the group sees what it is now."""
    name, verb = call.params["group"], call.params["verb"]
    row = transaction.session.get(ManagementGroup, name.lower())
    path = f"/providers/Microsoft.Management/operationResults/{verb}/asyncOperation/status/managementGroups/{name}"
    answer: dict[str, object] = {"id": path, "name": name, "status": "Succeeded"}
    if row and verb == "create" and Authoriser(transaction, call.caller).allows(f"{_A}/read", scope_of(name)):
        answer["properties"] = body(transaction, row)["properties"]
    return bodies.reply(call, answer)


def result(transaction: Transaction, call: Call) -> Reply:
    """Return the group an operation made, to who may read it; nothing after a deletion."""
    row = transaction.session.get(ManagementGroup, call.params["group"].lower())
    if row is None or call.params["verb"] == "delete":
        return bodies.reply(call, None, 204)
    Authoriser(transaction, call.caller).require(f"{_A}/read", scope_of(row.id))
    return bodies.reply(call, body(transaction, row) | {"status": "Succeeded"})


def check_name(transaction: Transaction, call: Call) -> Reply:
    """Tell whether a management group's name is free."""
    name = str(call.json().get("name") or "")
    if not _NAME.fullmatch(name):
        message = errors.refuse("bad_management_group", name=name).message
        return bodies.reply(call, {"nameAvailable": False, "reason": "Invalid", "message": message})
    if transaction.session.get(ManagementGroup, name.lower()) is not None:
        message = "The group with the specified name already exists"
        return bodies.reply(call, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return bodies.reply(call, {"nameAvailable": True})


def descend(transaction: Transaction, key: str) -> Iterator[ManagementGroup | Subscription]:
    """Yield what lies below a group, groups before their contents."""
    for child in resources.child_groups(transaction.session, key):
        yield child
        yield from descend(transaction, child.key)
    yield from resources.subscriptions_of(transaction.session, key)
