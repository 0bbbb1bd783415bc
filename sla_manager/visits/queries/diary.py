"""Who is where: visits, officers' weeks, the board of a service, and what stands around a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import AgreementLine, Tranche
from sla_manager.gateways.bank_holidays import is_bank_holiday
from sla_manager.kernel.clock import london_time
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.people.models import Officer, School, SchoolTerm, WorkingDay
from sla_manager.visits.models import Absence, SchoolClosure, Visit, VisitStatus
from sla_manager.visits.rules.concerns import Away, Days, Surroundings

Hours = tuple[Minutes, Minutes]
Pattern = Mapping[int, Hours]
IN_THE_DIARY = (VisitStatus.PLANNED, VisitStatus.DELIVERED, VisitStatus.NO_ACCESS)
PAGE_OF_VISITS = 50
WITH_EVERYTHING = (
    joinedload(Visit.officer),
    joinedload(Visit.school),
    joinedload(Visit.tranche).joinedload(Tranche.line).joinedload(AgreementLine.agreement),
)


@dataclass(frozen=True, slots=True)
class DiaryDay:
    """One day of an officer: hours (None when not working), visits in order, absences that touch it."""

    day: date
    hours: Hours | None
    bank_holiday: bool
    visits: tuple[Visit, ...]
    absences: tuple[Absence, ...]

    @property
    def booked(self) -> Minutes:
        """The time in the diary, as a clock measures it."""
        return total_minutes(visit.length for visit in self.visits)

    @property
    def working(self) -> Minutes:
        """The time that the officer works that day by her pattern; none on a bank holiday."""
        return Minutes(0) if self.hours is None or self.bank_holiday else self.hours[1] - self.hours[0]


@dataclass(frozen=True, slots=True)
class OfficerWeek:
    """An officer's week, Monday first."""

    officer: Officer
    monday: date
    days: tuple[DiaryDay, ...]

    @property
    def booked(self) -> Minutes:
        """The time in the diary that week."""
        return total_minutes(day.booked for day in self.days)

    @property
    def working(self) -> Minutes:
        """The time that the officer works that week by her pattern."""
        return total_minutes(day.working for day in self.days)


def monday_of(day: date) -> date:
    """Return the Monday of a date's week."""
    return day - timedelta(days=day.weekday())


def visit_in(
    session: Session,
    visit_id: int,
    *,
    service_id: int | None = None,
    officer_id: int | None = None,
    school_id: int | None = None,
) -> Visit:
    """Return a visit of a service, an officer or a school with everything on it; another's is `NotFound`."""
    query = select(Visit).where(Visit.id == visit_id).options(*WITH_EVERYTHING)
    if service_id is not None:
        query = query.join(Officer, Visit.officer_id == Officer.id).where(Officer.service_id == service_id)
    if officer_id is not None:
        query = query.where(Visit.officer_id == officer_id)
    if school_id is not None:
        query = query.where(Visit.school_id == school_id)
    visit = session.scalar(query)
    if visit is None:
        raise NotFound()
    return visit


def officer_of(session: Session, person_id: int) -> Officer:
    """Return the officer that a person is; nobody else has a diary."""
    query = select(Officer).where(Officer.person_id == person_id).options(joinedload(Officer.service))
    officer = session.scalar(query)
    if officer is None:
        raise NotFound("You have no diary. Ask your administrator to make you an officer.")
    return officer


def officers(session: Session, service_id: int, *, on: date | None = None) -> list[Officer]:
    """Return a service's officers by name; with `on`, those who are employed that day or later."""
    query = select(Officer).where(Officer.service_id == service_id).order_by(Officer.name, Officer.id)
    if on is not None:
        query = query.where(Officer.ends_on.is_(None) | (Officer.ends_on >= on))
    return list(session.scalars(query))


def patterns(session: Session, officer_ids: Collection[int]) -> dict[int, dict[int, Hours]]:
    """Return the working hours of officers by weekday (one query)."""
    found: dict[int, dict[int, Hours]] = {officer_id: {} for officer_id in officer_ids}
    query = select(WorkingDay).where(WorkingDay.officer_id.in_(list(officer_ids)))
    for row in session.scalars(query):
        found[row.officer_id][row.weekday] = (row.starts, row.ends)
    return found


def week(session: Session, officer_id: int, monday: date) -> OfficerWeek:
    """Return the week of one officer."""
    return _weeks(session, [session.get_one(Officer, officer_id)], monday)[0]


def board(session: Session, service_id: int, monday: date) -> list[OfficerWeek]:
    """Return the week of every officer of a service: four queries, however many officers."""
    return _weeks(session, officers(session, service_id, on=monday), monday)


def _weeks(session: Session, of: list[Officer], monday: date) -> list[OfficerWeek]:
    ids = [officer.id for officer in of]
    hours, visits, away = (
        patterns(session, ids),
        _visits(session, ids, monday),
        _absences(session, ids, monday),
    )
    weeks = []
    for officer in of:
        days = []
        for offset in range(7):
            day = monday + timedelta(days=offset)
            starts, ends = _bounds(day)
            days.append(
                DiaryDay(
                    day,
                    hours[officer.id].get(offset),
                    is_bank_holiday(day),
                    tuple(visit for visit in visits[officer.id] if visit.day == day),
                    tuple(a for a in away[officer.id] if a.starts_at < ends and starts < a.ends_at),
                )
            )
        weeks.append(OfficerWeek(officer, monday, tuple(days)))
    return weeks


def _bounds(day: date, days: int = 1) -> tuple[datetime, datetime]:
    return london_time(day, time(0)), london_time(day + timedelta(days=days), time(0))


def _visits(session: Session, ids: list[int], monday: date) -> dict[int, list[Visit]]:
    query = (
        select(Visit)
        .where(Visit.officer_id.in_(ids), Visit.day >= monday, Visit.day < monday + timedelta(days=7))
        .where(Visit.status.in_(IN_THE_DIARY))
        .options(joinedload(Visit.school))
        .order_by(Visit.starts_at)
    )
    return _by_officer(session.scalars(query))


def _absences(session: Session, ids: list[int], monday: date) -> dict[int, list[Absence]]:
    starts, ends = _bounds(monday, 7)
    query = (
        select(Absence)
        .where(Absence.officer_id.in_(ids), Absence.withdrawn_at.is_(None))
        .where(Absence.starts_at < ends, Absence.ends_at > starts)
        .order_by(Absence.starts_at)
    )
    found: dict[int, list[Absence]] = defaultdict(list)
    for absence in session.scalars(query):
        found[absence.officer_id].append(absence)
    return found


def _by_officer(visits: Iterable[Visit]) -> dict[int, list[Visit]]:
    found: dict[int, list[Visit]] = defaultdict(list)
    for visit in visits:
        found[visit.officer_id].append(visit)
    return found


def next_visits(session: Session, school_id: int, today: date, *, limit: int = 10) -> list[Visit]:
    """Return a school's planned visits from today on, the next first."""
    query = (
        select(Visit)
        .where(Visit.school_id == school_id, Visit.status == VisitStatus.PLANNED, Visit.day >= today)
        .options(*WITH_EVERYTHING)
        .order_by(Visit.starts_at)
        .limit(limit)
    )
    return list(session.scalars(query))


def clashing_visits(session: Session, officer_id: int, starts_at: datetime, ends_at: datetime) -> list[Visit]:
    """Return an officer's planned visits that overlap a stretch of time."""
    query = (
        select(Visit)
        .where(Visit.officer_id == officer_id, Visit.status == VisitStatus.PLANNED)
        .where(Visit.starts_at < ends_at, Visit.ends_at > starts_at)
        .options(joinedload(Visit.school), joinedload(Visit.officer))
        .order_by(Visit.starts_at)
    )
    return list(session.scalars(query))


def absences(session: Session, service_id: int, *, since: date) -> list[Absence]:
    """Return the absences of a service's officers that end on or after a date, the next first."""
    query = (
        select(Absence)
        .join(Officer, Absence.officer_id == Officer.id)
        .where(Officer.service_id == service_id, Absence.withdrawn_at.is_(None))
        .where(Absence.ends_at > _bounds(since)[0])
        .order_by(Absence.starts_at, Absence.id)
        .limit(200)
    )
    return list(session.scalars(query))


def not_logged(
    session: Session, *, before: datetime, officer_id: int | None = None, service_id: int | None = None
) -> list[Visit]:
    """Return the planned visits that are over and that nobody logged, the oldest first."""
    query = (
        select(Visit)
        .join(Officer, Visit.officer_id == Officer.id)
        .where(Visit.status == VisitStatus.PLANNED, Visit.ends_at <= before)
        .options(joinedload(Visit.school), joinedload(Visit.officer))
        .order_by(Visit.starts_at)
        .limit(100)
    )
    if officer_id is not None:
        query = query.where(Visit.officer_id == officer_id)
    if service_id is not None:
        query = query.where(Officer.service_id == service_id)
    return list(session.scalars(query))


def feed_visits(session: Session, officer_id: int, *, since: date) -> list[Visit]:
    """Return what an officer's calendar shows: her visits from a date on, cancelled ones as well."""
    query = (
        select(Visit)
        .where(Visit.officer_id == officer_id, Visit.day >= since)
        .options(joinedload(Visit.school))
        .order_by(Visit.starts_at, Visit.id)
    )
    return list(session.scalars(query))


def surroundings(session: Session, officer: Officer, school: School, day: date) -> Surroundings:
    """Return what stands around a visit that day: hours, absences, closures, terms, bank holidays."""
    starts, ends = _bounds(day)
    away = session.scalars(
        select(Absence).where(
            Absence.officer_id == officer.id,
            Absence.withdrawn_at.is_(None),
            Absence.starts_at < ends,
            Absence.ends_at > starts,
        )
    )
    closures = session.scalars(
        select(SchoolClosure).where(
            SchoolClosure.school_id == school.id, SchoolClosure.starts_on <= day, SchoolClosure.ends_on >= day
        )
    )
    terms = list(session.scalars(select(SchoolTerm).order_by(SchoolTerm.starts_on)))
    known = bool(terms) and terms[0].starts_on <= day <= max(term.ends_on for term in terms)
    return Surroundings(
        officer=officer.name,
        employed_from=officer.starts_on,
        employed_until=officer.ends_on,
        pattern=patterns(session, [officer.id])[officer.id],
        away=[Away(absence.kind.value, absence.starts_at, absence.ends_at) for absence in away],
        school=school.name,
        school_closed_on=school.closed_on,
        closures=[Days(closure.why, closure.starts_on, closure.ends_on) for closure in closures],
        terms=[Days(term.name, term.starts_on, term.ends_on) for term in terms] if known else [],
        half_terms=[
            Days(f"half term, {term.name}", term.half_term_starts_on, term.half_term_ends_on)
            for term in terms
            if term.half_term_starts_on is not None and term.half_term_ends_on is not None
        ],
        holidays=is_bank_holiday,
    )


def visits_page(
    session: Session,
    service_id: int,
    *,
    since: date | None = None,
    officer_id: int | None = None,
    status: VisitStatus | None = None,
    after: str = "",
) -> list[Visit]:
    """Return a page of a service's visits in the order of the diary, and one more when there are more.

    `after` is the key of the last row of the page before: "2026-03-31.17".
    """
    query = (
        select(Visit)
        .join(Officer, Visit.officer_id == Officer.id)
        .where(Officer.service_id == service_id)
        .options(*WITH_EVERYTHING)
        .order_by(Visit.day, Visit.id)
        .limit(PAGE_OF_VISITS + 1)
    )
    if since is not None:
        query = query.where(Visit.day >= since)
    if officer_id is not None:
        query = query.where(Visit.officer_id == officer_id)
    if status is not None:
        query = query.where(Visit.status == status)
    day, _, visit_id = after.partition(".")
    if visit_id.isdecimal():
        try:
            last = date.fromisoformat(day)
        except ValueError:
            return list(session.scalars(query))
        query = query.where((Visit.day > last) | ((Visit.day == last) & (Visit.id > int(visit_id))))
    return list(session.scalars(query))
