"""Closing a financial year: what is unused lapses, once, and the year's ledgers stand still for ever."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import LedgerEntry, Tranche, YearClose
from sla_manager.agreements.queries.years import year_close, year_close_preview
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import Provider
from sla_manager.store.audit import Actor, record


class YearNotOver(Refused):
    """Time can be used until the last day of its year."""

    def __init__(self, year: FinancialYear) -> None:
        super().__init__(
            f"The financial year {year} runs to {year.period.last:%-d %B %Y}. Close it after that day.",
            field="year",
        )


def hold_years(session: Session) -> Provider:
    """Hold the provider's row: no year is closed while time is contracted, and the reverse."""
    return session.scalars(select(Provider).with_for_update()).one()


def close_year(session: Session, year: FinancialYear, *, by: Actor, at: datetime) -> YearClose:
    """Close a financial year: each tranche with something left gets one `lapsed` entry.

    Closing again changes nothing. Nothing is carried forward and no credit follows: what the provider failed
    to give was credited before.
    """
    hold_years(session)
    done = year_close(session, year)
    if done is not None:
        return done
    if london_date(at) < year.period.end:
        raise YearNotOver(year)
    held = select(Tranche.id).where(Tranche.year == year.first).order_by(Tranche.id).with_for_update()
    session.execute(held).all()
    preview = year_close_preview(session, year)
    for row in preview.rows:
        session.add(
            LedgerEntry(
                tranche_id=row.tranche_id,
                kind=EntryKind.LAPSED,
                minutes=-row.minutes,
                effective_on=year.period.last,
                recorded_at=at,
                recorded_by=by.name,
                cause="close",
                reason=f"Unused at the end of {year}",
                visit_id=None,
                delivery_id=None,
                reverses_id=None,
            )
        )
    session.flush()
    close = YearClose(
        year=year.first,
        closed_at=at,
        closed_by=by.name,
        tranches=preview.tranches,
        lapsed_minutes=preview.lapsed_minutes,
        lapsed_value=preview.lapsed_value,
    )
    session.add(close)
    session.flush()
    record(
        session,
        "close_year",
        about="year_close",
        about_id=close.id,
        summary=f"{year} closed: {preview.tranches} balances lapsed, worth £{preview.lapsed_value}",
        by=by,
        at=at,
        details={"lapsed_minutes": preview.lapsed_minutes.minutes, "lapsed_value": str(preview.lapsed_value)},
    )
    return close
