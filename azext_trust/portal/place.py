"""Where a page is: a subscription, a resource group or a registry, taken from the page's own path."""

from __future__ import annotations

import re
from dataclasses import dataclass

from azext_trust.names import scopes
from azext_trust.names.guids import is_guid

_NAME = re.compile(r"[^/?#%\\\x00-\x1f\x7f]{1,90}")
"""A resource group's name may hold nearly every letter there is, 90 of them; registries' are narrower."""
SUBSCRIPTION, GROUP, REGISTRY = "subscription", "group", "registry"


@dataclass(frozen=True)
class Place:
    """What a page is about.

    Attributes:
        id: the scope, in the case of the page's path.
        kind: ``subscription``, ``group`` or ``registry``.
        subscription: its GUID.
        group: the resource group's name, or empty.
        name: the last name: of the registry, the group, or the subscription's GUID.
    """

    id: str
    kind: str
    subscription: str
    group: str
    name: str

    @property
    def url(self) -> str:
        """The path of the pages about it."""
        return f"/portal/resource{self.id}"

    @property
    def parents(self) -> tuple[Place, ...]:
        """What encloses it, outermost first."""
        above = []
        if self.kind != SUBSCRIPTION:
            above.append(subscription(self.subscription))
        if self.kind == REGISTRY:
            above.append(group(self.subscription, self.group))
        return tuple(above)


def subscription(guid: str) -> Place:
    """Return a subscription."""
    return Place(f"/subscriptions/{guid}", SUBSCRIPTION, guid, "", guid)


def group(guid: str, name: str) -> Place:
    """Return a resource group."""
    return Place(f"/subscriptions/{guid}/resourceGroups/{name}", GROUP, guid, name, name)


def registry(resource_id: str) -> Place:
    """Return a registry.

    Raises:
        ValueError: the text is no registry's id.
    """
    found = of(resource_id)
    if found is None or found.kind != REGISTRY:
        raise ValueError(f"'{resource_id}' is no registry's id")
    return found


def of(text: str) -> Place | None:
    """Return the place that a scope names; None when it names none that has pages."""
    parts = scopes.canonical(text)[1:].split("/")
    lower = [part.lower() for part in parts]
    if lower[0] != "subscriptions" or len(parts) not in (2, 4, 8) or not is_guid(parts[1]):
        return None
    if len(parts) == 2:
        return subscription(parts[1])
    if lower[2] != "resourcegroups" or not _NAME.fullmatch(parts[3]) or parts[3].endswith("."):
        return None
    if len(parts) == 4:
        return group(parts[1], parts[3])
    if lower[4:7] != ["providers", "microsoft.containerregistry", "registries"] or not re.fullmatch(
        r"[A-Za-z0-9-]{1,64}", parts[7]
    ):
        return None
    return Place(scopes.registry_id(parts[1], parts[3], parts[7]), REGISTRY, parts[1], parts[3], parts[7])
