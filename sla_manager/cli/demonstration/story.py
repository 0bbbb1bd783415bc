"""The story of the demonstration council, told with the product's own commands, month by month.

Last financial year is complete and closed, this one runs until today; some weeks ahead are planned.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import close_year, expire_quotes
from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.billing.runs import run
from sla_manager.catalogue.commands import load_preset
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.presets import FOLDER, Preset, parse_preset
from sla_manager.cli.demonstration import people
from sla_manager.cli.demonstration.approvals import tell_approvals
from sla_manager.cli.demonstration.bank import tell_bank
from sla_manager.cli.demonstration.buying import Desk, Purchase, buy, leave_waiting, purchases
from sla_manager.cli.demonstration.calendar import Diaries, school_terms
from sla_manager.cli.demonstration.capacity import tell_capacity
from sla_manager.cli.demonstration.cards import tell_cards
from sla_manager.cli.demonstration.changes import tell_changes
from sla_manager.cli.demonstration.charges import tell_charges
from sla_manager.cli.demonstration.chasing import tell_chasing
from sla_manager.cli.demonstration.closing import tell_closing
from sla_manager.cli.demonstration.delivering import Round, bought
from sla_manager.cli.demonstration.e_invoices import tell_e_invoices
from sla_manager.cli.demonstration.handover import tell_handover
from sla_manager.cli.demonstration.needs import tell_needs
from sla_manager.cli.demonstration.partners import tell_partners
from sla_manager.cli.demonstration.prices import tell_prices
from sla_manager.cli.demonstration.schools import AUTHORITY, register_file
from sla_manager.cli.demonstration.season import tell_season
from sla_manager.cli.demonstration.watching import tell_watching
from sla_manager.finance.commands import make_batch
from sla_manager.kernel.clock import london_date, london_time
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear, Period, add_months
from sla_manager.payments.commands import record_receipt
from sla_manager.people.commands import (
    add_service,
    add_term,
    change_provider,
    change_service,
    create_provider,
    import_schools,
    set_link_officer,
)
from sla_manager.people.models import Officer, School, TradingService, Trust
from sla_manager.people.queries import terms
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import SYSTEM, Actor
from sla_manager.store.database import Database
from sla_manager.visits.commands import add_absence
from sla_manager.visits.models import AbsenceKind

PRESET = "southampton-2024-25"
MANAGER = Actor(None, "Helen Castellan")
SCHOOL_PERSON = Actor(None, "Priya Nair")
FINANCE = Actor(None, "Samir Patel")
BUYERS = 40
Say = Callable[[str], None]


def tell(database: Database, *, now: datetime, say: Say) -> None:
    """Load everything into an empty database; `say` is told what is being done."""
    chance = random.Random(31)  # noqa: S311 (an invented history needs no secrecy)
    today = london_date(now)
    this_year = FinancialYear.of(today)
    last_year = FinancialYear(this_year.first - 1)
    began = london_time(last_year.period.start - timedelta(days=75), time(9, 0))
    say("the council, its schools, people and catalogue")
    with database.transaction() as session:
        service = _council(session, at=began)
        schools = _schools(session, at=began)
        officers = _people(session, service, schools, began=began, last_year=last_year)
        _price_and_terms(session, service, last_year, at=began)
    with database.reading() as session:
        desk = _desk(session, service)
        schools = [
            one for one in session.scalars(select(School).order_by(School.urn)) if one.status_code == "1"
        ]
    buyers = _buyers(schools)
    year_before = purchases(buyers[:-4], last_year, chance)
    now_bought = purchases(buyers[4:], this_year, chance)
    plan = _round(database, schools, officers, chance)
    month = last_year.period.start
    signed: set[int] = set()
    seen: set[int] = set()
    while month <= today.replace(day=1):
        say(f"{month:%B %Y}")
        days = Period(month, max(month + timedelta(days=1), min(add_months(month, 1), today)))
        wanted = [
            one for one in [*year_before, *now_bought] if one.signed_on < days.end and id(one) not in signed
        ]
        _sign(database, desk, wanted, signed)
        if month == add_months(this_year.period.start, 1):
            with database.transaction() as session:
                tell_partners(session, service, starts_on=month, by=MANAGER, at=_evening(month, now))
        _work(database, plan, service.id, schools, days, now=now)
        if month < today.replace(day=1):
            _bill(database, days, seen, now=now, chance=chance)
        if month == add_months(this_year.period.start, 1):
            with database.transaction() as session:
                close_year(session, last_year, by=MANAGER, at=_evening(month + timedelta(days=11), now))
        month = add_months(month, 1)
    say("the weeks ahead")
    ahead = Period(today + timedelta(days=1), min(today + timedelta(days=45), this_year.period.end))
    _work(database, plan, service.id, schools, ahead, now=now)
    with database.transaction() as session:
        tell_needs(session, service, today=today, by=MANAGER, at=now)
    with database.transaction() as session:
        tell_changes(session, service, today=today, by=MANAGER, school_person=SCHOOL_PERSON, at=now)
    with database.transaction() as session:
        plan.leave_to_log(session, bought(session, service.id), officers[0].id, now=now)
        leave_waiting(session, desk, buyers[:4] + _others(schools, buyers)[:5], now=now, by=SCHOOL_PERSON)
        expire_quotes(session, at=now)
        _absences(session, officers, now=now)
    with database.transaction() as session:
        tell_approvals(session, service, at=now)
        tell_capacity(session, service, today=today, by=MANAGER, at=now)
    say("the season for next year")
    tell_season(database, service.id, by=MANAGER, school_person=SCHOOL_PERSON, now=now)
    with database.transaction() as session:
        tell_prices(session, service, today=today, by=MANAGER, at=now)
    say("the money")
    _money(database, service, today=today, now=now)


def _money(database: Database, service: TradingService, *, today: date, now: datetime) -> None:
    """Tell what finance did: charges, cards, the bank, chasing, and at last the year that is locked."""
    with database.transaction() as session:
        tell_charges(session, service, at=now)
        tell_cards(session, at=now)
    with database.transaction() as session:
        tell_bank(session, today=today, by=FINANCE, at=now)
    tell_chasing(database, now=now)
    with database.transaction() as session:
        tell_handover(session, by=FINANCE, at=now)
        tell_e_invoices(session, now=now)
    with database.transaction() as session:
        tell_closing(session, now=now)
        tell_watching(session, at=now)


def _preset() -> Preset:
    """Return a real service's preset with the invented council's name in place of the real one's."""
    text = (FOLDER / f"{PRESET}.toml").read_text(encoding="utf-8")
    return parse_preset(PRESET, text.replace("Southampton", "Wexcombe").encode())


def _evening(day: date, now: datetime) -> datetime:
    return min(london_time(day, time(17, 0)), now)


def _council(session: Session, *, at: datetime) -> TradingService:
    create_provider(session, authority_code=AUTHORITY[0], name="Wexcombe Council", by=SYSTEM, at=at)
    change_provider(
        session,
        address=["Civic Centre", "Guildhall Square", "Wexcombe", "WX1 1AA"],
        email="schools@wexcombe.example",
        phone="01632 960100",
        vat_number="GB 999 9999 73",
        bank_name="Wexcombe Council",
        bank_sort_code="00-00-00",
        bank_account="00000000",
        payment_days=30,
        demonstration=True,
        by=SYSTEM,
        at=at,
    )
    service = add_service(
        session,
        code="ews",
        series="EWS",
        name="Education Welfare Service",
        email="education.welfare@wexcombe.example",
        phone="01632 960110",
        by=SYSTEM,
        at=at,
    )
    load_preset(session, _preset(), service_id=service.id, by=SYSTEM, at=at)
    return change_service(
        session,
        service.id,
        name="Education Welfare Service",
        email="education.welfare@wexcombe.example",
        phone="01632 960110",
        quote_valid_days=30,
        rearrangement_days=20,
        cancellation_bands=[(5, 100), (20, 50)],
        by=SYSTEM,
        at=at,
    )


def _schools(session: Session, *, at: datetime) -> list[School]:
    import_schools(session, register_file(), filename="register.csv", by=SYSTEM, at=at)
    return [one for one in session.scalars(select(School).order_by(School.urn)) if one.status_code == "1"]


def _people(
    session: Session,
    service: TradingService,
    schools: list[School],
    *,
    began: datetime,
    last_year: FinancialYear,
) -> list[Officer]:
    trust = session.scalars(select(Trust).order_by(Trust.id)).first()
    school = _buyers(schools)[6]
    if trust is None:
        raise RuntimeError("the invented register names no trust")
    officers = people.add_people(
        session,
        service_id=service.id,
        school=school,
        trust=trust,
        starts_on=last_year.period.start - timedelta(days=365),
        by=SYSTEM,
        at=began,
    )
    for number, one in enumerate(schools):
        set_link_officer(session, one.id, officers[number % len(officers)].id, by=SYSTEM, at=began)
    return officers


def _price_and_terms(session: Session, service: TradingService, year: FinancialYear, *, at: datetime) -> None:
    for name, first, last, away, back in school_terms(year.first, year.first + 2):
        add_term(
            session,
            name=name,
            starts_on=first,
            ends_on=last,
            half_term_starts_on=away,
            half_term_ends_on=back,
            by=SYSTEM,
            at=at,
        )


def _desk(session: Session, service: TradingService) -> Desk:
    offerings = session.scalars(select(Offering).where(Offering.service_id == service.id))
    return Desk(service.id, {one.code: one.id for one in offerings}, MANAGER)


def _buyers(schools: list[School]) -> list[School]:
    """Return the schools that buy: of every kind that has a price, in a fixed mix."""
    open_to = [one for one in schools if one.customer_class is not CustomerClass.OTHER]
    return open_to[:: max(1, len(open_to) // BUYERS)][:BUYERS]


def _others(schools: list[School], buyers: list[School]) -> list[School]:
    known = {one.id for one in buyers}
    return [one for one in schools if one.id not in known and one.customer_class is not CustomerClass.OTHER]


def _round(
    database: Database, schools: list[School], officers: list[Officer], chance: random.Random
) -> Round:
    with database.reading() as session:
        calendar = terms(session)
    return Round(
        Diaries(calendar, people.weekdays_of(officers)),
        {one.id: officers[number % len(officers)].id for number, one in enumerate(schools)},
        {officer.id: officer.name for officer in officers},
        chance,
        MANAGER,
        SCHOOL_PERSON,
        {},
    )


def _sign(database: Database, desk: Desk, wanted: list[Purchase], signed: set[int]) -> None:
    with database.transaction() as session:
        for purchase in wanted:
            buy(session, desk, purchase, by=SCHOOL_PERSON)
            signed.add(id(purchase))


def _work(
    database: Database, plan: Round, service_id: int, schools: list[School], days: Period, *, now: datetime
) -> None:
    with database.transaction() as session:
        for term in plan.diaries.terms:
            if term.starts_on in days:
                own = [
                    one for one in schools if one.customer_class is not CustomerClass.OUT_OF_AREA_MAINTAINED
                ]
                plan.support_meetings(session, own, Period.through(term.starts_on, term.ends_on), now=now)
        plan.month(session, bought(session, service_id), days, now=now)


def _bill(database: Database, days: Period, seen: set[int], *, now: datetime, chance: random.Random) -> None:
    run(database, as_at=days.start, by=FINANCE, at=_evening(days.start, now))
    with database.transaction() as session:
        _receive(session, seen, before=days.last - timedelta(days=25), on=days.last, now=now, chance=chance)
    with database.reading() as session:
        is_new = (
            session.scalar(select(Document.id).where(Document.issued_on >= days.start).limit(1)) is not None
        )
    if is_new and days.end < london_date(now) - timedelta(days=30):
        with database.transaction() as session:
            make_batch(session, "sage50", by=FINANCE, at=_evening(days.last, now))


def _receive(
    session: Session, seen: set[int], *, before: date, on: date, now: datetime, chance: random.Random
) -> None:
    """Record what customers paid: most of them in full, some in part, a few not yet."""
    query = (
        select(Document)
        .where(
            Document.kind.in_([DocumentKind.INVOICE, DocumentKind.RECHARGE_NOTE]),
            Document.issued_on <= before,
            Document.issued_on > before - timedelta(days=31),
        )
        .order_by(Document.id)
    )
    for document in session.scalars(query):
        if document.id in seen:
            continue
        seen.add(document.id)
        lot = chance.randrange(14)
        if lot == 0:
            continue
        amount = Money(document.gross.pence // 2) if lot == 1 else document.gross
        is_journal = document.kind is DocumentKind.RECHARGE_NOTE
        record_receipt(
            session,
            document.customer_id,
            amount=amount,
            received_on=min(on, london_date(now)),
            method="journal" if is_journal else "bank_transfer",
            reference=document.number,
            allocations={document.id: amount},
            by=FINANCE,
            at=_evening(on, now),
        )


def _absences(session: Session, officers: list[Officer], *, now: datetime) -> None:
    day = london_date(now) + timedelta(days=60)
    for number, officer in enumerate(officers[:3]):
        start = day + timedelta(days=7 * number)
        add_absence(
            session,
            officer.id,
            kind=AbsenceKind.LEAVE,
            starts_at=london_time(start, time(8, 30)),
            ends_at=london_time(start + timedelta(days=4), time(17, 0)),
            by=MANAGER,
            at=now,
        )
