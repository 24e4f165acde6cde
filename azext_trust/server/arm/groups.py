"""Resource groups."""

from __future__ import annotations

import re

from azext_trust.server.arm import bodies, errors, versions
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import registries, resources, trust
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


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the groups the caller may read."""
    authoriser = Authoriser(transaction, call.caller)
    value = [
        bodies.group(row)
        for row in resources.groups(transaction.session, call.params["subscription"])
        if authoriser.allows(_READ, f"/subscriptions/{row.subscription_id}/resourceGroups/{row.name}")
    ]
    return bodies.reply(call, {"value": value})


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
    if name not in versions.LOCATIONS:
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
    row = resources.resource_group(transaction.session, subscription.id, name)
    before = bodies.group(row) if row else None
    if row is None:
        row = resources.ResourceGroup(
            subscription_id=subscription.id, name_key=name.lower(), name=name, location=location, tags=tags or {}
        )
        transaction.session.add(row)
    elif row.location != location:
        raise errors.group_elsewhere(location, row.location)
    elif tags is not None:
        row.tags = tags
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
    call.change(before=before, after=bodies.group(row))
    return bodies.reply(call, bodies.group(row))


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a group with its registries and all their trust data."""
    row = found(transaction, call)
    gone = registries.in_subscription(transaction.session, row.subscription_id, row.name)
    lost = [trust.erase(transaction, registry) for registry in gone]
    for registry in gone:
        transaction.session.delete(registry)
    call.change(
        before={**bodies.group(row), "registries": [registry.name for registry in gone]},
        erased={
            "repositories": sum(one.repositories for one in lost), "signedTags": sum(one.signed_tags for one in lost)
        },
    )  # fmt: skip
    transaction.session.delete(row)
    return bodies.reply(call, None)
