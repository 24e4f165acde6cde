"""Subscriptions, management groups and resource groups."""

from __future__ import annotations

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select


class Subscription(SQLModel, table=True):
    """A subscription of the tenant."""

    __tablename__ = "subscription"

    id: str = Field(primary_key=True)
    name: str
    state: str = "Enabled"
    management_group: str | None = None


class ManagementGroup(SQLModel, table=True):
    """A management group; the root group's id is the tenant id and its parent is None.

    `version` counts the changes; `updated_on` and `updated_by` (an object id) tell of the last one.
    """

    __tablename__ = "management_group"

    key: str = Field(primary_key=True)
    id: str
    display_name: str
    parent_key: str | None = None
    version: int = 1
    updated_on: str = ""
    updated_by: str = ""


class ResourceGroup(SQLModel, table=True):
    """A resource group."""

    __tablename__ = "resource_group"

    subscription_id: str = Field(primary_key=True, foreign_key="subscription.id")
    name_key: str = Field(primary_key=True)
    name: str
    location: str
    managed_by: str | None = None
    created: str = ""
    modified: str = ""
    tags: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class ProviderRegistration(SQLModel, table=True):
    """A subscription's registration with a resource provider, where it differs from the provider's default."""

    __tablename__ = "provider_registration"

    subscription_id: str = Field(primary_key=True)
    namespace_key: str = Field(primary_key=True)
    registered: bool


def subscriptions(session: Session) -> list[Subscription]:
    """Return all subscriptions by name."""
    return list(session.exec(select(Subscription).order_by(col(Subscription.name), col(Subscription.id))))


def resource_group(session: Session, subscription_id: str, name: str) -> ResourceGroup | None:
    """Return a resource group; case is ignored."""
    return session.get(ResourceGroup, (subscription_id.lower(), name.lower()))


def groups(session: Session, subscription_id: str) -> list[ResourceGroup]:
    """Return the resource groups of a subscription by name."""
    query = select(ResourceGroup).where(ResourceGroup.subscription_id == subscription_id.lower())
    return list(session.exec(query.order_by(col(ResourceGroup.name_key))))


def group_names(session: Session, subscription_id: str) -> dict[str, str]:
    """Return the names of a subscription's resource groups as they were written, by name in lower case."""
    return {row.name_key: row.name for row in groups(session, subscription_id)}


def management_chain(session: Session, group_key: str | None) -> list[str]:
    """Return the scope keys of a management group and those above it, nearest first (no ``/``)."""
    chain: list[str] = []
    while group_key:
        scope = f"/providers/microsoft.management/managementgroups/{group_key}"
        if scope in chain:
            break
        chain.append(scope)
        found = session.get(ManagementGroup, group_key)
        group_key = found.parent_key if found else None
    return chain


def management_groups(session: Session) -> list[ManagementGroup]:
    """Return all management groups by name."""
    return list(session.exec(select(ManagementGroup).order_by(col(ManagementGroup.key))))


def child_groups(session: Session, group_key: str) -> list[ManagementGroup]:
    """Return the management groups directly below one, by name."""
    query = select(ManagementGroup).where(ManagementGroup.parent_key == group_key)
    return list(session.exec(query.order_by(col(ManagementGroup.key))))


def subscriptions_of(session: Session, group_key: str) -> list[Subscription]:
    """Return the subscriptions directly below a management group, by name."""
    query = select(Subscription).where(Subscription.management_group == group_key)
    return list(session.exec(query.order_by(col(Subscription.name), col(Subscription.id))))


def registrations(session: Session, subscription_id: str) -> dict[str, bool]:
    """Return what a subscription said of providers: namespace in lower case -> registered."""
    query = select(ProviderRegistration).where(ProviderRegistration.subscription_id == subscription_id.lower())
    return {row.namespace_key: row.registered for row in session.exec(query)}


def register(session: Session, subscription_id: str, namespace: str, registered: bool) -> None:
    """Note that a subscription is registered with a provider, or is not."""
    key = (subscription_id.lower(), namespace.lower())
    found = session.get(ProviderRegistration, key)
    if found is None:
        session.add(ProviderRegistration(subscription_id=key[0], namespace_key=key[1], registered=registered))
    else:
        found.registered = registered
