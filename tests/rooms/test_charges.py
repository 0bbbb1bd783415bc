"""One-off charges: recorded once, billed once by the run, withdrawn until then, never of what is free."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from sla_manager.billing.commands.charges import (
    ChargeLine,
    ConsentMissing,
    RoutesDiffer,
    record_charge,
    withdraw_charge,
)
from sla_manager.billing.models import FinancePolicy, OneOffCharge
from sla_manager.billing.runs import preview_run
from sla_manager.catalogue.models import BillingRule
from sla_manager.catalogue.rules.vat import EXEMPT_REASON, Route, VatCode
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.people.models import Customer, School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from tests.builders import a_core_offering, a_school, a_service, an_offering, customer_of
from tests.rooms.owing import BY, FIRST, SIGNED, agree, billed, documents, run_on, sums

CONSENT = {"name": "Ada Fernsby", "role": "Head teacher", "on": "2025-10-01", "how": "By mail"}
DAY = ChargeLine(description="A day on site", quantity=Decimal(1), unit="day", unit_price=Money(368_00))


def a_line(**more: Any) -> ChargeLine:
    """Return a line of a penny's worth, changed as a test wants."""
    wanted: dict[str, Any] = {
        "description": "x", "quantity": Decimal(1), "unit": "day", "unit_price": Money(1)
    }  # fmt: skip
    return ChargeLine(**(wanted | more))


def charge(database: Database, **more: Any) -> OneOffCharge:
    """Record a day at an academy, changed as a test wants."""
    with database.transaction() as session:
        school = more.pop("school", None) or a_school(session, customer_class=CustomerClass.ACADEMY)
        wanted: dict[str, Any] = {
            "service_id": a_service(session).id,
            "customer_id": customer_of(session, school).id,
            "school_id": school.id,
            "kind": "referral",
            "lines": [DAY],
            "delivered_on": date(2025, 10, 1),
            "by": BY,
            "at": SIGNED,
        }
        return record_charge(session, **(wanted | more))


def an_own_school(database: Database) -> School:
    with database.transaction() as session:
        return a_school(session, customer_class=CustomerClass.OWN_MAINTAINED)


def test_a_day_and_exempt_training_on_one_invoice_show_a_vat_row_each(database: Database) -> None:
    with database.transaction() as session:
        training = an_offering(session, "250.00", code="TRAIN", name="Training")
        session.add(
            BillingRule(
                offering_id=training.id, customer_class=CustomerClass.ACADEMY, route=Route.INVOICE,
                vat_code=VatCode.EXEMPT, reason=EXEMPT_REASON,
            )
        )  # fmt: skip
    taught = ChargeLine(
        description="Training", quantity=Decimal(1), unit="session", unit_price=Money(250_00),
        offering_id=training.id,
    )  # fmt: skip
    charge(database, kind="training", lines=[DAY, taught])
    assert run_on(database, FIRST).issued == 1
    (issued,) = documents(database)
    assert sums(issued) == ("618.00", "73.60", "691.60")
    assert [(row.code.value, str(row.net), str(row.vat)) for row in issued.vat_rows] == [
        ("standard", "368.00", "73.60"),
        ("exempt", "250.00", "0.00"),
    ]
    assert issued.vat_rows[1].reason == EXEMPT_REASON
    assert "1 day × £368.00 = £368.00" in issued.lines[0].explanation


def test_c4_a_charge_is_billed_once_however_often_it_runs_and_recorded_once(database: Database) -> None:
    first = charge(database, once_key="k1")
    again = charge(database, once_key="k1")
    assert first.id == again.id
    assert [run_on(database, FIRST).issued, run_on(database, FIRST).issued] == [1, 0]
    assert billed(database) == {("one_off", first.id, "invoice"): 1}


def test_a_recharge_needs_the_schools_recorded_consent(database: Database) -> None:
    school = an_own_school(database)
    with pytest.raises(ConsentMissing, match="who agreed to it"):
        charge(database, school=school)
    made = charge(database, school=school, consent=CONSENT)
    assert (made.route, made.consent["name"]) == (Route.RECHARGE, "Ada Fernsby")
    run_on(database, FIRST)
    (issued,) = documents(database)
    assert (issued.series, sums(issued)) == ("EWS-RN", ("368.00", "0.00", "368.00"))


def test_the_free_core_offer_is_never_charged_not_even_by_sql(database: Database) -> None:
    with database.transaction() as session:
        core = a_core_offering(session)
    line = ChargeLine(
        description="Advice", quantity=Decimal(1), unit="hour", unit_price=Money(1_00), offering_id=core.id
    )
    with pytest.raises(Refused, match="free core offer"):
        charge(database, lines=[line])
    made = charge(database)
    statement = text(
        "INSERT INTO one_off_line (charge_id, position, offering_id, description, quantity, unit, unit_price, net, "
        "vat_code, vat_reason, explanation) VALUES (:charge, 2, :core, 'x', 1000, 'hour', 1, 1, 'standard', '', '[]')"
    )
    with pytest.raises(DBAPIError, match="core_is_never_charged"), database.transaction() as session:
        session.execute(statement, {"charge": made.id, "core": core.id})


def test_a_withdrawn_charge_is_not_billed_and_a_billed_one_not_withdrawn(database: Database) -> None:
    one, two = charge(database), charge(database)
    with database.transaction() as session:
        withdraw_charge(session, one.id, reason="Entered twice", by=BY, at=SIGNED)
    assert run_on(database, FIRST).issued == 1
    with pytest.raises(Conflict, match="EWS/25-26/000001"), database.transaction() as session:
        withdraw_charge(session, two.id, reason="Too late", by=BY, at=SIGNED)


def test_a_debit_note_names_what_it_adds_to(database: Database) -> None:
    agree(database)
    run_on(database, FIRST)
    (first,) = documents(database)
    with database.reading() as session:
        school = session.scalars(select(School)).one()
    with pytest.raises(Refused, match="document that this adds to"):
        charge(database, school=school, kind="debit", reason="A day was left out")
    charge(database, school=school, kind="debit", supplements_id=first.id, reason="A day was left out")
    run_on(database, FIRST)
    note = documents(database)[1]
    assert note.facts["supplements"] == {
        "number": first.number, "date": "2025-10-14", "reason": "A day was left out"
    }  # fmt: skip
    assert f"adds to {first.number} of 14 October 2025" in note.lines[0].explanation
    foreign = a_foreign_school(database)
    with pytest.raises(NotFound):
        charge(database, school=foreign, kind="debit", supplements_id=first.id, reason="x")


def a_foreign_school(database: Database) -> School:
    with database.transaction() as session:
        return a_school(session, customer_class=CustomerClass.ACADEMY)


def test_from_an_amount_on_an_invoice_waits_for_its_purchase_order(database: Database) -> None:
    agree(database)
    with database.transaction() as session:
        session.add(
            FinancePolicy(
                id=1, purchase_order_from=Money(441_60), reminder_days=[], late_payment=False,
                e_invoice="none", endpoint_scheme="", endpoint_id="", changed_at=SIGNED, changed_by="Test",
            )
        )  # fmt: skip
    made = charge(database)
    small = charge(database, lines=[a_line(quantity=Decimal("0.5"), unit_price=Money(368_00))])  # fmt: skip
    with database.reading() as session:
        seen = preview_run(session, FIRST)
    assert (seen.issued, seen.parked, list(seen.refused_charges)) == (1, 1, [made.id])
    done = run_on(database, FIRST)
    assert (done.issued, done.parked) == (1, 1)
    assert "purchase order" in done.refused_charges[made.id]
    assert [(row, count) for row, count in billed(database).items()] == [
        (("one_off", small.id, "invoice"), 1)
    ]
    assert run_on(database, FIRST).issued == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "bribe"}, "Choose what"),
        ({"lines": []}, "between 1 and 50 lines"),
        ({"lines": [DAY] * 51}, "between 1 and 50 lines"),
        ({"lines": [a_line(description=" ")]}, "what it is"),
        ({"lines": [a_line(quantity=Decimal("0.0001"))]}, "three places"),
        ({"lines": [a_line(quantity=Decimal(0))]}, "above 0"),
        ({"lines": [a_line(unit_price=Money(-1))]}, "price of"),
        ({"lines": [a_line(unit_price=Money(0))]}, "nothing to charge"),
        ({"lines": [a_line(description="H801200001001")]}, "pupil number"),
        ({"delivered_on": date(2030, 1, 1)}, "within the next year"),
        ({"route": Route.RECHARGE}, "two charges"),
    ],
)  # fmt: skip
def test_what_cannot_be_charged_is_refused_with_words(
    sqlite: Database, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        charge(sqlite, **changed)


def test_lines_of_two_routes_are_two_charges(sqlite: Database) -> None:
    with sqlite.transaction() as session:
        invoiced = an_offering(session, code="INV", name="Invoiced to everybody")
        session.add(
            BillingRule(
                offering_id=invoiced.id, customer_class=CustomerClass.OWN_MAINTAINED, route=Route.INVOICE,
                vat_code=VatCode.STANDARD, reason="VAT at the standard rate because it was decided",
            )
        )  # fmt: skip
    line = a_line(offering_id=invoiced.id)  # fmt: skip
    with pytest.raises(RoutesDiffer):
        charge(sqlite, school=an_own_school(sqlite), lines=[DAY, line], consent=CONSENT)


def test_a_payer_of_another_school_is_not_found(sqlite: Database) -> None:
    with sqlite.transaction() as session:
        other = customer_of(session, a_school(session, customer_class=CustomerClass.ACADEMY))
    with pytest.raises(NotFound):
        charge(sqlite, customer_id=other.id)


def test_a_charge_never_changes(database: Database) -> None:
    made = charge(database)
    for statement in ("UPDATE one_off_charge SET net = 1", "DELETE FROM one_off_line"):
        with pytest.raises(DBAPIError, match="append_only"), database.transaction() as session:
            session.execute(text(statement))
    with database.reading() as session:
        assert session.get_one(OneOffCharge, made.id).net == Money(368_00)
        assert session.get_one(Customer, made.customer_id).id == made.customer_id
