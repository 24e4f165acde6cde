"""Imports of images that go on after their request was answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_TEXTS = (
    "registry_id", "state", "caller_id", "caller_kind", "caller_name", "correlation_id", "created", "sealed", "owner",
    "code", "message",
)  # fmt: skip


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "import_operation",
        sa.Column("id", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in _TEXTS),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_import_operation_registry_id", "import_operation", ["registry_id"], unique=False)
