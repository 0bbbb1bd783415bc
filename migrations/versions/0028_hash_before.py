"""The hash of the document before, read with the eyes of the moment at which its number is drawn."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the function on PostgreSQL.

    A statement that waited for the number's row still sees the other tables as they were before it waited. A volatile
    function looks afresh, and so sees the document that the other one has just committed.
    """
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION document_hash_before(in_series text, in_year integer, in_sequence integer) RETURNS text "
            "LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN (SELECT hash FROM document WHERE series = in_series "
            "AND year = in_year AND sequence = in_sequence - 1); END $$"
        )


def downgrade() -> None:
    """Take it away again."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION document_hash_before(text, integer, integer)")
