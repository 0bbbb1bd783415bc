"""Pages on which one document is paid by card: one at a time for each document, always for what is open (P5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.gateways.cards import CardPage
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.references import new_token
from sla_manager.payments.models import CardCheckout
from sla_manager.payments.queries.cards import LIVE
from sla_manager.payments.queries.receipts import open_amount
from sla_manager.payments.rules.cards import require_payable
from sla_manager.store.audit import Actor, record

HOLDS_FOR = timedelta(hours=1)
"""How long a page can be paid on."""
ASKED_FOR = timedelta(minutes=20)
"""How long a page that was asked for, and not given, is asked for again under its own key."""
NEARLY_OVER = timedelta(minutes=2)


class NotByCard(Refused):
    """A document on which nothing can be paid by card; the message says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The page of a document. `is_stale`: it is over, or for another amount, and must be closed first."""

    checkout: CardCheckout
    is_stale: bool


def ask_checkout(session: Session, document_id: int, *, tell: str = "", by: Actor, at: datetime) -> Asked:
    """Return the one page on which a document is paid now; two tabs have the same (P5).

    Refused: a recharge, a credit note, a document on which nothing is open.
    """
    document = session.get(Document, document_id, with_for_update=True)
    if document is None:
        raise NotFound
    if document.kind is not DocumentKind.INVOICE:
        raise NotByCard(
            f"{document.number} is not paid by card: {document.kind.title.lower()}s move between budgets."
        )
    amount = open_amount(session, document_id)
    if amount.pence <= 0:
        raise NotByCard(f"Nothing is open on {document.number}. You do not need to pay.")
    require_payable(amount)
    live = session.scalar(
        select(CardCheckout)
        .where(CardCheckout.document_id == document_id, CardCheckout.status.in_(LIVE))
        .with_for_update()
    )
    if live is not None and live.status == "asked" and at >= live.asked_at + ASKED_FOR:
        live.status, live = "failed", None
        session.flush()
    if live is not None:
        return Asked(live, live.amount != amount or at >= live.expires_at - NEARLY_OVER)
    made = CardCheckout(
        reference=new_token(), document_id=document_id, customer_id=document.customer_id, amount=amount,
        status="asked", page_id=None, url=None, payment_id=None, asked_at=at, asked_by=by.name, tell=tell,
        expires_at=at + HOLDS_FOR, checked_at=at,
    )  # fmt: skip
    session.add(made)
    session.flush()
    record(
        session, "start_card_payment", about="document", about_id=document_id, by=by, at=at,
        summary=f"A page to pay {document.number} by card was opened.", details={"amount": str(amount)},
    )  # fmt: skip
    return Asked(made, is_stale=False)


def note_page(session: Session, reference: str, page: CardPage, *, at: datetime) -> CardCheckout:
    """Keep how the provider's page stands. A complete one stays open here until its payment is recorded."""
    found = session.scalar(select(CardCheckout).where(CardCheckout.reference == reference).with_for_update())
    if found is None:
        raise NotFound
    found.checked_at = at
    if found.status not in LIVE:
        return found
    if page.status == "expired":
        found.page_id, found.status = page.id, "expired"
    elif page.url is not None:
        found.page_id, found.url, found.status = page.id, page.url, "open"
    session.flush()
    return found


def drop_checkout(session: Session, reference: str) -> None:
    """Give up a page that the provider would not open."""
    found = session.scalar(select(CardCheckout).where(CardCheckout.reference == reference).with_for_update())
    if found is not None and found.status == "asked":
        found.status = "failed"
