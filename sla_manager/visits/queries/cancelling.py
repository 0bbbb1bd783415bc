"""What cancelling a visit would cost, before anybody confirms it; and which cancelled visits wait for another day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.queries import balances, is_closed
from sla_manager.agreements.rules.cancellations import (
    CancellationCharge,
    cancellation_charge,
    no_access_charge,
    read_bands,
)
from sla_manager.catalogue.queries import service_hours
from sla_manager.gateways.bank_holidays import is_bank_holiday
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.working_days import add_working_days, clear_working_days, notice_day
from sla_manager.people.models import TradingService
from sla_manager.visits.models import Visit, VisitStatus

SCHOOL, PROVIDER = "school", "provider"


class NobodyToBlame(Refused):
    """Who caused it decides what is charged."""

    def __init__(self) -> None:
        super().__init__("Choose who cancels: the school or the council.", field="caused_by")


@dataclass(frozen=True, slots=True)
class CancellationPreview:
    """What cancelling a visit would do, before it is confirmed."""

    caused_by: str
    notice_on: date
    clear_days: int
    per_cent: int
    booked: Minutes
    charged: Minutes
    rearrange_by: date | None
    why: str


def preview_cancellation(
    session: Session, visit: Visit, *, caused_by: str, notice_at: datetime
) -> CancellationPreview:
    """Say what cancelling would cost: clear working days, the band's per cent, the minutes. Writes nothing.

    Notice after the service's closing time counts from the next working day. Core is never charged, nor is
    what the council causes.
    """
    if caused_by not in (SCHOOL, PROVIDER):
        raise NobodyToBlame()
    service = session.get_one(TradingService, visit.officer.service_id)
    closes = {row.weekday: row.closes for row in service_hours(session, service.id)}
    notice_on = notice_day(notice_at, closes, is_bank_holiday)
    clear = clear_working_days(notice_on, visit.day, is_bank_holiday)
    charge = cancellation_charge(
        visit.booked,
        clear,
        read_bands(service.cancellation_bands),
        core=visit.is_core,
        by_provider=caused_by == PROVIDER,
    )
    charged, why = at_most_what_is_left(session, visit, charge)
    last = add_working_days(visit.day, service.rearrangement_days, is_bank_holiday) if charged else None
    return CancellationPreview(caused_by, notice_on, clear, charge.per_cent, visit.booked, charged, last, why)


def preview_no_access(session: Session, visit: Visit, *, on: date) -> CancellationPreview:
    """Say what a locked door costs: all that was booked, as far as it is left; core nothing."""
    charge = no_access_charge(visit.booked, core=visit.is_core)
    charged, why = at_most_what_is_left(session, visit, charge)
    return CancellationPreview(SCHOOL, on, 0, charge.per_cent, visit.booked, charged, None, why)


def at_most_what_is_left(session: Session, visit: Visit, charge: CancellationCharge) -> tuple[Minutes, str]:
    """Return the charge and its reason: never more than is left, and nothing in a year that is closed."""
    if not charge.charged or visit.tranche_id is None or visit.tranche is None:
        return charge.charged, charge.why
    if is_closed(session, visit.tranche.year):
        return Minutes(0), f"{charge.why}. The year is closed, so nothing is charged"
    left = balances(session, tranche_ids=[visit.tranche_id])[0].balance
    if charge.charged <= left:
        return charge.charged, charge.why
    return left, f"{charge.why}. No more is charged than is left: {left.hours_and_minutes()}"


def rearrangeable(session: Session, school_id: int, *, since: date) -> list[Visit]:
    """Return the cancelled visits of a school that no other visit stands in for yet."""
    standing_in = select(Visit.rearranges_id).where(
        Visit.rearranges_id.is_not(None), Visit.status != VisitStatus.CANCELLED
    )
    query = (
        select(Visit)
        .where(Visit.school_id == school_id, Visit.status == VisitStatus.CANCELLED, Visit.day >= since)
        .where(Visit.id.not_in(standing_in))
        .order_by(Visit.day)
    )
    return list(session.scalars(query))
