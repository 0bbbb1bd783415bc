"""What became of visits: what was given, charged, answered and decided; and what waits for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import Officer
from sla_manager.visits.models import (
    Activity,
    Cancellation,
    Delivery,
    ExtraTime,
    ExtraTimeStatus,
    SchoolResponse,
    Visit,
    VisitStatus,
)
from sla_manager.visits.queries.diary import WITH_EVERYTHING


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """A visit with what became of it and every answer of the school, the last one last."""

    visit: Visit
    delivery: Delivery | None
    cancellation: Cancellation | None
    extra: ExtraTime | None
    responses: tuple[SchoolResponse, ...]

    @property
    def answer(self) -> SchoolResponse | None:
        """The answer that counts: the last one."""
        return self.responses[-1] if self.responses else None

    @property
    def in_dispute(self) -> bool:
        """Whether the school queried it and nobody settled that."""
        return self.answer is not None and self.answer.answer == "query"

    @property
    def core_activities(self) -> list[Activity]:
        """The activities of the free core offer."""
        return [] if self.delivery is None else [a for a in self.delivery.activities if a.duty is not None]

    @property
    def bought_activities(self) -> list[Activity]:
        """The activities of what was bought."""
        return [] if self.delivery is None else [a for a in self.delivery.activities if a.duty is None]

    @property
    def deducted(self) -> Minutes:
        """The time that this visit took off the balance when it was logged or charged."""
        if self.delivery is not None:
            beyond = self.extra is not None and self.extra.status is not ExtraTimeStatus.ABSORBED
            return self.delivery.charged - (self.extra.minutes if self.extra and beyond else Minutes(0))
        return self.cancellation.charged if self.cancellation else Minutes(0)


@dataclass(frozen=True, slots=True)
class AwaitingSchool:
    """What waits for a school: extra time to decide, visits to agree."""

    extra_time: tuple[ExtraTime, ...]
    deliveries: tuple[Visit, ...]

    @property
    def count(self) -> int:
        """How many things wait."""
        return len(self.extra_time) + len(self.deliveries)


@dataclass(frozen=True, slots=True)
class AwaitingService:
    """What waits for a service manager."""

    orders: int
    queries: tuple[Visit, ...]
    extra_time: int


def visit_record(session: Session, visit: Visit) -> VisitRecord:
    """Return what became of one visit."""
    return visit_records(session, [visit])[0]


def visit_records(session: Session, visits: Sequence[Visit]) -> list[VisitRecord]:
    """Return what became of visits: five queries, however many."""
    ids = [visit.id for visit in visits]
    deliveries = {
        delivery.visit_id: delivery
        for delivery in session.scalars(
            select(Delivery).where(Delivery.visit_id.in_(ids)).options(selectinload(Delivery.activities))
        )
    }
    cancellations = {
        cancellation.visit_id: cancellation
        for cancellation in session.scalars(select(Cancellation).where(Cancellation.visit_id.in_(ids)))
    }
    extras = {
        extra.delivery_id: extra
        for extra in session.scalars(
            select(ExtraTime).where(ExtraTime.delivery_id.in_([d.id for d in deliveries.values()]))
        )
    }
    responses: dict[int, list[SchoolResponse]] = {}
    query = select(SchoolResponse).where(SchoolResponse.visit_id.in_(ids)).order_by(SchoolResponse.id)
    for response in session.scalars(query):
        responses.setdefault(response.visit_id, []).append(response)
    records = []
    for visit in visits:
        delivery = deliveries.get(visit.id)
        extra = extras.get(delivery.id) if delivery is not None else None
        answers = tuple(responses.get(visit.id, ()))
        records.append(VisitRecord(visit, delivery, cancellations.get(visit.id), extra, answers))
    return records


def past_visits(
    session: Session, school_id: int, *, before: tuple[date, int] | None = None, limit: int = 25
) -> list[VisitRecord]:
    """Return what was delivered, charged or cancelled at a school, the newest first; `before` pages on."""
    query = (
        select(Visit)
        .where(Visit.school_id == school_id, Visit.status != VisitStatus.PLANNED)
        .options(*WITH_EVERYTHING)
        .order_by(Visit.day.desc(), Visit.id.desc())
        .limit(limit)
    )
    if before is not None:
        day, visit_id = before
        query = query.where((Visit.day < day) | ((Visit.day == day) & (Visit.id < visit_id)))
    return visit_records(session, list(session.scalars(query)))


def awaiting_school(session: Session, school_id: int) -> AwaitingSchool:
    """Return what waits for a school."""
    extra = session.scalars(
        select(ExtraTime)
        .join(Delivery, ExtraTime.delivery_id == Delivery.id)
        .join(Visit, Delivery.visit_id == Visit.id)
        .where(Visit.school_id == school_id, ExtraTime.status == ExtraTimeStatus.PROPOSED)
        .options(joinedload(ExtraTime.delivery).joinedload(Delivery.visit).joinedload(Visit.officer))
        .options(joinedload(ExtraTime.line).joinedload(AgreementLine.agreement))
        .order_by(Delivery.delivered_on, ExtraTime.id)
    )
    answered = select(SchoolResponse.id).where(SchoolResponse.visit_id == Visit.id).exists()
    visits = session.scalars(
        select(Visit)
        .where(Visit.school_id == school_id, ~answered)
        .where(Visit.status.in_([VisitStatus.DELIVERED, VisitStatus.NO_ACCESS]))
        .options(*WITH_EVERYTHING)
        .order_by(Visit.day.desc(), Visit.id.desc())
        .limit(20)
    )
    return AwaitingSchool(tuple(extra), tuple(visits))


def awaiting_service(session: Session, service_id: int) -> AwaitingService:
    """Return what waits for a service manager: orders, queries of schools, and how much extra time is open."""
    orders = session.scalar(
        select(func.count())
        .select_from(Agreement)
        .where(Agreement.service_id == service_id, Agreement.status == AgreementStatus.ORDERED)
    )
    last = select(func.max(SchoolResponse.id)).group_by(SchoolResponse.visit_id)
    queries = session.scalars(
        select(Visit)
        .join(SchoolResponse, SchoolResponse.visit_id == Visit.id)
        .join(Officer, Visit.officer_id == Officer.id)
        .where(
            SchoolResponse.id.in_(last), SchoolResponse.answer == "query", Officer.service_id == service_id
        )
        .options(*WITH_EVERYTHING)
        .order_by(Visit.day, Visit.id)
    )
    return AwaitingService(orders or 0, tuple(queries), len(proposed_extra_time(session, service_id)))


def proposed_extra_time(session: Session, service_id: int, *, line_id: int | None = None) -> list[ExtraTime]:
    """Return a service's extra time that no school has decided yet, the oldest delivery first."""
    query = (
        select(ExtraTime)
        .join(AgreementLine, ExtraTime.line_id == AgreementLine.id)
        .join(Agreement, AgreementLine.agreement_id == Agreement.id)
        .join(Delivery, ExtraTime.delivery_id == Delivery.id)
        .where(Agreement.service_id == service_id, ExtraTime.status == ExtraTimeStatus.PROPOSED)
        .options(joinedload(ExtraTime.delivery).joinedload(Delivery.visit).joinedload(Visit.school))
        .options(joinedload(ExtraTime.line).joinedload(AgreementLine.agreement))
        .order_by(Delivery.delivered_on, ExtraTime.id)
        .limit(200)
    )
    if line_id is not None:
        query = query.where(ExtraTime.line_id == line_id)
    return list(session.scalars(query))


def last_answers(session: Session, visit_ids: Sequence[int]) -> dict[int, SchoolResponse]:
    """Return the answer that counts for each visit."""
    query = (
        select(SchoolResponse).where(SchoolResponse.visit_id.in_(list(visit_ids))).order_by(SchoolResponse.id)
    )
    return {response.visit_id: response for response in session.scalars(query)}
