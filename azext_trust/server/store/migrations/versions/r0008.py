"""Locks, managed identities, scope maps and tokens, consents, deleted objects; what ARM shows of groups and denials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"

_ADDED: tuple[tuple[str, str, bool], ...] = (
    ("management_group", "updated_on", False), ("management_group", "updated_by", False),
    ("resource_group", "created", False), ("resource_group", "modified", False),
    ("deny_assignment", "created_on", False), ("deny_assignment", "created_by", True),
    ("deny_assignment", "updated_on", False), ("deny_assignment", "updated_by", True),
    ("deny_assignment", "condition", True), ("deny_assignment", "condition_version", True),
)  # fmt: skip
"""New text columns: table, name, whether it may be null."""


def _texts(*names: str, null: tuple[str, ...] = ()) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=name in null) for name in names]


def _json(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.JSON(), nullable=False) for name in names]


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column], unique=False)


def upgrade() -> None:
    """Apply."""
    for table, name, null in _ADDED:
        op.add_column(table, sa.Column(name, sa.String(), nullable=null, server_default=None if null else ""))
    op.add_column("management_group", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.create_index("ix_directory_object_listed", "directory_object", ["kind", "display_key", "id"], unique=False)
    _labels()
    _resources()
    _registries()
    _directory()


def _labels() -> None:
    """Every registry so far has its name as the first part of its login server."""
    op.add_column("registry", sa.Column("label", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE registry SET label = name_key")
    op.create_index("uq_registry_label", "registry", ["label"], unique=True)


def _resources() -> None:
    op.create_table(
        "management_lock",
        *_texts("id", "scope", "scope_key", "name", "name_key", "level", "notes", "created", "created_by",
                null=("notes",)),
        *_json("owners"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scope_key", "name_key"),
    )  # fmt: skip
    _index("management_lock", "scope_key")
    op.create_table(
        "user_assigned_identity",
        *_texts("scope_key", "subscription_id", "group_key", "name", "name_key", "location", "principal_id",
                "client_id", "created", "created_by", "modified", "modified_by"),
        *_json("tags", "properties"),
        sa.PrimaryKeyConstraint("scope_key"),
        sa.UniqueConstraint("principal_id"),
        sa.UniqueConstraint("client_id"),
    )  # fmt: skip
    _index("user_assigned_identity", "subscription_id", "group_key")
    op.create_table(
        "provider_registration",
        *_texts("subscription_id", "namespace_key"),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", "namespace_key"),
    )


def _registries() -> None:
    stamped = ("created", "created_by", "modified", "modified_by")
    op.create_table(
        "scope_map",
        *_texts("id", "registry_id", "name", "name_key", "kind", "description", *stamped, null=("description",)),
        *_json("actions"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("registry_id", "name_key"),
    )
    _index("scope_map", "registry_id")
    op.create_table(
        "registry_token",
        *_texts("id", "registry_id", "name", "name_key", "scope_map_key", "status", *stamped),
        *_json("passwords", "certificates"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("registry_id", "name_key"),
    )
    _index("registry_token", "registry_id", "scope_map_key")


def _directory() -> None:
    def held(*columns: str) -> list[sa.ForeignKeyConstraint]:
        return [sa.ForeignKeyConstraint([name], ["directory_object.id"], ondelete="CASCADE") for name in columns]

    op.create_table(
        "permission_grant",
        *_texts("id", "client_id", "consent_type", "principal_id", "resource_id", "scope", null=("principal_id",)),
        *held("client_id", "principal_id", "resource_id"),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("permission_grant", "client_id", "principal_id", "resource_id")
    op.create_table(
        "app_role_assignment",
        *_texts("id", "app_role_id", "principal_id", "resource_id", "created"),
        *held("principal_id", "resource_id"),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("app_role_assignment", "principal_id", "resource_id")
    op.create_table(
        "deleted_object",
        *_texts("id", "kind", "display_name", "deleted"),
        *_json("content"),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("deleted_object", "kind", "deleted")
