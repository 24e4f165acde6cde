"""Trust data: signed metadata, tags, server keys, change feed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "trust_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registry_id", sa.String(), nullable=False),
        sa.Column("gun", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_trust_change_registry_id"), "trust_change", ["registry_id"], unique=False)
    op.create_table(
        "trust_key",
        sa.Column("registry_id", sa.String(), nullable=False),
        sa.Column("gun", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("private_sealed", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("registry_id", "gun", "role", "key_id"),
    )
    op.create_table(
        "trust_metadata",
        sa.Column("registry_id", sa.String(), nullable=False),
        sa.Column("gun", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("registry_id", "gun", "role", "version"),
    )
    op.create_index(op.f("ix_trust_metadata_sha256"), "trust_metadata", ["sha256"], unique=False)
    op.create_table(
        "trust_tag",
        sa.Column("registry_id", sa.String(), nullable=False),
        sa.Column("gun", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("registry_id", "gun", "role", "tag"),
    )
