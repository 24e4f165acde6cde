"""What somebody wants to do at a registry, and the actions it takes there (capabilities.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LEGACY, ABAC = "LegacyRegistryPermissions", "AbacRepositoryPermissions"
"""The two values of a registry's ``roleAssignmentMode``."""

Needs = tuple[tuple[str, ...], ...]
"""All of these groups are needed; of each group any one action is enough."""


@cache
def _data() -> Mapping[str, Mapping[str, list[list[str]] | None]]:
    text = Path(__file__).with_name("capabilities.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Mapping[str, list[list[str]] | None]] = json.loads(text)["capabilities"]
    return loaded


def names() -> tuple[str, ...]:
    """Return the words for what can be done at a registry: ``pull``, ``push``, ``sign`` ..."""
    return tuple(_data())


@cache
def needs(capability: str, role_assignment_mode: str = LEGACY) -> Needs | None:
    """Return the actions a capability takes (rbac-semantics.md section 11).

    Args:
        capability: one of `names`.
        role_assignment_mode: the registry's; permissions differ between the two modes.

    Returns:
        Groups of actions, or None where nobody can have the capability in this mode (signing under ABAC).

    Raises:
        KeyError: there is no such capability.
    """
    found = _data()[capability]["abac" if role_assignment_mode == ABAC else "rbac"]
    return None if found is None else tuple(tuple(group) for group in found)
