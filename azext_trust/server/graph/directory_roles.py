"""Entra directory roles and who holds them."""

from __future__ import annotations

from azext_trust.rbac import directory
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import errors, members, query
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction


def _body(role: directory.DirectoryRole) -> query.Body:
    # Here an active role has its template's id; in Entra they differ.
    return {
        "id": role.id, "deletedDateTime": None, "description": role.description, "displayName": role.name,
        "roleTemplateId": role.id,
    }  # fmt: skip


def _named(call: Call) -> directory.DirectoryRole:
    wanted = call.params["id"].lower().removeprefix("roletemplateid=").strip("'")
    for role in directory.directory_roles().values():
        if role.id == wanted:
            return role
    raise errors.no_object(call.params["id"])


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the directory roles."""
    return query.listing(call, "directoryRoles", (_body(role) for role in directory.directory_roles().values()))


def members_of(transaction: Transaction, role: str) -> list[str]:
    """Return the object ids of a role's holders."""
    return principals.role_holders(transaction.session, role)


def holders(transaction: Transaction, call: Call) -> Reply:
    """Return a role's holders."""
    rows = principals.by_ids(transaction.session, members_of(transaction, _named(call).name)).values()
    return query.listing(call, "directoryObjects", (members.typed(transaction, row) for row in rows))


def add(transaction: Transaction, call: Call) -> Reply:
    """Give a role to somebody."""
    role = _named(call)
    target = str(call.json().get("@odata.id", "")).rstrip("/").rpartition("/")[2].lower()
    row = principals.by_id(transaction.session, target)
    if row is None:
        raise errors.no_object(target)
    if row.id in members_of(transaction, role.name):
        raise errors.already_member("members")
    transaction.session.add(principals.DirectoryRoleMember(role=role.name, principal_id=row.id))
    call.change(after={"role": role.name, "member": row.id})
    return query.reply(call, None, 204)


def remove(transaction: Transaction, call: Call) -> Reply:
    """Take a role from somebody."""
    role = _named(call)
    row = transaction.session.get(principals.DirectoryRoleMember, (role.name, call.params["member"].lower()))
    if row is None:
        raise errors.no_object(call.params["member"])
    call.change(before={"role": role.name, "member": row.principal_id})
    transaction.session.delete(row)
    return query.reply(call, None, 204)
