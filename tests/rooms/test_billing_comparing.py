"""The preview of a run beside the month and the year before, and what it warns of."""

from __future__ import annotations

from datetime import date

from sqlalchemy import update

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.comparing import comparison, warnings
from sla_manager.billing.runs import preview_run
from sla_manager.catalogue.commands import set_vat_rate
from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.people.models import Provider
from sla_manager.store.database import Database
from tests.builders import an_offering
from tests.rooms.owing import BY, FIRST, SIGNED, agree, agree_many, run_on
from tests.rooms.selling import agreed

NOVEMBER = date(2025, 11, 14)


def test_a_preview_stands_beside_the_month_before_with_who_is_billed_otherwise(database: Database) -> None:
    agree(database)
    run_on(database, FIRST)
    agree_many(database, 1)
    with database.reading() as session:
        seen = preview_run(session, NOVEMBER)
        beside = comparison(session, seen.rows, NOVEMBER)
    assert [(one.words, one.documents, str(one.net)) for one in (beside.now, beside.month_before)] == [
        ("November 2025 with this run", 1, "1472.00"),
        ("October 2025", 1, "1472.00"),
    ]
    assert beside.year_before.documents == 0
    assert sorted(str(one.change) for one in beside.customers) == ["-1472.00", "1472.00"]


def test_who_is_billed_the_same_as_a_year_before_is_not_named(database: Database) -> None:
    agree(database)
    run_on(database, FIRST)
    with database.reading() as session:
        beside = comparison(session, [], date(2026, 10, 20))
    assert (str(beside.year_before.net), str(beside.now.net)) == ("1472.00", "0.00")
    (missing,) = beside.customers
    assert str(missing.change) == "-1472.00"


def test_m5_a_preview_says_which_document_has_the_rate_of_its_tax_point(database: Database) -> None:
    agree(database)
    with database.transaction() as session:
        set_vat_rate(session, VatCode.STANDARD, rate=2100, starts_on=date(2025, 11, 1), by=BY, at=SIGNED)
    with database.reading() as session:
        rows = preview_run(session, NOVEMBER).rows
        said = warnings(session, rows, NOVEMBER)
        assert warnings(session, rows, FIRST) == []
    assert [str(row.vat) for row in rows] == ["294.40"]
    words = "VAT is 20 %, not 21 %, because its tax point is 14 October 2025."
    assert said == [f"{rows[0].reference}, instalment 1 of 3: {words}"]


def test_without_our_vat_number_the_preview_warns(database: Database) -> None:
    agree(database)
    with database.transaction() as session:
        session.execute(update(Provider).values(vat_number=""))
    with database.reading() as session:
        (said,) = warnings(session, preview_run(session, FIRST).rows, FIRST)
        assert warnings(session, [], FIRST) == []
    assert said.startswith("We have no VAT number, but 1 document would carry VAT.")


def test_work_paid_on_delivery_that_no_run_can_see_is_named(sqlite: Database) -> None:
    with sqlite.transaction() as session:
        training = an_offering(session, code="T", name="Training", unit="session", unit_minutes=None)
        agreed(session, BY, SIGNED, offering=training, quantity="2", schedule=Schedule.ON_DELIVERY)
    with sqlite.reading() as session:
        assert preview_run(session, NOVEMBER).rows == []
        (said,) = warnings(session, [], NOVEMBER)
    assert said.endswith("so no run bills it. Record a one-off charge when it is done.")
