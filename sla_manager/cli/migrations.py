"""Bringing a database to the newest shape, and back."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from sla_manager.app import create_app
from sla_manager.cli.opening import Product
from sla_manager.config import ROOT


def _config() -> Config:
    config = Config(str(ROOT / "migrations" / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


def upgrade(product: Product, revision: str = "head") -> str:
    """Run the migrations that are missing; returns the revision the database is at."""
    app = create_app(product.settings, database=product.database)
    with app.app_context():
        command.upgrade(_config(), revision)
    return current(product)


def downgrade(product: Product, revision: str) -> str:
    """Take migrations back to a revision ("base" for all of them)."""
    app = create_app(product.settings, database=product.database)
    with app.app_context():
        command.downgrade(_config(), revision)
    return current(product)


def current(product: Product) -> str:
    """Return the revision the database is at; "nothing" before the first."""
    with product.database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or "nothing"


def newest() -> str:
    """Return the newest revision that this version of the product knows."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())
