"""Whether the figures of a row agree with each other, and with how we count: money, quantity, used time.

Their price stands: it was agreed. What cannot stand (a quantity off the step, money that does not multiply) is an
error of the row; what is only different is a warning with the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sla_manager.agreements.rules.taken_cells import ReadRow
from sla_manager.agreements.rules.takeovers import Field, Finding, Level
from sla_manager.agreements.rules.tranches import TranchePart
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, half_up
from sla_manager.kernel.quantities import PLACES, is_on_step, plain
from sla_manager.kernel.words import counted, long_date, pounds

_MILLIONTH = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Priced:
    """What a row costs: price of one, net, and how it came about."""

    unit_price: Money
    net: Money
    explanation: str


def _finding(row: ReadRow, field: Field | None, level: Level, message: str, what_to_do: str) -> Finding:
    return Finding(row.number, field, level, message, what_to_do)


def priced(
    row: ReadRow, quantity: Decimal, unit: str, ours: Money | None
) -> tuple[Priced | None, list[Finding]]:
    """Return the row's own price and net, and what is off about them.

    Without a price it is the net divided by the quantity. A net that differs from quantity × price by no more than
    a price rounded to the penny can make stands, with a warning; any other difference is an error.
    """
    found: list[Finding] = []
    price, net = row.unit_price, row.net
    if price is None and net is not None:
        price = Money.rounded(Fraction(net.pence) / Fraction(quantity))
    if price is None:
        said = "There is neither a price nor a net."
        return None, [_finding(row, Field.UNIT_PRICE, Level.ERROR, said, "Enter one of them.")]
    product = price.times(quantity)
    if net is None:
        net = product
    words = f"{counted(quantity, unit)} × {pounds(price)} = {pounds(product)}"
    if net != product:
        off = net - product
        if abs(off.pence) > half_up(Fraction(quantity) / 2) + 1:
            found.append(
                _finding(
                    row,
                    Field.NET,
                    Level.ERROR,
                    f"{words}, but the net is {pounds(net)}: {pounds(off)} off.",
                    "Correct the quantity, the price or the net.",
                )
            )
            return None, found
        found.append(
            _finding(
                row,
                Field.NET,
                Level.WARNING,
                f"{words}, and the net is {pounds(net)}: a rounded price, {pounds(off)} off.",
                f"We keep the net, {pounds(net)}.",
            )
        )
        words = f"{counted(quantity, unit)} at {pounds(price)}, agreed at {pounds(net)}"
    if ours is not None and ours != price:
        found.append(
            _finding(
                row,
                Field.UNIT_PRICE,
                Level.WARNING,
                f"The price is {pounds(price)}; our price list says {pounds(ours)}, "
                f"{pounds(abs(price - ours))} {'less' if ours < price else 'more'}.",
                "The price of the file stands. Check the price list before the next season.",
            )
        )
    return Priced(price, net, words), found


def quantity_findings(row: ReadRow, step: Decimal, unit: str) -> list[Finding]:
    """Refuse a quantity off the step, saying which are nearest."""
    quantity = row.quantity
    if quantity is None:
        if any(one.field is Field.QUANTITY for one in row.findings):
            return []
        return [
            _finding(row, Field.QUANTITY, Level.ERROR, "There is no quantity.", "Enter how much was bought.")
        ]
    if is_on_step(quantity, step):
        return []
    below = int(Fraction(quantity) / Fraction(step)) * step
    near = f"{plain(below)} or {plain(below + step)}" if below else plain(below + step)
    return [
        _finding(
            row,
            Field.QUANTITY,
            Level.ERROR,
            f"{counted(quantity, unit)} is off the step: it is sold in steps of {plain(step)}.",
            f"Enter {near}, or change the step of the service.",
        )
    ]


def exact_minutes(
    row: ReadRow, field: Field, value: Decimal, unit_minutes: Minutes
) -> tuple[Minutes, list[Finding]]:
    """Return a number of units (or of hours, when the row counts in hours) as minutes; a part of one is rounded."""
    each = 60 if row.in_hours else unit_minutes.minutes
    exact = Fraction(value) * each
    minutes = Minutes(half_up(exact))
    if exact.denominator == 1 or abs(exact - minutes.minutes) < Fraction(1, 1000):
        return minutes, []
    return minutes, [
        _finding(
            row,
            field,
            Level.WARNING,
            f"{plain(value.quantize(_MILLIONTH))} is not a whole number of minutes.",
            f"We take {minutes.hours_and_minutes()}.",
        )
    ]


def used_time(
    row: ReadRow, bought: Minutes | None, unit_minutes: Minutes | None
) -> tuple[Minutes, list[Finding]]:
    """Return what was used before, by what the row says of use and balance, and what is off about it.

    A balance above what was bought and not used is time of an earlier year: it is never taken over.
    """
    nothing = Minutes(0)
    if bought is None or unit_minutes is None:
        given = row.used or row.balance
        said = [
            _finding(
                row,
                Field.USED,
                Level.WARNING,
                "What was bought is not counted in time, so it has no balance.",
                "Its use is not taken over.",
            )
        ]
        return nothing, said if given else []
    found: list[Finding] = []
    used = left = None
    if row.used is not None:
        used, said = exact_minutes(row, Field.USED, row.used, unit_minutes)
        found += said
    if row.balance is not None:
        left, said = exact_minutes(row, Field.BALANCE, row.balance, unit_minutes)
        found += said
    if used is None:
        used = nothing if left is None else max(nothing, bought - left)
    found += _use_findings(row, bought, used, left, unit_minutes)
    return used, found


def _use_findings(
    row: ReadRow, bought: Minutes, used: Minutes, left: Minutes | None, unit_minutes: Minutes
) -> list[Finding]:
    def said(length: Minutes) -> str:
        return plain(length.shown_in_units(unit_minutes))

    if used.minutes < 0:
        return [
            _finding(row, Field.USED, Level.ERROR, f"{said(used)} used is below nothing.", "Enter 0 or more.")
        ]
    if used > bought:
        return [
            _finding(
                row,
                Field.USED,
                Level.ERROR,
                f"{said(used)} used is more than {said(bought)} bought.",
                f"Enter {said(bought)} used, and agree the rest as a variation or bill it in your own system.",
            )
        ]
    ours = bought - used
    if left is None or left == ours:
        return []
    if left > ours:
        return [
            _finding(
                row,
                Field.BALANCE,
                Level.WARNING,
                f"Their balance is {said(left)}, and bought less used is {said(ours)}. The {said(left - ours)} "
                "above it look carried forward from an earlier year.",
                f"Time is never carried forward: the balance here will be {said(ours)}.",
            )
        ]
    return [
        _finding(
            row,
            Field.BALANCE,
            Level.WARNING,
            f"Their balance is {said(left)}, and bought less used is {said(ours)}.",
            f"The balance here will be {said(ours)}. Correct what was used when that is wrong.",
        )
    ]


def spread_use(
    row: ReadRow, used: Minutes, parts: Sequence[TranchePart], *, on: date
) -> tuple[list[tuple[TranchePart, Minutes, date]], list[Finding]]:
    """Put used time on the years it may belong to: those that had begun by the day, the earliest first.

    Each comes with the date of its entry: the day of the takeover, or the last day of a year that is over.
    """
    spread: list[tuple[TranchePart, Minutes, date]] = []
    left = used
    begun = [part for part in parts if part.minutes and part.period.start <= on]
    for part in begun:
        taken = min(left, part.minutes or Minutes(0))
        if taken:
            spread.append((part, taken, min(on, part.period.last)))
            left -= taken
    if left:
        shown = left.hours_and_minutes()
        return [], [
            _finding(
                row,
                Field.USED,
                Level.ERROR,
                f"{shown} used cannot have been: by {long_date(on)} less of the agreement’s time had begun.",
                "Check the first day, what was used, and the day of the takeover.",
            )
        ]
    if len(begun) > 1 and used:
        first = begun[0]
        return spread, [
            _finding(
                row,
                Field.USED,
                Level.WARNING,
                f"The agreement lies in {len(begun)} financial years.",
                f"What was used is put on {first.year} first.",
            )
        ]
    return spread, []


def vat_findings(row: ReadRow, gross: Money) -> list[Finding]:
    """Compare their total with VAT and ours."""
    if row.gross is None or row.gross == gross:
        return []
    off = row.gross - gross
    why = "rounding of VAT" if abs(off.pence) <= 12 else "another VAT"
    return [
        _finding(
            row,
            Field.GROSS,
            Level.WARNING,
            f"Their total is {pounds(row.gross)}, ours {pounds(gross)}: {pounds(off)}, {why}.",
            "Our total follows the school’s class and the VAT of each document.",
        )
    ]


def shown_quantity(length: Minutes, unit_minutes: Minutes) -> Decimal:
    """Return minutes as a number of units at most `PLACES` long, for showing beside theirs."""
    exact = length.in_units(unit_minutes)
    return Decimal(half_up(exact * 10**PLACES)).scaleb(-PLACES)
