"""The invented people of the demonstration council, and how to sign in as each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.commands import add_officer, add_person, grant_role
from sla_manager.people.models import Officer, School, Trust
from sla_manager.people.rules.roles import Role, Scope
from sla_manager.store.audit import Actor

PASSWORD = "wexcombe-demonstration"  # noqa: S105 (printed at every start: the demonstration has no secrets)

_FULL = (510, 1020)
_OFFICERS = (
    # name, first and last minute of each weekday worked (Monday first; None is a day off), base easting, northing
    ("Amara Osei", (_FULL, _FULL, _FULL, _FULL, (510, 960)), 543200, 177400),
    ("Callum Reyes", (_FULL, _FULL, _FULL, _FULL, (510, 960)), 545100, 175900),
    ("Dilys Morgan", (_FULL, _FULL, _FULL, None, None), 541800, 178600),
    ("Farid Hussain", (_FULL, _FULL, _FULL, _FULL, (510, 960)), 547300, 174800),
    ("Greta Lindqvist", ((540, 900),) * 5, 544000, 176500),
    ("Joyce Adeyemi", (_FULL, _FULL, _FULL, _FULL, (510, 960)), 546200, 178900),
    ("Rowan Whitlock", (None, _FULL, _FULL, _FULL, (510, 960)), 542900, 173600),
    ("Tomasz Zielinski", (_FULL, _FULL, _FULL, _FULL, (510, 960)), 548100, 176200),
)


@dataclass(frozen=True)
class SignIn:
    """One way to sign in to the demonstration."""

    role: Role
    name: str
    email: str
    shows: str


SIGN_INS = (
    SignIn(
        Role.SCHOOL_BUSINESS_MANAGER,
        "Priya Nair",
        "business.manager@school.example",
        "buy days, see balances, answer visits",
    ),
    SignIn(
        Role.HEAD_TEACHER, "Owen Prosser", "head@school.example", "approve extra time, see the same school"
    ),
    SignIn(
        Role.CHAIR_OF_GOVERNORS,
        "Edith Rowan",
        "chair@school.example",
        "approve an order above the business manager's limit",
    ),
    SignIn(
        Role.TRUST_FINANCE_LEAD,
        "Marguerite Dale",
        "finance.lead@trust.example",
        "buy for all schools of a trust",
    ),
    SignIn(
        Role.OFFICER, "Amara Osei", "officer@wexcombe.example", "the week's diary, log a visit on a phone"
    ),
    SignIn(
        Role.SERVICE_MANAGER,
        "Helen Castellan",
        "manager@wexcombe.example",
        "orders, seasons, capacity, diaries, prices",
    ),
    SignIn(
        Role.FINANCE_OFFICER, "Samir Patel", "finance@wexcombe.example", "invoice runs, payments, exports"
    ),
    SignIn(
        Role.ADMINISTRATOR,
        "Bethan Frost",
        "administrator@wexcombe.example",
        "register, people and roles, audit trail",
    ),
    SignIn(
        Role.AUDITOR, "Lionel Archer", "auditor@wexcombe.example", "documents and the audit trail, to read"
    ),
)


def add_people(
    session: Session,
    *,
    service_id: int,
    school: School,
    trust: Trust,
    starts_on: date,
    by: Actor,
    at: datetime,
) -> list[Officer]:
    """Add the people of every role and the eight officers; returns the officers."""
    people = {}
    for sign_in in SIGN_INS:
        person = add_person(session, name=sign_in.name, email=sign_in.email, password=PASSWORD, by=by, at=at)
        people[sign_in.role] = person
        place: dict[str, int] = {}
        if sign_in.role.scope is Scope.SCHOOL:
            place["school_id"] = school.id
        elif sign_in.role is Role.TRUST_FINANCE_LEAD:
            place["trust_id"] = trust.id
        elif sign_in.role in (Role.OFFICER, Role.SERVICE_MANAGER):
            place["service_id"] = service_id
        limit = Money(10_000_00) if sign_in.role is Role.SCHOOL_BUSINESS_MANAGER else None
        grant_role(session, person.id, sign_in.role, order_limit=limit, by=by, at=at, **place)
    officers = []
    for name, week, easting, northing in _OFFICERS:
        pattern = {
            weekday: (Minutes(hours[0]), Minutes(hours[1]))
            for weekday, hours in enumerate(week)
            if hours is not None
        }
        officers.append(
            add_officer(
                session,
                service_id,
                name=name,
                starts_on=starts_on,
                pattern=pattern,
                person_id=people[Role.OFFICER].id if name == people[Role.OFFICER].name else None,
                base_easting=easting,
                base_northing=northing,
                day_cost=Money(241_50),
                by=by,
                at=at,
            )
        )
    return officers


def sign_in_sheet(address: str) -> str:
    """Return what `script/run` prints: the address and one sign-in for each role."""
    width = max(len(sign_in.email) for sign_in in SIGN_INS)
    rows = [
        f"  {sign_in.email:<{width}}  {sign_in.name}, {sign_in.role.title.lower()}: {sign_in.shows}"
        for sign_in in SIGN_INS
    ]
    return "\n".join([f"Open {address}", f"The password of all of them is: {PASSWORD}", *rows])


def weekdays_of(officers: list[Officer]) -> dict[int, set[int]]:
    """Return the weekdays that each officer works."""
    patterns = {
        name: {day for day, hours in enumerate(week) if hours is not None} for name, week, *_ in _OFFICERS
    }
    return {officer.id: patterns[officer.name] for officer in officers}
