"""Steps that tests take with agreements: quote, order, agree."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import LineWanted, accept_order, place_order, prepare_quote
from sla_manager.agreements.models import Agreement, AgreementLine, Tranche
from sla_manager.agreements.queries import frozen_sha256, quoted_documents
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.kernel.money import Money
from sla_manager.people.models import Membership, Person, School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from tests.builders import a_person, a_school, a_service, an_offering


def quote(session: Session, by: Actor, at: datetime, **more: Any) -> Agreement:
    """Return a quote of 12 days for an academy in three instalments, changed as a test wants."""
    customer_class = more.pop("customer_class", CustomerClass.ACADEMY)
    school = more.pop("school", None) or a_school(session, customer_class=customer_class)
    offering = more.pop("offering", None) or an_offering(session)
    quantity = Decimal(more.pop("quantity", "12"))
    split = more.pop("year_split", None)
    wanted: dict[str, Any] = {
        "service_id": a_service(session).id,
        "school_id": school.id,
        "starts_on": date(2025, 10, 14),
        "ends_on": date(2026, 3, 31),
        "schedule": Schedule.THREE,
        "lines": [LineWanted(offering.id, quantity, split)],
        "by": by,
        "at": at,
    }
    return prepare_quote(session, **(wanted | more))


def order(session: Session, quoted: Agreement, by: Actor, at: datetime, **more: Any) -> Agreement:
    """Order a quote as it stands."""
    wanted: dict[str, Any] = {
        "role": "School business manager",
        "statement": "I accept.",
        "address": "203.0.113.7",
        "document_sha256": frozen_sha256(session, quoted.id),
        "by": by,
        "at": at,
    }
    return place_order(session, quoted.id, **(wanted | more))


def agreed(session: Session, by: Actor, at: datetime, **more: Any) -> Agreement:
    """Return an agreement that runs."""
    quoted = quote(session, by, at, **more)
    order(session, quoted, by, at)
    return accept_order(session, quoted.id, by=by, at=at)


def tranches(session: Session, agreement: Agreement) -> list[Tranche]:
    """Return an agreement's tranches by line and year."""
    query = select(Tranche).join(AgreementLine, AgreementLine.id == Tranche.line_id)
    wanted = query.where(AgreementLine.agreement_id == agreement.id)
    return list(session.scalars(wanted.order_by(AgreementLine.position, Tranche.year)))


def figures(session: Session, agreement: Agreement) -> list[tuple[str, str, str]]:
    """Return net, VAT and gross of each document that will be issued."""
    return [(str(one.net), str(one.vat), str(one.gross)) for one in quoted_documents(session, agreement)]


def manager_of(session: Session, school: School, **more: Any) -> Person:
    """Return the school's business manager."""
    return a_person(session, Role.SCHOOL_BUSINESS_MANAGER, school=school, **more)


def acting(person: Person) -> Actor:
    """Return a person as who acts."""
    return Actor(person.id, person.name, "203.0.113.7")


def limit(session: Session, person: Person, amount: Money) -> None:
    """Hold a person to a limit in every place where she has a role."""
    for one in session.scalars(select(Membership).where(Membership.person_id == person.id)):
        one.order_limit = amount
    session.flush()
