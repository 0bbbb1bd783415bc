"""Electronic invoices: the files that left."""

from __future__ import annotations

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""


def downgrade() -> None:
    """Take them away again."""
