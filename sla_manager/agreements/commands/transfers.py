"""Carrying an agreement on with another customer: what was delivered stays, the rest goes on at the same price.

Time moves inside each financial year by a pair of entries that name the transfer; the total does not change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements import mails
from sla_manager.agreements.commands.arranging import arrange
from sla_manager.agreements.commands.ledger import enter, reverse_entry
from sla_manager.agreements.commands.numbers import next_reference
from sla_manager.agreements.commands.successors import successor
from sla_manager.agreements.commands.terminations import (
    FiguresChanged,
    apply_end,
    held_to_end,
    write_termination,
)
from sla_manager.agreements.documents.change_letters import freeze_ending
from sla_manager.agreements.documents.freezing import freeze
from sla_manager.agreements.models import Acceptance, Agreement, AgreementLine, LedgerEntry, Tranche, Transfer
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries.endings import EndPreview, end_preview, given_after
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus, move
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import long_date
from sla_manager.people.models import Customer, School
from sla_manager.store.audit import Actor, record


class NotYetInEffect(Refused):
    """What was delivered until then is known on the day itself."""

    def __init__(self, day: date) -> None:
        super().__init__(
            f"This takes effect on {long_date(day)}. Confirm it on that day or later, "
            "when everything before it is logged.",
            field="effective_on",
        )


class OverBefore(Refused):
    """An agreement that is over by then has nothing to carry on."""

    def __init__(self, reference: str, ends_on: date) -> None:
        super().__init__(
            f"{reference} ends on {long_date(ends_on)}, before this takes effect. Nothing goes on.",
            field="effective_on",
        )


class NotTheirs(Refused):
    """The customer that goes on is the school itself or its trust."""

    def __init__(self, school: str) -> None:
        super().__init__(
            f"That customer is neither {school} nor its trust. Choose one of the two.", field="to_customer"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Who agreed to carry the agreement on, as what, and where that is written."""

    name: str
    role: str
    statement: str


@dataclass(frozen=True, slots=True)
class Carried:
    """A transfer, and which new part of a year takes the place of which old one."""

    transfer: Transfer
    tranches: Mapping[int, int]


def transfer_preview(
    session: Session, agreement_id: int, *, effective_on: date, billed: Collection[int]
) -> EndPreview:
    """Return what the old customer pays and what goes on: `cuts` of each line are what moves."""
    starts_on = whole_agreement(session, agreement_id).starts_on
    through = effective_on - timedelta(days=1)
    return end_preview(
        session,
        agreement_id,
        ends_on=max(through, starts_on),
        rule="delivery",
        billed=billed,
        through=through,
    )


def carry_on(
    session: Session,
    agreement_id: int,
    *,
    to_school_id: int,
    to_customer_id: int,
    effective_on: date,
    consent: Consent,
    reason: str,
    billed: Collection[int],
    change_id: int | None = None,
    schedule: Schedule = Schedule.SINGLE,
    seen_sha256: str | None = None,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> Carried:
    """End an agreement the day before and carry the rest on under another customer, with its class, VAT and route.

    What was delivered stays payable by the old customer; the rest goes on at the same price, in the same financial
    years. The same `once_key` is one transfer. Refused: before the day, after the end, without consent.
    """
    if once_key is not None:
        made = session.scalar(select(Transfer).where(Transfer.once_key == once_key))
        if made is not None:
            return Carried(made, {})
    old = held_to_end(session, agreement_id)
    school, customer = session.get(School, to_school_id), session.get(Customer, to_customer_id)
    if school is None or customer is None:
        raise NotFound
    _check(old, school, customer, effective_on, consent, at)
    words = refuse_pupil_numbers(reason.strip(), field="reason")
    preview = transfer_preview(session, old.id, effective_on=effective_on, billed=billed)
    if seen_sha256 is not None and preview.sha256 != seen_sha256:
        raise FiguresChanged(old.reference)
    termination = write_termination(
        session, preview, cause="transfer", given_by="both", notice_on=london_date(at), reason=words,
        name=consent.name.strip(), role=consent.role.strip(), by=by, at=at, once_key=None,
    )  # fmt: skip
    new = successor(
        session, preview, school, customer, effective_on=effective_on, schedule=schedule, by=by, at=at
    )
    if new is not None:
        _order(session, new, consent, by=by, at=at)
    transfer = Transfer(
        from_agreement_id=old.id,
        to_agreement_id=None if new is None else new.id,
        change_id=change_id,
        effective_on=effective_on,
        moved=preview.taken,
        net=preview.value - preview.payable,
        recorded_at=at,
        recorded_by=by.name,
        once_key=once_key,
    )
    session.add(transfer)
    session.flush()
    cause = f"transfer:{transfer.id}"
    later = given_after(session, old.id, preview.through)
    for entry in later:
        said = f"Given on or after {long_date(effective_on)}: it goes on with the transfer."
        reverse_entry(session, entry.id, reason=said, by=by, at=at)
    apply_end(session, preview, termination, cause=cause, by=by, at=at)
    pairs: dict[int, int] = {}
    if new is not None:
        _put_in_force(session, new, cause=cause, by=by, at=at)
        pairs = _pairs(session, preview, new)
        _give_again(session, later, pairs, cause=cause, by=by, at=at)
    ended = whole_agreement(session, old.id)
    freeze_ending(session, ended, termination, preview, at=at)
    mails.tell_of_end(session, ended, termination_id=termination.id, sentences=preview.sentences, at=at)
    _note(session, old, new, transfer, by=by, at=at)
    return Carried(transfer, pairs)


def _check(
    old: Agreement, school: School, customer: Customer, effective_on: date, consent: Consent, at: datetime
) -> None:
    if effective_on > london_date(at):
        raise NotYetInEffect(effective_on)
    if effective_on > old.ends_on:
        raise OverBefore(old.reference, old.ends_on)
    theirs = customer.school_id == school.id or (
        school.trust_id is not None and customer.trust_id == school.trust_id
    )
    if not theirs:
        raise NotTheirs(school.name)
    if (old.school_id, old.customer_id) == (school.id, customer.id):
        raise Refused(f"{old.reference} is with this customer already.", field="to_customer")
    for text, field in ((consent.name, "name"), (consent.role, "role"), (consent.statement, "statement")):
        refuse_pupil_numbers(text, field=field)
        if not text.strip():
            raise Refused(
                "Say who agreed to carry it on, in what role, and where that is written.", field=field
            )


def _order(session: Session, new: Agreement, consent: Consent, *, by: Actor, at: datetime) -> None:
    """Freeze what goes on, and keep the evidence that somebody with authority agreed to it."""
    frozen = freeze(session, new.id, kind="quote", at=at)
    new.status = move(new.status, AgreementStatus.QUOTED)
    session.flush()
    session.add(
        Acceptance(
            agreement_id=new.id,
            person_id=None,
            name=consent.name.strip(),
            role=consent.role.strip(),
            statement=consent.statement.strip(),
            accepted_at=at,
            address=by.address or "",
            document_sha256=frozen.sha256,
        )
    )
    new.status, new.ordered_at = move(new.status, AgreementStatus.ORDERED), at
    new.version += 1
    session.flush()


def _put_in_force(session: Session, new: Agreement, *, cause: str, by: Actor, at: datetime) -> None:
    loaded = whole_agreement(session, new.id)
    new.reference = next_reference(session, f"{loaded.service.series}-SLA", at=at)
    new.status, new.agreed_at = move(new.status, AgreementStatus.AGREED), at
    new.version += 1
    session.flush()
    arrange(session, loaded, cause=cause, by=by, at=at)
    freeze(session, new.id, kind="agreement", at=at)
    mails.tell_of_agreement(session, whole_agreement(session, new.id), at=at)


def _give_again(
    session: Session,
    later: list[LedgerEntry],
    pairs: Mapping[int, int],
    *,
    cause: str,
    by: Actor,
    at: datetime,
) -> None:
    """Enter what was given since the transfer takes effect where it belongs now."""
    for entry in later:
        enter(
            session,
            pairs[entry.tranche_id],
            entry.kind,
            entry.minutes,
            effective_on=entry.effective_on,
            cause=f"{cause}:{entry.id}",
            reason=entry.reason,
            visit_id=entry.visit_id,
            delivery_id=entry.delivery_id,
            by=by,
            at=at,
        )


def _pairs(session: Session, preview: EndPreview, new: Agreement) -> dict[int, int]:
    """Return the new part of a year for each old one, line by line in their order."""
    query = (
        select(AgreementLine.position, Tranche.year, Tranche.id)
        .join(Tranche, Tranche.line_id == AgreementLine.id)
        .where(AgreementLine.agreement_id == new.id)
    )
    found = {(position, year): tranche_id for position, year, tranche_id in session.execute(query)}
    left = [one for one in preview.lines if any(cut.cuts for cut in one.cuts)]
    return {
        cut.tranche.id: found[place, cut.tranche.year]
        for place, one in enumerate(left, start=1)
        for cut in one.cuts
        if (place, cut.tranche.year) in found
    }


def _note(
    session: Session, old: Agreement, new: Agreement | None, transfer: Transfer, *, by: Actor, at: datetime
) -> None:
    went = "nothing was left to carry on" if new is None else f"goes on as {new.reference}"
    record(
        session,
        "transfer_agreement",
        about="agreement",
        about_id=old.id,
        summary=f"{old.reference} ended for a transfer on {long_date(transfer.effective_on)}: {went}",
        by=by,
        at=at,
        details={
            "transfer_id": transfer.id,
            "moved_minutes": transfer.moved.minutes,
            "net": str(transfer.net),
            "to_agreement_id": transfer.to_agreement_id,
        },
    )
