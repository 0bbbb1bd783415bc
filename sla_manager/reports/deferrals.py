"""Deferred and accrued income by agreement at the end of a day: what finance journals on 31 March."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.billing.models import Billed, Document, OneOffCharge, OneOffWithdrawal
from sla_manager.billing.rules.locks import end_of
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import ONE_DAY, FinancialYear
from sla_manager.people.models import Customer, School, Trust
from sla_manager.reports.earned import NOTHING
from sla_manager.reports.earnings import EarnedPart, earned_parts, invoiced_by_agreement
from sla_manager.reports.waived import waived_by_line


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferralRow:
    """An agreement (or a one-off charge) at the end of a day, everything since it began.

    `earned` is delivered (with extra time and what is earned evenly) + charged + lapsed − waived: what was credited
    beyond the ledger.
    """

    agreement_id: int | None
    charge_id: int | None
    reference: str
    customer: str
    school: str
    invoiced: Money
    delivered: Money
    charged: Money
    lapsed: Money
    waived: Money
    earned: Money
    unused: Money

    @property
    def deferred(self) -> Money:
        """What is invoiced and not earned."""
        return Money(max(self.invoiced.pence - self.earned.pence, 0))

    @property
    def accrued(self) -> Money:
        """What is earned and not invoiced."""
        return Money(max(self.earned.pence - self.invoiced.pence, 0))


@dataclass(frozen=True, slots=True)
class Deferrals:
    """All rows at the end of a day."""

    on: date
    rows: tuple[DeferralRow, ...]

    @property
    def invoiced(self) -> Money:
        """The sum of what was invoiced."""
        return total(row.invoiced for row in self.rows)

    @property
    def earned(self) -> Money:
        """The sum of what is earned."""
        return total(row.earned for row in self.rows)

    @property
    def deferred(self) -> Money:
        """The sum of deferred income."""
        return total(row.deferred for row in self.rows)

    @property
    def accrued(self) -> Money:
        """The sum of accrued income."""
        return total(row.accrued for row in self.rows)

    @property
    def unsettled(self) -> tuple[DeferralRow, ...]:
        """The rows that need a journal."""
        return tuple(row for row in self.rows if row.deferred or row.accrued)


@dataclass(frozen=True, slots=True)
class YearEnd:
    """Both ends of a financial year, and what lies between them."""

    year: FinancialYear
    opening: Deferrals
    closing: Deferrals

    @property
    def invoiced(self) -> Money:
        """What was invoiced in the year, less credits."""
        return self.closing.invoiced - self.opening.invoiced

    @property
    def income(self) -> Money:
        """The income of the year: invoiced, and what moved between the years. The same as what was earned in it."""
        return (
            self.invoiced
            + self.opening.deferred
            - self.closing.deferred
            - self.opening.accrued
            + self.closing.accrued
        )


def year_end(session: Session, year: FinancialYear, today: date) -> YearEnd:
    """Return a financial year's two ends; of a year that is running, its beginning and today."""
    first, last = year.period.start - ONE_DAY, min(year.period.last, max(today, year.period.start))
    return YearEnd(year, deferrals(session, first), deferrals(session, last))


def deferrals(session: Session, on: date) -> Deferrals:
    """Return what is deferred and accrued of every agreement and one-off charge at the end of a day."""
    by_agreement: dict[int, list[EarnedPart]] = defaultdict(list)
    for part in earned_parts(session, on):
        by_agreement[part.agreement_id].append(part)
    invoiced, waived = invoiced_by_agreement(session, on), _waived(session, on)
    payer = func.coalesce(Trust.name, School.name)
    wanted = by_agreement.keys() | invoiced.keys()
    site = select(School.id, School.name).subquery()
    query = (
        select(Agreement.id, Agreement.reference, payer, site.c.name)
        .join(site, site.c.id == Agreement.school_id)
        .join(Customer, Customer.id == Agreement.customer_id)
        .outerjoin(Trust, Trust.id == Customer.trust_id)
        .outerjoin(School, School.id == Customer.school_id)
        .order_by(Agreement.id)
    )
    rows = [
        _row(
            one, reference, customer, school,
            by_agreement.get(one, ()), invoiced.get(one, NOTHING), waived.get(one, NOTHING),
        )
        for one, reference, customer, school in session.execute(query)
        if one in wanted
    ]  # fmt: skip
    return Deferrals(on, (*rows, *_one_off_rows(session, on)))


def _row(
    agreement_id: int,
    reference: str,
    customer: str,
    school: str,
    parts: Sequence[EarnedPart],
    invoiced: Money,
    waived: Money,
) -> DeferralRow:
    delivered, charged, lapsed, unused = (
        (total(amounts) for amounts in zip(*(_amounts(part) for part in parts), strict=True))
        if parts
        else (NOTHING,) * 4
    )
    return DeferralRow(
        agreement_id=agreement_id, charge_id=None, reference=reference, customer=customer, school=school,
        invoiced=invoiced, delivered=delivered, charged=charged, lapsed=lapsed, waived=waived,
        earned=delivered + charged + lapsed - waived, unused=unused,
    )  # fmt: skip


def _amounts(part: EarnedPart) -> tuple[Money, Money, Money, Money]:
    worth = part.worth
    delivered = worth.delivered
    if worth.passed or part.extra:
        delivered = delivered + worth.passed + part.extra
    return delivered, worth.charged, worth.lapsed, worth.left


def _waived(session: Session, on: date) -> dict[int, Money]:
    by_line = waived_by_line(session, on)
    if not by_line:
        return {}
    found: dict[int, Money] = {}
    for line, agreement in session.execute(select(AgreementLine.id, AgreementLine.agreement_id)):
        if line in by_line:
            found[agreement] = found.get(agreement, NOTHING) + by_line[line]
    return found


def _one_off_rows(session: Session, on: date) -> list[DeferralRow]:
    """Return one-off charges: earned on the day that they were done, invoiced when a run has billed them."""
    taken_back = (
        select(Document.credits_id.label("of"), func.sum(Document.net).label("net"))
        .where(Document.credits_id.is_not(None), Document.issued_on <= on)
        .group_by(Document.credits_id)
        .subquery()
    )
    withdrawn = exists().where(
        OneOffWithdrawal.charge_id == OneOffCharge.id, OneOffWithdrawal.withdrawn_at < end_of(on)
    )
    billed = (
        select(Billed.source_id, Document.net, taken_back.c.net.label("credited"))
        .join(Document, Document.id == Billed.document_id)
        .outerjoin(taken_back, taken_back.c.of == Document.id)
        .where(Billed.purpose == "one_off", Document.issued_on <= on)
        .subquery()
    )
    query = (
        select(
            OneOffCharge.id, OneOffCharge.kind, OneOffCharge.net, OneOffCharge.delivered_on,
            func.coalesce(Trust.name, School.name), billed.c.net, billed.c.credited,
        )
        .join(Customer, Customer.id == OneOffCharge.customer_id)
        .outerjoin(Trust, Trust.id == Customer.trust_id)
        .outerjoin(School, School.id == Customer.school_id)
        .outerjoin(billed, billed.c.source_id == OneOffCharge.id)
        .where(~withdrawn, (OneOffCharge.delivered_on <= on) | billed.c.net.is_not(None))
        .order_by(OneOffCharge.id)
    )  # fmt: skip
    rows = []
    for one, kind, net, delivered_on, customer, invoiced, credited in session.execute(query):
        back = -(credited or NOTHING)
        done = delivered_on <= on
        rows.append(
            DeferralRow(
                agreement_id=None, charge_id=one, reference=f"One-off {one}: {kind.replace('_', ' ')}",
                customer=customer, school="", invoiced=(invoiced or NOTHING) - back,
                delivered=net if done else NOTHING, charged=NOTHING, lapsed=NOTHING,
                waived=back if done else NOTHING,
                earned=net - back if done else NOTHING, unused=NOTHING,
            )
        )  # fmt: skip
    return rows
