"""Bringing a database to the newest shape, and back."""

from __future__ import annotations

from collections.abc import Callable

from alembic import command
from alembic.util import CommandError

from sla_manager.app import create_app
from sla_manager.cli.opening import Product
from sla_manager.cli.revisions import config, revision_of
from sla_manager.kernel.errors import Refused


def upgrade(product: Product, revision: str = "head") -> str:
    """Run the migrations that are missing; returns the revision the database is at."""
    app = create_app(product.settings, database=product.database)
    with app.app_context():
        _say(lambda: command.upgrade(config(), revision))
    return revision_of(product.database)


def downgrade(product: Product, revision: str) -> str:
    """Take migrations back to a revision ("base" for all of them)."""
    app = create_app(product.settings, database=product.database)
    with app.app_context():
        _say(lambda: command.downgrade(config(), revision))
    return revision_of(product.database)


def _say(migrate: Callable[[], None]) -> None:
    try:
        migrate()
    except CommandError as error:
        raise Refused(f"The migrations cannot go there: {error}.") from error
