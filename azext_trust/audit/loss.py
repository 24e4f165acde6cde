"""What disabling content trust would destroy, for the question that is asked before (M4)."""

from __future__ import annotations

from dataclasses import dataclass

from azext_trust.clients.operator import Operator
from azext_trust.cloud.connect import Connection


@dataclass(frozen=True)
class Loss:
    """What would be lost: repositories with trust data, and signed tags in them."""

    repositories: int
    signed_tags: int

    def __str__(self) -> str:
        """Return it in words."""
        return (
            f"{_count(self.repositories, 'repository', 'repositories')} with {_count(self.signed_tags, 'signed tag')}"
        )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def of(connection: Connection, registry_id: str) -> Loss | None:
    """Return what would be lost, or None where the cloud cannot tell (real Azure)."""
    if connection.profile.kind == "azure":
        return None
    found = Operator(connection).loss(registry_id)
    return Loss(int(found["repositories"]), int(found["signedTags"]))
