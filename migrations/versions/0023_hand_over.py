"""Layouts, journals, the ledger's replies."""

from __future__ import annotations

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""


def downgrade() -> None:
    """Take them away again."""
