"""The foundation: directory, sign-in, resources, authorization, activity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:  # noqa: PLR0915  (one statement a table)
    """Apply."""
    op.create_table(
        "activity",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("time", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("caller_id", sa.String(), nullable=False),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.Column("details", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index(op.f("ix_activity_caller_id"), "activity", ["caller_id"], unique=False)
    op.create_index(op.f("ix_activity_correlation_id"), "activity", ["correlation_id"], unique=False)
    op.create_index(op.f("ix_activity_operation"), "activity", ["operation"], unique=False)
    op.create_index(op.f("ix_activity_time"), "activity", ["time"], unique=False)
    op.create_table(
        "application",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("app_id", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("display_key", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("app_id"),
    )
    op.create_index(op.f("ix_application_display_key"), "application", ["display_key"], unique=False)
    op.create_table(
        "credential",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=True),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("hashed", sa.String(), nullable=False),
        sa.Column("start", sa.String(), nullable=False),
        sa.Column("end", sa.String(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_credential_owner_id"), "credential", ["owner_id"], unique=False)
    op.create_table(
        "deny_assignment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("scope_key", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("principals", sa.JSON(), nullable=False),
        sa.Column("exclude_principals", sa.JSON(), nullable=False),
        sa.Column("only_this_scope", sa.Boolean(), nullable=False),
        sa.Column("system_protected", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_deny_assignment_scope_key"), "deny_assignment", ["scope_key"], unique=False)
    op.create_table(
        "directory_object",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("display_key", sa.String(), nullable=False),
        sa.Column("upn", sa.String(), nullable=True),
        sa.Column("upn_key", sa.String(), nullable=True),
        sa.Column("app_id", sa.String(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("classic_administrator", sa.Boolean(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("app_id"),
        sa.UniqueConstraint("upn_key"),
    )
    op.create_index(op.f("ix_directory_object_display_key"), "directory_object", ["display_key"], unique=False)
    op.create_index(op.f("ix_directory_object_kind"), "directory_object", ["kind"], unique=False)
    op.create_table(
        "fact",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "management_group",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("parent_key", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "registry",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scope_key", sa.String(), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=False),
        sa.Column("group_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("admin_enabled", sa.Boolean(), nullable=False),
        sa.Column("admin_sealed", sa.String(), nullable=False),
        sa.Column("trust_enabled", sa.Boolean(), nullable=False),
        sa.Column("trust_enabled_before_retirement", sa.Boolean(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("modified", sa.String(), nullable=False),
        sa.Column("modified_by", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("policies", sa.JSON(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name_key"),
        sa.UniqueConstraint("scope_key"),
    )
    op.create_index(op.f("ix_registry_group_key"), "registry", ["group_key"], unique=False)
    op.create_index(op.f("ix_registry_subscription_id"), "registry", ["subscription_id"], unique=False)
    op.create_table(
        "role_assignment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("scope_key", sa.String(), nullable=False),
        sa.Column("role_id", sa.String(), nullable=False),
        sa.Column("principal_id", sa.String(), nullable=False),
        sa.Column("principal_type", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("condition", sa.String(), nullable=True),
        sa.Column("condition_version", sa.String(), nullable=True),
        sa.Column("delegated_identity", sa.String(), nullable=True),
        sa.Column("created_on", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=True),
        sa.Column("updated_on", sa.String(), nullable=False),
        sa.Column("updated_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scope_key", "principal_id", "role_id"),
    )
    op.create_index(op.f("ix_role_assignment_principal_id"), "role_assignment", ["principal_id"], unique=False)
    op.create_index(op.f("ix_role_assignment_role_id"), "role_assignment", ["role_id"], unique=False)
    op.create_index(op.f("ix_role_assignment_scope_key"), "role_assignment", ["scope_key"], unique=False)
    op.create_table(
        "role_definition",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("assignable_scopes", sa.JSON(), nullable=False),
        sa.Column("created_on", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=True),
        sa.Column("updated_on", sa.String(), nullable=False),
        sa.Column("updated_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name_key"),
    )
    op.create_table(
        "sign_in_grant",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("principal_id", sa.String(), nullable=True),
        sa.Column("user_code", sa.String(), nullable=True),
        sa.Column("expires", sa.String(), nullable=False),
        sa.Column("spent", sa.String(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("user_code"),
    )
    op.create_index(op.f("ix_sign_in_grant_expires"), "sign_in_grant", ["expires"], unique=False)
    op.create_index(op.f("ix_sign_in_grant_family"), "sign_in_grant", ["family"], unique=False)
    op.create_index(op.f("ix_sign_in_grant_principal_id"), "sign_in_grant", ["principal_id"], unique=False)
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("retired", sa.String(), nullable=False),
        sa.Column("public_pem", sa.String(), nullable=False),
        sa.Column("private_sealed", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_index(op.f("ix_signing_key_created"), "signing_key", ["created"], unique=False)
    op.create_table(
        "subscription",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("management_group", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "directory_role_member",
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("principal_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["directory_object.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("role", "principal_id"),
    )
    op.create_index(
        op.f("ix_directory_role_member_principal_id"), "directory_role_member", ["principal_id"], unique=False
    )
    op.create_table(
        "membership",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["directory_object.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["member_id"], ["directory_object.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "member_id"),
    )
    op.create_index(op.f("ix_membership_member_id"), "membership", ["member_id"], unique=False)
    op.create_table(
        "ownership",
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["directory_object.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("object_id", "owner_id"),
    )
    op.create_index(op.f("ix_ownership_owner_id"), "ownership", ["owner_id"], unique=False)
    op.create_table(
        "resource_group",
        sa.Column("subscription_id", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("managed_by", sa.String(), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
        ),
        sa.PrimaryKeyConstraint("subscription_id", "name_key"),
    )
    op.create_table(
        "service_principal_name",
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("principal_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["directory_object.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("name_key"),
    )
    op.create_index(
        op.f("ix_service_principal_name_principal_id"),
        "service_principal_name",
        ["principal_id"],
        unique=False,
    )
