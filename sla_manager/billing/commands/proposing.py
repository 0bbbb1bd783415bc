"""Variations signed like an agreement: proposed or asked for, then signed with authority, declined or run out."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements import mails
from sla_manager.agreements.commands.orders import refuse_above_limit
from sla_manager.agreements.documents.change_letters import freeze_variation
from sla_manager.agreements.models import Agreement, AgreementLine, Variation, VariationProposal
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.rules.proposals import Medium, ProposalIsOver, ProposalStatus, move
from sla_manager.billing.queries.proposing import OPEN, ChangePreview, change_preview, proposal
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, Forbidden, NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import long_date
from sla_manager.people.models import TradingService
from sla_manager.store.audit import Actor, record
from sla_manager.visits.commands import vary_agreement


class ChangeWaits(Conflict):
    """A line has one change at a time that waits to be signed (N11)."""

    def __init__(self, waiting: VariationProposal) -> None:
        super().__init__(
            f"A change of this line by {waiting.proposed_by} is already {waiting.status.title.lower()}. "
            "Look at it first: sign, decline or withdraw it, then make another."
        )


class ChangeHasRunOut(Refused):
    """A proposal holds until its last day."""

    def __init__(self, last: date) -> None:
        super().__init__(f"This change could be signed until {long_date(last)}. Ask for a new one.")


class FactsChanged(Conflict):
    """What is signed must be what was on the page: something was delivered, or changed, meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "Something has changed since this was put to you, for example time was delivered. "
            "These are the figures now. Read them, then sign again."
        )


class PriceChanged(Refused):
    """Another price than was proposed needs another proposal."""

    def __init__(self) -> None:
        super().__init__("The price of this change is not the one that was proposed. Ask for a new one.")


def propose_change(
    session: Session,
    line_id: int,
    *,
    quantity: Decimal,
    effective_on: date,
    reason: str,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> VariationProposal:
    """Put a change of a line to the school, with its preview; the school has as long as for a quote.

    The same `once_key` is one proposal. Refused: what could not be made, and a second one while one waits.
    """
    made = _made(session, once_key)
    if made is not None:
        return made
    proposed = _keep(
        session, line_id, quantity, effective_on, reason, ProposalStatus.PROPOSED, by, at, once_key
    )
    _tell_school(session, proposed, at=at)
    return proposed


def ask_for_change(
    session: Session,
    line_id: int,
    *,
    quantity: Decimal,
    effective_on: date,
    reason: str,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> VariationProposal:
    """Ask the service for more or less of a line; the service answers with a proposal or declines."""
    made = _made(session, once_key)
    if made is not None:
        return made
    asked = _keep(session, line_id, quantity, effective_on, reason, ProposalStatus.ASKED, by, at, once_key)
    agreement = whole_agreement(session, asked.line.agreement_id)
    mails.tell_of_request(session, agreement, proposal_id=asked.id, who=by.name, at=at)
    return asked


def propose_asked(session: Session, proposal_id: int, *, by: Actor, at: datetime) -> VariationProposal:
    """Put what a school asked for to it to sign, with the figures of now. Again changes nothing."""
    found = _held(session, proposal_id)
    if found.status is ProposalStatus.PROPOSED:
        return found
    found.status = move(found.status, ProposalStatus.PROPOSED)
    preview = _preview(session, found, at)
    found.facts, found.sha256 = preview.facts(), preview.sha256
    found.valid_until = _last_day(session, preview.agreement, at)
    found.version += 1
    session.flush()
    _note(session, "propose_change", found, by=by, at=at)
    _tell_school(session, found, at=at)
    return found


def sign_change(
    session: Session,
    proposal_id: int,
    *,
    role: str,
    statement: str,
    address: str,
    seen_sha256: str,
    by: Actor,
    at: datetime,
) -> Variation:
    """Sign a change for the school: evidence kept, the line varied, waiting extra time taken up (E5).

    Signed twice, or in two tabs, it is one variation. Refused: after its last day, above the person's limit, and
    when the figures are not those on the page (`FactsChanged`).
    """
    found = _held(session, proposal_id)
    if found.status is ProposalStatus.SIGNED:
        return session.get_one(Variation, found.variation_id)
    return _sign(
        session, found, medium=Medium.PAGE, name=by.name, role=role, statement=statement, address=address,
        seen_sha256=seen_sha256, by=by, at=at,
    )  # fmt: skip


def record_paper_signature(
    session: Session,
    proposal_id: int,
    *,
    name: str,
    role: str,
    statement: str,
    by: Actor,
    at: datetime,
) -> Variation:
    """Record that the school signed a change on paper: who, as what, and where the paper is kept."""
    found = _held(session, proposal_id)
    if found.status is ProposalStatus.SIGNED:
        return session.get_one(Variation, found.variation_id)
    if not name.strip():
        raise Refused("Enter the name of the person who signed the paper.", field="name")
    seen = _preview(session, found, at).sha256
    return _sign(
        session, found, medium=Medium.PAPER, name=name, role=role, statement=statement, address=by.address or "",
        seen_sha256=seen, by=by, at=at,
    )  # fmt: skip


def decline_change(
    session: Session, proposal_id: int, *, reason: str, by: Actor, at: datetime
) -> VariationProposal:
    """Decline a change, with the reason that the other side reads."""
    return _close(session, proposal_id, ProposalStatus.DECLINED, reason, by=by, at=at)


def withdraw_change(
    session: Session, proposal_id: int, *, reason: str, by: Actor, at: datetime
) -> VariationProposal:
    """Take a change back before it is signed."""
    return _close(session, proposal_id, ProposalStatus.WITHDRAWN, reason, by=by, at=at)


def expire_changes(session: Session, *, at: datetime, by: Actor) -> int:
    """Mark every change whose last day is over; returns how many there were."""
    query = (
        select(VariationProposal)
        .where(VariationProposal.status.in_(OPEN), VariationProposal.valid_until < london_date(at))
        .order_by(VariationProposal.id)
        .with_for_update()
    )
    over = session.scalars(query).all()
    for one in over:
        one.status = move(one.status, ProposalStatus.EXPIRED)
        one.version += 1
    session.flush()
    return len(over)


def _made(session: Session, once_key: str | None) -> VariationProposal | None:
    if once_key is None:
        return None
    found = session.scalar(select(VariationProposal.id).where(VariationProposal.once_key == once_key))
    return None if found is None else proposal(session, found)


def _held(session: Session, proposal_id: int) -> VariationProposal:
    held = select(VariationProposal.id).where(VariationProposal.id == proposal_id).with_for_update()
    if session.scalar(held) is None:
        raise NotFound
    return proposal(session, proposal_id)


def _preview(session: Session, found: VariationProposal, at: datetime) -> ChangePreview:
    return change_preview(
        session, found.line_id, quantity=found.quantity, effective_on=found.effective_on, reason=found.reason,
        today=london_date(at),
    )  # fmt: skip


def _last_day(session: Session, agreement: Agreement, at: datetime) -> date:
    days = session.get_one(TradingService, agreement.service_id).quote_valid_days
    return london_date(at) + timedelta(days=days)


def _keep(
    session: Session,
    line_id: int,
    quantity: Decimal,
    effective_on: date,
    reason: str,
    status: ProposalStatus,
    by: Actor,
    at: datetime,
    once_key: str | None,
) -> VariationProposal:
    line = session.get(AgreementLine, line_id)
    if line is None:
        raise NotFound
    session.get_one(Agreement, line.agreement_id, with_for_update=True, populate_existing=True)
    waiting = session.scalar(
        select(VariationProposal).where(
            VariationProposal.line_id == line_id,
            VariationProposal.status.in_(OPEN),
            VariationProposal.valid_until >= london_date(at),
        )
    )
    if waiting is not None:
        raise ChangeWaits(waiting)
    preview = change_preview(
        session, line_id, quantity=quantity, effective_on=effective_on, reason=reason, today=london_date(at)
    )
    kept = VariationProposal(
        line_id=line_id,
        quantity=quantity,
        effective_on=effective_on,
        reason=reason.strip(),
        facts=preview.facts(),
        sha256=preview.sha256,
        proposed_by=by.name,
        proposed_by_id=by.person_id,
        proposed_at=at,
        valid_until=_last_day(session, preview.agreement, at),
        status=status,
        medium=None,
        signed_at=None,
        variation_id=None,
        once_key=once_key,
    )
    session.add(kept)
    session.flush()
    found = proposal(session, kept.id)
    _note(
        session, "ask_for_change" if status is ProposalStatus.ASKED else "propose_change", found, by=by, at=at
    )
    return found


def _sign(
    session: Session,
    found: VariationProposal,
    *,
    medium: Medium,
    name: str,
    role: str,
    statement: str,
    address: str,
    seen_sha256: str,
    by: Actor,
    at: datetime,
) -> Variation:
    if found.status is not ProposalStatus.PROPOSED:
        raise ProposalIsOver(found.status)
    if london_date(at) > found.valid_until:
        raise ChangeHasRunOut(found.valid_until)
    for text, field in ((role, "role"), (statement, "statement"), (name, "name")):
        refuse_pupil_numbers(text, field=field)
    if not role.strip() or not statement.strip():
        raise Refused("Say what the role is, and that the change is accepted.", field="role")
    school_id = found.line.agreement.school_id
    preview = _preview(session, found, at)
    if preview.sha256 != seen_sha256:
        raise FactsChanged
    if Money.parse(found.facts["net"]) != preview.totals.net:
        raise PriceChanged
    if medium is Medium.PAGE:
        if by.person_id is None:
            raise Forbidden("Only a person of the school may sign for it.")
        refuse_above_limit(session, school_id, max(preview.net, Money(0)), by)
    variation = vary_agreement(
        session, found.line_id, quantity=found.quantity, effective_on=found.effective_on, reason=found.reason,
        by=by, at=at, once_key=f"proposal:{found.id}",
    )  # fmt: skip
    found.facts, found.sha256, found.document_sha256 = preview.facts(), preview.sha256, preview.sha256
    found.medium, found.name, found.role = medium, name.strip(), role.strip()
    found.statement, found.address, found.signed_at = statement.strip(), address, at
    found.status, found.variation_id = move(found.status, ProposalStatus.SIGNED), variation.id
    found.version += 1
    session.flush()
    signed = whole_agreement(session, preview.agreement.id)
    freeze_variation(session, signed, found, preview.sentences, at=at)
    _note(session, "sign_change", found, by=by, at=at)
    return variation


def _close(
    session: Session, proposal_id: int, status: ProposalStatus, reason: str, *, by: Actor, at: datetime
) -> VariationProposal:
    found = _held(session, proposal_id)
    if found.status is status:
        return found
    move(found.status, status)
    words = refuse_pupil_numbers(reason.strip(), field="reason")
    if not words:
        raise Refused("Say why. The other side reads it.", field="reason")
    found.status, found.status_reason = status, words
    found.version += 1
    session.flush()
    _note(
        session,
        f"{'decline' if status is ProposalStatus.DECLINED else 'withdraw'}_change",
        found,
        by=by,
        at=at,
    )
    return found


def _tell_school(session: Session, found: VariationProposal, *, at: datetime) -> None:
    agreement = whole_agreement(session, found.line.agreement_id)
    said = _preview(session, found, at).sentences
    mails.tell_of_proposal(
        session, agreement, proposal_id=found.id, sentences=said, until=found.valid_until, at=at
    )


def _note(session: Session, action: str, found: VariationProposal, *, by: Actor, at: datetime) -> None:
    found = proposal(session, found.id)
    agreement = found.line.agreement
    record(
        session,
        action,
        about="variation_proposal",
        about_id=found.id,
        summary=f"{agreement.reference}: {found.facts['quantity']} {found.facts['unit']}, {found.status.title.lower()}",
        by=by,
        at=at,
        details={
            "sha256": found.sha256,
            "net": found.facts["net"],
            "reason": found.reason,
            "name": found.name,
            "role": found.role,
        },
    )
