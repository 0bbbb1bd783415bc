"""Reading the cells of one row: amounts, quantities, dates and words as offices write them, never guessed silently.

What cannot be read is an error of the row, what had to be rounded a warning. An empty cell says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.takeovers import (
    PUPIL_NUMBER_REMOVED,
    ColumnMapping,
    Field,
    Finding,
    Level,
)
from sla_manager.kernel.money import LARGEST_PENCE, Money
from sla_manager.kernel.quantities import PLACES, plain
from sla_manager.kernel.words import pounds

T = TypeVar("T")
LONGEST_NOTE = 1_000
_EMPTY = frozenset({"", "-", "–", "—", "n/a", "na", "none", "nil", "tbc"})
_UNIT_WORDS = re.compile(r"\s*(days?|d|hours?|hrs?|h|sessions?)\.?$", re.IGNORECASE)
_NUMBER = re.compile(r"^-?\d{1,12}(\.\d{1,15})?$")
_CLOCK = re.compile(r"^(\d{1,6}):([0-5]\d)$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WRITTEN = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)?[\s./-]+([a-z]{3,9}|\d{1,2})[\s./,-]+(\d{2}|\d{4})$")
_ISO = re.compile(r"^(\d{4})-(\d{2})-(\d{2})(?:[ T]\d{2}:\d{2}.*)?$")
_SCHEDULES: Mapping[str, Schedule] = {
    "single": Schedule.SINGLE, "once": Schedule.SINGLE, "annual": Schedule.SINGLE, "annually": Schedule.SINGLE,
    "yearly": Schedule.SINGLE, "one": Schedule.SINGLE, "1": Schedule.SINGLE, "in full": Schedule.SINGLE,
    "up front": Schedule.SINGLE, "upfront": Schedule.SINGLE, "in advance": Schedule.SINGLE,
    "three": Schedule.THREE, "termly": Schedule.THREE, "3": Schedule.THREE, "each term": Schedule.THREE,
    "seven five": Schedule.SEVEN_FIVE, "7 5": Schedule.SEVEN_FIVE, "two": Schedule.SEVEN_FIVE,
    "monthly": Schedule.MONTHLY, "month": Schedule.MONTHLY, "12": Schedule.MONTHLY,
    "on delivery": Schedule.ON_DELIVERY, "arrears": Schedule.ON_DELIVERY, "in arrears": Schedule.ON_DELIVERY,
    "as used": Schedule.ON_DELIVERY, "pay as you go": Schedule.ON_DELIVERY,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """One row in types. `used` and `balance` are exact numbers of what the row counts in, or of hours."""

    number: int
    urn: int | None = None
    laestab: str = ""
    school: str = ""
    offering: str = ""
    quantity: Decimal | None = None
    unit_price: Money | None = None
    net: Money | None = None
    gross: Money | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    schedule: Schedule | None = None
    purchase_order: str = ""
    used: Decimal | None = None
    balance: Decimal | None = None
    in_hours: bool = False
    invoiced_net: Money | None = None
    invoiced_gross: Money | None = None
    paid: Money | None = None
    notes: str = ""
    is_total: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether the row cannot be taken over."""
        return any(one.level is Level.ERROR for one in self.findings)


class _Unreadable(ValueError):
    """A cell that says something else than its field."""

    def __init__(self, message: str, what_to_do: str) -> None:
        super().__init__(message)
        self.message, self.what_to_do = message, what_to_do


@dataclass
class _Row:
    """The cells of one row and what was found in them."""

    number: int
    cells: Mapping[Field, str]
    findings: list[Finding] = field(default_factory=list)

    def text(self, one: Field) -> str:
        """Return a cell's text, or nothing."""
        said = self.cells.get(one, "").strip()
        if said[:1] == "'" and said[1:2] in ("=", "+", "-", "@"):
            said = said[1:]  # a spreadsheet's own way of making such a text harmless
        return "" if said.casefold() in _EMPTY else said

    def note(self, one: Field | None, level: Level, message: str, what_to_do: str) -> None:
        """Keep a finding."""
        self.findings.append(Finding(self.number, one, level, message, what_to_do))

    def read(self, one: Field, how: Callable[[str], T]) -> T | None:
        """Return a cell's value; what cannot be read is noted."""
        text = self.text(one)
        if not text:
            return None
        try:
            return how(text)
        except _Unreadable as error:
            self.note(one, Level.ERROR, error.message, error.what_to_do)
            return None

    def money(self, one: Field) -> Money | None:
        """Return an amount of nothing or more; more than two decimals are rounded, and that is said."""
        exact = self.read(one, read_exact_money)
        if exact is None:
            return None
        amount = Money.rounded(exact * 100)
        if exact < 0:
            self.note(
                one, Level.ERROR, f"{pounds(amount)} is below nothing.",
                "Enter the amount of the agreement; credits stay in your own system.",
            )  # fmt: skip
            return None
        if Fraction(amount.pence, 100) != Fraction(exact):
            self.note(
                one, Level.WARNING, f"{plain(exact)} has parts of a penny.",
                f"We take {pounds(amount)}.",
            )  # fmt: skip
        return amount


def read_row(
    number: int, cells: Mapping[Field, str], mapping: ColumnMapping, *, row_has_upn: bool = False
) -> ReadRow:
    """Return one row in types, with everything in it that cannot be read."""
    row = _Row(number, cells)
    if row_has_upn or any(PUPIL_NUMBER_REMOVED in text for text in cells.values()):
        row.note(
            Field.NOTES if PUPIL_NUMBER_REMOVED in cells.get(Field.NOTES, "") else None, Level.ERROR,
            "The row holds a unique pupil number. We never hold pupil data, and did not keep it.",
            "Take the number out of the spreadsheet and upload it again.",
        )  # fmt: skip
    notes = row.text(Field.NOTES)
    if len(notes) > LONGEST_NOTE:
        row.note(Field.NOTES, Level.WARNING, f"The note has {len(notes):,} characters.",
                 f"We keep the first {LONGEST_NOTE:,}.")  # fmt: skip
    return ReadRow(
        number=number,
        urn=row.read(Field.URN, _urn),
        laestab=row.read(Field.LAESTAB, _laestab) or "",
        school=row.text(Field.SCHOOL),
        offering=row.text(Field.OFFERING) or mapping.offering,
        quantity=_quantity(row),
        unit_price=row.money(Field.UNIT_PRICE),
        net=row.money(Field.NET),
        gross=row.money(Field.GROSS),
        starts_on=row.read(Field.STARTS_ON, read_day) or mapping.starts_on,
        ends_on=row.read(Field.ENDS_ON, read_day) or mapping.ends_on,
        schedule=row.read(Field.SCHEDULE, read_schedule) or mapping.schedule,
        purchase_order=row.text(Field.PURCHASE_ORDER)[:100],
        used=row.read(Field.USED, read_number),
        balance=row.read(Field.BALANCE, read_number),
        in_hours=mapping.in_hours,
        invoiced_net=row.money(Field.INVOICED_NET),
        invoiced_gross=row.money(Field.INVOICED_GROSS),
        paid=row.money(Field.PAID),
        notes=notes[:LONGEST_NOTE],
        is_total=_is_total(cells),
        findings=tuple(row.findings),
    )


def _is_total(cells: Mapping[Field, str]) -> bool:
    """Say whether a row adds the others up: it names no school but "Total"."""
    named = [cells.get(one, "").strip() for one in (Field.URN, Field.LAESTAB, Field.SCHOOL)]
    said = [text for text in named if text]
    return all(text.lower().startswith(("total", "grand total", "sum")) for text in said) and (
        bool(said)
        or not any(text.strip() for text in (cells.get(Field.OFFERING, ""), cells.get(Field.NOTES, "")))
    )


def _quantity(row: _Row) -> Decimal | None:
    found = row.read(Field.QUANTITY, read_number)
    if found is None:
        return None
    if found <= 0 or found != found.quantize(Decimal(1).scaleb(-PLACES)):
        row.note(
            Field.QUANTITY, Level.ERROR, f"{plain(found)} cannot be a bought quantity.",
            f"Enter more than 0, with at most {PLACES} decimals.",
        )  # fmt: skip
        return None
    return found


def read_number(text: str) -> Decimal:
    """Read "12", "4.5 days", "1,234.5", "½" or hours as "7:24", exactly.

    >>> [str(read_number(text)) for text in ("4.5 days", "1,234.5", "2½", "7:24")]
    ['4.5', '1234.5', '2.5', '7.4']
    """
    clock = _CLOCK.match(text)
    if clock:
        sixths = Fraction(int(clock[1]) * 60 + int(clock[2]), 60)
        return Decimal(sixths.numerator) / Decimal(sixths.denominator)
    bare = _UNIT_WORDS.sub("", text).replace("−", "-")
    for sign, decimals in (("½", ".5"), ("¼", ".25"), ("¾", ".75")):
        bare = bare.replace(" " + sign, sign).replace(sign, decimals)
    bare = _without_commas("0" + bare if bare.startswith(".") else bare)
    if not (bare.isascii() and _NUMBER.match(bare)):
        raise _Unreadable(f"“{text[:40]}” is not a number.", "Enter a number like 4.5.")
    return Decimal(bare)


def read_exact_money(text: str) -> Decimal:
    """Read "£4,416.00", "368", "GBP 12.5" or "(207.63)" in pounds, exactly.

    >>> [str(read_exact_money(text)) for text in ("£4,416.00", "(207.63)", "GBP 12.5")]
    ['4416.00', '-207.63', '12.5']
    """
    bare = text.replace("£", "").replace("GBP", "").replace("−", "-").strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = f"-{bare[1:-1]}"
    bare = _without_commas(bare)
    if not (bare.isascii() and _NUMBER.match(bare)) or abs(Decimal(bare)) * 100 > LARGEST_PENCE:
        raise _Unreadable(f"“{text[:40]}” is not an amount of money.", "Enter pounds and pence, like 368.00.")
    return Decimal(bare)


def _without_commas(text: str) -> str:
    """Drop the commas between thousands; any other comma stays, and is not a number."""
    bare = text.replace(" ", "")
    return bare.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", bare) else bare


def read_day(text: str) -> date:
    """Read 31/03/2026, 31.3.26, 31 March 2026, 31-Mar-26 or 2026-03-31; the day always comes before the month.

    >>> {str(read_day(text)) for text in ("31/03/2026", "31.3.26", "31st March 2026", "31-Mar-26", "2026-03-31")}
    {'2026-03-31'}
    """
    found = _ISO.match(text)
    written = _WRITTEN.match(text.lower())
    try:
        if found:
            return date(int(found[1]), int(found[2]), int(found[3]))
        if written:
            month = int(written[2]) if written[2].isdigit() else _MONTHS.index(written[2][:3]) + 1
            year = int(written[3])
            return date(year + 2000 if year < 100 else year, month, int(written[1]))
    except ValueError:
        pass
    raise _Unreadable(f"“{text[:40]}” is not a date.", "Enter a date like 31/03/2026.")


def read_schedule(text: str) -> Schedule:
    """Read how an agreement is paid, in our words or theirs.

    >>> [read_schedule(text).value for text in ("Termly", "7/5", "One payment", "in arrears")]
    ['three', 'seven-five', 'single', 'on_delivery']
    """
    bare = " ".join(re.findall(r"[a-z0-9]+", text.lower()))
    ours = {
        " ".join(re.findall(r"[a-z0-9]+", word.lower())): one
        for one in Schedule
        for word in (one.value, one.title)
    }
    found = ours.get(bare) or _SCHEDULES.get(bare.removesuffix(" payments").removesuffix(" payment"))
    if found is None:
        raise _Unreadable(
            f"“{text[:40]}” is no way of paying that we know.",
            f"Enter one of: {', '.join(one.title for one in Schedule)}.",
        )
    return found


def _urn(text: str) -> int:
    bare = text.removesuffix(".0")
    if not (bare.isascii() and bare.isdigit() and 5 <= len(bare) <= 7):
        raise _Unreadable(f"“{text[:40]}” is not a URN.", "Enter the school’s URN, six digits.")
    return int(bare)


def _laestab(text: str) -> str:
    """Return a LAESTAB as "203/2024"."""
    bare = "".join(re.findall(r"\d", text))
    if len(bare) != 7:
        raise _Unreadable(f"“{text[:40]}” is not a LAESTAB.", "Enter seven digits, like 203/2024.")
    return f"{bare[:3]}/{bare[3:]}"
