"""Ending an agreement early and carrying one on: agreements, visits and what was billed, in one act."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.terminations import end_early, made_before
from sla_manager.agreements.commands.transfers import Consent, carry_on
from sla_manager.agreements.models import Agreement, Termination, Transfer
from sla_manager.agreements.rules.endings import end_by_notice
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.queries.endings import billed_instalments
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.words import long_date
from sla_manager.people.models import School
from sla_manager.store.audit import Actor
from sla_manager.visits.commands.transferring import (
    cancel_after_end,
    move_core_visits,
    move_visits,
    refuse_unlogged,
)


class NoticeInTheFuture(Refused):
    """Notice counts from the day on which it was given."""

    def __init__(self, day: date) -> None:
        super().__init__(
            f"{long_date(day)} has not come yet. Enter the day on which notice was given.", field="notice_on"
        )


def end_of(agreement: Agreement, *, cause: str, notice_on: date, ends_on: date | None) -> date:
    """Return the last day: by the notice rule, or the day on which both agreed."""
    if cause == "notice":
        return end_by_notice(
            agreement.reference,
            starts_on=agreement.starts_on,
            ends_on=agreement.ends_on,
            months=agreement.notice_months,
            notice_on=notice_on,
        )
    if ends_on is None:
        raise Refused("Enter the last day on which both sides agreed.", field="ends_on")
    return ends_on


def terminate_agreement(
    session: Session,
    agreement_id: int,
    *,
    cause: str,
    notice_on: date,
    given_by: str,
    name: str,
    role: str = "",
    reason: str,
    ends_on: date | None = None,
    seen_sha256: str | None = None,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> Termination:
    """End an agreement early: by notice (the rule decides the day), or by consent or closure on `ends_on`.

    Visits after the last day are cancelled and cost nothing. Money: see `end_early`. Sent twice, it ends once.
    """
    made = made_before(session, once_key)
    if made is not None:
        return made
    agreement = session.get(Agreement, agreement_id)
    if agreement is None:
        raise NotFound
    if cause not in ("notice", "consent", "closure") or given_by not in ("school", "council", "both"):
        raise Refused("Say how the agreement ends: by notice, or because both sides consent.", field="cause")
    if notice_on > london_date(at):
        raise NoticeInTheFuture(notice_on)
    last = end_of(agreement, cause=cause, notice_on=notice_on, ends_on=ends_on)
    termination = end_early(
        session, agreement_id, ends_on=last, cause=cause, given_by=given_by, notice_on=notice_on, reason=reason,
        name=name, role=role, billed=billed_instalments(session, agreement_id), seen_sha256=seen_sha256,
        by=by, at=at, once_key=once_key,
    )  # fmt: skip
    said = f"{agreement.reference} ends on {long_date(last)}."
    cancel_after_end(session, agreement_id, last=last, reason=said, by=by, at=at)
    return termination


def transfer_agreement(
    session: Session,
    agreement_id: int,
    *,
    to_school_id: int,
    to_customer_id: int,
    effective_on: date,
    consent: Consent,
    reason: str,
    change_id: int | None = None,
    schedule: Schedule = Schedule.SINGLE,
    seen_sha256: str | None = None,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> Transfer:
    """Carry an agreement on with another customer from a day (E11): conversion, merger, change of trust.

    The old one ends the day before with what was delivered; the rest goes on at the same price under the new
    customer's class, VAT and route. Planned visits follow with officer and time, the link officer stays.
    """
    if once_key is not None:
        made = session.scalar(select(Transfer).where(Transfer.once_key == once_key))
        if made is not None:
            return made
    agreement = session.get(Agreement, agreement_id)
    to_school = session.get(School, to_school_id, with_for_update=True)
    if agreement is None or to_school is None:
        raise NotFound
    refuse_unlogged(session, agreement_id, before=effective_on)
    carried = carry_on(
        session, agreement_id, to_school_id=to_school_id, to_customer_id=to_customer_id, effective_on=effective_on,
        consent=consent, reason=reason, billed=billed_instalments(session, agreement_id), change_id=change_id,
        schedule=schedule, seen_sha256=seen_sha256, by=by, at=at, once_key=once_key,
    )  # fmt: skip
    move_visits(session, carried.tranches, from_day=effective_on, to_school=to_school, by=by, at=at)
    said = f"{agreement.reference} went on with {to_school.name}."
    last = carried.transfer.effective_on - timedelta(days=1)
    cancel_after_end(session, agreement_id, last=last, reason=said, by=by, at=at)
    if agreement.school_id != to_school.id:
        move_core_visits(session, agreement.school_id, to_school, from_day=effective_on, by=by, at=at)
        if to_school.link_officer_id is None:
            to_school.link_officer_id = session.get_one(School, agreement.school_id).link_officer_id
    session.flush()
    return carried.transfer
