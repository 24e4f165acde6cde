"""Members, owners, and the groups somebody is in; objects of any kind by id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import (
    applications,
    bodies,
    errors,
    groups,
    listing,
    query,
    references,
    rights,
    service_principals,
)
from azext_trust.server.store import directory_lists, principals
from azext_trust.server.store.directory_lists import Clause, Row
from azext_trust.server.store.transaction import Transaction

KINDS = {principals.USER: "user", principals.GROUP: "group", principals.SERVICE_PRINCIPAL: "servicePrincipal"}
_CASTS = {name.lower(): kind for kind, name in KINDS.items()}


def typed(transaction: Transaction, rows: Sequence[Row]) -> list[query.Body]:
    """Return objects with their @odata.type, as mixed lists show them."""
    found = [row for row in rows if isinstance(row, principals.DirectoryObject)]
    services = service_principals.bodies_of(transaction, [r for r in found if r.kind == principals.SERVICE_PRINCIPAL])
    by_id = {str(body["id"]): body for body in services}
    made = {principals.USER: bodies.user, principals.GROUP: bodies.group}
    return [
        {"@odata.type": f"#microsoft.graph.{KINDS[row.kind]}",
         **(made[row.kind](row) if row.kind in made else by_id[row.id])}
        for row in found
    ]  # fmt: skip


OBJECTS = listing.Collection("directoryObjects", principals.DirectoryObject, (), typed)


def _related(transaction: Transaction, call: Call, where: Clause) -> Reply:
    """Return a page of related objects; a cast in the path keeps one kind, ``/$count`` counts."""
    clauses, cast = [where], call.params.get("cast")
    if cast is not None:
        if cast.lower() not in _CASTS:
            raise errors.bad_request(f"The type 'microsoft.graph.{cast}' is no type of a directory object.")
        clauses.append(directory_lists.of_kind(_CASTS[cast.lower()]))
    if call.path.rstrip("/").lower().endswith("/$count"):
        return listing.number(transaction, call, OBJECTS, *clauses)
    return listing.reply(transaction, call, OBJECTS, *clauses)


def one(transaction: Transaction, call: Call) -> Reply:
    """Return an object of any kind."""
    row = references.found(transaction, call.params["id"])
    return query.entity(call, "directoryObjects", typed(transaction, [row])[0])


def delete_one(transaction: Transaction, call: Call) -> Reply:
    """Delete an object of any kind: as its own collection does."""
    from azext_trust.server.graph import users

    row = references.found(transaction, call.params["id"])
    ways = {principals.USER: users.delete, principals.GROUP: groups.delete}
    return ways.get(row.kind, service_principals.delete)(transaction, call)


def by_ids(transaction: Transaction, call: Call) -> Reply:
    """Return those of up to 1,000 ids that exist."""
    body = call.json()
    ids, types = body.get("ids"), body.get("types")
    if not isinstance(ids, list) or len(ids) > 1000:
        raise errors.bad_request("The 'ids' must be a collection of at most 1000 identifiers.")
    wanted = {str(name).lower() for name in types} if isinstance(types, list) and types else None
    found = principals.by_ids(transaction.session, map(str, ids))
    rows = [row for row in found.values() if wanted is None or KINDS[row.kind].lower() in wanted]
    value: list[query.Body] = [query.selected(call, shown) for shown in typed(transaction, rows)]
    if wanted is None or "application" in wanted:
        value += _applications(transaction, [str(name).lower() for name in ids])
    return query.reply(call, {"@odata.context": query.context(call, "directoryObjects"), "value": value})


def _applications(transaction: Transaction, ids: Iterable[str]) -> list[query.Body]:
    rows = [row for name in ids if (row := transaction.session.get(principals.Application, name)) is not None]
    return [{"@odata.type": "#microsoft.graph.application", **body}
            for body in applications.bodies_of(transaction, rows)]  # fmt: skip


def of_group(transaction: Transaction, call: Call) -> Reply:
    """Return a group's direct members."""
    group = groups.named(transaction, call.params["id"])
    return _related(transaction, call, directory_lists.members(group.id))


def of_group_transitive(transaction: Transaction, call: Call) -> Reply:
    """Return a group's members, those of nested groups included."""
    group = groups.named(transaction, call.params["id"])
    return _related(transaction, call, directory_lists.all_members(group.id))


def add(transaction: Transaction, call: Call) -> Reply:
    """Add a member to a group."""
    group, member = groups.named(transaction, call.params["id"]), references.referenced(transaction, call)
    rights.guard(transaction, call, group)
    if member.id == group.id:
        raise errors.bad_request("A group cannot be a member of itself.")
    if transaction.session.get(principals.Membership, (group.id, member.id)) is not None:
        raise errors.already_member("members")
    transaction.session.add(principals.Membership(group_id=group.id, member_id=member.id))
    call.change(after={"group": group.id, "groupName": group.display_name, "member": member.id})
    return query.reply(call, None, 204)


def remove(transaction: Transaction, call: Call) -> Reply:
    """Remove a member from a group."""
    group = groups.named(transaction, call.params["id"])
    rights.guard(transaction, call, group)
    row = transaction.session.get(principals.Membership, (group.id, call.params["member"].lower()))
    if row is None:
        raise errors.no_object(call.params["member"])
    call.change(before={"group": group.id, "groupName": group.display_name, "member": row.member_id})
    transaction.session.delete(row)
    return query.reply(call, None, 204)


def _owned(transaction: Transaction, call: Call) -> str:
    """Return the id of the group, application or service principal that a path names."""
    if "/applications/" in call.path.lower():
        return applications.named(transaction, call.params["id"]).id
    if "/serviceprincipals/" in call.path.lower():
        return service_principals.named(transaction, call.params["id"]).id
    return references.found(transaction, call.params["id"]).id


def owners(transaction: Transaction, call: Call) -> Reply:
    """Return owners."""
    return _related(transaction, call, directory_lists.owners(_owned(transaction, call)))


def add_owner(transaction: Transaction, call: Call) -> Reply:
    """Add an owner."""
    owned, owner = _owned(transaction, call), references.referenced(transaction, call)
    if transaction.session.get(principals.Ownership, (owned, owner.id)) is not None:
        raise errors.already_member("owners")
    if owner.kind == principals.GROUP:
        raise errors.bad_request("Only users and service principals can be owners.")
    transaction.session.add(principals.Ownership(object_id=owned, owner_id=owner.id))
    call.change(after={"object": owned, "owner": owner.id})
    return query.reply(call, None, 204)


def remove_owner(transaction: Transaction, call: Call) -> Reply:
    """Remove an owner; a group keeps its last one who is a user."""
    owned = _owned(transaction, call)
    row = transaction.session.get(principals.Ownership, (owned, call.params["owner"].lower()))
    if row is None:
        raise errors.no_object(call.params["owner"])
    if "/groups/" in call.path.lower() and len(principals.owners(transaction.session, owned)) == 1:
        raise errors.bad_request("The group must have at least one owner, hence this owner cannot be removed.")
    call.change(before={"object": owned, "owner": row.owner_id})
    transaction.session.delete(row)
    return query.reply(call, None, 204)


def owned_objects(transaction: Transaction, call: Call) -> Reply:
    """Return what a user or service principal owns."""
    return _owned_by(transaction, call, references.found(transaction, call.params["id"]).id)


def my_objects(transaction: Transaction, call: Call) -> Reply:
    """Return what the signed-in user owns."""
    return _owned_by(transaction, call, _me(call))


def _owned_by(transaction: Transaction, call: Call, owner_id: str) -> Reply:
    ids = principals.owned(transaction.session, owner_id)
    rows = typed(transaction, list(principals.by_ids(transaction.session, ids).values()))
    return query.listing(call, "directoryObjects", [*rows, *_applications(transaction, ids)])


def _me(call: Call) -> str:
    if call.caller.kind != principals.USER:
        raise errors.delegated_only()
    return call.caller.id


def _who(transaction: Transaction, call: Call) -> str:
    """Return the id of the object a path names; ``/me`` is the caller."""
    return references.found(transaction, call.params["id"]).id if "id" in call.params else _me(call)


def check_groups(transaction: Transaction, call: Call) -> Reply:
    """Return those of the groups asked about that somebody is in, transitively."""
    return _checked(transaction, call, "groupIds")


def check_objects(transaction: Transaction, call: Call) -> Reply:
    """Return those of the groups and directory roles asked about that somebody is in."""
    return _checked(transaction, call, "ids")


def _checked(transaction: Transaction, call: Call, member: str) -> Reply:
    asked = call.json().get(member)
    if not isinstance(asked, list) or len(asked) > 20:
        raise errors.bad_request(f"The '{member}' must be a collection of at most 20 identifiers.")
    who = _who(transaction, call)
    held = set(principals.group_chains(transaction.session, who))
    if member == "ids":
        held |= _role_ids(transaction, who)
    return query.texts(call, [name for name in map(str, asked) if name.lower() in held])


def _role_ids(transaction: Transaction, who: str) -> set[str]:
    from azext_trust.rbac import directory

    known = directory.directory_roles()
    return {known[name].id for name in principals.directory_roles(transaction.session, who) if name in known}


def group_ids(transaction: Transaction, call: Call) -> Reply:
    """Return the ids of all groups somebody is in, transitively."""
    return query.texts(call, sorted(principals.group_chains(transaction.session, _who(transaction, call))))


def object_ids(transaction: Transaction, call: Call) -> Reply:
    """Return the ids of all groups and directory roles somebody is in."""
    who = _who(transaction, call)
    security = call.json().get("securityEnabledOnly") is True
    held = set(principals.group_chains(transaction.session, who))
    return query.texts(call, sorted(held if security else held | _role_ids(transaction, who)))


def direct_groups(transaction: Transaction, call: Call) -> Reply:
    """Return the groups somebody is directly in."""
    return _related(transaction, call, directory_lists.groups_of(_who(transaction, call)))


def all_groups(transaction: Transaction, call: Call) -> Reply:
    """Return all groups somebody is in, transitively."""
    return _related(transaction, call, directory_lists.all_groups_of(_who(transaction, call)))
