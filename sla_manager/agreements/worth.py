"""What time of an agreement's line is worth: at its price, or at what was agreed where the price was lowered."""

from __future__ import annotations

from sla_manager.agreements.models import AgreementLine
from sla_manager.agreements.rules.lapse import lapse_value
from sla_manager.agreements.shares import read_shares
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money


def signed_minutes(line: AgreementLine) -> Minutes:
    """Return the time that was signed with a line, all its years together."""
    return total_minutes(one.minutes for one in read_shares(line.year_shares) if one.minutes is not None)


def is_lowered(line: AgreementLine) -> bool:
    """Say whether a line costs something else than its quantity at its price: lowered, in a package, shared, free."""
    return line.unit_price.times(line.quantity) != line.net


def worth_of_time(line: AgreementLine, time: Minutes) -> Money:
    """Return what some time of a line is worth, once rounded: never more than was agreed for it.

    Of a line whose price was lowered it is the time's part of the line's net. Time that is not counted in the
    line's unit is worth nothing.
    """
    if line.unit_minutes is None:
        return Money(0)
    if is_lowered(line):
        return lapse_value(time, signed_minutes(line), line.net)
    return line.unit_price.times(time.in_units(line.unit_minutes))
