"""What agreements write to people: each mail has one purpose, says it in its subject, and is posted once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Acceptance, Agreement, Approval, ApprovalDecision
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.words import long_date, pounds
from sla_manager.people.models import Person
from sla_manager.people.queries import the_provider
from sla_manager.store.outbox import Attachment, link, post


def school_address(session: Session, agreement: Agreement) -> str:
    """Return where mail about an agreement goes at the school: who prepared the order that somebody else approved,
    else who ordered it, else the customer, else nowhere."""
    prepared_by = session.scalar(_prepared_by().where(Approval.agreement_id == agreement.id))
    if prepared_by is not None:
        return prepared_by
    ordered_by = session.scalar(
        select(Person.email)
        .join(Acceptance, Acceptance.person_id == Person.id)
        .where(Acceptance.agreement_id == agreement.id)
    )
    return ordered_by or agreement.customer.email


def school_addresses(session: Session, agreement_ids: Iterable[int]) -> dict[int, str]:
    """Return the addresses of those who ordered or prepared the order, for many agreements at once."""
    wanted = list(agreement_ids)
    query = (
        select(Acceptance.agreement_id, Person.email)
        .join(Person, Person.id == Acceptance.person_id)
        .where(Acceptance.agreement_id.in_(wanted))
    )
    prepared = _prepared_by().add_columns(Approval.agreement_id).where(Approval.agreement_id.in_(wanted))
    found = {row[0]: row[1] for row in session.execute(query)}
    return found | {row[1]: row[0] for row in session.execute(prepared)}


def _prepared_by() -> Select[str]:
    return (
        select(Person.email)
        .join(Approval, Approval.asked_by_id == Person.id)
        .where(Approval.decision == ApprovalDecision.APPROVED)
    )


def _send(
    session: Session,
    key: str,
    recipient: str,
    subject: str,
    paragraphs: list[str],
    at: datetime,
    files: Sequence[Attachment] = (),
) -> bool:
    if not recipient:
        return False
    body = "\n\n".join(paragraphs) + "\n"
    sent = post(session, key, recipient=recipient, subject=subject, body=body, at=at, attachments=files)
    return sent is not None


def tell_of_order(session: Session, agreement: Agreement, *, who: str, at: datetime) -> bool:
    """Tell the service that a school has ordered."""
    recipient = agreement.service.email or the_provider(session).email
    return _send(
        session,
        f"order:{agreement.id}",
        recipient,
        f"New order from {agreement.school.name}",
        [
            (
                f"{who} ordered for {agreement.school.name}: {pounds(agreement.net)} net, "
                f"{long_date(agreement.starts_on)} to {long_date(agreement.ends_on)}."
            ),
            f"Quote {agreement.reference}. Sign in and accept or decline the order.",
        ],
        at,
    )


def tell_of_agreement(session: Session, agreement: Agreement, *, at: datetime) -> bool:
    """Tell the school that its order is accepted."""
    name = "service level agreement" if agreement.customer_class.is_own else "contract"
    return _send(
        session,
        f"agreed:{agreement.id}",
        school_address(session, agreement),
        f"Your {name} {agreement.reference} is agreed",
        [
            f"{agreement.service.name} has accepted your order for {agreement.school.name}.",
            f"It runs from {long_date(agreement.starts_on)} to {long_date(agreement.ends_on)}.",
            "The signed document and its certificate follow by mail. They are also in your portal:",
            link(f"/school/{agreement.school.urn}/agreements/{agreement.id}"),
        ],
        at,
    )


def tell_of_decline(session: Session, agreement: Agreement, *, reason: str, at: datetime) -> bool:
    """Tell the school that its order is declined, and why."""
    return _send(
        session,
        f"declined:{agreement.id}",
        school_address(session, agreement),
        f"Your order {agreement.reference} is declined",
        [
            f"{agreement.service.name} cannot accept your order for {agreement.school.name}.",
            f"The reason: {reason}",
            "Nothing is owed. Ask the service, or ask for a new quote.",
        ],
        at,
    )


def tell_of_variation(
    session: Session, agreement: Agreement, *, variation_id: int, what: str, at: datetime
) -> bool:
    """Tell the school what a variation changes."""
    return _send(
        session,
        f"variation:{variation_id}",
        school_address(session, agreement),
        f"Your agreement {agreement.reference} has changed",
        [what, "Sign in to download the changed document and see your balance."],
        at,
    )


def tell_of_request(
    session: Session, agreement: Agreement, *, proposal_id: int, who: str, at: datetime
) -> bool:
    """Tell the service that a school asks for a change."""
    return _send(
        session,
        f"asked:{proposal_id}",
        agreement.service.email or the_provider(session).email,
        f"{agreement.school.name} asks to change {agreement.reference}",
        [f"{who} asks for a change.", "Sign in and propose it, or decline it with a reason."],
        at,
    )


def tell_of_proposal(
    session: Session,
    agreement: Agreement,
    *,
    proposal_id: int,
    sentences: list[str],
    until: date,
    at: datetime,
) -> bool:
    """Put a change to the school to sign."""
    return _send(
        session,
        f"proposal:{proposal_id}",
        school_address(session, agreement),
        f"A change of your agreement {agreement.reference} waits for your signature",
        [*sentences, f"Sign in to sign or decline it until {long_date(until)}."],
        at,
    )


def tell_of_end(
    session: Session, agreement: Agreement, *, termination_id: int, sentences: list[str], at: datetime
) -> bool:
    """Tell the school that its agreement ends early, and what follows."""
    return _send(
        session,
        f"ending:{termination_id}",
        school_address(session, agreement),
        f"Your agreement {agreement.reference} ends early",
        [*sentences, "Sign in to see the figures and download the document."],
        at,
    )


def warn(
    session: Session, key: str, *, recipient: str, subject: str, paragraphs: list[str], at: datetime
) -> bool:
    """Post a warning about time, once for each key."""
    return _send(session, key, recipient, subject, paragraphs, at)


def ask_for_approval(
    session: Session,
    approval: Approval,
    quote: Agreement,
    *,
    recipient: str,
    name: str,
    token: str,
    at: datetime,
) -> bool:
    """Ask somebody to approve an order: what, for whom, how much, until when, and the link where she decides."""
    message = [f"{approval.asked_by} writes: {approval.message}"] if approval.message else []
    return _send(
        session,
        f"approval:{approval.id}",
        recipient,
        f"Please approve an order of {pounds(quote.gross)} for {quote.school.name}",
        [
            f"Dear {name},",
            (
                f"{approval.asked_by} asks you to approve an order from the {quote.service.name}: "
                f"{pounds(quote.net)} net, {pounds(quote.gross)} with VAT, for {quote.school.name}."
            ),
            *message,
            f"Read it and decide here: {link(f'/school/approvals/{token}')}",
            (
                f"The link is for you alone. It works until {long_date(london_date(approval.expires_at))}, once, "
                "after you have signed in."
            ),
        ],
        at,
    )


def tell_of_approval(
    session: Session, approval: Approval, quote: Agreement, *, who: str, recipient: str, at: datetime
) -> bool:
    """Tell whoever asked what was decided, and why."""
    is_approved = approval.decision is ApprovalDecision.APPROVED
    subject = (
        f"{quote.reference} is approved and ordered" if is_approved else f"{quote.reference} is not approved"
    )
    said = (
        f"{who} approved it, and it is ordered. {quote.service.name} will accept or decline the order."
        if is_approved
        else f"{who} did not approve it. The reason: {approval.reason}"
    )
    after = [] if is_approved else ["The quote stays as it is. You can change it, or ask somebody else."]
    path = f"/school/{quote.school.urn}/agreements/{quote.id}"
    return _send(
        session,
        f"approval-answer:{approval.id}",
        recipient,
        subject,
        [
            f"You asked about {quote.reference} for {quote.school.name}.",
            said,
            *after,
            f"See it: {link(path)}",
        ],
        at,
    )


def send_signed_copy(
    session: Session, agreement: Agreement, *, files: Sequence[Attachment], at: datetime
) -> bool:
    """Send the signed document with its certificate to the school, once."""
    name = "service level agreement" if agreement.customer_class.is_own else "contract"
    return _send(
        session,
        f"signed:{agreement.id}",
        school_address(session, agreement),
        f"Your signed {name} {agreement.reference}",
        [
            f"Attached is the signed {name} {agreement.reference} for {agreement.school.name}.",
            "The certificate says who accepted it, when and from where. Keep both with your records.",
            f"See your balance: {link(f'/school/{agreement.school.urn}/agreements/{agreement.id}')}",
        ],
        at,
        files,
    )
