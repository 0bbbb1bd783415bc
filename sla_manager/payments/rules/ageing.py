"""How old a debt is: not due, then thirty days at a time."""

from __future__ import annotations

from datetime import date

from sla_manager.kernel.titles import Titled


class Age(Titled):
    """How long a document has been overdue."""

    NOT_DUE = "not_due", "Not due yet"
    TO_30 = "to_30", "1 to 30 days"
    TO_60 = "to_60", "31 to 60 days"
    TO_90 = "to_90", "61 to 90 days"
    OVER_90 = "over_90", "Over 90 days"


def age_of(due_on: date | None, today: date) -> Age:
    """Return the age of a debt; a recharge without a due date is never overdue.

    >>> [age_of(date(2026, 3, 1), day).value for day in (date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1))]
    ['not_due', 'to_30', 'to_60']
    """
    overdue = (today - due_on).days if due_on is not None else 0
    if overdue <= 0:
        return Age.NOT_DUE
    if overdue <= 30:
        return Age.TO_30
    if overdue <= 60:
        return Age.TO_60
    return Age.TO_90 if overdue <= 90 else Age.OVER_90
