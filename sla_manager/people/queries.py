"""Questions about the council, its services, schools, trusts, customers, people and officers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.references import token_hash
from sla_manager.people.models import (
    Customer,
    Membership,
    Officer,
    PasswordReset,
    Person,
    Provider,
    RegisterImport,
    RegisterUpload,
    School,
    SchoolTerm,
    TradingService,
    Trust,
    WorkingDay,
)
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role

PAGE = 50


def provider(session: Session) -> Provider | None:
    """Return the council that runs this installation; None before its first run. A session asks for it once."""
    found: Provider | None = session.get(Provider, 1)
    session.info["provider"] = (
        found  # a session holds its objects weakly, so that it would ask again and again
    )
    return found


def the_provider(session: Session) -> Provider:
    """Return the council, or refuse: there is none before the first run."""
    found = provider(session)
    if found is None:
        raise Refused("There is no council yet. Run `sla-manager init --authority CODE --name NAME` first.")
    return found


def services(session: Session) -> list[TradingService]:
    """Return the services of the council, by name."""
    return list(session.scalars(select(TradingService).order_by(TradingService.name, TradingService.id)))


def one_service(session: Session, code: str | None = None) -> TradingService:
    """Return the service of a code; without a code the only one there is."""
    if code is not None:
        found = session.scalar(select(TradingService).where(TradingService.code == code.strip().lower()))
        if found is None:
            raise NotFound(f"There is no service “{code}”.")
        return found
    every = services(session)
    if len(every) != 1:
        names = ", ".join(service.code for service in every)
        raise Refused(
            f"Say which service you mean: {names}." if every else "There is no service yet. Add one first."
        )
    return every[0]


def school_by_urn(session: Session, urn: int) -> School:
    """Return a school with its trust, or `NotFound`."""
    query = select(School).where(School.urn == urn)
    found = session.scalar(query.options(joinedload(School.trust), joinedload(School.link_officer)))
    if found is None:
        raise NotFound(
            f"There is no school with the URN {urn}. Import the register first, or check the number."
        )
    return found


@dataclass(frozen=True)
class SchoolSearch:
    """What the list of schools is narrowed by; an empty search is every school."""

    text: str = ""
    customer_class: CustomerClass | None = None
    status: str = ""
    trust_id: int | None = None


def schools_page(
    session: Session, search: SchoolSearch, *, after: tuple[str, int] | None = None, size: int = PAGE
) -> tuple[list[School], tuple[str, int] | None]:
    """Return a page of schools by name, and the key after which the next page begins (None on the last)."""
    query = select(School).options(joinedload(School.trust)).order_by(School.name, School.urn)
    for condition in _conditions(search):
        query = query.where(condition)
    if after is not None:
        name, urn = after
        query = query.where(or_(School.name > name, (School.name == name) & (School.urn > urn)))
    found = list(session.scalars(query.limit(size + 1)))
    more = (found[size - 1].name, found[size - 1].urn) if len(found) > size else None
    return found[:size], more


def schools_count(session: Session, search: SchoolSearch) -> int:
    """Return how many schools a search finds."""
    query = select(func.count()).select_from(School)
    for condition in _conditions(search):
        query = query.where(condition)
    return session.scalar(query) or 0


def _conditions(search: SchoolSearch) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    words = search.text.strip()
    if words.isascii() and words.isdigit() and len(words) <= 9:
        found.append(School.urn == int(words))
    elif words:
        found.extend(
            _contains(School.name, word) | _contains(School.postcode, word) for word in words.split()
        )
    if search.customer_class is not None:
        found.append(
            func.coalesce(School.customer_class_override, School.derived_class) == search.customer_class
        )
    if search.status == "open":
        found.append(School.status_code != "2")
    elif search.status == "closed":
        found.append(School.status_code == "2")
    if search.trust_id is not None:
        found.append(School.trust_id == search.trust_id)
    return found


def _contains(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    return column.icontains(word, autoescape=True)


def trust_by_name(session: Session, name: str) -> Trust:
    """Return a trust by its name, however its letters are written, or `NotFound`."""
    found = session.scalar(select(Trust).where(func.lower(Trust.name) == " ".join(name.split()).lower()))
    if found is None:
        raise NotFound(f"There is no trust named “{name}”.")
    return found


def trusts(session: Session) -> list[tuple[Trust, int]]:
    """Return every trust by name, with the number of its schools."""
    query = (
        select(Trust, func.count(School.id))
        .outerjoin(School, School.trust_id == Trust.id)
        .group_by(Trust.id)
        .order_by(Trust.name)
    )
    return [(trust, count) for trust, count in session.execute(query)]


def customer_of_school(session: Session, school_id: int) -> Customer:
    """Return the customer that is a school's own budget, or `NotFound`."""
    query = select(Customer).where(Customer.school_id == school_id).options(joinedload(Customer.school))
    found = session.scalar(query)
    if found is None:
        raise NotFound("This school is not a customer yet. Import the register again.")
    return found


def customer_of_trust(session: Session, trust_id: int) -> Customer:
    """Return the customer that is a trust, or `NotFound`."""
    query = select(Customer).where(Customer.trust_id == trust_id).options(joinedload(Customer.trust))
    found = session.scalar(query)
    if found is None:
        raise NotFound("This trust is not a customer yet. Import the register again.")
    return found


def person_by_email(session: Session, email: str) -> Person | None:
    """Return who has an e-mail address, however its letters are written."""
    return session.scalar(select(Person).where(Person.email == email.strip().lower()))


def person_by_id(session: Session, person_id: int) -> Person:
    """Return a person, or `NotFound`."""
    found = session.get(Person, person_id)
    if found is None:
        raise NotFound()
    return found


def people_page(
    session: Session, *, text: str = "", role: Role | None = None, after: tuple[str, int] | None = None
) -> tuple[list[Person], tuple[str, int] | None]:
    """Return a page of people by name, and the key after which the next page begins."""
    query = select(Person).order_by(Person.name, Person.id)
    for word in text.split():
        query = query.where(
            Person.name.icontains(word, autoescape=True) | Person.email.icontains(word, autoescape=True)
        )
    if role is not None:
        query = query.where(Person.id.in_(select(Membership.person_id).where(Membership.role == role)))
    if after is not None:
        query = query.where(or_(Person.name > after[0], (Person.name == after[0]) & (Person.id > after[1])))
    found = list(session.scalars(query.limit(PAGE + 1)))
    more = (found[PAGE - 1].name, found[PAGE - 1].id) if len(found) > PAGE else None
    return found[:PAGE], more


def memberships_of(session: Session, person_ids: Sequence[int]) -> list[Membership]:
    """Return the roles of people, with their places."""
    query = select(Membership).where(Membership.person_id.in_(person_ids)).order_by(Membership.id)
    places = (joinedload(Membership.school), joinedload(Membership.trust), joinedload(Membership.service))
    return list(session.scalars(query.options(*places)))


def people_of_school(session: Session, school: School) -> list[Membership]:
    """Return the roles held at a school or in its trust, with the people who hold them."""
    at_school = Membership.school_id == school.id
    place = at_school if school.trust_id is None else at_school | (Membership.trust_id == school.trust_id)
    query = (
        select(Membership).join(Membership.person).where(place, Person.active.is_(True)).order_by(Person.name)
    )
    return list(session.scalars(query.options(joinedload(Membership.person))))


def person_of_reset(session: Session, token: str, *, at: datetime) -> Person | None:
    """Return whose password a link sets; None when the link is unknown, used or over."""
    query = (
        select(Person)
        .join(PasswordReset, PasswordReset.person_id == Person.id)
        .where(
            PasswordReset.token_hash == token_hash(token),
            PasswordReset.used_at.is_(None),
            PasswordReset.expires_at > at,
            Person.active.is_(True),
        )
    )
    return session.scalar(query)


def officers(session: Session, *, service_id: int | None = None, on: date | None = None) -> list[Officer]:
    """Return officers by name, of one service when it is given, and only those at work on a day if given."""
    query = (
        select(Officer)
        .options(joinedload(Officer.service), joinedload(Officer.person))
        .order_by(Officer.name)
    )
    if service_id is not None:
        query = query.where(Officer.service_id == service_id)
    if on is not None:
        query = query.where(Officer.starts_on <= on, or_(Officer.ends_on.is_(None), Officer.ends_on >= on))
    return list(session.scalars(query))


def officer_by_id(session: Session, officer_id: int) -> Officer:
    """Return an officer with her service, or `NotFound`."""
    query = select(Officer).where(Officer.id == officer_id)
    found = session.scalar(query.options(joinedload(Officer.service), joinedload(Officer.person)))
    if found is None:
        raise NotFound()
    return found


def working_pattern(session: Session, officer_id: int) -> list[WorkingDay]:
    """Return the weekdays an officer works, Monday first."""
    query = select(WorkingDay).where(WorkingDay.officer_id == officer_id).order_by(WorkingDay.weekday)
    return list(session.scalars(query))


def terms(session: Session) -> list[SchoolTerm]:
    """Return the authority's school terms, earliest first."""
    return list(session.scalars(select(SchoolTerm).order_by(SchoolTerm.starts_on)))


def register_imports(session: Session, *, limit: int = 20) -> list[RegisterImport]:
    """Return the latest imports of the register, newest first."""
    return list(session.scalars(select(RegisterImport).order_by(RegisterImport.id.desc()).limit(limit)))


def register_import(session: Session, import_id: int) -> RegisterImport:
    """Return one import with its report, or `NotFound`."""
    found = session.get(RegisterImport, import_id)
    if found is None:
        raise NotFound()
    return found


def register_upload(session: Session, upload_id: int) -> RegisterUpload:
    """Return a file that was uploaded and waits to be imported, or `NotFound`."""
    found = session.get(RegisterUpload, upload_id)
    if found is None:
        raise NotFound("This file was imported already, or is more than a day old. Upload it again.")
    return found


def working_patterns(session: Session) -> dict[int, list[WorkingDay]]:
    """Return the working days of every officer, by officer, Monday first."""
    found: dict[int, list[WorkingDay]] = {}
    for day in session.scalars(select(WorkingDay).order_by(WorkingDay.officer_id, WorkingDay.weekday)):
        found.setdefault(day.officer_id, []).append(day)
    return found


def sign_ins_without_officer(session: Session) -> list[Person]:
    """Return the people with an officer's role who are not linked to an officer yet, by name."""
    linked = select(Officer.person_id).where(Officer.person_id.is_not(None))
    role = select(Membership.person_id).where(Membership.role == Role.OFFICER)
    query = select(Person).where(Person.active.is_(True), Person.id.in_(role), Person.id.not_in(linked))
    return list(session.scalars(query.order_by(Person.name)))


@dataclass(frozen=True)
class Counts:
    """How much there is of everything, for the administration's first page."""

    schools: int
    trusts: int
    people: int
    officers: int
    services: int
    terms_to_come: int


def counts(session: Session, today: date) -> Counts:
    """Count everything in one question."""
    questions = (
        select(func.count(School.id)),
        select(func.count(Trust.id)),
        select(func.count(Person.id)).where(Person.active.is_(True)),
        select(func.count(Officer.id)).where(or_(Officer.ends_on.is_(None), Officer.ends_on >= today)),
        select(func.count(TradingService.id)),
        select(func.count(SchoolTerm.id)).where(SchoolTerm.ends_on >= today),
    )
    row = session.execute(select(*(question.scalar_subquery() for question in questions))).one()
    return Counts(*row)
