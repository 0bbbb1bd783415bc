"""Invoice runs: what is issued, with which figures, and never twice."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.commands import LineWanted, vary_line
from sla_manager.agreements.models import AgreementLine
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing import issuing
from sla_manager.billing.models import Billed, Document, Parked
from sla_manager.billing.queries import agreement_values, documents_page, school_documents
from sla_manager.billing.rules.chain import START
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.billing.runs import differences, preview_run, run
from sla_manager.catalogue.models import BillingRule, VatRate
from sla_manager.catalogue.rules.vat import Route, VatCode
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.money import Money, total
from sla_manager.people.models import Customer
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from sla_manager.store.numbers import DateBeforeLastNumber, NumberSeries
from tests.builders import a_school, an_offering, council
from tests.rooms.owing import (
    BY,
    FIRST,
    SECOND,
    SIGNED,
    THIRD,
    agree,
    agree_many,
    billed,
    documents,
    run_on,
    sums,
)

LAST_DAY = date(2026, 3, 31)


def test_an_academy_has_three_invoices_of_1472_and_vat(database: Database) -> None:
    agree(database)
    for day in (FIRST, SECOND, THIRD):
        run_on(database, day)
    issued = documents(database)
    assert [sums(one) for one in issued] == [("1472.00", "294.40", "1766.40")] * 3
    assert [one.number for one in issued] == ["EWS/25-26/000001", "EWS/25-26/000002", "EWS/25-26/000003"]
    assert [one.tax_point for one in issued] == [FIRST, SECOND, THIRD]
    assert [one.issued_on for one in issued] == [FIRST, SECOND, THIRD]
    assert total(one.gross for one in issued) == Money(5299_20)
    assert issued[0].due_on == date(2025, 11, 13)


def test_a_line_says_why_it_is_this_much(database: Database) -> None:
    agree(database)
    run_on(database, FIRST)
    why = documents(database)[0].lines[0].explanation
    assert ", ".join(why) == (
        "12 days × £368.00 = £4,416.00, instalment 1 of 3, VAT 20 % because an academy is a separate legal person"
    )


def test_an_own_maintained_school_has_recharge_notes_without_vat_and_outside_the_vat_series(
    database: Database,
) -> None:
    agree(database, customer_class=CustomerClass.OWN_MAINTAINED)
    agree(database)
    run_on(database, LAST_DAY)
    notes = [one for one in documents(database) if one.kind is DocumentKind.RECHARGE_NOTE]
    assert [sums(one) for one in notes] == [("1472.00", "0.00", "1472.00")] * 3
    assert [one.number for one in notes] == [f"EWS-RN/25-26/00000{place}" for place in (1, 2, 3)]
    assert {one.due_on for one in notes} == {None}
    assert {one.facts["supplier"]["vat_number"] for one in notes} == {None}
    invoices = [one.number for one in documents(database) if one.kind is DocumentKind.INVOICE]
    assert invoices == [f"EWS/25-26/00000{place}" for place in (1, 2, 3)]


def test_ten_days_in_seven_and_five_twelfths(database: Database) -> None:
    agree(database, quantity="10", schedule=Schedule.SEVEN_FIVE)
    run_on(database, LAST_DAY)
    assert [sums(one) for one in documents(database)] == [
        ("2146.67", "429.33", "2576.00"),
        ("1533.33", "306.67", "1840.00"),
    ]


def test_seven_days_in_three_have_515_19_of_vat_and_not_a_penny_more(database: Database) -> None:
    agree(database, quantity="7")
    run_on(database, LAST_DAY)
    issued = documents(database)
    assert [str(one.net) for one in issued] == ["858.67", "858.67", "858.66"]
    assert {str(one.vat) for one in issued} == {"171.73"}
    assert total(one.vat for one in issued) == Money(515_19)


def test_half_a_day_is_a_full_vat_invoice(database: Database) -> None:
    agree(database, quantity="0.5", schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    (one,) = documents(database)
    assert sums(one) == ("184.00", "36.80", "220.80")
    assert one.facts["supplier"]["vat_number"] == "GB123456789"


def test_m1_vat_is_computed_once_on_the_sum_of_fifty_lines(database: Database) -> None:
    agree(database, offers=[("241.67", "1")] * 50, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    (one,) = documents(database)
    assert sums(one) == ("12083.50", "2416.70", "14500.20")
    assert total(line.net.per_cent(2000) for line in one.lines) == Money(2416_50)


def test_m2_three_lines_of_10_01_come_to_36_04(database: Database) -> None:
    agree(database, offers=[("10.01", "1")] * 3, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    (one,) = documents(database)
    assert one.gross == Money(36_04)
    assert one.facts["gross"] == "36.04"


def test_m3_half_a_day_at_415_25_is_207_63(database: Database) -> None:
    agree(database, offers=[("415.25", "0.5")], schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    assert documents(database)[0].net == Money(207_63)


def test_m4_a_document_has_one_vat_row_for_each_code_and_exempt_says_why(database: Database) -> None:
    with database.transaction() as session:
        training = an_offering(
            session, "250.00", code="TRAIN", name="Training", unit="item", unit_minutes=None, step="1"
        )
        session.add(
            BillingRule(
                offering_id=training.id, customer_class=CustomerClass.ACADEMY, route=Route.INVOICE,
                vat_code=VatCode.EXEMPT, reason="Exempt: education by an eligible body",
            )
        )  # fmt: skip
        day = an_offering(session)
        lines = [LineWanted(day.id, Decimal(1)), LineWanted(training.id, Decimal(1))]
    agree(database, lines=lines, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    (one,) = documents(database)
    rows = {row.code: (str(row.net), str(row.vat), row.reason) for row in one.vat_rows}
    assert rows[VatCode.STANDARD] == ("368.00", "73.60", "")
    assert rows[VatCode.EXEMPT] == ("250.00", "0.00", "Exempt: education by an eligible body")
    assert sums(one) == ("618.00", "73.60", "691.60")
    assert [row["reason"] for row in one.facts["vat_rows"]] == [None, "Exempt: education by an eligible body"]


def test_m5_the_tax_point_decides_the_rate_and_not_the_day_of_issue(database: Database) -> None:
    with database.transaction() as session:
        council(session)
        new_year = date(2026, 1, 1)
        in_force = session.scalars(select(VatRate).where(VatRate.code == VatCode.STANDARD)).one()
        in_force.ends_on = new_year
        session.add(VatRate(code=VatCode.STANDARD, rate=2100, starts_on=new_year, ends_on=None))
    agree(database, starts_on=date(2025, 12, 31), quantity="1", schedule=Schedule.SINGLE)
    agree(database, starts_on=date(2026, 1, 1), quantity="1", schedule=Schedule.SINGLE)
    run_on(database, date(2026, 1, 5))
    old, new = documents(database)
    assert (old.tax_point, old.vat_rows[0].rate, str(old.vat)) == (date(2025, 12, 31), 2000, "73.60")
    assert (new.tax_point, new.vat_rows[0].rate, str(new.vat)) == (date(2026, 1, 1), 2100, "77.28")
    assert old.issued_on == new.issued_on == date(2026, 1, 5)


def test_m9_nothing_to_pay_makes_no_document_and_the_preview_says_why(database: Database) -> None:
    agree(database, offers=[("0.00", "1")], schedule=Schedule.ON_DELIVERY)
    assert run_on(database, LAST_DAY).issued == 0
    assert documents(database) == []


def test_a_run_twice_issues_nothing_the_second_time_and_says_what_was_billed(database: Database) -> None:
    agree_many(database, 3)
    first, second = run_on(database, SECOND), run_on(database, SECOND)
    assert (first.issued, first.already) == (6, 0)
    assert (second.issued, second.already, second.parked) == (0, 6, 0)
    assert set(billed(database).values()) == {1}


def test_a_preview_shows_what_will_be_issued_and_changes_nothing(database: Database) -> None:
    agreement = agree(database)
    with database.reading() as session:
        seen = preview_run(session, SECOND)
        (difference,) = differences(seen.rows, agreement_values(session, [agreement.id]))
    assert documents(database) == []
    done = run_on(database, SECOND)
    assert (seen.issued, str(seen.net), str(seen.gross)) == (2, "2944.00", "3532.80")
    assert [(one.net, one.vat, one.gross) for one in seen.documents] == [
        (one.net, one.vat, one.gross) for one in done.documents
    ]
    assert (difference.value, difference.billed, difference.now) == (Money(4416_00), Money(0), Money(2944_00))
    assert difference.left == Money(1472_00)


def test_a_customer_who_needs_a_purchase_order_is_parked_until_there_is_one(database: Database) -> None:
    agreement = agree(database)
    with database.transaction() as session:
        session.get_one(Customer, agreement.customer_id).purchase_order_required = True
    first = run_on(database, FIRST)
    assert (first.issued, first.parked) == (0, 1)
    assert "pays only with a purchase order number" in first.parked_reasons[agreement.id]
    with database.transaction() as session:
        session.get_one(Customer, agreement.customer_id).purchase_order_required = False
    assert run_on(database, FIRST).issued == 1
    with database.reading() as session:
        assert session.scalars(select(Parked)).all() == []


def test_lines_of_both_routes_become_two_documents_of_one_instalment(database: Database) -> None:
    with database.transaction() as session:
        day, other = an_offering(session), an_offering(session, "100.00", code="X", name="Advice abroad")
        session.add(
            BillingRule(
                offering_id=other.id, customer_class=CustomerClass.OWN_MAINTAINED, route=Route.INVOICE,
                vat_code=VatCode.STANDARD, reason="VAT at the standard rate because it is paid from outside",
            )
        )  # fmt: skip
        lines = [LineWanted(day.id, Decimal(1)), LineWanted(other.id, Decimal(1))]
    agree(database, lines=lines, customer_class=CustomerClass.OWN_MAINTAINED, schedule=Schedule.SINGLE)
    assert run_on(database, FIRST).issued == 2
    assert run_on(database, FIRST).issued == 0
    assert {(one.kind, *sums(one)) for one in documents(database)} == {
        (DocumentKind.RECHARGE_NOTE, "368.00", "0.00", "368.00"),
        (DocumentKind.INVOICE, "100.00", "20.00", "120.00"),
    }


def test_a_variation_that_adds_is_a_document_of_its_own(database: Database) -> None:
    agreement = agree(database)
    run_on(database, FIRST)
    _vary(database, agreement.id, "3", date(2025, 11, 12))
    run_on(database, date(2025, 11, 12))
    one = documents(database)[-1]
    assert sums(one) == ("1104.00", "220.80", "1324.80")
    assert one.lines[0].explanation[0] == "3 days × £368.00 = £1,104.00"


def test_a_variation_that_takes_away_becomes_a_credit_note_of_the_latest_invoice(database: Database) -> None:
    agreement = agree(database)
    run_on(database, SECOND)
    _vary(database, agreement.id, "-5", date(2026, 1, 20))
    result = run_on(database, date(2026, 1, 20))
    first, second, *credited = documents(database)
    assert [(one.kind, one.credits_id, str(one.net)) for one in credited] == [
        (DocumentKind.CREDIT_NOTE, second.id, "-1472.00"),
        (DocumentKind.CREDIT_NOTE, first.id, "-368.00"),
    ]
    assert [one.number for one in credited] == ["EWS-CN/25-26/000001", "EWS-CN/25-26/000002"]
    assert credited[0].facts["credits"] == {
        "number": second.number, "date": "2026-01-01", "reason": credited[0].reason
    }  # fmt: skip
    assert (result.issued, str(result.net)) == (2, "-1840.00")
    assert run_on(database, date(2026, 1, 20)).issued == 0


def test_a_reduction_of_what_is_not_invoiced_yet_waits_and_says_so(database: Database) -> None:
    agreement = agree(database)
    run_on(database, FIRST)
    _vary(database, agreement.id, "-5", date(2025, 11, 1))
    result = run_on(database, date(2025, 11, 1))
    assert (result.issued, result.parked) == (0, 1)
    assert "only £1,472.00 of this has been invoiced" in result.parked_reasons[agreement.id]
    assert run_on(database, SECOND).issued == 3


def test_n4_a_run_for_a_day_before_the_last_number_is_refused_naming_it(database: Database) -> None:
    agree_many(database, 1)
    run_on(database, SECOND)
    agree_many(database, 1)
    with pytest.raises(DateBeforeLastNumber, match=r"EWS/25-26/000002.*1 January 2026"):
        run_on(database, FIRST)


def test_n3_the_last_second_of_march_and_the_first_of_april_number_in_their_own_years(
    database: Database,
) -> None:
    agree_many(database, 2, ends_on=date(2026, 8, 31))
    run(database, as_at=date(2026, 3, 31), by=BY, at=datetime.fromisoformat("2026-03-31T22:59:59+00:00"))
    agree_many(database, 1, starts_on=date(2025, 11, 1))
    run(database, as_at=date(2026, 4, 1), by=BY, at=datetime.fromisoformat("2026-03-31T23:00:01+00:00"))
    issued = documents(database)
    assert {one.number[:9] for one in issued if one.issued_on == date(2026, 3, 31)} == {"EWS/25-26"}
    assert {one.number[:9] for one in issued if one.issued_on == date(2026, 4, 1)} == {"EWS/26-27"}
    assert min(one.sequence for one in issued if one.year == 2026) == 1
    assert next(one for one in issued if one.year == 2026 and one.sequence == 1).previous_hash == START


def test_n5_nothing_issued_is_changed_or_deleted_and_neither_is_its_school(database: Database) -> None:
    agree(database)
    run_on(database, FIRST)
    statements = [
        "UPDATE document SET gross = gross + 1, net = net + 1",
        "DELETE FROM document_line",
        "UPDATE document_line SET net = 0",
        "UPDATE document_vat SET vat = 0",
        "DELETE FROM billed",
        "DELETE FROM school",
        "DELETE FROM customer",
    ]
    for statement in statements:
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.execute(text(statement))
    with pytest.raises(IntegrityError, match="append_only_document"), database.transaction() as session:
        session.scalars(select(Document)).one().customer_name = "Somebody else"


def test_n6_what_is_printed_was_frozen_when_it_was_issued(database: Database) -> None:
    agree(database)
    run_on(database, FIRST)
    before = documents(database)[0].facts
    with database.transaction() as session:
        session.execute(
            text("UPDATE provider SET name = 'New Council', vat_number = 'GB999', colour = '#000000'")
        )
        session.execute(text("UPDATE school SET street = 'Elsewhere', name = 'New name'"))
    assert documents(database)[0].facts == before
    assert before["supplier"]["name"] == "Aldermere Council"


def test_n9_a_fault_before_what_is_billed_is_marked_leaves_neither(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = agree(database)

    def fault(*_: object) -> None:
        raise LookupError("power cut")

    monkeypatch.setattr(issuing, "_mark_billed", fault)
    result = run_on(database, FIRST)
    assert (result.issued, result.parked) == (0, 1)
    assert documents(database) == []
    with database.reading() as session:
        assert session.scalars(select(Billed)).all() == []
        assert session.scalars(select(NumberSeries).where(NumberSeries.series == "EWS")).all() == []
    monkeypatch.undo()
    assert run_on(database, FIRST).issued == 1
    assert documents(database)[0].sequence == 1
    assert agreement.id == documents(database)[0].agreement_id


def test_c5_one_broken_agreement_among_many_is_parked_and_the_next_run_takes_only_that_one(
    database: Database,
) -> None:
    ids = agree_many(database, 12)
    broken = ids[5]
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO instalment (agreement_id, purpose, position, count, due_on, net) "
                "VALUES (:id, 'variation', 9, 9, :day, 5000)"
            ),
            {"id": broken, "day": FIRST.isoformat() if database.is_sqlite else FIRST},
        )
    first = run_on(database, FIRST)
    assert (first.issued, first.parked) == (12, 1)
    assert "its lines come to £0.00" in first.parked_reasons[broken]
    with database.transaction() as session:
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == broken)).one()
        session.execute(
            text(
                "INSERT INTO instalment_part (instalment_id, line_id, net) "
                "SELECT id, :line, 5000 FROM instalment WHERE purpose = 'variation'"
            ),
            {"line": line.id},
        )
    second = run_on(database, FIRST)
    assert (second.issued, second.already, second.parked) == (1, 12, 0)
    assert str(second.net) == "50.00"


def test_the_whole_run_plans_with_a_few_queries_and_issues_each_document_with_at_most_ten(
    database: Database,
) -> None:
    agree_many(database, 6)
    counted: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def _count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        counted.append(statement)

    result = run_on(database, SECOND)
    assert result.issued == 12
    assert len(counted) <= 25 + 10 * result.issued


def test_lists_of_documents_are_read_page_by_page(database: Database) -> None:
    agree_many(database, 3)
    run_on(database, LAST_DAY)
    with database.reading() as session:
        first = documents_page(session, limit=5)
        rest = documents_page(session, limit=5, after=first.after)
        assert [row.number[-2:] for row in first.rows] == ["09", "08", "07", "06", "05"]
        assert [row.number[-2:] for row in rest.rows] == ["04", "03", "02", "01"]
        assert rest.after == ""
        assert documents_page(session, customer="000003").rows[0].number.endswith("000003")
        assert documents_page(session, kind=DocumentKind.CREDIT_NOTE).rows == ()


def test_a_school_sees_the_documents_of_its_own_agreements_only(database: Database) -> None:
    agree_many(database, 2)
    run_on(database, FIRST)
    with database.reading() as session:
        schools = {row.customer: row.id for row in documents_page(session).rows}
        assert len(schools) == 2
    with database.transaction() as session:
        mine = a_school(session, 900_101)
    with database.reading() as session:
        assert [row.customer for row in school_documents(session, mine.id).rows] == [mine.name]


def _vary(database: Database, agreement_id: int, quantity: str, day: date) -> None:
    with database.transaction() as session:
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == agreement_id)).one()
        vary_line(
            session,
            line.id,
            quantity=Decimal(quantity),
            effective_on=day,
            reason="Changed needs",
            by=BY,
            at=as_at(day),
        )


def test_the_agreement_that_was_signed_is_billed_whatever_the_day_it_was_signed(database: Database) -> None:
    agree(database)
    assert as_at(FIRST) > SIGNED
    assert run_on(database, date(2025, 10, 13)).issued == 0
