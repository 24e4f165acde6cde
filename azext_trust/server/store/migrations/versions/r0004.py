"""Trust data lie under a key of their own, so that one change of a registry's row erases them all at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply: what is there lies under the registry's id."""
    op.add_column("registry", sa.Column("trust_space", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE registry SET trust_space = id")
