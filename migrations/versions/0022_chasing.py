"""Reminders, statements, disputes raised by schools, interest."""

from __future__ import annotations

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""


def downgrade() -> None:
    """Take them away again."""
