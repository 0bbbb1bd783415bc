"""What agreements write to people: each mail has one purpose, says it in its subject, and is posted once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Acceptance, Agreement
from sla_manager.kernel.words import long_date, pounds
from sla_manager.people.models import Person
from sla_manager.people.queries import the_provider
from sla_manager.store.outbox import post


def school_address(session: Session, agreement: Agreement) -> str:
    """Return where mail about an agreement goes at the school: who ordered it, else the customer, else nowhere."""
    ordered_by = session.scalar(
        select(Person.email)
        .join(Acceptance, Acceptance.person_id == Person.id)
        .where(Acceptance.agreement_id == agreement.id)
    )
    return ordered_by or agreement.customer.email


def school_addresses(session: Session, agreement_ids: Iterable[int]) -> dict[int, str]:
    """Return the addresses of those who ordered, for many agreements at once."""
    query = (
        select(Acceptance.agreement_id, Person.email)
        .join(Person, Person.id == Acceptance.person_id)
        .where(Acceptance.agreement_id.in_(agreement_ids))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _send(
    session: Session, key: str, recipient: str, subject: str, paragraphs: list[str], at: datetime
) -> bool:
    if not recipient:
        return False
    return (
        post(session, key, recipient=recipient, subject=subject, body="\n\n".join(paragraphs) + "\n", at=at)
        is not None
    )


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
            "Sign in to download the signed document and see your balance.",
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
