"""Entra directory roles and who holds them."""

from __future__ import annotations

from azext_trust.rbac import directory
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import errors, listing, members, query, references
from azext_trust.server.store import directory_lists, principals
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


def _template(role: directory.DirectoryRole) -> query.Body:
    return {
        "id": role.id, "deletedDateTime": None, "description": role.description, "displayName": role.name
    }  # fmt: skip


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the directory roles."""
    return query.listing(call, "directoryRoles", (_body(role) for role in directory.directory_roles().values()))


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one directory role."""
    return query.entity(call, "directoryRoles", _body(_named(call)))


def activate(transaction: Transaction, call: Call) -> Reply:
    """Activate a role from its template; here all of them are active."""
    call.params = {**call.params, "id": str(call.json().get("roleTemplateId") or "")}
    role = _named(call)
    call.change(after={"role": role.name})
    return query.entity(call, "directoryRoles", _body(role), 201)


def templates(transaction: Transaction, call: Call) -> Reply:
    """Return the templates of directory roles."""
    rows = (_template(role) for role in directory.directory_roles().values())
    return query.listing(call, "directoryRoleTemplates", rows)


def template(transaction: Transaction, call: Call) -> Reply:
    """Return one template."""
    return query.entity(call, "directoryRoleTemplates", _template(_named(call)))


def holders(transaction: Transaction, call: Call) -> Reply:
    """Return a role's holders."""
    return listing.reply(transaction, call, members.OBJECTS, directory_lists.role_holders(_named(call).name))


def add(transaction: Transaction, call: Call) -> Reply:
    """Give a role to somebody."""
    role = _named(call)
    row = references.referenced(transaction, call)
    if row.id in principals.role_holders(transaction.session, role.name):
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
