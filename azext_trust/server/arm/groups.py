"""Resource groups."""

from __future__ import annotations

import re

from azext_trust.names import scopes
from azext_trust.server.arm import bodies, errors, filters, long_running, paging, registry_identity, versions
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import (
    authorization,
    identities,
    management_locks,
    principals,
    registries,
    resources,
    trust,
)
from azext_trust.server.store import scope_maps as scope_map_store
from azext_trust.server.store.transaction import Transaction

_NAME = re.compile(r"[-\w.()]{0,89}[-\w()]")
_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"


def found(transaction: Transaction, call: Call) -> resources.ResourceGroup:
    """Return the group a request names.

    Raises:
        ServiceError: ResourceGroupNotFound.
    """
    row = resources.resource_group(transaction.session, call.params["subscription"], call.params["group"])
    if row is None:
        raise errors.no_group(call.params["group"])
    return row


_TAGS = frozenset({"tagname", "tagvalue"})


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the groups the caller may read, those with a tag when the filter says so."""
    test = filters.parse(call.query.get("$filter", ""), _TAGS)
    authoriser = Authoriser(transaction, call.caller)
    value = [
        bodies.group(row)
        for row in resources.groups(transaction.session, call.params["subscription"])
        if test(filters.tags(row.tags))
        and authoriser.allows(_READ, f"/subscriptions/{row.subscription_id}/resourceGroups/{row.name}")
    ]
    return paging.reply(call, value)


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one group."""
    return bodies.reply(call, bodies.group(found(transaction, call)))


def exists(transaction: Transaction, call: Call) -> Reply:
    """Answer 204 when the group exists, 404 when not."""
    row = resources.resource_group(transaction.session, call.params["subscription"], call.params["group"])
    return bodies.reply(call, None, 204 if row else 404)


def tags_of(body: dict[str, object]) -> dict[str, str] | None:
    """Return the tags in a body, None when it has none.

    Raises:
        ServiceError: they are no object of texts.
    """
    tags = body.get("tags")
    if tags is None:
        return None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise errors.invalid_content("The tags must be an object whose values are strings.")
    return {str(name): value for name, value in tags.items()}


def location_of(body: dict[str, object], kind: str | None = None) -> str | None:
    """Return the region in a body as a region's name: ``West Europe`` is westeurope.

    Raises:
        ServiceError: the region is not offered.
    """
    given = body.get("location")
    if given is None or given == "":
        return None
    name = str(given).replace(" ", "").lower()
    if name not in versions.locations():
        raise errors.no_such_location(str(given), kind)
    return name


def put(transaction: Transaction, call: Call) -> Reply:
    """Create a group, or set its tags."""
    body, name = call.json(), call.params["group"]
    subscription = transaction.session.get(resources.Subscription, call.params["subscription"].lower())
    if subscription is None:
        raise errors.no_subscription(call.params["subscription"])
    if not _NAME.fullmatch(name):
        raise errors.bad_group_name(name)
    location, tags = location_of(body), tags_of(body)
    if location is None:
        raise errors.location_required()
    managed_by, now = body.get("managedBy"), transaction.now_text()
    row = resources.resource_group(transaction.session, subscription.id, name)
    before = bodies.group(row) if row else None
    if row is None:
        row = resources.ResourceGroup(
            subscription_id=subscription.id, name_key=name.lower(), name=name, location=location, tags=tags or {},
            managed_by=str(managed_by) if managed_by else None, created=now,
        )  # fmt: skip
        transaction.session.add(row)
    elif row.location != location:
        raise errors.group_elsewhere(location, row.location)
    elif tags is not None:
        row.tags = tags
    row.modified = now
    transaction.session.flush()
    call.change(before=before, after=bodies.group(row))
    return bodies.reply(call, bodies.group(row), 200 if before else 201)


def patch(transaction: Transaction, call: Call) -> Reply:
    """Set a group's tags."""
    row = found(transaction, call)
    before = bodies.group(row)
    tags = tags_of(call.json())
    if tags is not None:
        row.tags = tags
    row.modified = transaction.now_text()
    call.change(before=before, after=bodies.group(row))
    return bodies.reply(call, bodies.group(row))


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a group with all it holds: registries with their trust data, identities, assignments, locks."""
    row = found(transaction, call)
    session = transaction.session
    gone = registries.in_subscription(session, row.subscription_id, row.name)
    lost = [trust.erase(transaction, registry) for registry in gone]
    for registry in gone:
        scope_map_store.remove_all(session, registry.id)
        registry_identity.remove(transaction, registry)
        session.delete(registry)
    for identity in identities.in_subscription(session, row.subscription_id, row.name):
        principals.remove(session, identity.principal_id)
        session.delete(identity)
    removed_scope(transaction, f"/subscriptions/{row.subscription_id}/resourceGroups/{row.name}")
    call.change(
        before={**bodies.group(row), "registries": [registry.name for registry in gone]},
        erased={
            "repositories": sum(one.repositories for one in lost), "signedTags": sum(one.signed_tags for one in lost)
        },
    )  # fmt: skip
    session.delete(row)
    return long_running.deleted(transaction, call, f"/subscriptions/{row.subscription_id}/operationresults", "groups")


def removed_scope(transaction: Transaction, scope: str) -> None:
    """Take away what was attached to a scope that is gone: role and deny assignments, locks.

    Nobody who comes by a new resource of the same name inherits rights from the old one.
    """
    key = scopes.key(scope)
    authorization.remove_below(transaction.session, key)
    for lock in management_locks.around(transaction.session, key):
        transaction.session.delete(lock)
