"""Brings a seed into the state: what exists is found by name and left as it is; nothing is deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError

from azext_trust.server.operator import seed_access, seed_directory, seed_resources, seed_tenant
from azext_trust.server.operator.errors import SeedError
from azext_trust.server.operator.seed_context import Applied, Context
from azext_trust.server.operator.seed_parts import Seed
from azext_trust.server.store.transaction import Transaction

__all__ = ["Applied", "apply"]

Step = tuple[Sequence[Any], Callable[[Context, Any], None]]


def apply(transaction: Transaction, seed: Seed) -> Applied:
    """Apply a seed within the caller's transaction.

    Raises:
        SeedError: the seed names something that does not exist or cannot be.
    """
    context = Context(transaction, seed)
    for whole in (seed_tenant.tenant, seed_tenant.management_groups, seed_tenant.subscription):
        whole(context)
    for parts, step in _steps(seed):
        for part in parts:
            _take(context, step, part)
    # Last: registries of a seed were made before the retirement.
    seed_tenant.position(context)
    return context.done


def _steps(seed: Seed) -> tuple[Step, ...]:
    """Return a seed's parts in an order in which each finds what it names."""
    return (
        (seed.users, seed_directory.user), (seed.groups, seed_directory.group),
        (seed.applications, seed_directory.application), (seed.resource_groups, seed_resources.resource_group),
        (seed.identities, seed_resources.identity), (seed.registries, seed_resources.registry),
        (seed.groups, seed_directory.members), (seed.applications, seed_directory.application_owners),
        (seed.custom_roles, seed_access.custom_role), (seed.users, seed_access.user_roles),
        (seed.assignments, seed_access.assignment), (seed.deny_assignments, seed_access.deny_assignment),
        (seed.locks, seed_access.lock), (seed.directory_roles, seed_directory.directory_role),
        (seed.permission_grants, seed_directory.permission_grant), (seed.app_roles, seed_directory.app_role),
    )  # fmt: skip


def _take(context: Context, step: Callable[[Context, Any], None], part: Any) -> None:
    try:
        step(context, part)
        context.session.flush()
    except IntegrityError:
        what = getattr(part, "name", "") or getattr(part, "assignee", "")
        raise SeedError(f"{what}: an id or a name it is to have is taken already by something else.") from None
