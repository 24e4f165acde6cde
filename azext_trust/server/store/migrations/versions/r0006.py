"""Sign-in: certificates of signing keys, and failures that lock an account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply."""
    op.add_column("signing_key", sa.Column("certificate", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "sign_in_failure",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("lockouts", sa.Integer(), nullable=False),
        sa.Column("until", sa.String(), nullable=False),
        sa.Column("recent", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["directory_object.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id"),
    )
