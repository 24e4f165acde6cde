"""Built-in roles, as Azure lists them (roles.json; builtin-roles.sources.md names the source)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from azext_trust.rbac.model import Permission, RoleDefinition


@cache
def built_in_roles() -> Mapping[str, RoleDefinition]:
    """Return the built-in roles by id (GUID, lower case)."""
    rows = json.loads(Path(__file__).with_name("roles.json").read_text(encoding="utf-8"))
    return {row["name"].lower(): _role(row) for row in rows}


def _role(row: Mapping[str, object]) -> RoleDefinition:
    def texts(name: str) -> tuple[str, ...]:
        found = row.get(name, [])
        return tuple(str(text) for text in found) if isinstance(found, list) else ()

    permission = Permission(texts("actions"), texts("notActions"), texts("dataActions"), texts("notDataActions"))
    condition = row.get("condition")
    return RoleDefinition(
        str(row["name"]).lower(), str(row["roleName"]), str(row["description"]), str(row["type"]), (permission,),
        texts("assignableScopes"), str(condition) if condition else None,
    )  # fmt: skip


def built_in_by_name(name: str) -> RoleDefinition | None:
    """Return the built-in role with this name or id; case is ignored."""
    wanted = name.lower()
    found = built_in_roles().get(wanted)
    return found or next((role for role in built_in_roles().values() if role.name.lower() == wanted), None)
