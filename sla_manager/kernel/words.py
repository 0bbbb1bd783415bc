"""How money, dates and numbers are written in a sentence. Pages and papers add their own spacing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import plain

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def pounds(amount: Money) -> str:
    """Write an amount as people read it.

    >>> pounds(Money(4416_00)), pounds(Money(-207_63))
    ('£4,416.00', '−£207.63')
    """
    whole, pence = divmod(abs(amount.pence), 100)
    return f"{'−' if amount.pence < 0 else ''}£{whole:,}.{pence:02d}"


def long_date(day: date) -> str:
    """Write a date.

    >>> long_date(date(2026, 3, 31))
    '31 March 2026'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def counted(quantity: Decimal | int, thing: str) -> str:
    """Write how many of a thing; only exactly one is singular.

    >>> counted(Decimal("8.50"), "day"), counted(1, "school week"), counted(0, "day")
    ('8.5 days', '1 school week', '0 days')
    """
    return f"{plain(Decimal(quantity))} {thing}{'' if quantity == 1 else 's'}"


def per_cent(basis_points: int) -> str:
    """Write a percentage held in basis points.

    >>> per_cent(2000), per_cent(1750)
    ('20 %', '17.5 %')
    """
    return f"{plain(Decimal(basis_points) / 100)} %"
