"""Members, owners, and the groups somebody is in; objects of any kind by id."""

from __future__ import annotations

from collections.abc import Iterable

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import applications, bodies, errors, groups, query, service_principals
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction

_KINDS = {principals.USER: "user", principals.GROUP: "group", principals.SERVICE_PRINCIPAL: "servicePrincipal"}


def typed(transaction: Transaction, row: principals.DirectoryObject) -> query.Body:
    """Return an object with its @odata.type, as mixed lists show it."""
    kind = {"@odata.type": f"#microsoft.graph.{_KINDS[row.kind]}"}
    if row.kind == principals.USER:
        return kind | bodies.user(row)
    if row.kind == principals.GROUP:
        return kind | bodies.group(row)
    return kind | service_principals.body_of(transaction, row)


def _listing(transaction: Transaction, call: Call, ids: Iterable[str]) -> Reply:
    rows = sorted(principals.by_ids(transaction.session, ids).values(), key=lambda row: (row.display_key, row.id))
    return query.listing(call, "directoryObjects", (typed(transaction, row) for row in rows))


def _any(transaction: Transaction, name: str) -> principals.DirectoryObject:
    found = principals.by_id(transaction.session, name) or principals.user_by_upn(transaction.session, name)
    if found is None:
        raise errors.no_object(name)
    return found


def one(transaction: Transaction, call: Call) -> Reply:
    """Return an object of any kind."""
    row = _any(transaction, call.params["id"])
    return query.entity(call, "directoryObjects", typed(transaction, row))


def by_ids(transaction: Transaction, call: Call) -> Reply:
    """Return those of up to 1,000 ids that exist."""
    body = call.json()
    ids, types = body.get("ids"), body.get("types")
    if not isinstance(ids, list) or len(ids) > 1000:
        raise errors.bad_request("The 'ids' must be a collection of at most 1000 identifiers.")
    wanted = {str(name).lower() for name in types} if isinstance(types, list) and types else None
    rows = principals.by_ids(transaction.session, map(str, ids))
    value = [typed(transaction, row) for row in rows.values() if wanted is None or _KINDS[row.kind].lower() in wanted]
    return query.reply(call, {"@odata.context": query.context(call, "directoryObjects"), "value": value})


def of_group(transaction: Transaction, call: Call) -> Reply:
    """Return a group's direct members."""
    group = groups.named(transaction, call.params["id"])
    return _listing(transaction, call, principals.direct_members(transaction.session, group.id))


def of_group_transitive(transaction: Transaction, call: Call) -> Reply:
    """Return a group's members, those of nested groups included."""
    group = groups.named(transaction, call.params["id"])
    return _listing(transaction, call, principals.transitive_members(transaction.session, group.id))


def _referenced(transaction: Transaction, call: Call) -> principals.DirectoryObject:
    """Return the object whose address a $ref request carries."""
    address = call.json().get("@odata.id")
    if not isinstance(address, str) or "/" not in address:
        raise errors.bad_request("The property '@odata.id' must hold the address of a directory object.")
    return _any(transaction, address.rstrip("/").rpartition("/")[2])


def add(transaction: Transaction, call: Call) -> Reply:
    """Add a member to a group."""
    group, member = groups.named(transaction, call.params["id"]), _referenced(transaction, call)
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
    return _any(transaction, call.params["id"]).id


def owners(transaction: Transaction, call: Call) -> Reply:
    """Return owners."""
    owned = _owned(transaction, call)
    return _listing(transaction, call, principals.owners(transaction.session, owned))


def add_owner(transaction: Transaction, call: Call) -> Reply:
    """Add an owner."""
    owned, owner = _owned(transaction, call), _referenced(transaction, call)
    if transaction.session.get(principals.Ownership, (owned, owner.id)) is not None:
        raise errors.already_member("owners")
    transaction.session.add(principals.Ownership(object_id=owned, owner_id=owner.id))
    call.change(after={"object": owned, "owner": owner.id})
    return query.reply(call, None, 204)


def remove_owner(transaction: Transaction, call: Call) -> Reply:
    """Remove an owner."""
    owned = _owned(transaction, call)
    row = transaction.session.get(principals.Ownership, (owned, call.params["owner"].lower()))
    if row is None:
        raise errors.no_object(call.params["owner"])
    call.change(before={"object": owned, "owner": row.owner_id})
    transaction.session.delete(row)
    return query.reply(call, None, 204)


def my_objects(transaction: Transaction, call: Call) -> Reply:
    """Return what the signed-in user owns."""
    if call.caller.kind != principals.USER:
        raise errors.delegated_only()
    ids = principals.owned(transaction.session, call.caller.id)
    rows = [typed(transaction, row) for row in principals.by_ids(transaction.session, ids).values()]
    rows += [
        {"@odata.type": "#microsoft.graph.application", **applications.body_of(transaction, row)}
        for object_id in ids
        if (row := transaction.session.get(principals.Application, object_id)) is not None
    ]
    return query.listing(call, "directoryObjects", rows)


def my_groups(transaction: Transaction, call: Call) -> Reply:
    """Return the groups the signed-in user is directly in."""
    chains = principals.group_chains(transaction.session, call.caller.id)
    return _listing(transaction, call, (group for group, chain in chains.items() if len(chain) == 1))


def check_groups(transaction: Transaction, call: Call) -> Reply:
    """Return those of the groups asked about that somebody is in, transitively."""
    asked = call.json().get("groupIds")
    if not isinstance(asked, list) or len(asked) > 20:
        raise errors.bad_request("The 'groupIds' must be a collection of at most 20 group identifiers.")
    chains = principals.group_chains(transaction.session, _any(transaction, call.params["id"]).id)
    return _texts(call, [group for group in map(str, asked) if group.lower() in chains])


def _texts(call: Call, value: list[str]) -> Reply:
    return query.reply(call, {"@odata.context": query.context(call, "Collection(Edm.String)"), "value": value})


def group_ids(transaction: Transaction, call: Call) -> Reply:
    """Return the ids of all groups somebody is in, transitively."""
    row = _any(transaction, call.params["id"])
    return _texts(call, sorted(principals.group_chains(transaction.session, row.id)))


def direct_groups(transaction: Transaction, call: Call) -> Reply:
    """Return the groups somebody is directly in."""
    chains = principals.group_chains(transaction.session, _any(transaction, call.params["id"]).id)
    return _listing(transaction, call, (group for group, chain in chains.items() if len(chain) == 1))


def all_groups(transaction: Transaction, call: Call) -> Reply:
    """Return all groups somebody is in, transitively."""
    chains = principals.group_chains(transaction.session, _any(transaction, call.params["id"]).id)
    return _listing(transaction, call, chains)
