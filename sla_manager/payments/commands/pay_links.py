"""Links in mails with which one document can be paid without signing in: only their hash is kept, and they run out."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.references import new_token, token_hash
from sla_manager.kernel.words import long_date, pounds
from sla_manager.payments.models import PayLink
from sla_manager.payments.queries.receipts import open_amount
from sla_manager.people.rules.addresses import read_email
from sla_manager.store.audit import Actor, record
from sla_manager.store.outbox import link, post

HOLDS_FOR = timedelta(days=30)


def make_pay_link(
    session: Session,
    document_id: int,
    *,
    recipient: str,
    once_key: str | None = None,
    by: Actor,
    at: datetime,
) -> str:
    """Return the path of a page on which a document can be paid for 30 days by whoever has it.

    Put it into a mail with `link`; the mail's key begins with "pay-link:", so that its text is not kept.
    """
    token = new_token()
    session.add(
        PayLink(
            document_id=document_id, token_hash=token_hash(token), recipient=recipient, made_at=at,
            made_by=by.name, expires_at=at + HOLDS_FOR, once_key=once_key,
        )
    )  # fmt: skip
    session.flush()
    return f"/pay/{token}"


def send_pay_link(
    session: Session, document_id: int, *, recipient: str, once_key: str, by: Actor, at: datetime
) -> None:
    """Send somebody a link with which she can pay a document. The same `once_key` sends one mail.

    Refused: a document that is not paid by card, one on which nothing is open.
    """
    document = session.get(Document, document_id)
    if document is None:
        raise NotFound
    recipient = read_email(recipient)
    amount = open_amount(session, document_id)
    if document.kind is not DocumentKind.INVOICE or amount.pence <= 0:
        raise Refused(f"There is nothing to pay on {document.number}.")
    if session.scalar(select(PayLink.id).where(PayLink.once_key == once_key)) is not None:
        return
    path = make_pay_link(session, document_id, recipient=recipient, once_key=once_key, by=by, at=at)
    until = long_date(london_date(at + HOLDS_FOR))
    post(
        session,
        f"pay-link:{once_key}",
        recipient=recipient,
        subject=f"Pay {document.number} by card",
        body=(
            f"{pounds(amount)} is open on {document.number} for {document.customer_name}.\n\n"
            f"Pay it by card here: {link(path)}\n\n"
            f"The link works until {until}. Whoever has it can see the amount and pay it, and nothing else.\n"
        ),
        at=at,
    )
    record(
        session, "send_pay_link", about="document", about_id=document_id, by=by, at=at,
        summary=f"A link to pay {document.number} was sent to {recipient}.",
    )  # fmt: skip
