"""A service's capacity in a financial year, from what other rooms know: patterns, absences, terms, what is sold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import balances
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.agreements.shares import read_shares
from sla_manager.catalogue.models import Offering
from sla_manager.gateways.bank_holidays import is_bank_holiday
from sla_manager.kernel.clock import london_date, london_time
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import Officer, Provider, School, SchoolTerm
from sla_manager.people.queries import the_provider
from sla_manager.planning.models import CapacityPlan
from sla_manager.planning.rules.capacity import (
    CapacityFacts,
    CapacitySettings,
    Promised,
    Standing,
    YearCapacity,
    year_capacity,
)
from sla_manager.planning.rules.school_time import stretches
from sla_manager.planning.rules.staffing import Away, OfficerTime
from sla_manager.visits.models import Absence
from sla_manager.visits.queries import patterns

USUAL_DAY = Minutes(444)
"""7 hours 24 minutes: the day of a 37-hour week."""
USUAL_TRAINING, USUAL_SUPERVISION, USUAL_COURT = 5, 5, 10
"""Days a year: training and supervision of each officer, court of the whole service."""
_WITH_DATES_OF_THEIR_OWN = (Origin.TRANSFER, Origin.IMPORT)


@dataclass(frozen=True, slots=True)
class PlannedCapacity:
    """A year's capacity, the stored settings it stands on (None: the usual ones), and how many schools are open."""

    year: YearCapacity
    plan: CapacityPlan | None
    open_schools: int


def capacity(session: Session, service_id: int, year: FinancialYear, *, today: date) -> PlannedCapacity:
    """Return a service's capacity in a financial year: the same number of queries however large it is."""
    officers = _officers(session, service_id, year)
    plan = capacity_plan(session, service_id, year)
    schools = open_schools(session, year)
    facts = CapacityFacts(
        year=year,
        stretches=stretches(_terms(session, year), year.period, is_bank_holiday, today=today),
        officers=officers,
        settings=_settings(session, service_id, plan, officers=len(officers), schools=schools),
        promised=(
            *_sold(session, service_id, year),
            *_not_yet_sold(session, service_id, year, today=today),
        ),
    )
    return PlannedCapacity(year_capacity(facts), plan, schools)


def capacity_plan(session: Session, service_id: int, year: FinancialYear) -> CapacityPlan | None:
    """Return the stored settings of a year, or None where nobody set them."""
    query = select(CapacityPlan).where(CapacityPlan.service_id == service_id, CapacityPlan.year == year.first)
    return session.scalar(query)


def settings_of(session: Session, service_id: int, year: FinancialYear) -> CapacitySettings:
    """Return what a year is counted with: the stored settings, else the usual ones."""
    plan = capacity_plan(session, service_id, year)
    officers = len(_officers(session, service_id, year))
    return _settings(session, service_id, plan, officers=officers, schools=open_schools(session, year))


def years_of(session: Session, today: date) -> tuple[FinancialYear, FinancialYear]:
    """Return this financial year and the next: those that are sold."""
    year = FinancialYear.of(today, start_month=the_provider(session).financial_year_start_month)
    return year, year.next()


def open_schools(session: Session, year: FinancialYear) -> int:
    """Return how many schools of the authority are open in a year: each has its meetings, bought or not."""
    query = (
        select(func.count())
        .select_from(School)
        .where(School.la_code.in_(select(Provider.authority_code)))
        .where(
            or_(
                School.closed_on > year.period.start, School.closed_on.is_(None) & (School.status_code != "2")
            )
        )
        .where(or_(School.opened_on.is_(None), School.opened_on < year.period.end))
    )
    return session.scalar(query) or 0


def _settings(
    session: Session, service_id: int, plan: CapacityPlan | None, *, officers: int, schools: int
) -> CapacitySettings:
    if plan is None:
        day = _usual_day(session, service_id)
        return CapacitySettings(
            day_length=day,
            meeting=Minutes(day.minutes // 2),
            schools=schools,
            court=Minutes(USUAL_COURT * day.minutes),
            supervision=Minutes(USUAL_SUPERVISION * officers * day.minutes),
            training=Minutes(USUAL_TRAINING * officers * day.minutes),
        )
    return CapacitySettings(
        day_length=plan.day_length,
        meeting=plan.meeting,
        schools=schools if plan.schools is None else plan.schools,
        court=plan.court,
        duty_rota=plan.duty_rota,
        audits=plan.audits,
        supervision=plan.supervision,
        training=plan.training,
        planned_leave=plan.planned_leave,
    )


def _usual_day(session: Session, service_id: int) -> Minutes:
    """Return the length of the day that the service sells, else that of a 37-hour week."""
    query = select(Offering.unit_minutes).where(
        Offering.service_id == service_id, Offering.unit == "day", Offering.unit_minutes.is_not(None)
    )
    return session.scalar(query.order_by(Offering.id).limit(1)) or USUAL_DAY


def _terms(session: Session, year: FinancialYear) -> Sequence[SchoolTerm]:
    query = select(SchoolTerm).where(
        SchoolTerm.ends_on >= year.period.start, SchoolTerm.starts_on < year.period.end
    )
    return session.scalars(query.order_by(SchoolTerm.starts_on)).all()


def _officers(session: Session, service_id: int, year: FinancialYear) -> tuple[OfficerTime, ...]:
    period = year.period
    query = select(Officer).where(
        Officer.service_id == service_id,
        Officer.starts_on < period.end,
        or_(Officer.ends_on.is_(None), Officer.ends_on >= period.start),
    )
    found = session.scalars(query.order_by(Officer.name, Officer.id)).all()
    ids = [one.id for one in found]
    hours, away = patterns(session, ids), defaultdict[int, list[Away]](list)
    absences = (
        select(Absence)
        .where(Absence.officer_id.in_(ids), Absence.withdrawn_at.is_(None))
        .where(
            Absence.starts_at < london_time(period.end, time(0)),
            Absence.ends_at > london_time(period.start, time(0)),
        )
    )
    for one in session.scalars(absences.order_by(Absence.starts_at, Absence.id)):
        away[one.officer_id].append(Away(one.kind.value, one.starts_at, one.ends_at))
    return tuple(
        OfficerTime(one.name, hours[one.id], one.starts_on, one.ends_on, away[one.id]) for one in found
    )


def _sold(session: Session, service_id: int, year: FinancialYear) -> Iterable[Promised]:
    """Yield what is sold: contracted and varied time, less what was credited because we could not give it.

    Time can be given from the day of signing on, unless the agreement carries an earlier one on.
    """
    rows = balances(session, service_id=service_id, year=year.first)
    query = select(Agreement).where(Agreement.id.in_({row.agreement_id for row in rows}))
    agreements = {one.id: one for one in session.scalars(query)}
    for row in rows:
        agreement = agreements[row.agreement_id]
        first, last = row.starts_on, min(row.ends_on, agreement.ends_early_on or row.ends_on)
        signed = agreement.agreed_at
        if signed is not None and agreement.origin not in _WITH_DATES_OF_THEIR_OWN:
            first = max(first, london_date(signed))
        minutes = row.figures.contracted + row.figures.varied - row.figures.credited
        if minutes.minutes > 0:
            if first > last:
                first = min(row.starts_on, last)
            yield Promised(Standing.SOLD, row.agreement_id, row.reference, row.school, minutes, first, last)


def _not_yet_sold(
    session: Session, service_id: int, year: FinancialYear, *, today: date
) -> Iterable[Promised]:
    """Yield orders that wait and quotes that still hold; their time can be given from today on."""
    period = year.period
    query = (
        select(Agreement)
        .where(Agreement.service_id == service_id)
        .where(Agreement.starts_on < period.end, Agreement.ends_on >= period.start)
        .where(
            or_(
                Agreement.status == AgreementStatus.ORDERED,
                (Agreement.status == AgreementStatus.QUOTED)
                & or_(Agreement.valid_until.is_(None), Agreement.valid_until >= today),
            )
        )
        .options(joinedload(Agreement.school), selectinload(Agreement.lines))
        .order_by(Agreement.id)
    )
    for one in session.scalars(query):
        standing = Standing.WAITING if one.status is AgreementStatus.ORDERED else Standing.QUOTED
        for minutes, first, last in asked_of(one, year, today=today):
            yield Promised(standing, one.id, one.reference, one.school.name, minutes, first, last)


def asked_of(
    agreement: Agreement, year: FinancialYear, *, today: date
) -> Iterable[tuple[Minutes, date, date]]:
    """Yield the time of an agreement's lines in a year, with the days on which it can still be given."""
    for line in agreement.lines:
        for share in read_shares(line.year_shares):
            if share.year == year.first and share.minutes is not None and share.minutes.minutes > 0:
                first = share.starts_on if today > share.ends_on else max(share.starts_on, today)
                yield share.minutes, first, share.ends_on
