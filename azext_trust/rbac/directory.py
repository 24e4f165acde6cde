"""Entra directory roles: who may read and change the directory (directory_roles.json)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from azext_trust.rbac import match


@dataclass(frozen=True, slots=True)
class DirectoryRole:
    """A directory role; `id` is its template id."""

    id: str
    name: str
    description: str
    permissions: tuple[str, ...]


@cache
def _data() -> Mapping[str, list[dict[str, object]]]:
    loaded: Mapping[str, list[dict[str, object]]] = json.loads(
        Path(__file__).with_name("directory_roles.json").read_text(encoding="utf-8")
    )
    return loaded


@cache
def directory_roles() -> Mapping[str, DirectoryRole]:
    """Return the known directory roles by name."""
    found: dict[str, DirectoryRole] = {}
    for row in _data()["roles"]:
        permissions = row["permissions"]
        assert isinstance(permissions, list)
        name = str(row["name"])
        found[name] = DirectoryRole(str(row["id"]), name, str(row["description"]), tuple(permissions))
    return found


def allowed(role_names: Iterable[str], action: str, kind: str) -> bool:
    """Tell whether holders of these directory roles may do this in the directory.

    Args:
        role_names: the directory roles the caller holds.
        action: a permission, ``microsoft.directory/users/create``.
        kind: ``User`` or ``ServicePrincipal``: a user reads without any role, a service principal does not.
    """
    patterns: list[str] = [str(text) for text in _data()["plainUser"]] if kind == "User" else []
    for name in role_names:
        role = directory_roles().get(name)
        patterns += role.permissions if role else ()
    return any(match.matches(pattern, action) for pattern in patterns)
