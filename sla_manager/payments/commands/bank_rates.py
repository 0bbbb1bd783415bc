"""Bank Rate recorded by hand, when the Bank of England has decided."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.words import long_date, per_cent
from sla_manager.payments.models import BankRate
from sla_manager.store.audit import Actor, record

HIGHEST = 2_500
"""Basis points: anything above is a slip of the keyboard."""


def record_bank_rate(session: Session, *, from_day: date, rate: int, by: Actor, at: datetime) -> BankRate:
    """Record the Bank Rate that holds from a day on, in basis points; for one day the later recorded counts.

    The same rate on a later day says that nothing changed until then.
    """
    if not 0 <= rate <= HIGHEST:
        raise Refused(f"Enter a rate from 0 to {per_cent(HIGHEST)}, like 3.75.", field="rate")
    if from_day > london_date(at):
        raise Refused(f"{long_date(from_day)} is in the future. Enter a day that has come.", field="from_day")
    made = BankRate(
        from_day=from_day, rate=rate, source="Recorded by hand", recorded_at=at, recorded_by=by.name
    )
    session.add(made)
    session.flush()
    record(
        session, "record_bank_rate", about="bank_rate", about_id=made.id, by=by, at=at,
        summary=f"Bank Rate {per_cent(rate)} from {long_date(from_day)}.",
    )  # fmt: skip
    return made
