"""A run's preview beside the month and the year before, and what to look at before it is issued."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.models import Document
from sla_manager.billing.runs import DueRow
from sla_manager.catalogue.queries import vat_rates
from sla_manager.catalogue.rules.vat import UK_RATES, DatedRate, VatCode, rate_at
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period, month_of
from sla_manager.kernel.words import counted, long_date, per_cent
from sla_manager.people.queries import the_provider

SHOWN = 5
"""How many of one warning are named."""


@dataclass(frozen=True, slots=True)
class PeriodSum:
    """What a month comes to by tax point: how many documents, and their net less credits."""

    words: str
    documents: int
    net: Money


@dataclass(frozen=True, slots=True)
class CustomerChange:
    """What a customer is billed in the month of the run (with the run), and was in the months to compare with."""

    customer_id: int
    customer: str
    now: Money
    month_before: Money
    year_before: Money

    @property
    def change(self) -> Money:
        """Against the year before where the customer was billed then, or against the month before."""
        return self.now - (self.year_before or self.month_before)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The month of a run (what is billed of it, with the run) beside the month and the year before."""

    now: PeriodSum
    month_before: PeriodSum
    year_before: PeriodSum
    customers: tuple[CustomerChange, ...]
    """The largest changes first; who is billed the same is not named."""


def comparison(session: Session, rows: Iterable[DueRow], as_at: date) -> Comparison:
    """Compare the month of a run by customer: three questions, however many documents there are.

    Every document counts in the month of its tax point; what a run bills late counts in the month of the run.
    """
    month = month_of(as_at)
    before, earlier = (
        month_of(_day_before(month.start)),
        month_of(month.start.replace(year=month.start.year - 1)),
    )
    billed = _billed(session, month)
    last, year = _billed(session, before), _billed(session, earlier)
    now = dict(billed)
    for row in rows:
        if not row.trouble:
            name, count, net = now.get(row.customer_id, (row.customer, 0, Money(0)))
            now[row.customer_id] = (name, count + 1, net + row.net)
    nothing = ("", 0, Money(0))
    changes = [
        CustomerChange(
            one,
            next(found[one][0] for found in (now, last, year) if one in found),
            now.get(one, nothing)[2], last.get(one, nothing)[2], year.get(one, nothing)[2],
        )
        for one in {*now, *last, *year}
    ]  # fmt: skip
    changes.sort(key=lambda one: (-abs(one.change.pence), one.customer, one.customer_id))
    return Comparison(
        _sum(f"{month.start:%B %Y} with this run", now), _sum(f"{before.start:%B %Y}", last),
        _sum(f"{earlier.start:%B %Y}", year), tuple(one for one in changes if one.change),
    )  # fmt: skip


def warnings(session: Session, rows: Iterable[DueRow], as_at: date) -> list[str]:
    """Say what somebody should look at before the run is issued: our VAT number, and rates of another day."""
    issued = [row for row in rows if not row.trouble]
    said = []
    taxed = [row for row in issued if row.vat]
    if taxed and not the_provider(session).vat_number:
        said.append(
            f"We have no VAT number, but {counted(len(taxed), 'document')} would carry VAT. "
            "Enter the number in the council’s settings before you issue them."
        )
    rates = vat_rates(session) or UK_RATES
    today = rate_at(VatCode.STANDARD, as_at, rates)
    return [*said, *_rates_of_another_day(taxed, rates, today), *_charged_by_hand(session, as_at)]


def _charged_by_hand(session: Session, as_at: date) -> list[str]:
    """Say which work is paid on delivery and not counted in time: no run sees its delivery."""
    query = (
        select(Agreement.reference, AgreementLine.description)
        .join(AgreementLine, AgreementLine.agreement_id == Agreement.id)
        .where(
            Agreement.schedule == Schedule.ON_DELIVERY,
            Agreement.status == AgreementStatus.AGREED,
            Agreement.starts_on <= as_at,
            Agreement.ends_on >= as_at,
            AgreementLine.unit_minutes.is_(None),
            AgreementLine.net > Money(0),
        )
        .order_by(Agreement.id, AgreementLine.position)
    )
    found = session.execute(query).all()
    said = [
        f"{reference}, {work}: paid on delivery and not counted in time, so no run bills it. "
        "Record a one-off charge when it is done."
        for reference, work in found[:SHOWN]
    ]
    more = len(found) - SHOWN
    return said + ([f"{counted(more, 'more line')} likewise."] if more > 0 else [])


def _rates_of_another_day(rows: Sequence[DueRow], rates: Sequence[DatedRate], today: int) -> list[str]:
    """Say which documents carry another rate than the one of the run's day, and that the tax point decides (M5)."""
    said = []
    for row in rows:
        own = rate_at(VatCode.STANDARD, row.tax_point, rates)
        if own != today:
            said.append(
                f"{row.reference}, {row.label}: VAT is {per_cent(own)}, not {per_cent(today)}, "
                f"because its tax point is {long_date(row.tax_point)}."
            )
    more = len(said) - SHOWN
    return said[:SHOWN] + ([f"{counted(more, 'more document')} likewise."] if more > 0 else [])


def _billed(session: Session, month: Period) -> dict[int, tuple[str, int, Money]]:
    query = (
        select(
            Document.customer_id, func.max(Document.customer_name), func.count(), func.sum(Document.net)
        )
        .where(Document.tax_point >= month.start, Document.tax_point <= month.last)
        .group_by(Document.customer_id)
    )  # fmt: skip
    return {row[0]: (row[1], row[2], row[3]) for row in session.execute(query)}


def _sum(words: str, found: dict[int, tuple[str, int, Money]]) -> PeriodSum:
    return PeriodSum(words, sum(row[1] for row in found.values()), total(row[2] for row in found.values()))


def _day_before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)
