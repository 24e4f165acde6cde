"""The change feed of authorization, which every worker's index follows."""

from __future__ import annotations

from alembic import op

from azext_trust.server.store import changes

revision = "0005"
down_revision = "0002"


def upgrade() -> None:
    """Apply."""
    changes.install(op.get_bind())
