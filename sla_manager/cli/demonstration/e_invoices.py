"""Electronic invoices in the demonstration: a council that sends UBL files, and one customer who takes them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.billing.commands.e_invoices import set_electronic_address
from sla_manager.billing.commands.policy import set_policy
from sla_manager.billing.models import Document
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.store.audit import Actor

FINANCE = Actor(None, "Samir Patel")
GLN = "5060012340001"


def tell_e_invoices(session: Session, *, now: datetime) -> None:
    """Let documents issued from now on leave as UBL files, and give the newest invoice's customer an address."""
    policy = finance_policy(session)
    set_policy(
        session,
        purchase_order_from=policy.purchase_order_from,
        reminder_days=policy.reminder_days,
        late_payment=policy.late_payment,
        e_invoice="xml",
        endpoint_scheme="9932",
        endpoint_id="GB999999973",
        seen_version=policy.version,
        by=FINANCE,
        at=now,
    )
    newest = (
        select(Document.customer_id).where(Document.kind == DocumentKind.INVOICE).order_by(Document.id.desc())
    )
    customer_id = session.scalars(newest.limit(1)).one()
    set_electronic_address(
        session, customer_id, scheme="0088", identifier=GLN, buyer_reference="FINANCE-OFFICE", by=FINANCE, at=now
    )  # fmt: skip
