"""A season for next year, open today: every renewal prepared, some answered, most not yet."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import LineWanted, accept_order, place_order, prepare_quote
from sla_manager.agreements.commands.answers import decline_renewal
from sla_manager.agreements.commands.renewals import prepare_renewals
from sla_manager.agreements.commands.seasons import plan_season, request_renewals
from sla_manager.agreements.models import Agreement, Renewal
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries import frozen_sha256
from sla_manager.agreements.reminding import remind_of_seasons
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.seasons import SeasonDates
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import School
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database

SEEN_FOR, OPEN_FOR, STILL_OPEN = timedelta(days=28), timedelta(days=14), timedelta(days=21)
REASONS = (
    "We have our own attendance officer from September.",
    "Our budget does not allow it next year.",
)
MAIL_ADDRESS = "https://sla.wexcombe.example"
KEPT_OPEN = 900_013
"""The school of the demonstration's sign-ins: its renewal waits for whoever tries the product."""


def tell_season(
    database: Database, service_id: int, *, by: Actor, school_person: Actor, now: datetime
) -> None:
    """Plan next year's season, prepare every renewal, and answer some: as it is, changed, declined."""
    today = london_date(now)
    year = FinancialYear.of(today).next().period
    dates = SeasonDates(
        starts_on=year.start,
        ends_on=year.last,
        builds_from=today - SEEN_FOR,
        submit_from=today - OPEN_FOR,
        due_by=today + STILL_OPEN,
    )
    seen, opened = now - SEEN_FOR, now - OPEN_FOR
    with database.transaction() as session:
        season = plan_season(session, service_id=service_id, dates=dates, by=by, at=seen)
        request_renewals(session, season.id, by=by, at=seen)
    prepare_renewals(database, season.id, by=by, at=seen)
    remind_of_seasons(database, address=MAIL_ADDRESS, by=by, at=opened)
    with database.transaction() as session:
        waiting = session.scalars(
            select(Renewal)
            .join(School, School.id == Renewal.school_id)
            .where(Renewal.season_id == season.id, Renewal.agreement_id.is_not(None), School.urn != KEPT_OPEN)
            .order_by(Renewal.id)
        ).all()
        for number, renewal in enumerate(waiting):
            at = opened + timedelta(days=1 + number % 12, hours=number % 5)
            _answer(session, renewal, number, by=by, school_person=school_person, at=min(at, now))
    _renews_by_itself(database, service_id, by=by, school_person=school_person, today=today, now=now)


def _answer(
    session: Session, renewal: Renewal, number: int, *, by: Actor, school_person: Actor, at: datetime
) -> None:
    """Answer one renewal as its number says; most wait."""
    quote = whole_agreement(session, renewal.agreement_id or 0)
    kind = number % 8
    if kind in (0, 3, 5):
        _order(session, quote, by=school_person, at=at)
        if kind != 5:
            accept_order(session, quote.id, by=by, at=at + timedelta(hours=3))
    elif kind == 1:
        _order(session, _changed(session, quote, by=school_person, at=at), by=school_person, at=at)
    elif kind == 6:
        decline_renewal(
            session,
            renewal.id,
            school_id=renewal.school_id,
            reason=REASONS[number % len(REASONS)],
            by=school_person,
            at=at,
        )


def _changed(session: Session, quote: Agreement, *, by: Actor, at: datetime) -> Agreement:
    """Return the quote with one more day of the first thing on it."""
    lines = [
        LineWanted(line.offering_id, line.quantity + (Decimal(1) if line.position == 1 else Decimal(0)))
        for line in quote.lines
    ]
    return prepare_quote(
        session,
        service_id=quote.service_id,
        school_id=quote.school_id,
        starts_on=quote.starts_on,
        ends_on=quote.ends_on,
        schedule=quote.schedule,
        lines=lines,
        origin=quote.origin,
        by=by,
        at=at,
        replaces_id=quote.id,
    )


def _order(session: Session, quote: Agreement, *, by: Actor, at: datetime) -> None:
    place_order(
        session,
        quote.id,
        role="School business manager",
        statement="I have the authority to order this for the school.",
        address="198.51.100.7",
        purchase_order=f"PO-{quote.school_id:03d}-{quote.starts_on.year % 100}",
        document_sha256=frozen_sha256(session, quote.id),
        by=by,
        at=at,
    )


def _renews_by_itself(
    database: Database, service_id: int, *, by: Actor, school_person: Actor, today: date, now: datetime
) -> None:
    """Let one school have an agreement that renews unless it gives a month's notice."""
    with database.transaction() as session:
        renewing = session.scalars(
            select(Agreement).where(Agreement.service_id == service_id).order_by(Agreement.id.desc()).limit(1)
        ).one()
        has_any = select(Agreement.school_id)
        school = session.scalar(
            select(School).where(School.id.not_in(has_any), School.status_code == "1").order_by(School.urn)
        )
        if school is None:
            return
        first = whole_agreement(session, renewing.id).lines[0]
        quote = prepare_quote(
            session,
            service_id=service_id,
            school_id=school.id,
            starts_on=today,
            ends_on=FinancialYear.of(today).period.last,
            schedule=Schedule.SINGLE,
            lines=[LineWanted(first.offering_id, Decimal(2))],
            notice_months=1,
            renews=True,
            by=by,
            at=now,
        )
        _order(session, quote, by=school_person, at=now)
        accept_order(session, quote.id, by=by, at=now)
