"""The council's rules of asking for money, changed as one, each change on record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from sqlalchemy.orm import Session

import sla_manager.billing.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import FinancePolicy
from sla_manager.billing.rules.e_invoices import SCHEMES, checked_endpoint
from sla_manager.kernel.errors import Conflict, Refused
from sla_manager.kernel.money import Money
from sla_manager.store.audit import Actor, record

MOST_STAGES = 6
LONGEST_DAYS = 365
E_INVOICES = {
    "none": "None: the PDF only",
    "xml": "An XML file beside the PDF",
    "hybrid": "A PDF with the XML inside it",
}


def read_stages(text: str) -> list[int]:
    """Read the days of reminders as they are typed: rising, each after the due date; nothing means none.

    >>> read_stages("7, 21 and 35"), read_stages("")
    ([7, 21, 35], [])
    """
    words = text.replace(",", " ").replace(" and ", " ").split()
    if not all(word.isdigit() for word in words):
        raise Refused("Enter days like 7, 21 and 35, or nothing for no reminders.", field="reminder_days")
    days = [int(word) for word in words]
    rising = all(early < late for early, late in pairwise(days))
    if len(days) > MOST_STAGES or not rising or any(not 1 <= day <= LONGEST_DAYS for day in days):
        raise Refused(
            f"Enter up to {MOST_STAGES} numbers of days from 1 to {LONGEST_DAYS}, each above the one before.",
            field="reminder_days",
        )
    return days


def set_policy(
    session: Session,
    *,
    purchase_order_from: Money | None,
    reminder_days: Sequence[int],
    late_payment: bool,
    e_invoice: str,
    endpoint_scheme: str = "",
    endpoint_id: str = "",
    seen_version: int,
    by: Actor,
    at: datetime,
) -> FinancePolicy:
    """Set the rules. Changed by somebody else since `seen_version`, nothing is overwritten (N11)."""
    if e_invoice not in E_INVOICES:
        raise Refused("Choose one of the list.", field="e_invoice")
    scheme, endpoint = endpoint_scheme.strip(), endpoint_id.strip()
    if bool(scheme) != bool(endpoint) or (scheme and not (len(scheme) == 4 and scheme.isdigit())):
        raise Refused(
            "Enter both, the scheme with four digits, like 9932 for a VAT number. Or leave both empty.",
            field="endpoint_scheme",
        )
    if scheme in SCHEMES:
        scheme, endpoint = checked_endpoint(scheme, endpoint, field="endpoint_id")
    stored = session.get(FinancePolicy, 1, with_for_update=True)
    if (stored.version if stored is not None else 0) != seen_version:
        raise Conflict(
            "Somebody else changed this while you had it open. Check what it says now, then save again: "
            "what you typed is still below."
        )
    if stored is None:
        stored = FinancePolicy(id=1, version=0)
        session.add(stored)
    stored.purchase_order_from, stored.reminder_days = purchase_order_from, list(reminder_days)
    stored.late_payment, stored.e_invoice = late_payment, e_invoice
    stored.endpoint_scheme, stored.endpoint_id = scheme, endpoint
    stored.version, stored.changed_at, stored.changed_by = seen_version + 1, at, by.name
    session.flush()
    record(
        session, "set_finance_policy", about="finance_policy", about_id=1, by=by, at=at,
        summary="The council’s rules of asking for money were changed.",
        details={
            "purchase_order_from": str(purchase_order_from) if purchase_order_from is not None else "",
            "reminder_days": list(reminder_days), "late_payment": late_payment, "e_invoice": e_invoice,
        },
    )  # fmt: skip
    return stored
