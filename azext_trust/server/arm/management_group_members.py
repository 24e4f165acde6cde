"""Subscriptions in management groups, what lies below a group, and the tenant's hierarchy settings."""

from __future__ import annotations

import json

from azext_trust.server.arm import bodies, errors, management_groups
from azext_trust.server.arm.management_groups import KIND, scope_of
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import facts, resources
from azext_trust.server.store.resources import ManagementGroup, Subscription
from azext_trust.server.store.transaction import Transaction

_SETTINGS = "management-group-settings"
_A = KIND


def _subscription(transaction: Transaction, call: Call) -> Subscription:
    row = transaction.session.get(Subscription, call.params["subscription"].lower())
    if row is None:
        raise errors.no_subscription(call.params["subscription"])
    return row


def _body(transaction: Transaction, row: Subscription, group: ManagementGroup) -> dict[str, object]:
    return {
        "name": row.id, "id": f"{scope_of(group.id)}/subscriptions/{row.id}", "type": f"{KIND}/subscriptions",
        "properties": {
            "displayName": row.name,
            "parent": {"id": scope_of(group.id), "name": group.id, "displayName": group.display_name},
            "state": "Active" if row.state == "Enabled" else row.state, "tenant": transaction.tenant_id(),
        },
    }  # fmt: skip


def _inside(transaction: Transaction, call: Call) -> tuple[Subscription, ManagementGroup]:
    group, row = management_groups.found(transaction, call.params["group"]), _subscription(transaction, call)
    if row.management_group != group.key:
        raise errors.refuse("no_subscription_there", subscription=row.id, name=group.id)
    return row, group


def show(transaction: Transaction, call: Call) -> Reply:
    """Return a subscription as a member of a management group."""
    row, group = _inside(transaction, call)
    return bodies.reply(call, _body(transaction, row, group))


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the subscriptions directly in a management group."""
    group = management_groups.found(transaction, call.params["group"])
    rows = resources.subscriptions_of(transaction.session, group.key)
    return bodies.reply(call, {"value": [_body(transaction, row, group) for row in rows], "@nextLink": None})


def add(transaction: Transaction, call: Call) -> Reply:
    """Move a subscription into a management group; what it inherits changes with it."""
    group, row = management_groups.found(transaction, call.params["group"]), _subscription(transaction, call)
    before = row.management_group
    _require_move(transaction, call, row, before)
    row.management_group = group.key
    transaction.session.flush()
    call.change(before=before, after=group.key)
    return bodies.reply(call, _body(transaction, row, group))


def _require_move(transaction: Transaction, call: Call, row: Subscription, left: str | None) -> None:
    """Who moves a subscription may assign roles in it, and may take it out of where it is (not from the root)."""
    authoriser = Authoriser(transaction, call.caller)
    authoriser.require("Microsoft.Authorization/roleAssignments/write", f"/subscriptions/{row.id}")
    if left and left != transaction.tenant_id().lower():
        authoriser.require(f"{_A}/subscriptions/delete", scope_of(left))


def remove(transaction: Transaction, call: Call) -> Reply:
    """Move a subscription out of a management group, to the root or the group the hierarchy settings name."""
    row, group = _inside(transaction, call)
    _require_move(transaction, call, row, group.key)
    default = str(_settings(transaction).get("defaultManagementGroup") or "").rpartition("/")[2].lower()
    target = transaction.session.get(ManagementGroup, default) or management_groups.root(transaction)
    row.management_group = target.key
    transaction.session.flush()
    call.change(before=group.key, after=target.key)
    return bodies.reply(call, None)


def _below(transaction: Transaction, row: ManagementGroup | Subscription) -> dict[str, object]:
    if isinstance(row, ManagementGroup):
        return {"id": scope_of(row.id), "type": KIND, "name": row.id, "displayName": row.display_name,
                "parent": row.parent_key}  # fmt: skip
    return {"id": f"/subscriptions/{row.id}", "type": "/subscriptions", "name": row.id, "displayName": row.name,
            "parent": row.management_group}  # fmt: skip


def descendants(transaction: Transaction, call: Call) -> Reply:
    """Return all groups and subscriptions below a management group."""
    group = management_groups.found(transaction, call.params["group"])
    value = []
    for row in management_groups.descend(transaction, group.key):
        one = _below(transaction, row)
        parent = transaction.session.get(ManagementGroup, str(one.pop("parent") or ""))
        name = one.pop("displayName")
        value.append(
            {**one, "properties": {"displayName": name, "parent": {"id": scope_of(parent.id if parent else "")}}}
        )
    return bodies.reply(call, {"value": value})


def entities(transaction: Transaction, call: Call) -> Reply:
    """Return the groups and subscriptions that the caller may read, with their way from the root."""
    authoriser = Authoriser(transaction, call.caller)
    top = management_groups.root(transaction)
    value = []
    for row in (top, *management_groups.descend(transaction, top.key)):
        group = isinstance(row, ManagementGroup)
        own = scope_of(row.id) if group else f"/subscriptions/{row.id}"
        if authoriser.allows(f"{_A}/read" if group else "Microsoft.Resources/subscriptions/read", own):
            value.append(_entity(transaction, row, authoriser))
    return bodies.reply(call, {"value": value, "count": len(value), "nextLink": None})


def _entity(transaction: Transaction, row: ManagementGroup | Subscription, authoriser: Authoriser) -> dict[str, object]:
    one = _below(transaction, row)
    parent = transaction.session.get(ManagementGroup, str(one.pop("parent") or ""))
    above = [parent, *management_groups.ancestors(transaction, parent)] if parent else []
    below = list(management_groups.descend(transaction, row.key)) if isinstance(row, ManagementGroup) else []
    children = resources.child_groups(transaction.session, row.key) if isinstance(row, ManagementGroup) else []
    direct = resources.subscriptions_of(transaction.session, row.key) if isinstance(row, ManagementGroup) else []
    may = "edit" if authoriser.allows(f"{_A}/write", str(one["id"])) else "view"
    return {
        "id": one["id"], "type": one["type"], "name": one["name"],
        "properties": {
            "displayName": one["displayName"], "tenantId": transaction.tenant_id(),
            "parent": {"id": scope_of(parent.id)} if parent else None, "permissions": may, "inheritedPermissions": may,
            "parentDisplayNameChain": [group.display_name for group in reversed(above)],
            "parentNameChain": [group.id for group in reversed(above)],
            "numberOfDescendants": len(below), "numberOfChildren": len(children) + len(direct),
            "numberOfChildGroups": len(children),
        },
    }  # fmt: skip


def backfill(transaction: Transaction, call: Call) -> Reply:
    """Return that every subscription is in the hierarchy, which here is so from the beginning."""
    return bodies.reply(call, {"tenantId": transaction.tenant_id(), "status": "Completed"})


def _settings(transaction: Transaction) -> dict[str, object]:
    found: dict[str, object] = json.loads(facts.get(transaction.session, _SETTINGS) or "{}")
    return found


def _settings_body(transaction: Transaction, held: dict[str, object]) -> dict[str, object]:
    name = management_groups.root(transaction).id
    return {
        "id": f"{scope_of(name)}/settings/default", "type": f"{KIND}/settings", "name": "default",
        "properties": {
            "tenantId": transaction.tenant_id(),
            "requireAuthorizationForGroupCreation": held.get("requireAuthorizationForGroupCreation", True),
            "defaultManagementGroup": held.get("defaultManagementGroup") or scope_of(name),
        },
    }  # fmt: skip


def settings(transaction: Transaction, call: Call) -> Reply:
    """Return the hierarchy settings as a list of one, or none."""
    held = _settings(transaction)
    return bodies.reply(call, {"value": [_settings_body(transaction, held)] if held else [], "@nextLink": None})


def show_settings(transaction: Transaction, call: Call) -> Reply:
    """Return the hierarchy settings."""
    held = _settings(transaction)
    if not held:
        raise errors.refuse("no_hierarchy_settings", name=call.params["group"])
    return bodies.reply(call, _settings_body(transaction, held))


def put_settings(transaction: Transaction, call: Call) -> Reply:
    """Set the hierarchy settings; those a request does not name stay."""
    if not management_groups.is_root(transaction, call):
        raise errors.refuse("management_group_root", name=call.params["group"], verb="given hierarchy settings here")
    given = call.json().get("properties")
    asked = {name: value for name, value in given.items() if value is not None} if isinstance(given, dict) else {}
    before = _settings(transaction)
    required, default = asked.get("requireAuthorizationForGroupCreation"), asked.get("defaultManagementGroup")
    if required is not None and not isinstance(required, bool):
        raise errors.invalid_content("The property 'requireAuthorizationForGroupCreation' must be a boolean.")
    if default is not None:
        asked["defaultManagementGroup"] = scope_of(
            management_groups.found(transaction, str(default).rpartition("/")[2]).id
        )
    held = {"requireAuthorizationForGroupCreation": True} | before | asked
    _keep(transaction, held)
    call.change(before=before, after=held)
    return bodies.reply(call, _settings_body(transaction, held))


def _keep(transaction: Transaction, held: dict[str, object]) -> None:
    facts.put(transaction.session, _SETTINGS, json.dumps(held) if held else "")
    opened = bool(held) and held.get("requireAuthorizationForGroupCreation") is False
    facts.put(transaction.session, management_groups.OPEN, "true" if opened else "")


def delete_settings(transaction: Transaction, call: Call) -> Reply:
    """Remove the hierarchy settings."""
    call.change(before=_settings(transaction))
    _keep(transaction, {})
    return bodies.reply(call, None)
