"""The whole world in the form of a seed file, secrets left out: applying it makes the same world again.

What is not in it: passwords, secrets and keys; images and trust data; the activity log; times, and who changed what;
deleted objects; the clock.
"""

from __future__ import annotations

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.operator import dump_access, dump_directory, dump_resources
from azext_trust.server.operator.dump_names import Names
from azext_trust.server.operator.seed_parts import ManagementGroupPart, Seed, SubscriptionPart, Tenant
from azext_trust.server.operator.seed_tenant import ROOT_NAME, default_name
from azext_trust.server.store import facts, options, resources
from azext_trust.server.store.transaction import Transaction


def show(transaction: Transaction, call: Call) -> Reply:
    """Return the world as a seed: what is by default is left out."""
    return Reply(world(transaction).model_dump(mode="json", by_alias=True, exclude_defaults=True))


def world(transaction: Transaction) -> Seed:
    """Return the world as a seed."""
    names, session = Names(session := transaction.session), session
    position, set_options = transaction.retirement(), options.shown(options.get(session))
    defaults = options.shown(options.Options())
    return Seed.model_validate(
        {
            "tenant": _tenant(transaction), "retirement": None if position == "off" else position,
            "options": {name: value for name, value in set_options.items() if value != defaults[name]},
            "managementGroups": _management_groups(transaction), "subscription": _subscription(transaction),
            "users": dump_directory.users(session), "groups": dump_directory.groups(session, names),
            "applications": dump_directory.applications(session, names),
            "directoryRoles": dump_directory.directory_roles(session, names),
            "resourceGroups": dump_resources.resource_groups(session),
            "identities": dump_resources.managed_identities(session),
            "registries": dump_resources.container_registries(session),
            "customRoles": dump_access.custom_roles(session), "assignments": dump_access.assignments(session, names),
            "denyAssignments": dump_access.deny_assignments(session, names), "locks": dump_access.locks(session),
            "permissionGrants": dump_directory.permission_grants(session, names),
            "appRoles": dump_directory.app_roles(session, names),
        }
    )  # fmt: skip


def _tenant(transaction: Transaction) -> Tenant:
    domain = facts.get(transaction.session, facts.TENANT_DOMAIN)
    name = facts.get(transaction.session, facts.TENANT_NAME)
    return Tenant(id=transaction.tenant_id(), domain=domain, name=None if name in ("", default_name(domain)) else name)


def _management_groups(transaction: Transaction) -> list[ManagementGroupPart]:
    root = transaction.tenant_id()
    return [
        ManagementGroupPart(
            name=row.id, display_name=row.display_name if row.display_name != row.id else None,
            parent=None if row.parent_key in (None, root) else row.parent_key,
        )
        for row in resources.management_groups(transaction.session)
        if row.key != root or row.display_name != ROOT_NAME
    ]  # fmt: skip


def _subscription(transaction: Transaction) -> SubscriptionPart:
    row = resources.subscriptions(transaction.session)[0]
    above = None if row.management_group in (None, transaction.tenant_id()) else row.management_group
    return SubscriptionPart(
        id=row.id, name=row.name, management_group=above, providers=resources.registrations(transaction.session, row.id)
    )
