"""Resource ids and scopes: compared segment by segment, without regard to case (rbac-semantics.md section 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SLASHES = re.compile("/{2,}")


def canonical(scope: str) -> str:
    """Return a scope with single slashes, one in front and none at the end; case is kept."""
    return "/" + _SLASHES.sub("/", scope).strip("/")


def key(scope: str) -> str:
    """Return the form in which scopes are compared: canonical, lower case."""
    return canonical(scope).lower()


def textual_ancestors(scope_key: str) -> tuple[str, ...]:
    """Return a scope and what encloses it, as far as the text shows it, nearest first.

    Management groups above a subscription are not in the text; ``/`` is only named when it is the scope itself.

    Args:
        scope_key: a scope in `key` form.
    """
    if scope_key == "/":
        return ("/",)
    parts = scope_key[1:].split("/")
    ends = _scope_ends(parts)
    if not ends or ends[-1] != len(parts):
        ends.append(len(parts))
    return tuple("/" + "/".join(parts[:end]) for end in reversed(ends))


_MANAGEMENT_GROUP = ["providers", "microsoft.management", "managementgroups"]


def _scope_ends(parts: list[str]) -> list[int]:
    """Return after how many segments a scope ends: subscription, resource group, resource, child resource ...

    Read from the front, because a resource may be named ``providers``.
    """
    ends: list[int] = []
    at = 0
    if parts[0] == "subscriptions" and len(parts) > 1:
        ends.append(at := 2)
        if parts[2:3] == ["resourcegroups"] and len(parts) > 3:
            ends.append(at := 4)
    elif parts[:3] == _MANAGEMENT_GROUP and len(parts) > 3:
        ends.append(at := 4)
    while parts[at : at + 1] == ["providers"]:
        at += 2
        while at + 2 <= len(parts) and parts[at] != "providers":
            at += 2
            ends.append(at)
    return ends


@dataclass(frozen=True, slots=True)
class ResourceId:
    """A resource's id, taken apart.

    Attributes:
        subscription: its GUID, as written.
        resource_group: its name, empty for a resource of the subscription.
        provider: the namespace of the last ``/providers/``.
        types: type and child types, outermost first.
        names: one name for each type.
    """

    subscription: str
    resource_group: str
    provider: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """Take a resource id apart.

        Raises:
            ValueError: the text is no id of a resource.
        """
        parts = canonical(text)[1:].split("/")
        lower = [part.lower() for part in parts]
        if len(parts) < 5 or lower[0] != "subscriptions" or "providers" not in lower:
            raise ValueError(f"'{text}' is no resource id")
        group = parts[3] if lower[2] == "resourcegroups" else ""
        last = len(parts) - 1 - lower[::-1].index("providers")
        rest = parts[last + 2 :]
        if last + 1 >= len(parts) or not rest or len(rest) % 2:
            raise ValueError(f"'{text}' is no resource id")
        return cls(parts[1], group, parts[last + 1], tuple(rest[::2]), tuple(rest[1::2]))


def registry_id(subscription: str, group: str, name: str) -> str:
    """Return the resource id of a container registry."""
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{name}"
    )


def role_assignment_id(scope: str, guid: str) -> str:
    """Return the id of a role assignment at a scope."""
    return f"{scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{guid}"


def role_definition_id(subscription: str | None, guid: str) -> str:
    """Return the one form of a role definition's id: under the subscription, or at the tenant (None)."""
    above = f"/subscriptions/{subscription}" if subscription else ""
    return f"{above}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
