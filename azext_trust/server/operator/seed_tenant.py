"""Brings a seed's tenant, options, management groups and subscription into the state."""

from __future__ import annotations

import uuid

from azext_trust.server.operator import first_party, world
from azext_trust.server.operator.errors import SeedError
from azext_trust.server.operator.seed_context import Context
from azext_trust.server.operator.seed_parts import ManagementGroupPart
from azext_trust.server.store import facts, options, resources

ROOT_NAME = "Tenant Root Group"


def tenant(context: Context) -> None:
    """Make the tenant with its root management group, or compare it."""
    part, session = context.seed.tenant, context.session
    if not context.founding:
        context.compare("the tenant's id", context.transaction.tenant_id(), part.id)
        context.compare("the tenant's domain", facts.get(session, facts.TENANT_DOMAIN), part.domain)
        context.compare("the tenant's name", facts.get(session, facts.TENANT_NAME), part.name)
        return
    made = (part.id or str(uuid.uuid4())).lower()
    facts.put(session, facts.TENANT_ID, made)
    facts.put(session, facts.TENANT_DOMAIN, part.domain)
    facts.put(session, facts.TENANT_NAME, part.name or default_name(part.domain))
    session.add(resources.ManagementGroup(key=made, id=made, display_name=ROOT_NAME))
    first_party.found(session, context.now)
    context.done.created.append(f"tenant {part.domain}")


def default_name(domain: str) -> str:
    """Return the name of a tenant that was given none."""
    return domain.split(".")[0].title()


def position(context: Context) -> None:
    """Set the retirement switch and the options of a new state, compare those of an older one.

    Raises:
        SeedError: an option that does not exist.
    """
    wanted, session = context.seed.retirement, context.session
    if not context.founding:
        context.compare("the retirement switch", context.transaction.retirement(), wanted)
    elif wanted:
        world.move_retirement(context.transaction, wanted)
    now = options.get(session)
    try:
        then = options.changed(now, dict(context.seed.options))
    except options.OptionError as error:
        raise SeedError(f"options: {error}") from None
    if context.founding:
        options.put(session, then)
    else:
        shown = options.shown(now)
        context.compare_members("the options", shown, {n: v for n, v in options.shown(then).items() if v != shown[n]})


def management_groups(context: Context) -> None:
    """Make management groups, those above first.

    Raises:
        SeedError: parents that are not there, or that go round in a circle.
    """
    waiting = list(context.seed.management_groups)
    while waiting:
        later = [part for part in waiting if not _management_group(context, part)]
        if len(later) == len(waiting):
            part = later[0]
            raise SeedError(f"Management group {part.name}: there is no management group '{part.parent}' above it.")
        context.session.flush()
        waiting = later


def _management_group(context: Context, part: ManagementGroupPart) -> bool:
    session, root = context.session, context.transaction.tenant_id()
    found = session.get(resources.ManagementGroup, part.name.lower())
    parent = part.parent.lower() if part.parent else root
    if found is not None and part.name.lower() == root:
        _root(context, part, found)
        return True
    if session.get(resources.ManagementGroup, parent) is None:
        return False
    if found is not None:
        context.compare(f"the display name of management group {part.name}", found.display_name, part.display_name)
        context.compare(f"the parent of management group {part.name}", found.parent_key, parent)
        return True
    session.add(
        resources.ManagementGroup(
            key=part.name.lower(), id=part.name, display_name=part.display_name or part.name, parent_key=parent,
            updated_on=context.now, updated_by="seed",
        )
    )  # fmt: skip
    context.done.created.append(f"management group {part.name}")
    return True


def _root(context: Context, part: ManagementGroupPart, found: resources.ManagementGroup) -> None:
    if context.founding and part.display_name:
        found.display_name = part.display_name
    context.compare("the display name of the root management group", found.display_name, part.display_name)


def subscription(context: Context) -> None:
    """Make the subscription below its management group, or compare it.

    Raises:
        SeedError: there is no such management group.
    """
    part, session = context.seed.subscription, context.session
    above = part.management_group.lower() if part.management_group else None
    if above and session.get(resources.ManagementGroup, above) is None:
        raise SeedError(f"The subscription: there is no management group '{part.management_group}'.")
    context.subscription = _found(context)
    if context.subscription is None:
        context.subscription = resources.Subscription(
            id=(part.id or str(uuid.uuid4())).lower(), name=part.name,
            management_group=above or context.transaction.tenant_id(),
        )  # fmt: skip
        session.add(context.subscription)
        session.flush()
        context.done.created.append(f"subscription {part.name}")
    context.compare(f"the management group of subscription {part.name}", context.subscription.management_group, above)
    _providers(context, context.subscription.id)


def _found(context: Context) -> resources.Subscription | None:
    part = context.seed.subscription
    for row in resources.subscriptions(context.session):
        if row.name == part.name or row.id == part.id:
            context.compare(f"the id of subscription {row.name}", row.id, part.id)
            context.compare(f"the name of subscription {row.id}", row.name, part.name)
            return row
    return None


def _providers(context: Context, subscription_id: str) -> None:
    known = resources.registrations(context.session, subscription_id)
    for namespace, registered in context.seed.subscription.providers.items():
        if namespace.lower() not in known:
            resources.register(context.session, subscription_id, namespace, registered)
            context.done.created.append(f"registration of {namespace}")
        else:
            context.compare(f"the registration of {namespace}", known[namespace.lower()], registered)
