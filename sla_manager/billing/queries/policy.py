"""How this council asks for money, as it is set, or as it is before anybody set it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from sla_manager.billing.models import FinancePolicy

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
REMINDER_DAYS = (7, 21, 35)
"""Days after the due date on which reminders go, until the council sets its own."""


def finance_policy(session: Session) -> FinancePolicy:
    """Return the council's rules; a row that is not stored yet carries the defaults (nothing is written)."""
    stored = session.get(FinancePolicy, 1)
    if stored is not None:
        return stored
    return FinancePolicy(
        id=1,
        purchase_order_from=None,
        reminder_days=list(REMINDER_DAYS),
        late_payment=False,
        e_invoice="none",
        endpoint_scheme="",
        endpoint_id="",
        version=0,
        changed_at=_NEVER,
        changed_by="",
    )
