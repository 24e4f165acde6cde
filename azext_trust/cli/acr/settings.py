"""The settings that ``acr create`` and ``acr update`` share, as properties of the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_MODES = {"rbac": "LegacyRegistryPermissions", "rbac-abac": "AbacRepositoryPermissions"}


@dataclass(frozen=True)
class Settings:
    """What was given on the command line; None is what was not."""

    admin_enabled: bool | None = None
    anonymous_pull_enabled: bool | None = None
    public_network_enabled: bool | None = None
    allow_exports: bool | None = None
    role_assignment_mode: str | None = None

    def properties(self) -> dict[str, Any]:
        """Return the registry properties of what was given."""
        found: dict[str, Any] = {}
        if self.admin_enabled is not None:
            found["adminUserEnabled"] = self.admin_enabled
        if self.anonymous_pull_enabled is not None:
            found["anonymousPullEnabled"] = self.anonymous_pull_enabled
        if self.public_network_enabled is not None:
            found["publicNetworkAccess"] = "Enabled" if self.public_network_enabled else "Disabled"
        if self.allow_exports is not None:
            found["policies"] = {"exportPolicy": {"status": "enabled" if self.allow_exports else "disabled"}}
        if self.role_assignment_mode:
            found["roleAssignmentMode"] = _MODES[self.role_assignment_mode]
        return found
