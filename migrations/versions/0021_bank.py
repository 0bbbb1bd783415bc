"""Bank statements: files, lines, what each line was matched with."""

from __future__ import annotations

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""


def downgrade() -> None:
    """Take them away again."""
