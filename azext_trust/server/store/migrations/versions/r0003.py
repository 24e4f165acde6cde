"""Registries: repositories, manifests, tags, blobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _locks() -> list[sa.Column[bool]]:
    names = ("delete_enabled", "write_enabled", "list_enabled", "read_enabled")
    return [sa.Column(name, sa.Boolean(), nullable=False) for name in names]


def upgrade() -> None:
    """Apply."""
    _blobs()
    op.create_table(
        "repository",
        *_locks(),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registry_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("updated", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("registry_id", "name"),
    )
    op.create_index("ix_repository_registry_id", "repository", ["registry_id"], unique=False)
    _manifests()
    op.create_table(
        "tag",
        *_locks(),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("updated", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "name"),
    )
    op.create_index("ix_tag_digest", "tag", ["repository_id", "digest"], unique=False)
    op.create_table(
        "deleted_tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("deleted", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_deleted_tag_repository_id", "deleted_tag", ["repository_id"], unique=False)


def _manifests() -> None:
    op.create_table(
        "manifest",
        *_locks(),
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("image_size", sa.BigInteger(), nullable=False),
        sa.Column("config_media_type", sa.String(), nullable=True),
        sa.Column("artifact_type", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("architecture", sa.String(), nullable=True),
        sa.Column("os", sa.String(), nullable=True),
        sa.Column("annotations", sa.JSON(), nullable=True),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("updated", sa.String(), nullable=False),
        sa.Column("untagged", sa.String(), nullable=False),
        sa.Column("deleted", sa.String(), nullable=False),
        sa.Column("quarantine_state", sa.String(), nullable=False),
        sa.Column("quarantine_details", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("repository_id", "digest"),
    )
    op.create_index("ix_manifest_subject", "manifest", ["repository_id", "subject"], unique=False)
    op.create_index("ix_manifest_untagged", "manifest", ["untagged"], unique=False)
    op.create_index("ix_manifest_deleted", "manifest", ["deleted"], unique=False)
    op.create_table(
        "manifest_reference",
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "digest", "target"),
    )
    op.create_index("ix_manifest_reference_target", "manifest_reference", ["repository_id", "target"], unique=False)


def _blobs() -> None:
    op.create_table(
        "blob",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "blob_content",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "blob_link",
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("registry_id", sa.String(), nullable=False),
        sa.Column("touched", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "digest"),
    )
    op.create_index("ix_blob_link_registry", "blob_link", ["registry_id", "digest"], unique=False)
    op.create_index("ix_blob_link_digest", "blob_link", ["digest"], unique=False)
    op.create_table(
        "blob_trash",
        sa.Column("location", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("location"),
    )
    op.create_table(
        "registry_usage",
        sa.Column("registry_id", sa.String(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("registry_id"),
    )
