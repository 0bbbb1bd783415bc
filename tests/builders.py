"""Invented councils, schools, people and offerings for tests. Parents are made when they are missing.

Everything here is added to the session and flushed, so that it has its key. Each builder may be called again:
the same name, code, URN or address gives back the same row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sla_manager.catalogue.models import Offering, Price
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.models import (
    Customer,
    Membership,
    Officer,
    Person,
    Provider,
    School,
    SchoolTerm,
    TradingService,
    Trust,
    WorkingDay,
)
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role, Scope

AUTHORITY = "203"
OTHER_AUTHORITY = "209"
FIRST_URN = 900_101
T = TypeVar("T")
BEGINNING = datetime(2025, 4, 1, 8, 0, tzinfo=UTC)
"""When the invented council began to use the product."""

OFFICE_HOURS = (Minutes(9 * 60), Minutes(17 * 60))
FULL_TIME: Mapping[int, tuple[Minutes, Minutes]] = dict.fromkeys(range(5), OFFICE_HOURS)
"""Monday to Friday, 9am to 5pm."""

TERMS = (
    ("Autumn term 2025", date(2025, 9, 1), date(2025, 12, 19), date(2025, 10, 27), date(2025, 10, 31)),
    ("Spring term 2026", date(2026, 1, 5), date(2026, 3, 27), date(2026, 2, 16), date(2026, 2, 20)),
    ("Summer term 2026", date(2026, 4, 13), date(2026, 7, 21), date(2026, 5, 25), date(2026, 5, 29)),
)

_C = CustomerClass
REGISTER_WORDS: dict[CustomerClass, tuple[str, str, str, str]] = {
    _C.OWN_MAINTAINED: ("1", "Community school", "4", "Local authority maintained schools"),
    _C.VOLUNTARY_AIDED: ("2", "Voluntary aided school", "4", "Local authority maintained schools"),
    _C.ACADEMY: ("34", "Academy converter", "10", "Academies"),
    _C.INDEPENDENT: ("11", "Other independent school", "3", "Independent schools"),
    _C.OUT_OF_AREA_MAINTAINED: ("1", "Community school", "4", "Local authority maintained schools"),
    _C.OTHER: ("18", "Further education", "1", "Colleges"),
}
"""Type and type group, as the register writes them, of a school of each class."""


def council(session: Session, *, name: str = "Aldermere Council") -> Provider:
    """Return the one council."""
    found = session.scalar(select(Provider))
    if found is not None:
        return found
    provider = Provider(
        id=1,
        name=name,
        authority_code=AUTHORITY,
        address=["Civic Centre", "12 Market Square", "Aldermere", "AM1 4QZ"],
        email="finance@aldermere.example",
        phone="01632 960100",
        vat_number="GB123456789",
        bank_name="Aldermere Council",
        bank_sort_code="00-00-00",
        bank_account="00000000",
    )
    return _kept(session, provider)


def a_service(
    session: Session, code: str = "ews", *, series: str | None = None, name: str | None = None
) -> TradingService:
    """Return a service of the council, the Education Welfare Service unless another code is given."""
    council(session)
    found = session.scalar(select(TradingService).where(TradingService.code == code))
    if found is not None:
        return found
    service = TradingService(
        code=code,
        series=series or code.upper(),
        name=name or ("Education Welfare Service" if code == "ews" else f"Service {code}"),
        email=f"{code}@aldermere.example",
        phone="01632 960150",
        preset=None,
        introduction="",
        cancellation_bands=[[5, 100], [20, 50]],
    )
    return _kept(session, service)


def terms(session: Session) -> list[SchoolTerm]:
    """Return the three terms of 2025-26, with their half-terms."""
    found = list(session.scalars(select(SchoolTerm).order_by(SchoolTerm.starts_on)))
    if found:
        return found
    return [
        _kept(
            session,
            SchoolTerm(
                name=name,
                starts_on=starts_on,
                ends_on=ends_on,
                half_term_starts_on=half_from,
                half_term_ends_on=half_to,
            ),
        )
        for name, starts_on, ends_on, half_from, half_to in TERMS
    ]


def a_trust(session: Session, name: str = "Brightwater Learning Trust") -> Trust:
    """Return a trust, with its customer row."""
    found = session.scalar(select(Trust).where(Trust.name == name))
    if found is not None:
        return found
    number = 5000 + _count(session, Trust)
    trust = _kept(
        session,
        Trust(
            name=name,
            group_uid=str(number),
            company_number=f"0{7_000_000 + number}",
            address=["Quayside Road"],
        ),
    )
    _kept(session, Customer(trust_id=trust.id, account_reference=f"T{number}", email=""))
    return trust


def a_school(
    session: Session,
    urn: int | None = None,
    *,
    customer_class: CustomerClass = CustomerClass.OWN_MAINTAINED,
    name: str | None = None,
    trust: Trust | None = None,
    phase: str = "Secondary",
    pupils: int | None = 900,
    **more: Any,
) -> School:
    """Return a school of a customer class, with its customer row. Without a URN each call makes a new one."""
    council(session)
    found = session.scalar(select(School).where(School.urn == urn)) if urn is not None else None
    if found is not None:
        return found
    number = urn if urn is not None else FIRST_URN + _count(session, School)
    type_code, type_name, group_code, group_name = REGISTER_WORDS[customer_class]
    away = customer_class is CustomerClass.OUT_OF_AREA_MAINTAINED
    facts: dict[str, Any] = {
        "urn": number,
        "la_code": OTHER_AUTHORITY if away else AUTHORITY,
        "la_name": "Farmere" if away else "Aldermere",
        "establishment_number": str(number % 10_000).zfill(4),
        "name": name or f"Meadow Lane School {number}",
        "type_code": type_code,
        "type_name": type_name,
        "type_group_code": group_code,
        "type_group_name": group_name,
        "status_code": "1",
        "status_name": "Open",
        "phase": phase,
        "pupils": pupils,
        "trust_id": trust.id if trust else None,
        "ukprn": None,
        "street": "Meadow Lane",
        "town": "Aldermere",
        "postcode": "AM2 1DD",
        "easting": 545_000,
        "northing": 174_000,
        "derived_class": customer_class,
    }
    school = _kept(session, School(**(facts | more)))
    _kept(session, Customer(school_id=school.id, account_reference=f"S{number}", email=""))
    return school


def customer_of(session: Session, school: School) -> Customer:
    """Return who pays for a school."""
    return session.scalars(select(Customer).where(Customer.school_id == school.id)).one()


def a_person(
    session: Session,
    role: Role | None = None,
    *,
    school: School | None = None,
    trust: Trust | None = None,
    service: TradingService | None = None,
    name: str | None = None,
    email: str | None = None,
    order_limit: Money | None = None,
) -> Person:
    """Return a person with one role; the place of the role is made when it is not given.

    She has no password: pages are opened with `tests.conftest.sign_in_as`. Called again with the same address
    she gets a further role.
    """
    called = name or (f"Test {role.title}" if role else "Test Person")
    address = (email or f"{called.replace(' ', '.').lower()}@aldermere.example").lower()
    person = session.scalar(select(Person).where(Person.email == address))
    if person is None:
        person = _kept(session, Person(name=called, email=address, password_hash=None, created_at=BEGINNING))
    if role is not None:
        _give(session, person, role, school=school, trust=trust, service=service, order_limit=order_limit)
    return person


def _give(
    session: Session,
    person: Person,
    role: Role,
    *,
    school: School | None,
    trust: Trust | None,
    service: TradingService | None,
    order_limit: Money | None,
) -> None:
    place: dict[str, int] = {}
    key = "provider"
    if role.scope is Scope.SCHOOL:
        place["school_id"] = (school or a_school(session, FIRST_URN)).id
        key = f"school:{place['school_id']}"
    elif role.scope is Scope.TRUST:
        place["trust_id"] = (trust or a_trust(session)).id
        key = f"trust:{place['trust_id']}"
    elif role.scope is Scope.SERVICE:
        place["service_id"] = (service or a_service(session)).id
        key = f"service:{place['service_id']}"
    held = select(Membership.id).where(
        Membership.person_id == person.id, Membership.role == role, Membership.place_key == key
    )
    if session.scalar(held) is None:
        membership = Membership(
            person_id=person.id,
            role=role,
            place_key=key,
            order_limit=order_limit,
            granted_at=BEGINNING,
            **place,
        )
        _kept(session, membership)


def an_officer(
    session: Session,
    name: str = "Asha Okafor",
    *,
    service: TradingService | None = None,
    person: Person | None = None,
    pattern: Mapping[int, tuple[Minutes, Minutes]] = FULL_TIME,
    starts_on: date = date(2025, 4, 1),
    ends_on: date | None = None,
    day_cost: Money | None = None,
) -> Officer:
    """Return an officer who works Monday to Friday; with `person` she can sign in."""
    team = service or a_service(session)
    found = session.scalar(select(Officer).where(Officer.service_id == team.id, Officer.name == name))
    if found is not None:
        return found
    officer = _kept(
        session,
        Officer(
            service_id=team.id,
            person_id=person.id if person else None,
            name=name,
            base_easting=545_000,
            base_northing=174_000,
            starts_on=starts_on,
            ends_on=ends_on,
            skills=[],
            day_cost=day_cost,
        ),
    )
    for weekday, (starts, ends) in pattern.items():
        _kept(session, WorkingDay(officer_id=officer.id, weekday=weekday, starts=starts, ends=ends))
    return officer


def an_offering(
    session: Session,
    price: str | None = "368.00",
    *,
    code: str = "EWO-DAY",
    name: str = "Education welfare officer, day",
    service: TradingService | None = None,
    family: Family = Family.CASEWORK,
    unit: str = "day",
    unit_minutes: int | None = 444,
    step: str = "0.5",
    minimum: str = "0.5",
    starts_on: date = date(2024, 4, 1),
    **more: Any,
) -> Offering:
    """Return something that is sold, at one price for every customer class (None: no price yet)."""
    team = service or a_service(session)
    found = session.scalar(select(Offering).where(Offering.service_id == team.id, Offering.code == code))
    if found is not None:
        return found
    offering = _kept(
        session,
        Offering(
            service_id=team.id,
            code=code,
            name=name,
            family=family,
            duty=None,
            unit=unit,
            unit_minutes=None if unit_minutes is None else Minutes(unit_minutes),
            step=Decimal(step),
            minimum=Decimal(minimum),
            **more,
        ),
    )
    if price is not None:
        for customer_class in CustomerClass:
            _kept(
                session,
                Price(
                    offering_id=offering.id,
                    family=family,
                    customer_class=customer_class,
                    starts_on=starts_on,
                    ends_on=None,
                    unit_price=Money.parse(price),
                    source="Invented for tests",
                ),
            )
    return offering


def a_core_offering(
    session: Session,
    duty: CoreDuty = CoreDuty.TARGETING_SUPPORT_MEETING,
    *,
    code: str | None = None,
    service: TradingService | None = None,
    **more: Any,
) -> Offering:
    """Return something that every school has free of charge."""
    team = service or a_service(session)
    called = code or duty.value.upper().replace("_", "-")
    found = session.scalar(select(Offering).where(Offering.service_id == team.id, Offering.code == called))
    if found is not None:
        return found
    facts: dict[str, Any] = {
        "service_id": team.id,
        "code": called,
        "name": duty.value.replace("_", " ").capitalize(),
        "family": Family.CORE,
        "duty": duty,
        "unit": "session",
        "unit_minutes": None,
    }
    return _kept(session, Offering(**(facts | more)))


def _kept(session: Session, thing: T) -> T:
    session.add(thing)
    session.flush()
    return thing


def _count(session: Session, kind: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0
