"""The day ledger written: entries are added, and undone by another entry, never changed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import LedgerEntry, Tranche
from sla_manager.agreements.queries.balances import balances
from sla_manager.agreements.queries.years import year_close
from sla_manager.agreements.rules.lapse import refuse_closed_year
from sla_manager.agreements.rules.ledger import Balance, EntryKind, signed
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.words import long_date
from sla_manager.people.queries import the_provider
from sla_manager.store.audit import Actor, record


class NotThatMuchLeft(Refused):
    """No entry may take more than there is."""

    def __init__(self, wanted: Minutes, left: Minutes) -> None:
        super().__init__(
            f"{wanted.hours_and_minutes()} cannot be taken: {left.hours_and_minutes()} are left.",
            field="minutes",
        )


class OutsideTheTranche(Refused):
    """The date of delivery decides the year."""

    def __init__(self, day: date, tranche: Tranche) -> None:
        super().__init__(
            f"{long_date(day)} is outside this year's time, {long_date(tranche.starts_on)} to "
            f"{long_date(tranche.ends_on)}. Choose the year in which the time was given.",
            field="effective_on",
        )


class AlreadyUndone(Refused):
    """An entry is undone once, and what undoes is not undone itself."""

    def __init__(self) -> None:
        super().__init__("This entry cannot be undone. Add a new entry that says what is right.")


def balance_locked(session: Session, tranche_id: int) -> Balance:
    """Return a tranche's balance and hold the tranche: until the end nobody else takes from it."""
    if session.scalar(select(Tranche.id).where(Tranche.id == tranche_id).with_for_update()) is None:
        raise NotFound
    session.flush()
    found = balances(session, tranche_ids=[tranche_id])
    if not found:
        raise NotFound("This is not counted in time: it has no balance.")
    return found[0].figures


def refuse_closed(session: Session, year: int) -> None:
    """Refuse when a financial year is closed, saying since when and whom to ask (E2)."""
    close = year_close(session, year)
    start_month = the_provider(session).financial_year_start_month
    refuse_closed_year(
        FinancialYear(year, start_month), closed_on=london_date(close.closed_at) if close else None
    )


def enter(
    session: Session,
    tranche_id: int,
    kind: EntryKind,
    minutes: Minutes,
    *,
    effective_on: date,
    cause: str,
    reason: str = "",
    visit_id: int | None = None,
    delivery_id: int | None = None,
    by: Actor,
    at: datetime,
) -> LedgerEntry:
    """Add an entry to a tranche's ledger.

    The kind decides the sign: what is delivered, charged, credited or lapsed is taken away however it is
    written, what is contracted is added; only `varied` stays as it stands. `cause` names what caused the
    entry ("delivery:17") and stands in a tranche once. Refused: more than is left, a closed year, a delivery
    outside the tranche's dates.
    """
    left = balance_locked(session, tranche_id).balance
    tranche = session.get_one(Tranche, tranche_id)
    refuse_closed(session, tranche.year)
    if kind is EntryKind.REVERSAL:
        raise Refused("An entry is undone by naming it.")
    written = signed(kind, abs(minutes) if kind.takes_away else minutes)
    if kind is EntryKind.DELIVERED and not tranche.starts_on <= effective_on <= tranche.ends_on:
        raise OutsideTheTranche(effective_on, tranche)
    if (left + written).minutes < 0:
        raise NotThatMuchLeft(-written, left)
    entry = LedgerEntry(
        tranche_id=tranche_id,
        kind=kind,
        minutes=written,
        effective_on=effective_on,
        recorded_at=at,
        recorded_by=by.name,
        cause=cause,
        reason=reason,
        visit_id=visit_id,
        delivery_id=delivery_id,
        reverses_id=None,
    )
    session.add(entry)
    session.flush()
    return entry


def reverse_entry(session: Session, entry_id: int, *, reason: str, by: Actor, at: datetime) -> LedgerEntry:
    """Undo an entry by another that names it, on the day on which the first took effect.

    What was contracted, varied or lapsed is not undone this way: that is a variation, or never.
    """
    entry = session.get(LedgerEntry, entry_id)
    if entry is None:
        raise NotFound
    left = balance_locked(session, entry.tranche_id).balance
    tranche = session.get_one(Tranche, entry.tranche_id)
    refuse_closed(session, tranche.year)
    undone = session.scalar(select(LedgerEntry.id).where(LedgerEntry.reverses_id == entry_id))
    if undone is not None or entry.kind not in (EntryKind.DELIVERED, EntryKind.CHARGED, EntryKind.CREDITED):
        raise AlreadyUndone
    if not reason.strip():
        raise Refused("Say why the entry is undone.", field="reason")
    reversal = LedgerEntry(
        tranche_id=entry.tranche_id,
        kind=EntryKind.REVERSAL,
        minutes=-entry.minutes,
        effective_on=entry.effective_on,
        recorded_at=at,
        recorded_by=by.name,
        cause=f"reversal:{entry.id}",
        reason=reason.strip(),
        visit_id=entry.visit_id,
        delivery_id=entry.delivery_id,
        reverses_id=entry.id,
    )
    session.add(reversal)
    session.flush()
    record(
        session,
        "reverse_entry",
        about="ledger_entry",
        about_id=entry.id,
        summary=f"{(-entry.minutes).hours_and_minutes()} put back: {reason.strip()}",
        by=by,
        at=at,
        details={"balance_before": left.minutes},
    )
    return reversal
