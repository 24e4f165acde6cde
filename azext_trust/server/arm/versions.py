"""Which providers, resource types, api-versions and regions are known (providers.json, regions.json).

The versions are those found in the clients' own packages (az-wire-contract.md sections 3 and 8).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Data = Mapping[str, Any]
_RESOURCES = ("Microsoft.Resources", "resourceGroups")


def _load(name: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


@cache
def providers() -> Mapping[str, Data]:
    """Return the providers by namespace: ``policy``, perhaps ``applicationId``, and ``types``."""
    found: Mapping[str, Data] = _load("providers.json")
    return found


@cache
def regions() -> tuple[Data, ...]:
    """Return the regions, in the order in which Azure lists them."""
    return tuple(_load("regions.json"))


@cache
def locations() -> tuple[str, ...]:
    """Return the regions' names."""
    return tuple(region["name"] for region in regions())


@cache
def _types() -> Mapping[tuple[str, str], tuple[str, tuple[str, ...]]]:
    return {
        (namespace.lower(), name.lower()): (name, tuple(one["apiVersions"]))
        for namespace, provider in providers().items()
        for name, one in provider["types"].items()
    }


def namespace(name: str) -> str | None:
    """Return a provider's namespace in its own spelling, None when it is not offered."""
    return next((known for known in providers() if known.lower() == name.lower()), None)


def of(path: str) -> tuple[str, tuple[str, ...]]:
    """Return the resource type that a path asks for and the api-versions known for it, oldest first.

    The longest known type wins: ``registries/tokens``, else ``registries``.
    """
    parts = [part for part in path.split("/") if part]
    lower = [part.lower() for part in parts]
    if "providers" not in lower[:-1]:
        return "resources", _types()[_known(_RESOURCES)][1]
    last = len(lower) - 2 - lower[:-1][::-1].index("providers")
    after = parts[last + 2 :]
    names = after[::2]
    for length in range(len(names), 0, -1):
        found = _types().get((lower[last + 1], "/".join(names[:length]).lower()))
        if found:
            return found
    kind = after[0] if after else parts[last + 1]
    return kind, _types()[_known(_RESOURCES)][1]


def _known(key: tuple[str, str]) -> tuple[str, str]:
    return key[0].lower(), key[1].lower()
