"""The change feed of authorization, which every worker's index follows; its triggers: `store.changes.install`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    # Random: after a restored snapshot the same number is another change.
    token = "(lower(hex(randomblob(8))))" if sqlite else "md5(random()::text)"
    op.create_table(
        "authorization_change",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False, server_default=sa.text(token)),
        sa.PrimaryKeyConstraint("sequence"),
    )
