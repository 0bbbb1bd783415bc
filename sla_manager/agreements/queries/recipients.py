"""Who is written to at a school: its business manager, head and chair, and the finance lead of its trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from sla_manager.people.models import Customer, Membership, Person, School
from sla_manager.people.rules.roles import Role

AT_SCHOOL = (Role.SCHOOL_BUSINESS_MANAGER, Role.HEAD_TEACHER, Role.CHAIR_OF_GOVERNORS)


@dataclass(frozen=True, slots=True, order=True)
class Recipient:
    """Somebody to write to. `key` names her in the keys of mails: her number, or nobody's (0) for an office."""

    key: int
    email: str
    name: str


def school_recipients(session: Session, school_ids: Iterable[int]) -> Mapping[int, list[Recipient]]:
    """Return whom to write to for each school, each person once: two questions, however many schools.

    A school where nobody has a role is written to at its customer's address; without one it has nobody.
    """
    wanted = list(school_ids)
    at_school = and_(Membership.school_id == School.id, Membership.role.in_(AT_SCHOOL))
    of_trust = and_(Membership.trust_id == School.trust_id, Membership.role == Role.TRUST_FINANCE_LEAD)
    people = (
        select(School.id, Person.id, Person.email, Person.name)
        .join(Membership, or_(at_school, of_trust))
        .join(Person, Person.id == Membership.person_id)
        .where(School.id.in_(wanted), Person.active.is_(True))
        .distinct()
        .order_by(School.id, Person.id)
    )
    found: dict[int, list[Recipient]] = {}
    for school_id, person_id, email, name in session.execute(people):
        found.setdefault(school_id, []).append(Recipient(person_id, email, name))
    without = [school_id for school_id in wanted if school_id not in found]
    offices = select(Customer).where(Customer.school_id.in_(without), Customer.email != "")
    for office in session.scalars(offices):
        if office.school_id is not None:
            found[office.school_id] = [Recipient(0, office.email, "")]
    return found
