"""Renewals of every kind of purchase: promised prices, packages, what came free; and the season from the terminal."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.renewals import prepare_renewals
from sla_manager.agreements.commands.seasons import request_renewals
from sla_manager.agreements.models import Agreement, AgreementLine, Renewal
from sla_manager.agreements.rules.statuses import Origin
from sla_manager.catalogue.models import Offering, PackagePart, Price, PriceFreeze
from sla_manager.catalogue.rules.families import Family
from sla_manager.cli.commands import program
from sla_manager.jobs.worker import Work, catch_up, tick
from sla_manager.kernel.clock import fixed_clock
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from sla_manager.store.job_runs import JobRun
from tests import builders
from tests.databases import test_settings as settings_for
from tests.rooms.renewing import BY, PREPARED, a_season, last_year, noon


def raised(session: Session, offering: Offering, price: str) -> None:
    """Let an offering cost something else from 1 April 2026."""
    for old in session.scalars(select(Price).where(Price.offering_id == offering.id)).all():
        old.ends_on = date(2026, 3, 31)
        session.add(
            Price(
                offering_id=offering.id, family=offering.family, customer_class=old.customer_class,
                starts_on=date(2026, 4, 1), ends_on=None, unit_price=Money.parse(price), source="Review",
            )
        )  # fmt: skip


def test_c7_a_promised_price_holds_at_the_renewal_and_the_others_rise(database: Database) -> None:
    with database.transaction() as session:
        service = builders.a_service(session)
        session.add(PriceFreeze(service_id=service.id, first_years=3, later_years=5))
        session.flush()
        own, academy = (
            builders.a_school(session),
            builders.a_school(session, customer_class=CustomerClass.ACADEMY),
        )
        last_year(session, own, "10")
        last_year(session, academy, "10")
        raised(session, builders.an_offering(session), "383.46")
        season_id = a_season(session).id
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    with database.reading() as session:
        offered = {one.school_id: one.offered_net for one in session.scalars(select(Renewal))}
    assert offered == {own.id: Money(3680_00), academy.id: Money(3834_60)}


def test_a_package_is_renewed_as_a_package_at_its_own_price(database: Database) -> None:
    with database.transaction() as session:
        day = builders.an_offering(session)
        training = builders.an_offering(
            session, "250.00", code="TRAIN", name="Training", family=Family.TRAINING, unit="session",
            unit_minutes=None, step="1", minimum="1",
        )  # fmt: skip
        package = builders.an_offering(
            session,
            "2000.00",
            code="GOLD",
            name="Gold",
            unit="package",
            unit_minutes=None,
            step="1",
            minimum="1",
        )
        for place, (part, quantity) in enumerate(((day, "5"), (training, "2")), start=1):
            session.add(
                PackagePart(
                    package_id=package.id, offering_id=part.id, quantity=Decimal(quantity), position=place
                )
            )
        session.flush()
        school = builders.a_school(session, customer_class=CustomerClass.ACADEMY)
        bought = last_year(session, school, "1", offering=package)
        assert bought.net == Money(2000_00)
        season_id = a_season(session).id
    done = prepare_renewals(database, season_id, by=BY, at=PREPARED)
    assert (done.prepared, done.troubled) == (1, 0)
    with database.reading() as session:
        quote = session.scalars(select(Agreement).where(Agreement.origin == Origin.RENEWAL)).one()
        lines = session.scalars(
            select(AgreementLine)
            .where(AgreementLine.agreement_id == quote.id)
            .order_by(AgreementLine.position)
        ).all()
    assert quote.net == Money(2000_00)
    assert [(one.description, one.quantity, one.package) for one in lines] == [
        ("Education welfare officer, day", Decimal(5), "Gold"),
        ("Training", Decimal(2), "Gold"),
    ]


def test_a_season_is_prepared_from_the_terminal_and_again_changes_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        for _ in range(2):
            last_year(session, builders.a_school(session))
        a_season(session)
    monkeypatch.setenv("DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("SLA_ARCHIVE", str(tmp_path / "invoices"))
    words = ["season", "prepare", "--starts-on", "2026-04-01", "--as-at", "2026-01-12", "--json"]
    told = []
    for _ in range(2):
        result = CliRunner().invoke(program, words)
        assert result.exit_code == 0, result.output
        told.append(json.loads(result.stdout))
    assert [one["prepared_now"] for one in told] == [2, 0]
    assert told[1] == {"season": "2026-27", "prepared_now": 0, "schools": 2, "prepared": 2, "troubled": 0}
    unknown = CliRunner().invoke(program, ["season", "prepare", "--starts-on", "2030-04-01"])
    assert unknown.exit_code == 1
    assert "no season of Education Welfare Service that begins on 1 April 2030" in unknown.output


def test_the_worker_prepares_what_was_asked_for_and_reminds_at_night(
    sqlite: Database, tmp_path: Path
) -> None:
    with sqlite.transaction() as session:
        school = builders.a_school(session)
        builders.customer_of(session, school).email = "office@school.example"
        last_year(session, school)
        season_id = a_season(session).id
        request_renewals(session, season_id, by=BY, at=PREPARED)

    def worker(at: datetime) -> Work:
        return Work(sqlite, settings_for("sqlite://", tmp_path / "invoices"), fixed_clock(at))

    first = worker(PREPARED)
    first.stopping.set()
    tick(first)
    working = worker(PREPARED)
    working.prepare()
    catch_up(worker(noon(2026, 2, 3)))
    with sqlite.reading() as session:
        assert session.scalars(select(Renewal.reminded_stage)).one() is not None
        runs = {run.name: (run.ok, run.message) for run in session.scalars(select(JobRun))}
    assert runs["remind of renewals"] == (True, "1 reminders posted")
    assert runs["renew by clause"] == (True, "0 notice warnings, 0 agreements renewed by themselves")
    assert runs["prepare renewals again"][0]
