"""Who is written to about money at a payer: those who may pay, else the payer's own address."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.queries.recipients import Recipient
from sla_manager.people.models import Customer, Membership, Person, School
from sla_manager.people.rules.roles import GRANTS, Permission, Role
from sla_manager.store.outbox import link

PAYING = tuple(role for role in Role if Permission.PAY in GRANTS[role])


def payers(session: Session, customer_ids: Iterable[int]) -> dict[int, list[Recipient]]:
    """Return whom to write to for each customer, each person once; a customer without an address has nobody."""
    wanted = list(customer_ids)
    found: dict[int, list[Recipient]] = {}
    at_school = _people().join(Customer, Customer.school_id == Membership.school_id)
    of_trust = _people().join(Customer, Customer.trust_id == Membership.trust_id)
    for query in (at_school, of_trust):
        rows = query.add_columns(Customer.id).where(Customer.id.in_(wanted)).order_by(Customer.id, Person.id)
        for person_id, email, name, customer_id in session.execute(rows.distinct()):
            found.setdefault(customer_id, []).append(Recipient(person_id, email, name))
    without = [one for one in wanted if one not in found]
    for office in session.scalars(select(Customer).where(Customer.id.in_(without), Customer.email != "")):
        found[office.id] = [Recipient(0, office.email, "")]
    return found


def _people() -> Select[int, str, str]:
    return (
        select(Person.id, Person.email, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(Person.active.is_(True), Membership.role.in_(PAYING))
    )


def customer_with_payer(session: Session, customer_id: int) -> Customer | None:
    """Return a customer with its school or trust."""
    query = select(Customer).where(Customer.id == customer_id)
    return session.scalar(query.options(joinedload(Customer.school), joinedload(Customer.trust)))


def portal_path(customer: Customer, rest: str) -> str:
    """Return a link into the payer's own part of the portal (the customer comes with school and trust)."""
    if customer.trust is not None:
        return link(f"/trust/{customer.trust.id}/{rest}")
    school: School | None = customer.school
    return link(f"/school/{school.urn}/{rest}") if school is not None else link("/")
