"""Schema revisions, for Alembic."""
