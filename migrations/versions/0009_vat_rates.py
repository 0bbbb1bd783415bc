"""The rates of VAT that hold today: 20 % from 4 January 2011, and nothing where none is due."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

RATES = (
    ("standard", 2000, "2011-01-04"),
    ("zero", 0, "1973-04-01"),
    ("exempt", 0, "1973-04-01"),
    ("outside_scope", 0, "1973-04-01"),
)


def upgrade() -> None:
    """Write the rates, in basis points."""
    for code, rate, starts_on in RATES:
        op.execute(f"INSERT INTO vat_rate (code, rate, starts_on) VALUES ('{code}', {rate}, '{starts_on}')")


def downgrade() -> None:
    """Take them away again, unless somebody has added to them since."""
    for code, rate, starts_on in RATES:
        op.execute(
            f"DELETE FROM vat_rate WHERE code = '{code}' AND rate = {rate} AND starts_on = '{starts_on}'"
        )
