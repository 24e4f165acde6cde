"""Security groups."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import bodies, deleted, errors, expand, listing, query, references, rights
from azext_trust.server.store import directory_lists, principals
from azext_trust.server.store.directory_lists import Row
from azext_trust.server.store.transaction import Transaction

_KEPT = ("description", "mailNickname", "isAssignableToRole", "visibility")


def _bodies(transaction: Transaction, rows: Sequence[Row]) -> list[query.Body]:
    return [bodies.group(row) for row in rows if isinstance(row, principals.DirectoryObject)]


GROUPS = listing.Collection("groups", principals.DirectoryObject, (directory_lists.of_kind(principals.GROUP),), _bodies)


def named(transaction: Transaction, object_id: str) -> principals.DirectoryObject:
    """Return the group with this object id.

    Raises:
        ServiceError: Request_ResourceNotFound.
    """
    found = principals.by_id(transaction.session, object_id)
    if found is None or found.kind != principals.GROUP:
        raise errors.no_object(object_id)
    return found


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return groups."""
    return listing.reply(transaction, call, GROUPS)


def counted(transaction: Transaction, call: Call) -> Reply:
    """Return how many groups there are."""
    return listing.number(transaction, call, GROUPS)


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one group."""
    row = named(transaction, call.params["id"])
    return query.entity(call, "groups", expand.add(transaction, call, row.id, bodies.group(row)))


def create(transaction: Transaction, call: Call) -> Reply:
    """Create a security group; its creator owns it."""
    body = call.json()
    for name in ("displayName", "mailNickname"):
        if not body.get(name):
            raise errors.bad_request(f"A value is required for property '{name}' of resource 'Group'.")
    if body.get("mailEnabled") or not body.get("securityEnabled"):
        raise errors.bad_request("The service does not currently support writes of mail-enabled groups. Please ensure "
                                 "that the mail-enablement property is unset and the security-enablement property is "
                                 "set.")  # fmt: skip
    row = principals.DirectoryObject(
        id=str(uuid.uuid4()), kind=principals.GROUP, display_name=str(body["displayName"]),
        display_key=str(body["displayName"]).lower(), created=transaction.now_text(),
        properties={name: body[name] for name in _KEPT if name in body},
    )  # fmt: skip
    if row.properties.get("isAssignableToRole"):
        rights.guard(transaction, call, row)
    transaction.session.add(row)
    transaction.session.flush()
    owners = references.bound(transaction, body, "owners") or [call.caller.id]
    transaction.session.add_all(
        principals.Ownership(object_id=row.id, owner_id=owner) for owner in dict.fromkeys(owners)
    )
    members = dict.fromkeys(references.bound(transaction, body, "members"))
    transaction.session.add_all(principals.Membership(group_id=row.id, member_id=member) for member in members)
    call.change(after={"id": row.id, "displayName": row.display_name, "members": list(members)})
    return query.entity(call, "groups", bodies.group(row), 201)


def update(transaction: Transaction, call: Call) -> Reply:
    """Change a group; ``members@odata.bind`` adds up to twenty members."""
    row, body = named(transaction, call.params["id"]), call.json()
    rights.guard(transaction, call, row)
    before = {"displayName": row.display_name, **row.properties}
    if body.get("displayName"):
        row.display_name = str(body["displayName"])
        row.display_key = row.display_name.lower()
    changed: dict[str, object] = {
        name: body[name] for name in ("description", "mailNickname", "visibility") if name in body
    }
    row.properties = {**row.properties, **changed}
    added = references.bound(transaction, body, "members")
    for member in added:
        if member == row.id:
            raise errors.bad_request("A group cannot be a member of itself.")
        if transaction.session.get(principals.Membership, (row.id, member)) is not None:
            raise errors.already_member("members")
        transaction.session.add(principals.Membership(group_id=row.id, member_id=member))
    transaction.session.flush()
    call.change(before=before, after={"displayName": row.display_name, **row.properties}, membersAdded=added)
    return query.reply(call, None, 204)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a group, which can be restored for 30 days; its role assignments stay, orphaned."""
    row = named(transaction, call.params["id"])
    rights.guard(transaction, call, row)
    call.change(before={"id": row.id, "displayName": row.display_name})
    deleted.keep(transaction, row)
    return query.reply(call, None, 204)
