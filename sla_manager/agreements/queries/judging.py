"""What each row of a spreadsheet would become in the books, or everything that stands against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sla_manager.agreements.models import AgreementLine
from sla_manager.agreements.queries.payment import agreement_totals
from sla_manager.agreements.queries.taking_over import (
    Books,
    Bought,
    KnownSchool,
    find_offering,
    find_school,
)
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.taken_cells import ReadRow
from sla_manager.agreements.rules.taken_checks import (
    Priced,
    priced,
    quantity_findings,
    spread_use,
    used_time,
    vat_findings,
)
from sla_manager.agreements.rules.takeovers import Field, Finding, Level
from sla_manager.agreements.rules.tranches import TranchePart, tranches_by_months
from sla_manager.agreements.shares import written_shares
from sla_manager.catalogue.models import Offering
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period, add_months
from sla_manager.kernel.words import long_date

_LONGEST_YEARS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row and what it would become; without a `line` it is refused, passed over, or taken over already."""

    row: ReadRow
    findings: tuple[Finding, ...]
    school: KnownSchool | None = None
    offering: Offering | None = None
    term: Period | None = None
    schedule: Schedule = Schedule.SINGLE
    line: AgreementLine | None = None
    use: tuple[tuple[TranchePart, Minutes, date], ...] = ()
    net: Money = Money(0)
    vat: Money = Money(0)
    taken_id: int | None = None
    """The agreement that it became already."""

    @property
    def is_refused(self) -> bool:
        """Whether something stands against it."""
        return any(one.level is Level.ERROR for one in self.findings)


@dataclass(frozen=True, slots=True)
class Preview:
    """A dry run: every row judged, nothing written."""

    rows: tuple[Judged, ...]

    @property
    def to_take(self) -> list[Judged]:
        """The rows that would become agreements."""
        return [one for one in self.rows if one.line is not None]

    @property
    def refused(self) -> list[Judged]:
        """The rows that would not."""
        return [one for one in self.rows if one.is_refused]

    @property
    def already(self) -> list[Judged]:
        """The rows that were taken over before."""
        return [one for one in self.rows if one.taken_id is not None]

    @property
    def passed_over(self) -> int:
        """How many rows only add the others up."""
        return sum(one.row.is_total for one in self.rows)

    @property
    def findings(self) -> list[Finding]:
        """Everything that was found: what stands against rows first."""
        found = [finding for one in self.rows for finding in one.findings]
        return sorted(found, key=lambda one: (one.level is not Level.ERROR, one.row))

    @property
    def warned(self) -> int:
        """How many rows would be taken over with something to look at."""
        return sum(bool(one.findings) for one in self.to_take)

    @property
    def totals(self) -> dict[str, Money]:
        """Net, VAT and gross of what would be taken over, and what was invoiced before."""
        taken = self.to_take
        invoiced = [one.row.invoiced_net for one in taken if one.row.invoiced_net is not None]
        net, vat = total(one.net for one in taken), total(one.vat for one in taken)
        return {"net": net, "vat": vat, "gross": net + vat, "invoiced": total(invoiced)}


def judge(books: Books, row: ReadRow, *, taken_on: date) -> Judged:
    """Say what a row would become, or everything that stands against it."""
    if row.number in books.taken:
        return Judged(row=row, findings=(), taken_id=books.taken[row.number])
    if row.is_total:
        said = Finding(
            row.number, None, Level.PASSED_OVER, "The row adds the others up.", "Nothing needs to be done."
        )
        return Judged(row=row, findings=(said,))
    school, of_school = find_school(books, row)
    offering, of_offering = find_offering(books, row)
    term, of_term = _term(row)
    found = [*row.findings, *of_school, *of_offering, *of_term]
    if offering is not None:
        found += quantity_findings(row, offering.step, offering.unit)
    judged = Judged(row=row, findings=tuple(found), school=school, offering=offering, term=term)
    if judged.is_refused or school is None or offering is None or term is None or row.quantity is None:
        return judged
    found += _double(books, row, school, offering, term)
    ours = books.our_price(offering, school.customer_class, term.start)
    price, of_money = priced(row, row.quantity, offering.unit, ours)
    found += of_money
    if price is None:
        return Judged(row=row, findings=tuple(found), school=school, offering=offering, term=term)
    return _judged(
        books,
        row,
        found,
        school=school,
        offering=offering,
        term=term,
        price=price,
        quantity=row.quantity,
        taken_on=taken_on,
    )


def _judged(
    books: Books,
    row: ReadRow,
    found: list[Finding],
    *,
    school: KnownSchool,
    offering: Offering,
    term: Period,
    price: Priced,
    quantity: Decimal,
    taken_on: date,
) -> Judged:
    assert row.quantity is not None  # noqa: S101  (judged before)
    parts = tranches_by_months(
        row.quantity,
        offering.step,
        term,
        net=price.net,
        unit=offering.unit_minutes,
        start_month=books.billing.start_month,
    )
    found += _closed(books, row, parts)
    counted_in_time = offering.unit_minutes is not None
    bought = total_minutes(part.minutes for part in parts if part.minutes) if counted_in_time else None
    used, of_use = used_time(row, bought, offering.unit_minutes)
    spread, of_spread = spread_use(row, used, parts, on=taken_on)
    found += [*of_use, *of_spread]
    line = _line(books, row, offering, school, term, price, parts)
    schedule = row.schedule or Schedule.SINGLE
    net, vat = agreement_totals([line], schedule, term, books.billing)
    found += vat_findings(row, net + vat)
    refused = any(one.level is Level.ERROR for one in found)
    return Judged(
        row=row,
        findings=tuple(found),
        school=school,
        offering=offering,
        term=term,
        schedule=schedule,
        line=None if refused else line,
        use=tuple(spread),
        net=net,
        vat=vat,
    )


def _line(
    books: Books,
    row: ReadRow,
    offering: Offering,
    school: KnownSchool,
    term: Period,
    price: Priced,
    parts: Sequence[TranchePart],
) -> AgreementLine:
    """Return the line that a row becomes: their price and net, our offering and VAT."""
    vat = books.treatment(offering, school.customer_class, term.start)
    return AgreementLine(
        position=1,
        offering_id=offering.id,
        family=offering.family,
        description=offering.name,
        quantity=row.quantity,
        unit=offering.unit,
        unit_minutes=offering.unit_minutes,
        step=offering.step,
        unit_price=price.unit_price,
        net=price.net,
        route=vat.route,
        vat_code=vat.code,
        vat_reason=vat.reason,
        charging_method=offering.charging_method,
        block_minutes=offering.block_minutes,
        counts_preparation=offering.counts_preparation,
        counts_report=offering.counts_report,
        counts_travel=offering.counts_travel,
        explanation=price.explanation,
        price_facts={"taken_over": True},
        year_shares=written_shares(parts),
    )


def _term(row: ReadRow) -> tuple[Period | None, list[Finding]]:
    found = []
    for one, day in ((Field.STARTS_ON, row.starts_on), (Field.ENDS_ON, row.ends_on)):
        if day is None and not any(finding.field is one for finding in row.findings):
            found.append(
                Finding(row.number, one, Level.ERROR, f"There is no {one.title.lower()}.", "Enter it.")
            )
    if row.starts_on is None or row.ends_on is None:
        return None, found
    if row.ends_on < row.starts_on:
        said = f"The last day, {long_date(row.ends_on)}, is before the first, {long_date(row.starts_on)}."
        return None, [Finding(row.number, Field.ENDS_ON, Level.ERROR, said, "Correct one of the two.")]
    far = row.starts_on.year < 2000 or row.ends_on.year > 2100
    if far or row.ends_on >= add_months(row.starts_on, 12 * _LONGEST_YEARS):
        said = (
            f"{long_date(row.starts_on)} to {long_date(row.ends_on)} is longer than {_LONGEST_YEARS} years."
        )
        return None, [Finding(row.number, Field.ENDS_ON, Level.ERROR, said, "Correct one of the two.")]
    return Period.through(row.starts_on, row.ends_on), found


def _closed(books: Books, row: ReadRow, parts: Sequence[TranchePart]) -> list[Finding]:
    shut = [part.year for part in parts if part.year.first in books.closed_years]
    return [
        Finding(
            row.number,
            Field.ENDS_ON,
            Level.ERROR,
            f"The financial year {year} is closed: nothing more goes into its ledgers.",
            "Keep this agreement in your own records.",
        )
        for year in shut
    ]


def _double(
    books: Books, row: ReadRow, school: KnownSchool, offering: Offering, term: Period
) -> list[Finding]:
    """Find the same agreement twice: in this file, or in the books."""
    found = []
    what = f"{school.name}, {offering.name}"
    for earlier, starts_on, ends_on in books.seen[school.id, offering.id]:
        if (starts_on, ends_on) == (term.start, term.last):
            said = f"{what}: row {earlier} has the same service and dates."
            found.append(
                Finding(row.number, Field.SCHOOL, Level.ERROR, said, "Put the two rows together into one.")
            )
        elif starts_on <= term.last and term.start <= ends_on:
            said = f"{what}: row {earlier} has the same service for some of the same days."
            found.append(
                Finding(
                    row.number, Field.SCHOOL, Level.WARNING, said, "Both are taken over: check it is not one."
                )
            )
    books.seen[school.id, offering.id].append((row.number, term.start, term.last))
    for one in books.bought.get((school.id, offering.id), ()):
        if one.overlaps(term.start, term.last):
            found += _in_the_books(row, what, one, term)
    return found


def _in_the_books(row: ReadRow, what: str, one: Bought, term: Period) -> list[Finding]:
    dates = f"{long_date(one.starts_on)} to {long_date(one.ends_on)}"
    if one.row is None:
        return [
            Finding(
                row.number,
                Field.SCHOOL,
                Level.ERROR,
                f"{what} is in the books already: {one.reference}, {dates}.",
                "Take the row out, or make a variation of that agreement.",
            )
        ]
    if one.row < row.number and (one.starts_on, one.ends_on) == (term.start, term.last):
        said = f"{what}: row {one.row} has the same service and dates."
        return [Finding(row.number, Field.SCHOOL, Level.ERROR, said, "Put the two rows together into one.")]
    return []
