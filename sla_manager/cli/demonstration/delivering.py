"""A year of visits: planned, delivered, cancelled late, met by a locked door, queried, overrun."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine, Tranche
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.cli.demonstration.calendar import Diaries
from sla_manager.kernel.clock import london_time
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import Period
from sla_manager.people.models import School
from sla_manager.store.audit import Actor
from sla_manager.visits.commands import (
    cancel_visit,
    log_delivery,
    plan_visit,
    record_no_access,
    respond_to_delivery,
)
from sla_manager.visits.commands.planning import NotEnoughFree
from sla_manager.visits.models import Visit
from sla_manager.visits.rules.deliveries import ActivityDone
from sla_manager.visits.rules.slots import Part

_WORK = (
    "Meeting with families about falling attendance",
    "Case discussions with the attendance lead",
    "Home visits for the school",
    "Group work with pupils who are late",
    "Coding of registers looked through",
    "Drop-in for parents and carers",
)
_MEETING = "Targeting support meeting"


@dataclass(frozen=True)
class Bought:
    """A tranche and how it is spread: so many half-days over its school days."""

    tranche: Tranche
    line: AgreementLine
    school: School

    @property
    def period(self) -> Period:
        """The days on which it may be used."""
        return Period.through(self.tranche.starts_on, self.tranche.ends_on)

    @property
    def halves(self) -> int:
        """How many half-days it has."""
        minutes, unit = self.tranche.minutes, self.line.unit_minutes
        return 0 if minutes is None or unit is None else 2 * minutes.minutes // unit.minutes


def bought(session: Session, service_id: int) -> list[Bought]:
    """Return every tranche of the running agreements."""
    query = (
        select(Tranche, AgreementLine, School)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .join(School, School.id == Agreement.school_id)
        .where(Agreement.service_id == service_id, Agreement.status == AgreementStatus.AGREED)
        .order_by(Tranche.id)
    )
    return [Bought(tranche, line, school) for tranche, line, school in session.execute(query)]


@dataclass
class Round:
    """The visits of the demonstration, month by month."""

    diaries: Diaries
    link_officers: dict[int, int]
    """From school to officer."""
    officers: dict[int, str]
    chance: random.Random
    manager: Actor
    school_person: Actor
    done: dict[int, int]
    """From tranche to half-days already booked."""

    def month(self, session: Session, tranches: Iterable[Bought], days: Period, *, now: datetime) -> None:
        """Plan a month of bought visits at an even pace, and log those that are over."""
        for one in tranches:
            shared = one.period.overlap(days)
            if shared is None:
                continue
            gone = (shared.end - one.period.start).days
            share = 84 + one.tranche.id * 7 % 27
            due = min(one.halves, one.halves * gone * share // (one.period.days * 100))
            while self.done.get(one.tranche.id, 0) < due:
                if not self._bought_visit(session, one, shared, now=now):
                    break
                self.done[one.tranche.id] = self.done.get(one.tranche.id, 0) + 1

    def _bought_visit(self, session: Session, one: Bought, days: Period, *, now: datetime) -> bool:
        officer_id = self.link_officers[one.school.id]
        wanted = days.start + timedelta(days=self.chance.randrange(max(1, days.days - 6)))
        slot = self.diaries.next_free(officer_id, wanted, days.last)
        if slot is None:
            return False
        day, part = slot
        planned = london_time(day - timedelta(days=21), time(10, 0))
        try:
            visit = plan_visit(
                session,
                officer_id=officer_id,
                school_id=one.school.id,
                day=day,
                part=part,
                line_id=one.line.id,
                purpose=self.chance.choice(_WORK[:4]),
                anyway=True,
                by=self.manager,
                at=min(planned, now),
            )
        except NotEnoughFree:
            return False
        if visit.ends_at < now - timedelta(days=3):
            self._settle(session, visit, one)
        return True

    def _settle(self, session: Session, visit: Visit, one: Bought) -> None:
        """Log the visit, or let one of the usual things go wrong with it."""
        officer, lot = Actor(None, self.officers[visit.officer_id]), self.chance.randrange(40)
        evening = visit.ends_at + timedelta(hours=1)
        if lot == 0:
            notice = visit.starts_at - timedelta(days=2)
            cancel_visit(
                session,
                visit.id,
                caused_by="school",
                reason="The attendance lead is ill.",
                notice_at=notice,
                by=self.manager,
                at=notice,
            )
        elif lot == 1:
            notice = visit.starts_at - timedelta(hours=3)
            cancel_visit(
                session,
                visit.id,
                caused_by="provider",
                reason="The officer is ill.",
                notice_at=notice,
                by=self.manager,
                at=notice,
            )
        elif lot == 2:
            record_no_access(
                session, visit.id, reason="Nobody was free to meet the officer.", by=officer, at=evening
            )
        else:
            report = Minutes(30)
            work = visit.booked - report + Minutes(self.chance.choice((0, 0, 0, 0, -15, 15)))
            activities = [
                ActivityDone(
                    "work", one.line.family, work, self.chance.choice(_WORK), cases=self.chance.randint(1, 6)
                ),
                ActivityDone("report", one.line.family, report, "Notes and letters"),
            ]
            if lot == 3:
                activities.append(
                    ActivityDone(
                        "work",
                        Family.CORE,
                        Minutes(30),
                        "Advice on a penalty notice",
                        duty=CoreDuty.LEGAL_INTERVENTION,
                        cases=1,
                    )
                )
            log_delivery(session, visit.id, activities=activities, by=officer, at=evening)
            if lot < 22:
                query = lot == 4
                words = "We have this as a shorter visit. Please check the time." if query else ""
                respond_to_delivery(
                    session,
                    visit.id,
                    answer="query" if query else "agree",
                    wording=words,
                    by=self.school_person,
                    at=evening + timedelta(days=2),
                )

    def leave_to_log(
        self, session: Session, tranches: Iterable[Bought], officer_id: int, *, now: datetime
    ) -> None:
        """Leave one officer two visits of the last days that are still to be logged."""
        left = 2
        for one in tranches:
            if self.link_officers[one.school.id] != officer_id or now.date() not in one.period:
                continue
            slot = self.diaries.next_free(officer_id, now.date() - timedelta(days=6), now.date())
            if slot is None or not left:
                return
            day, part = slot
            try:
                plan_visit(
                    session,
                    officer_id=officer_id,
                    school_id=one.school.id,
                    day=day,
                    part=part,
                    line_id=one.line.id,
                    purpose=_WORK[0],
                    anyway=True,
                    by=self.manager,
                    at=now - timedelta(days=20),
                )
            except NotEnoughFree:
                continue
            left -= 1

    def support_meetings(
        self, session: Session, schools: Iterable[School], term: Period, *, now: datetime
    ) -> None:
        """Hold the free termly meeting with most schools, and leave some to be booked."""
        for school in schools:
            if self.chance.randrange(12) == 0:
                continue
            officer_id = self.link_officers[school.id]
            wanted = term.start + timedelta(days=self.chance.randrange(max(1, term.days - 30)))
            slot = self.diaries.next_free(officer_id, wanted, term.last)
            if slot is None or slot[0] > now.date() + timedelta(days=42):
                continue
            day, part = slot
            starts = time(9, 30) if part is Part.MORNING else time(13, 30)
            visit = plan_visit(
                session,
                officer_id=officer_id,
                school_id=school.id,
                day=day,
                starts=starts,
                ends=time(starts.hour + 1, 30),
                duty=CoreDuty.TARGETING_SUPPORT_MEETING,
                purpose=_MEETING,
                anyway=True,
                by=self.manager,
                at=min(london_time(day - timedelta(days=14), time(9, 0)), now),
            )
            if visit.ends_at < now - timedelta(days=3):
                meeting = ActivityDone(
                    "work",
                    Family.CORE,
                    Minutes(60),
                    _MEETING,
                    duty=CoreDuty.TARGETING_SUPPORT_MEETING,
                    cases=self.chance.randint(3, 20),
                )
                log_delivery(
                    session,
                    visit.id,
                    activities=[meeting],
                    by=Actor(None, self.officers[officer_id]),
                    at=visit.ends_at + timedelta(hours=2),
                )
