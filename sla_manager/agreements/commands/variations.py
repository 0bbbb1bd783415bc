"""A dated change to a signed agreement: the text stays, the ledger and the money follow."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sla_manager.agreements import mails
from sla_manager.agreements.commands.arranging import add_instalment
from sla_manager.agreements.commands.ledger import balance_locked, enter, refuse_closed
from sla_manager.agreements.commands.years import hold_years
from sla_manager.agreements.documents.freezing import freeze
from sla_manager.agreements.models import Agreement, AgreementLine, Instalment, Tranche, Variation
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries import balances, tranche_on
from sla_manager.agreements.queries.repricing import variation_net
from sla_manager.agreements.rules.ledger import EntryKind, check_variation
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.agreements.rules.tranches import QuantityOffStep
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear, Period
from sla_manager.kernel.quantities import is_on_step, minutes_of, plain
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import counted, long_date, pounds
from sla_manager.people.queries import the_provider
from sla_manager.store.audit import Actor, record


class OutsideTheAgreement(Refused):
    """A variation takes effect while the agreement runs."""

    def __init__(self, day: date, agreement: Agreement) -> None:
        super().__init__(
            f"{long_date(day)} is outside the agreement, {long_date(agreement.starts_on)} to "
            f"{long_date(agreement.ends_on)}. Choose a day between the two.",
            field="effective_on",
        )


class LessThanNothing(Refused):
    """A year's quantity cannot fall below nothing."""

    def __init__(self, wanted: Decimal, there: Decimal, unit: str) -> None:
        super().__init__(
            f"{counted(abs(wanted), unit)} cannot be taken away: the year has {counted(there, unit)}.",
            field="quantity",
        )


def vary_line(
    session: Session,
    line_id: int,
    *,
    quantity: Decimal,
    effective_on: date,
    reason: str,
    absorbed: Minutes = Minutes(0),
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> Variation:
    """Add to a line (+3 days) or take from it (−2), from a day on and in that day's financial year.

    Money follows the price's agreed rule (`variation_net`), billed by a document of its own (a credit note when it
    is below nothing); billed on delivery, none. Refused: off the step, more than is unused (with the figures), a closed
    year. `absorbed` is the proposed extra time that it takes up. The same `once_key` gives back the same variation.
    """
    if once_key is not None:
        made = session.scalar(select(Variation).where(Variation.once_key == once_key))
        if made is not None:
            return made
    hold_years(session)
    line = session.get(AgreementLine, line_id)
    if line is None:
        raise NotFound
    agreement = session.get_one(Agreement, line.agreement_id, with_for_update=True, populate_existing=True)
    _check(agreement, line, quantity, effective_on, reason)
    tranche = _tranche(session, agreement, line, effective_on)
    refuse_closed(session, tranche.year)
    change = None if line.unit_minutes is None else minutes_of(quantity, line.unit_minutes)
    _refuse_too_little(session, line, tranche, quantity)
    if change is not None:
        check_variation(balance_locked(session, tranche.id), change)
    variation = Variation(
        line_id=line.id,
        year=tranche.year,
        quantity=quantity,
        net=variation_net(session, line, quantity),
        effective_on=effective_on,
        signed_at=at,
        signed_by=by.name,
        reason=reason.strip(),
        absorbed=absorbed,
        once_key=once_key,
    )
    session.add(variation)
    session.flush()
    if change is not None:
        enter(
            session,
            tranche.id,
            EntryKind.VARIED,
            change,
            effective_on=effective_on,
            cause=f"variation:{variation.id}",
            reason=variation.reason,
            by=by,
            at=at,
        )
    _bill(session, agreement, line, variation, at=at)
    agreement.version += 1
    session.flush()
    freeze(session, agreement.id, kind="variation", at=at)
    _tell(session, whole_agreement(session, agreement.id), line, variation, by=by, at=at)
    return variation


def _check(
    agreement: Agreement, line: AgreementLine, quantity: Decimal, effective_on: date, reason: str
) -> None:
    if agreement.status is not AgreementStatus.AGREED:
        raise Refused(
            f"{agreement.reference} is {agreement.status.title.lower()}. Only an agreement that runs can be varied."
        )
    if quantity == 0 or not is_on_step(quantity, line.step):
        raise QuantityOffStep(quantity, line.step)
    if not agreement.starts_on <= effective_on <= (agreement.ends_early_on or agreement.ends_on):
        raise OutsideTheAgreement(effective_on, agreement)
    if not reason.strip():
        raise Refused("Say why the agreement is varied.", field="reason")
    refuse_pupil_numbers(reason, field="reason")


def _tranche(session: Session, agreement: Agreement, line: AgreementLine, day: date) -> Tranche:
    """Return the tranche of the day's financial year; a year that had no share gets one of nothing to add to."""
    found = tranche_on(session, line.id, day)
    if found is not None:
        return found
    year = FinancialYear.of(day, start_month=_start_month(session))
    shared = year.period.overlap(Period.through(agreement.starts_on, agreement.ends_on))
    if shared is None:
        raise OutsideTheAgreement(day, agreement)
    refuse_closed(session, year.first)
    tranche = Tranche(
        line_id=line.id,
        family=line.family,
        year=year.first,
        starts_on=shared.start,
        ends_on=shared.last,
        quantity=Decimal(0),
        minutes=None if line.unit_minutes is None else Minutes(0),
        net=Money(0),
    )
    session.add(tranche)
    session.flush()
    return tranche


def _start_month(session: Session) -> int:
    return hold_years(session).financial_year_start_month


def _refuse_too_little(session: Session, line: AgreementLine, tranche: Tranche, quantity: Decimal) -> None:
    """Refuse to take away more than the year was given; what is used is judged by the ledger."""
    if line.unit_minutes is not None:
        return
    earlier = session.scalars(
        select(Variation.quantity).where(Variation.line_id == line.id, Variation.year == tranche.year)
    )
    there = tranche.quantity + sum(earlier, Decimal(0))
    if there + quantity < 0:
        raise LessThanNothing(quantity, there, line.unit)


def _bill(
    session: Session, agreement: Agreement, line: AgreementLine, variation: Variation, *, at: datetime
) -> None:
    """Arrange the variation's own document, dated when it takes effect, and never before it was signed."""
    if agreement.schedule is Schedule.ON_DELIVERY or not variation.net:
        return
    taken = select(func.max(Instalment.position)).where(
        Instalment.agreement_id == agreement.id, Instalment.purpose == "variation"
    )
    position = (session.scalar(taken) or 0) + 1
    add_instalment(
        session,
        agreement.id,
        purpose="variation",
        position=position,
        count=position,
        due_on=max(variation.effective_on, london_date(at)),
        parts=[(line.id, variation.net)],
        variation_id=variation.id,
    )


def _tell(
    session: Session,
    agreement: Agreement,
    line: AgreementLine,
    variation: Variation,
    *,
    by: Actor,
    at: datetime,
) -> None:
    sign = "+" if variation.quantity > 0 else "−"
    what = (
        f"{line.description}: {sign}{counted(abs(variation.quantity), line.unit)} from "
        f"{long_date(variation.effective_on)}, {pounds(variation.net)} net. {variation.reason}"
    )
    mails.tell_of_variation(session, agreement, variation_id=variation.id, what=what, at=at)
    record(
        session,
        "vary_line",
        about="agreement",
        about_id=agreement.id,
        summary=f"{agreement.reference}: {what}",
        by=by,
        at=at,
        details={
            "variation_id": variation.id,
            "quantity": plain(variation.quantity),
            "net": str(variation.net),
        },
    )


def check_change(
    session: Session, line_id: int, *, quantity: Decimal, effective_on: date, reason: str
) -> AgreementLine:
    """Refuse what `vary_line` would refuse, without changing or holding anything: for what waits to be signed."""
    line = session.get(AgreementLine, line_id)
    if line is None:
        raise NotFound
    agreement = session.get_one(Agreement, line.agreement_id)
    _check(agreement, line, quantity, effective_on, reason)
    start_month = the_provider(session).financial_year_start_month
    refuse_closed(session, FinancialYear.of(effective_on, start_month=start_month).first)
    tranche = tranche_on(session, line.id, effective_on)
    if tranche is None:
        if quantity < 0:
            raise LessThanNothing(quantity, Decimal(0), line.unit)
        return line
    _refuse_too_little(session, line, tranche, quantity)
    if line.unit_minutes is not None:
        found = balances(session, tranche_ids=[tranche.id])
        check_variation(found[0].figures, minutes_of(quantity, line.unit_minutes))
    return line
