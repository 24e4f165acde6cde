"""Container registries: their settings, policies and admin account."""

from __future__ import annotations

import uuid

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select

MODE_SWITCHES = "roleAssignmentModeSwitches"
"""A member of `Registry.properties` that ARM does not show: how often the role assignment mode was switched."""


class Registry(SQLModel, table=True):
    """A registry. `name_key` is unique in the whole cloud, as a login server is.

    `trust_space` is the key under which its trust data lie; an erasure gives it a new one (see `trust.erase`).
    """

    __tablename__ = "registry"

    id: str = Field(primary_key=True)
    scope_key: str = Field(unique=True)
    subscription_id: str = Field(index=True)
    group_key: str = Field(index=True)
    name: str
    name_key: str = Field(unique=True)
    location: str
    sku: str
    admin_enabled: bool = False
    admin_sealed: str = ""
    trust_enabled: bool = False
    trust_enabled_before_retirement: bool = False
    trust_space: str = Field(default_factory=lambda: str(uuid.uuid4()))
    created: str
    created_by: str
    modified: str
    modified_by: str
    tags: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    policies: dict[str, dict[str, object]] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    properties: dict[str, object] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def by_scope(session: Session, scope_key: str) -> Registry | None:
    """Return the registry with this resource id in `names.scopes.key` form."""
    return session.exec(select(Registry).where(Registry.scope_key == scope_key)).first()


def by_name(session: Session, name: str) -> Registry | None:
    """Return the registry of this name, whatever its subscription; case is ignored."""
    return session.exec(select(Registry).where(Registry.name_key == name.lower())).first()


def in_subscription(session: Session, subscription_id: str, group: str | None = None) -> list[Registry]:
    """Return the registries of a subscription, or of one of its resource groups, by name."""
    query = select(Registry).where(Registry.subscription_id == subscription_id.lower())
    if group is not None:
        query = query.where(Registry.group_key == group.lower())
    return list(session.exec(query.order_by(col(Registry.name_key))))


def trust_in_force(registry: Registry, retirement: str) -> bool:
    """Tell whether content trust is on for whoever asks: what the policy reads and the trust endpoints obey.

    In 2028 it is off everywhere, and off Premium it does not exist; the trust data below is kept unseen (M5).

    Args:
        registry: with the SKU it has now.
        retirement: the retirement switch's position, ``off``, ``2026`` or ``2028``.
    """
    return registry.trust_enabled and retirement != "2028" and registry.sku == "Premium"


def default_policies(now: str) -> dict[str, dict[str, object]]:
    """Return the policies of a new registry as ARM shows them; content trust is a column of its own.

    Args:
        now: the moment of creation, in `clock.to_text` form.
    """
    return {
        "quarantinePolicy": {"status": "disabled"},
        "retentionPolicy": {"days": 7, "lastUpdatedTime": now, "status": "disabled"},
        "exportPolicy": {"status": "enabled"},
        "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
        "softDeletePolicy": {"retentionDays": 7, "lastUpdatedTime": now, "status": "disabled"},
    }


def new(scope: str, location: str, sku: str, now: str, creator: str) -> Registry:
    """Return a new registry with a registry's default settings, not yet added to the session.

    Args:
        scope: its resource id, ``/subscriptions/../registries/NAME``.
        location: the region's name, ``westeurope``.
        sku: ``Basic``, ``Standard`` or ``Premium``.
        now: the moment, in `clock.to_text` form.
        creator: upn or appId of who makes it.
    """
    parts = scope.split("/")
    return Registry(
        id=str(uuid.uuid4()), scope_key=scope.lower(), subscription_id=parts[2].lower(), group_key=parts[4].lower(),
        name=parts[8], name_key=parts[8].lower(), location=location, sku=sku, created=now, created_by=creator,
        modified=now, modified_by=creator, policies=default_policies(now),
    )  # fmt: skip
