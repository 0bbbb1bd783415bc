"""Ending an agreement before its last day: a variation down to what is payable, and what is not billed any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sla_manager.agreements import mails
from sla_manager.agreements.commands.arranging import add_instalment
from sla_manager.agreements.commands.ledger import enter, refuse_closed
from sla_manager.agreements.commands.years import hold_years
from sla_manager.agreements.documents.change_letters import freeze_ending
from sla_manager.agreements.documents.freezing import freeze
from sla_manager.agreements.models import Agreement, Instalment, Variation
from sla_manager.agreements.models.changes import DroppedInstalment, Termination
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries.endings import EndPreview, LineEnd, YearCut, end_preview
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import long_date
from sla_manager.store.audit import Actor, record


class AlreadyEnding(Conflict):
    """An agreement ends early once."""

    def __init__(self, agreement: Agreement) -> None:
        day = agreement.ends_early_on or agreement.ends_on
        super().__init__(f"{agreement.reference} ends on {long_date(day)} already. Nothing was changed.")


class NotInForce(Refused):
    """Only what runs can be ended."""

    def __init__(self, agreement: Agreement) -> None:
        super().__init__(
            f"{agreement.reference} is {agreement.status.title.lower()}. Only an agreement that runs can end early."
        )


class NotInItsTerm(Refused):
    """An early end lies between the first and the last day."""

    def __init__(self, day: date, agreement: Agreement) -> None:
        super().__init__(
            f"{long_date(day)} is not before the last day of {agreement.reference}, or not after its first: "
            f"{long_date(agreement.starts_on)} to {long_date(agreement.ends_on)}. Choose a day between the two.",
            field="ends_on",
        )


class FiguresChanged(Conflict):
    """What is confirmed must be what was on the page."""

    def __init__(self, reference: str) -> None:
        super().__init__(
            f"The figures of {reference} have changed since your page was opened. "
            "These are the figures now. Read them, then confirm again."
        )


def held_to_end(session: Session, agreement_id: int) -> Agreement:
    """Return an agreement that runs and has no early end yet, held until the transaction ends."""
    hold_years(session)
    found = session.get(Agreement, agreement_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    if found.ends_early_on is not None:
        raise AlreadyEnding(found)
    if found.status is not AgreementStatus.AGREED:
        raise NotInForce(found)
    return found


def made_before(session: Session, once_key: str | None) -> Termination | None:
    """Return what the same form has made already."""
    if once_key is None:
        return None
    return session.scalar(select(Termination).where(Termination.once_key == once_key))


def end_early(
    session: Session,
    agreement_id: int,
    *,
    ends_on: date,
    cause: str,
    given_by: str,
    notice_on: date,
    reason: str,
    name: str,
    role: str = "",
    billed: Collection[int],
    seen_sha256: str | None = None,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> Termination:
    """End an agreement on a day before its last: by notice, by consent or because the school closes.

    What stays payable goes by months and is never less than what was used. Time and money above it are taken off by
    variations, one per line and year; later instalments are dropped; one document settles the difference. `billed`
    are the instalments that have documents; `seen_sha256` the hash of the figures that were confirmed.
    """
    made = made_before(session, once_key)
    if made is not None:
        return made
    agreement = held_to_end(session, agreement_id)
    if not agreement.starts_on <= ends_on < agreement.ends_on:
        raise NotInItsTerm(ends_on, agreement)
    words = refuse_pupil_numbers(reason.strip(), field="reason")
    if not words:
        raise Refused("Say why the agreement ends early. It stands in its history.", field="reason")
    if not name.strip():
        raise Refused("Enter the name of the person who gave notice or consent.", field="name")
    preview = end_preview(session, agreement.id, ends_on=ends_on, rule="months", billed=billed)
    if seen_sha256 is not None and preview.sha256 != seen_sha256:
        raise FiguresChanged(agreement.reference)
    termination = write_termination(
        session, preview, cause=cause, given_by=given_by, notice_on=notice_on, reason=words, name=name.strip(),
        role=role.strip(), by=by, at=at, once_key=once_key,
    )  # fmt: skip
    apply_end(session, preview, termination, cause="", by=by, at=at)
    ended = whole_agreement(session, agreement.id)
    freeze_ending(session, ended, termination, preview, at=at)
    mails.tell_of_end(session, ended, termination_id=termination.id, sentences=preview.sentences, at=at)
    return termination


def write_termination(
    session: Session,
    preview: EndPreview,
    *,
    cause: str,
    given_by: str,
    notice_on: date,
    reason: str,
    name: str,
    role: str,
    by: Actor,
    at: datetime,
    once_key: str | None,
) -> Termination:
    """Write down that an agreement ends early, with the figures."""
    termination = Termination(
        agreement_id=preview.agreement.id,
        cause=cause,
        given_by=given_by,
        notice_on=notice_on,
        ends_on=preview.ends_on,
        value=preview.value,
        payable=preview.payable,
        reason=reason,
        name=name,
        role=role,
        address=by.address or "",
        facts=preview.facts(),
        sha256=preview.sha256,
        recorded_at=at,
        recorded_by=by.name,
        person_id=by.person_id,
        once_key=once_key,
    )
    session.add(termination)
    session.flush()
    return termination


def apply_end(
    session: Session, preview: EndPreview, termination: Termination, *, cause: str, by: Actor, at: datetime
) -> None:
    """Take off time and money, drop what is not billed any more, and arrange the document of the difference.

    `cause` names the ledger entries ("transfer:3"); without one each names its variation.
    """
    agreement = session.get_one(Agreement, preview.agreement.id)
    latest: dict[int, int] = {}
    for line_end in preview.lines:
        for cut in (one for one in line_end.cuts if one.cuts):
            latest[line_end.line.id] = _take_off(
                session, line_end, cut, termination, cause=cause, by=by, at=at
            ).id
    session.add_all(
        DroppedInstalment(instalment_id=one, termination_id=termination.id)
        for one in preview.settlement.dropped
    )
    session.flush()
    if agreement.schedule is not Schedule.ON_DELIVERY:
        _settle(session, preview, latest, at=at)
    agreement.ends_early_on = preview.ends_on
    agreement.version += 1
    session.flush()
    freeze(session, agreement.id, kind="variation", at=at)
    record(
        session,
        "end_early",
        about="agreement",
        about_id=agreement.id,
        summary=f"{agreement.reference} ends on {long_date(preview.ends_on)}: {termination.reason}",
        by=by,
        at=at,
        details=preview.facts()
        | {"cause": termination.cause, "notice_on": termination.notice_on.isoformat()},
    )


def _take_off(
    session: Session,
    line_end: LineEnd,
    cut: YearCut,
    termination: Termination,
    *,
    cause: str,
    by: Actor,
    at: datetime,
) -> Variation:
    refuse_closed(session, cut.tranche.year)
    after = termination.ends_on + timedelta(days=1)
    day = min(max(after, cut.tranche.starts_on), cut.tranche.ends_on)
    variation = Variation(
        line_id=line_end.line.id,
        year=cut.tranche.year,
        quantity=-cut.quantity if cut.quantity else -line_end.line.step,
        net=-cut.net,
        effective_on=day,
        signed_at=at,
        signed_by=termination.name,
        reason=f"Ends on {long_date(termination.ends_on)}. {termination.reason}",
        absorbed=Minutes(0),
        once_key=None,
    )
    session.add(variation)
    session.flush()
    if cut.minutes:
        enter(
            session,
            cut.tranche.id,
            EntryKind.VARIED,
            -cut.minutes,
            effective_on=day,
            cause=cause or f"variation:{variation.id}",
            reason=variation.reason,
            by=by,
            at=at,
        )
    return variation


def _settle(session: Session, preview: EndPreview, latest: dict[int, int], *, at: datetime) -> None:
    """Arrange one document for each line that is over or under what is payable: each has one sign."""
    agreement_id = preview.agreement.id
    taken = select(func.max(Instalment.position)).where(
        Instalment.agreement_id == agreement_id, Instalment.purpose == "variation"
    )
    position = session.scalar(taken) or 0
    for line_id, net in preview.settlement.differences.items():
        position += 1
        add_instalment(
            session,
            agreement_id,
            purpose="variation",
            position=position,
            count=position,
            due_on=max(preview.through, london_date(at)),
            parts=[(line_id, net)],
            variation_id=latest.get(line_id),
        )


def end_what_is_over(session: Session, *, today: date, by: Actor, at: datetime) -> int:
    """Mark every agreement as ended whose early last day is over; returns how many there were."""
    over = session.scalars(
        select(Agreement)
        .where(
            Agreement.status == AgreementStatus.AGREED,
            Agreement.ends_early_on < today,
        )
        .order_by(Agreement.id)
        .with_for_update()
    ).all()
    for agreement in over:
        agreement.status, agreement.ended_at = AgreementStatus.ENDED, at
        agreement.status_reason = f"Ended early on {long_date(agreement.ends_early_on or agreement.ends_on)}."
        agreement.version += 1
        record(
            session,
            "end_agreement",
            about="agreement",
            about_id=agreement.id,
            summary=f"{agreement.reference} ended",
            by=by,
            at=at,
        )
    session.flush()
    return len(over)
