"""Security groups."""

from __future__ import annotations

import uuid

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import bodies, errors, query
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction


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
    wanted = query.simple(call)
    name = wanted[1] if wanted and wanted[0] == "displayname" else None
    rows = principals.of_kind(transaction.session, principals.GROUP, name)
    return query.listing(call, "groups", (bodies.group(row) for row in rows))


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one group."""
    return query.entity(call, "groups", bodies.group(named(transaction, call.params["id"])))


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
        properties={n: body[n] for n in ("description", "mailNickname", "isAssignableToRole") if n in body},
    )  # fmt: skip
    transaction.session.add(row)
    transaction.session.flush()
    transaction.session.add(principals.Ownership(object_id=row.id, owner_id=call.caller.id))
    call.change(after={"id": row.id, "displayName": row.display_name})
    return query.entity(call, "groups", bodies.group(row), 201)


def update(transaction: Transaction, call: Call) -> Reply:
    """Change a group."""
    row, body = named(transaction, call.params["id"]), call.json()
    before = {"displayName": row.display_name, **row.properties}
    if body.get("displayName"):
        row.display_name = str(body["displayName"])
        row.display_key = row.display_name.lower()
    row.properties = {**row.properties, **{n: body[n] for n in ("description", "mailNickname") if n in body}}
    call.change(before=before, after={"displayName": row.display_name, **row.properties})
    return query.reply(call, None, 204)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a group; its role assignments stay, orphaned."""
    row = named(transaction, call.params["id"])
    call.change(before={"id": row.id, "displayName": row.display_name})
    principals.remove(transaction.session, row.id)
    return query.reply(call, None, 204)
