"""What permission objects allow: ARM's ``permissions`` answer or the roles of a principal, read as the service does.

Conditions and deny assignments are not in permission objects: what this allows may still be refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from azext_trust.rbac import capabilities
from azext_trust.rbac.model import Permission
from azext_trust.rbac.operations import operations
from azext_trust.rbac.permissions import granting_pattern

_PLANES = ("actions", "notActions", "dataActions", "notDataActions")
CAPABILITIES = ("pull", "push", "sign", "delete", "manage-policy", "grant")
"""What people ask about at a registry, in the order it is told."""


class Permitted:
    """The permissions somebody holds at one scope.

    Args:
        rows: permission objects as ARM shows them (``actions``, ``notActions``, ``dataActions``, ``notDataActions``).
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._permissions = tuple(
            Permission(*(tuple(str(text) for text in row.get(plane) or ()) for plane in _PLANES)) for row in rows
        )

    def allows(self, action: str) -> bool:
        """Tell whether an action or data action is granted; one that no operation has is of the control plane."""
        known = operations().get(action.lower())
        return granting_pattern(self._permissions, action, bool(known and known.is_data_action))[0] is not None

    def missing(self, capability: str, mode: str = capabilities.LEGACY) -> tuple[str, ...] | None:
        """Return the actions that a capability still lacks, one for each need; none when it is held.

        Args:
            capability: a name of `rbac.capabilities`.
            mode: the registry's ``roleAssignmentMode``.

        Returns:
            The actions, or None where nobody can have the capability in this mode.
        """
        needs = capabilities.needs(capability, mode)
        if needs is None:
            return None
        return tuple(group[0] for group in needs if not any(self.allows(action) for action in group))
