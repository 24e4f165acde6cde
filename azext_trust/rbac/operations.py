"""The operations that providers offer (operations.json): which exist, and which are data actions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from azext_trust.rbac import match


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a provider."""

    name: str
    is_data_action: bool
    provider: str
    description: str


@cache
def operations() -> Mapping[str, Operation]:
    """Return the known operations by name in lower case."""
    rows = json.loads(Path(__file__).with_name("operations.json").read_text(encoding="utf-8"))
    return {
        row["name"].lower(): Operation(
            row["name"], row["isDataAction"], row["display"]["provider"], row["display"]["description"]
        )
        for row in rows
    }


def is_data_action(action: str) -> bool:
    """Tell which plane an action is of; unknown ones are of the control plane."""
    known = operations().get(action.lower())
    return known is not None and known.is_data_action


def fits_an_operation(pattern: str, is_data_action: bool) -> bool:
    """Tell whether a pattern of a custom role matches at least one operation of its plane.

    Only the namespaces in operations.json are checked; patterns over others pass (rbac-semantics.md section 8).
    """
    namespace = pattern.split("/")[0].lower()
    known = {name.split("/")[0] for name in operations()}
    if "*" in namespace or namespace not in known:
        return True
    return any(
        match.matches(pattern, operation.name) and operation.is_data_action == is_data_action
        for operation in operations().values()
    )
