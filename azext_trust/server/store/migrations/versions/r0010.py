"""What a twin observed of a live cloud: how far the reading is, which rows it saw, images, the other cloud's log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "observation",
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("next", sa.String(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("step"),
    )
    op.create_table(
        "observed_key",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key"),
    )
    op.create_index(op.f("ix_observed_key_run"), "observed_key", ["run"], unique=False)
    op.create_table(
        "observed_image",
        sa.Column("registry_id", sa.String(), nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("manifests", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("registry_id", "repository"),
    )
    op.create_table(
        "observed_event",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("time", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("caller_id", sa.String(), nullable=False),
        sa.Column("caller_name", sa.String(), nullable=False),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_observed_event_time"), "observed_event", ["time"], unique=False)
