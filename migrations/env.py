"""Runs migrations inside the application: `sla-manager database upgrade` (or `flask db …`)."""

from __future__ import annotations

from alembic import context
from flask import current_app

database = current_app.extensions["sla.database"]


def run_migrations() -> None:
    """Bring the database to the wanted revision in one transaction; SQLite rebuilds tables in batches."""
    given = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    with database.engine.connect() as connection:
        _run(connection)


def _run(connection: object) -> None:
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run_migrations()
