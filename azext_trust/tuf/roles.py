"""Names of roles, and which paths a delegation covers (notary tuf/data/roles.go)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

ROOT, TARGETS, SNAPSHOT, TIMESTAMP = "root", "targets", "snapshot", "timestamp"
BASE_ROLES = (ROOT, TARGETS, SNAPSHOT, TIMESTAMP)
RELEASES = "targets/releases"
"""The delegation that docker's pull prefers to targets."""
TYPES = {ROOT: "Root", TARGETS: "Targets", SNAPSHOT: "Snapshot", TIMESTAMP: "Timestamp"}

_DELEGATION = re.compile(r"targets/[-a-z0-9_/]+")


def is_delegation(role: str) -> bool:
    """Tell whether this names a delegated role: ``targets/...``, shorter than 256 characters, a clean path."""
    return (
        len(role) < 256 and _DELEGATION.fullmatch(role) is not None and posixpath.normpath(role) == role
    )  # fmt: skip


def is_targets(role: str) -> bool:
    """Tell whether this is targets or a delegation of it."""
    return role == TARGETS or is_delegation(role)


def is_valid(role: str) -> bool:
    """Tell whether this names a role at all."""
    return role in BASE_ROLES or is_delegation(role)


def parent(role: str) -> str:
    """Return the role that delegates to this one."""
    return role.rpartition("/")[0]


def type_of(role: str) -> str:
    """Return the ``_type`` of a role's metadata."""
    return TYPES.get(role, TYPES[TARGETS])


def covers(paths: Iterable[str], target: str) -> bool:
    """Tell whether one of the paths is a prefix of the target's name."""
    return any(target.startswith(path) for path in paths)


def restrict(outer: Iterable[str], inner: Iterable[str]) -> tuple[str, ...]:
    """Return those paths of a delegation that its parent may give away."""
    outer = tuple(outer)
    return tuple(path for path in inner if covers(outer, path))
