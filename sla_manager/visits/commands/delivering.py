"""Logging what was given: core apart from bought, off the balance as far as it goes, the rest proposed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from sla_manager.agreements.commands import balance_locked, enter, refuse_closed, reverse_entry
from sla_manager.agreements.models import AgreementLine, LedgerEntry, Tranche
from sla_manager.agreements.queries import is_closed
from sla_manager.agreements.rules.cancellations import is_rearranged_in_time
from sla_manager.agreements.rules.extra_time import extra_time_value
from sla_manager.agreements.rules.ledger import EntryKind, deduct
from sla_manager.catalogue.rules.charging import charged_time
from sla_manager.gateways.bank_holidays import is_bank_holiday
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Broken, Conflict, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.words import long_date
from sla_manager.people.models import TradingService
from sla_manager.store.audit import Actor, record
from sla_manager.visits.commands.pooling import draw_from_pool, hold_pool
from sla_manager.visits.models import (
    Activity,
    ActivityKind,
    Cancellation,
    Delivery,
    ExtraTime,
    ExtraTimeStatus,
    Visit,
    VisitStatus,
)
from sla_manager.visits.queries.diary import visit_in
from sla_manager.visits.rules.deliveries import (
    ActivityDone,
    TimeGiven,
    WhatCounts,
    check_activities,
    checked_text,
    time_given,
)


class NotYet(Refused):
    """What has not happened cannot be logged."""

    def __init__(self, day: date) -> None:
        super().__init__(f"This visit is on {long_date(day)}. Log it on that day or later.")


class AlreadyLogged(Conflict):
    """A visit is logged once."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(
            f"{delivery.logged_by} logged this visit on {long_date(london_date(delivery.logged_at))}. "
            "What is logged is not changed: the service manager can settle a query about it."
        )


class NothingBought(Refused):
    """A visit of free core work has no agreement to take bought time from."""

    def __init__(self) -> None:
        super().__init__(
            "This visit is booked as free core work, so no bought time can be logged on it. "
            "Log the time as core, or ask your service manager to plan a visit against the agreement.",
            field="what-0",
        )


class WrongFamily(Refused):
    """Bought time is of the family that the line was bought in."""

    def __init__(self, line: AgreementLine) -> None:
        super().__init__(
            f"Bought time of this visit is “{line.description}”. Choose that, or core.", field="what-0"
        )


class NotPlanned(Conflict):
    """A visit that was cancelled, or where nobody was let in, is not delivered."""

    def __init__(self, visit: Visit) -> None:
        super().__init__(
            f"This visit is {visit.status.title.lower()}, so it cannot be logged. Plan a new one if it happened."
        )


def log_delivery(
    session: Session,
    visit_id: int,
    *,
    activities: Sequence[ActivityDone],
    note: str = "",
    by: Actor,
    at: datetime,
) -> Delivery:
    """Log what an officer gave at a visit. Never refused for lack of balance.

    Bought time is counted and charged as the line says, taken off the balance as far as it goes under its lock;
    what is beyond becomes proposed extra time. Core time is in no ledger. The visit's day decides the year. The
    same delivery logged twice is one.
    """
    session.execute(select(Visit.id).where(Visit.id == visit_id).with_for_update())
    visit = visit_in(session, visit_id)
    check_activities(activities)
    words = checked_text(note, field="note")
    logged = _logged(session, visit, activities, words)
    if logged is not None:
        return logged
    if visit.status is not VisitStatus.PLANNED:
        raise NotPlanned(visit)
    if visit.day > london_date(at):
        raise NotYet(visit.day)
    given, charged = _time(visit, activities)
    if charged and visit.tranche is not None:
        refuse_closed(session, visit.tranche.year)
    visit.status = VisitStatus.DELIVERED
    visit.version, visit.changed_at = visit.version + 1, at
    delivery = _delivery(visit, activities, words, given, charged, by=by, at=at)
    session.add(delivery)
    session.flush()
    _rearranged(session, visit, by=by, at=at)
    if charged and visit.tranche is not None:
        _deduct(session, delivery, visit, visit.tranche, by=by, at=at)
    _record(session, visit, delivery, by=by, at=at)
    return delivery


def _logged(session: Session, visit: Visit, activities: Sequence[ActivityDone], note: str) -> Delivery | None:
    """Return the delivery when exactly this was logged before (a double click); refuse another one."""
    found = session.scalar(
        select(Delivery).where(Delivery.visit_id == visit.id).options(selectinload(Delivery.activities))
    )
    if found is None:
        return None
    kept = [(a.kind, a.family, a.duty, a.minutes, a.description, a.cases) for a in found.activities]
    sent = [
        (
            ActivityKind(a.kind),
            a.family,
            a.duty,
            a.minutes,
            checked_text(a.description, field="description"),
            a.cases,
        )
        for a in activities
    ]
    if kept == sent and found.note == note:
        return found
    raise AlreadyLogged(found)


def _time(visit: Visit, activities: Sequence[ActivityDone]) -> tuple[TimeGiven, Minutes]:
    """Return the time by what counts, and what of it is charged by the line's method."""
    bought = [activity for activity in activities if not activity.is_core]
    if visit.tranche is None:
        if bought:
            raise NothingBought()
        return time_given(activities, WhatCounts()), Minutes(0)
    line = visit.tranche.line
    if any(activity.family is not line.family for activity in bought):
        raise WrongFamily(line)
    policy = WhatCounts(line.counts_preparation, line.counts_report, line.counts_travel)
    given = time_given(activities, policy)
    return given, charged_time(given.worked, method=line.charging_method, block=line.block_minutes)


def _delivery(
    visit: Visit,
    activities: Sequence[ActivityDone],
    note: str,
    given: TimeGiven,
    charged: Minutes,
    *,
    by: Actor,
    at: datetime,
) -> Delivery:
    return Delivery(
        visit_id=visit.id,
        visit=visit,
        delivered_on=visit.day,
        logged_at=at,
        logged_by=by.name,
        note=note,
        core=given.core,
        worked=given.worked,
        charged=charged,
        activities=[
            Activity(
                position=position,
                kind=ActivityKind(activity.kind),
                family=activity.family,
                duty=activity.duty,
                description=checked_text(activity.description, field=f"description-{position}"),
                minutes=activity.minutes,
                cases=activity.cases,
            )
            for position, activity in enumerate(activities)
        ],
    )


def _deduct(
    session: Session, delivery: Delivery, visit: Visit, tranche: Tranche, *, by: Actor, at: datetime
) -> None:
    """Take the charged time off the balance, and what partners in a pool can spare; the rest is proposed."""
    line = tranche.line
    hold_pool(session, tranche)
    balance = balance_locked(session, tranche.id).balance
    if line.unit_minutes is None:
        raise Broken(f"line {line.id} has a balance of time and no length of a unit")
    balance += draw_from_pool(
        session, tranche, delivery.charged - balance, effective_on=delivery.delivered_on, by=by, at=at
    )
    split = deduct(delivery.charged, balance)
    if split.deducted:
        enter(
            session,
            tranche.id,
            EntryKind.DELIVERED,
            split.deducted,
            effective_on=delivery.delivered_on,
            cause=f"delivery:{delivery.id}",
            visit_id=visit.id,
            delivery_id=delivery.id,
            by=by,
            at=at,
        )
    if split.extra:
        extra = ExtraTime(
            delivery_id=delivery.id,
            line_id=line.id,
            year=tranche.year,
            minutes=split.extra,
            net=extra_time_value(split.extra, line.unit_minutes, line.unit_price),
            status=ExtraTimeStatus.PROPOSED,
            decided_at=None,
            decided_by=None,
            version=1,
        )
        session.add(extra)
        session.flush()


def _rearranged(session: Session, visit: Visit, *, by: Actor, at: datetime) -> None:
    """Undo the charge of the cancelled visit that this one stood in for, when it came in time."""
    if visit.rearranges_id is None:
        return
    cancelled = session.scalar(
        select(Cancellation)
        .where(Cancellation.visit_id == visit.rearranges_id)
        .options(joinedload(Cancellation.visit))
    )
    if cancelled is None or not cancelled.charged:
        return
    within = _service(session, visit).rearrangement_days
    if not is_rearranged_in_time(cancelled.visit.day, visit.day, within=within, holidays=is_bank_holiday):
        return
    entry = session.scalar(select(LedgerEntry).where(LedgerEntry.cause == f"cancellation:{cancelled.id}"))
    undone = (
        None
        if entry is None
        else session.scalar(select(LedgerEntry.id).where(LedgerEntry.reverses_id == entry.id))
    )
    if entry is None or undone is not None:
        return
    charged_in = session.get_one(Tranche, entry.tranche_id)
    if is_closed(session, charged_in.year):
        return
    reason = f"Rearranged and delivered on {long_date(visit.day)}, within {within} working days."
    reverse_entry(session, entry.id, reason=reason, by=by, at=at)


def _service(session: Session, visit: Visit) -> TradingService:
    return session.get_one(TradingService, visit.officer.service_id)


def _record(session: Session, visit: Visit, delivery: Delivery, *, by: Actor, at: datetime) -> None:
    record(
        session,
        "log_delivery",
        about="visit",
        about_id=visit.id,
        summary=f"Logged the visit at {visit.school.name} on {long_date(visit.day)}.",
        by=by,
        at=at,
        details={
            "delivery": delivery.id,
            "core": delivery.core.minutes,
            "worked": delivery.worked.minutes,
            "charged": delivery.charged.minutes,
        },
    )
