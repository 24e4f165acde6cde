"""What somebody wants to do at a registry, and the actions it takes there (capabilities.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LEGACY, ABAC = "LegacyRegistryPermissions", "AbacRepositoryPermissions"
"""The two values of a registry's ``roleAssignmentMode``."""

Needs = tuple[tuple[str, ...], ...]
"""All of these groups are needed; of each group any one action is enough."""


@dataclass(frozen=True, slots=True)
class Indirect:
    """A way round: what lets somebody give itself a capability that no role of it names.

    Attributes:
        name: ``admin account``, ``admin password``, ``repository token`` or ``own assignment``.
        gives: the capabilities it ends in.
        needs: the actions it takes, in the form of `needs`.
        where: the registry's property without which it leads nowhere, or empty.
    """

    name: str
    gives: tuple[str, ...]
    needs: Needs
    where: str = ""


@cache
def _data() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(Path(__file__).with_name("capabilities.json").read_text(encoding="utf-8"))
    return loaded


def names() -> tuple[str, ...]:
    """Return the words for what can be done at a registry: ``pull``, ``push``, ``sign`` ..."""
    return tuple(_data()["capabilities"])


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
    found = _data()["capabilities"][capability]["abac" if role_assignment_mode == ABAC else "rbac"]
    return None if found is None else tuple(tuple(group) for group in found)


@cache
def indirect() -> tuple[Indirect, ...]:
    """Return the ways round (rbac-semantics.md section 12, Surprises); none of the first three ever signs."""
    return tuple(
        Indirect(name, tuple(row["gives"]), tuple(map(tuple, row["needs"])), row.get("where", ""))
        for name, row in _data()["indirect"].items()
    )


@cache
def strict_classic() -> bool:
    """Tell whether a classic administrator's flag cancels assigned trust permissions: the one switch of M9."""
    return bool(_data()["classic.strict"]["applies"])


@cache
def cancelled_by_classic() -> frozenset[str]:
    """Return the actions, in lower case, that the strict reading takes from a classic administrator."""
    return frozenset(action.lower() for action in _data()["classic.strict"]["cancels"])
