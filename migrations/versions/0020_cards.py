"""Card payments: sessions, events as they came, disputes."""

from __future__ import annotations

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""


def downgrade() -> None:
    """Take them away again."""
