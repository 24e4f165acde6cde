"""Alembic's entry point: runs the revisions on the engine that `migrate` hands over, in one transaction."""

from alembic import context
from sqlalchemy import text
from sqlmodel import SQLModel

from azext_trust.server.store import tables  # noqa: F401  (registers every table)

engine = context.config.attributes["engine"]

with engine.connect() as connection:
    if engine.dialect.name == "sqlite":
        # The driver begins nothing by itself (see engine.py); one transaction makes an upgrade all or nothing.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(7286002)"))
    context.configure(connection=connection, target_metadata=SQLModel.metadata, transactional_ddl=False)
    context.run_migrations()
    connection.commit()
