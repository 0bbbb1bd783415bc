"""References of quotes and agreements: gap-free, in the order in which they are made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from sla_manager.kernel.clock import london_date
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import document_number
from sla_manager.people.queries import the_provider
from sla_manager.store.numbers import NumberSeries, draw_number


def next_reference(session: Session, series: str, *, at: datetime) -> str:
    """Return the next reference of a series in the financial year of `at`, like "EWS-SLA/25-26/000012".

    An agreement that is entered late still gets one: unlike an invoice's, its number does not bind its date.
    """
    day = london_date(at)
    year = FinancialYear.of(day, start_month=the_provider(session).financial_year_start_month)
    last = session.get(NumberSeries, (series, year.first), populate_existing=True, with_for_update=True)
    on = max(day, last.last_on) if last is not None else day
    return document_number(series, year, draw_number(session, series, year=year, on=on))
