"""What a school answers to its renewal: an order, as offered or changed, or that it does not want it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.notices import LONGEST_REASON, give_notice
from sla_manager.agreements.models import Agreement, Renewal
from sla_manager.agreements.queries.renewals import minutes_of_lines
from sla_manager.agreements.queries.seasons import ordering_window, season_of
from sla_manager.agreements.rules.seasons import Answer, NotOpenYet
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.store.audit import Actor, record


class AnsweredAlready(Conflict):
    """An order stands; what changes it is a variation."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(
            f"This renewal is answered already: {answer.title.lower()}. Ask the service if that is wrong."
        )


def refuse_before_window(session: Session, quote: Agreement, *, at: datetime) -> None:
    """Refuse an order before its season opens; the day counts from midnight in London."""
    window = ordering_window(session, quote.service_id, quote.starts_on)
    if window is not None and not window.is_open(london_date(at)):
        raise NotOpenYet(window.submit_from)


def is_late(session: Session, agreement: Agreement, *, at: datetime) -> bool:
    """Say whether an order at a moment comes after its season's due date."""
    window = ordering_window(session, agreement.service_id, agreement.starts_on)
    return window is not None and window.is_late(london_date(at), agreement.starts_on)


def follow_order(
    session: Session, ordered: Agreement, *, automatic: bool = False, by: Actor, at: datetime
) -> Renewal | None:
    """Note an order as the answer to the school's renewal: as offered, changed on the way, or asked for afresh."""
    renewal = renewal_of(session, ordered) or _of_its_season(session, ordered)
    if renewal is None:
        return None
    held = session.get_one(Renewal, renewal.id, with_for_update=True, populate_existing=True)
    if held.answer.is_order:
        return held
    as_offered = held.quote_id == ordered.id
    held.answer = Answer.AUTOMATIC if automatic else (Answer.RENEWED if as_offered else Answer.CHANGED)
    held.agreement_id, held.reason, held.trouble = ordered.id, "", ""
    held.offered_net, held.offered_minutes = ordered.net, minutes_of_lines(ordered)
    held.answered_at, held.answered_by, held.answered_by_id = at, by.name, by.person_id
    session.flush()
    record(
        session,
        "answer_renewal",
        about="renewal",
        about_id=held.id,
        summary=f"{held.answer.title}: {ordered.reference}",
        by=by,
        at=at,
        details={"agreement": ordered.reference, "late": is_late(session, ordered, at=at)},
    )
    return held


def _of_its_season(session: Session, ordered: Agreement) -> Renewal | None:
    """Return the school's renewal in the season with which an order begins, wherever its quote came from."""
    season = season_of(session, ordered.service_id, ordered.starts_on)
    if season is None or season.starts_on != ordered.starts_on:
        return None
    return session.scalar(
        select(Renewal).where(Renewal.season_id == season.id, Renewal.school_id == ordered.school_id)
    )


def renewal_of(session: Session, quote: Agreement) -> Renewal | None:
    """Return the renewal that a quote came from, by what it replaced."""
    seen: set[int] = set()
    current: Agreement | None = quote
    while current is not None and current.id not in seen:
        seen.add(current.id)
        found = session.scalar(
            select(Renewal).where((Renewal.quote_id == current.id) | (Renewal.agreement_id == current.id))
        )
        if found is not None:
            return found
        current = session.get(Agreement, current.replaces_id) if current.replaces_id else None
    return None


def decline_renewal(
    session: Session, renewal_id: int, *, school_id: int, reason: str, by: Actor, at: datetime
) -> Renewal:
    """Note that a school does not renew, and why. It can still order later: its quote stays.

    Where last year's agreement renews by itself this is the notice that stops it; after the last day for notice it
    is refused. Declining again changes nothing; an order that stands is not declined.
    """
    held = session.get(Renewal, renewal_id, with_for_update=True, populate_existing=True)
    if held is None or held.school_id != school_id:
        raise NotFound
    if held.answer is Answer.DECLINED:
        return held
    if held.answer.is_order:
        raise AnsweredAlready(held.answer)
    cleaned = refuse_pupil_numbers(reason.strip(), field="reason")
    if not cleaned:
        raise Refused("Say why you do not renew. It helps the service to plan.", field="reason")
    if len(cleaned) > LONGEST_REASON:
        raise Refused(f"Write at most {LONGEST_REASON} characters.", field="reason")
    for agreement_id in held.previous:
        last = session.get_one(Agreement, agreement_id)
        if last.renews and last.status is AgreementStatus.AGREED:
            give_notice(session, agreement_id, reason=cleaned, by=by, at=at)
    held.answer, held.reason = Answer.DECLINED, cleaned
    held.answered_at, held.answered_by, held.answered_by_id = at, by.name, by.person_id
    session.flush()
    record(
        session,
        "decline_renewal",
        about="renewal",
        about_id=held.id,
        summary=f"Renewal declined: {cleaned[:200]}",
        by=by,
        at=at,
    )
    return held
