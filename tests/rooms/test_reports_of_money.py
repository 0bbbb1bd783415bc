"""The reports that finance hands out: VAT, debtors, lapsed time, income, cost recovery; one council, one year."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sla_manager.agreements.commands import close_year, enter
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.commands.costs import set_service_cost
from sla_manager.catalogue.rules.families import Family
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear, month_of
from sla_manager.payments.commands import record_receipt, reverse_allocation
from sla_manager.payments.commands.holds import place_hold
from sla_manager.payments.commands.locks import lock_period, reopen_period
from sla_manager.payments.queries import allocations_of
from sla_manager.payments.rules.ageing import Age
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.reports.aged_debtors import debtors, debtors_report
from sla_manager.reports.cost_recovery import recovery_report
from sla_manager.reports.income_report import DIMENSIONS, income_report
from sla_manager.reports.lapsed_report import lapsed_report
from sla_manager.reports.sheets import Report
from sla_manager.reports.vat_summary import vat_report
from sla_manager.store.database import Database
from sla_manager.visits.commands import log_delivery, plan_visit
from sla_manager.visits.rules.slots import Part
from tests.builders import a_school, a_service, a_trust, an_offering, an_officer
from tests.rooms import selling
from tests.rooms.owing import BY, agree, documents, run_on
from tests.visiting import worked

YEAR = FinancialYear(2025)
MARCH_31 = date(2026, 3, 31)
AFTER = date(2026, 4, 10)


def said(report: Report, sheet: int = 0) -> list[list[str]]:
    """Return a sheet's rows as text."""
    return [[str(cell) for cell in row] for row in report.sheets[sheet].rows]


def led(report: Report) -> dict[str, str]:
    """Return the figures at the head of a report."""
    return {name: str(value) for name, value in report.lead}


def test_vat_by_code_agrees_with_the_documents_and_a_locked_period_stands_still(database: Database) -> None:
    agree(database)
    agree(database, customer_class=CustomerClass.OWN_MAINTAINED)
    run_on(database, date(2025, 10, 14))
    first = documents(database)[0]
    with database.transaction() as session:
        issue_credit_note(
            session,
            first.id,
            amounts={1: Money(100_00)},
            reason="Goodwill",
            by=BY,
            at=as_at(date(2025, 11, 3)),
        )
    with database.transaction() as session:
        lock_period(session, date(2026, 1, 31), reason="Return sent", by=BY, at=as_at(date(2026, 2, 5)))
    with database.reading() as session:
        before = said(vat_report(session, YEAR.period, "2025-26"))
    run_on(database, date(2026, 3, 2))
    with database.reading() as session:
        report = vat_report(session, YEAR.period, "2025-26")
        march = vat_report(session, month_of(date(2026, 3, 1)), "March 2026", documents=True)
    assert before == [
        ["October 2025", "Standard rate, 20 %", "1", "1472.00", "0.00", "1472.00", "294.40", "1766.40"],
        [
            "October 2025",
            "Recharges, outside the scope",
            "1",
            "1472.00",
            "0.00",
            "1472.00",
            "0.00",
            "1472.00",
        ],
        ["November 2025", "Standard rate, 20 %", "1", "0.00", "-100.00", "-100.00", "-20.00", "-120.00"],
    ]
    assert said(report)[: len(before)] == before
    assert said(report)[len(before) :] == [
        ["March 2026", "Standard rate, 20 %", "2", "2944.00", "0.00", "2944.00", "588.80", "3532.80"],
        ["March 2026", "Recharges, outside the scope", "2", "2944.00", "0.00", "2944.00", "0.00", "2944.00"],
    ]
    assert led(report) == {
        "VAT due on sales (box 1)": "863.20", "Sales without VAT (box 6)": "4316.00",
        "Of it from earlier, locked periods (VAT)": "294.40",
    }  # fmt: skip
    assert sum(one.vat.pence for one in documents(database)) == 863_20
    assert [(row[0], row[3], row[4]) for row in said(march) if row[5] == "Standard rate"] == [
        ("EWS/25-26/000002", "2026-01-01", "2026-03-02"), ("EWS/25-26/000003", "2026-03-01", "2026-03-01"),
    ]  # fmt: skip


def test_what_is_late_stays_so_and_what_is_issued_while_a_period_is_open_again_counts_in_it(
    database: Database,
) -> None:
    agree(database)
    run_on(database, date(2025, 10, 14))
    with database.transaction() as session:
        lock = lock_period(
            session, date(2026, 1, 31), reason="Return sent", by=BY, at=as_at(date(2026, 2, 5))
        )
    run_on(database, date(2026, 2, 7))
    agree(database)
    with database.transaction() as session:
        reopen_period(session, lock.id, reason="One is missing", by=BY, at=as_at(date(2026, 2, 9)))
    run_on(database, date(2026, 2, 10))
    with database.transaction() as session:
        lock_period(session, date(2026, 2, 28), reason="Return sent", by=BY, at=as_at(date(2026, 3, 5)))
    run_on(database, date(2026, 3, 10))
    with database.reading() as session:
        report = vat_report(session, YEAR.period, "2025-26")
    assert [(row[0], row[6]) for row in said(report)] == [
        ("October 2025", "588.80"), ("January 2026", "294.40"), ("February 2026", "294.40"), ("March 2026", "588.80"),
    ]  # fmt: skip
    assert led(report)["Of it from earlier, locked periods (VAT)"] == "294.40"


def test_debtors_of_any_day_are_as_they_were_on_that_day(database: Database) -> None:
    agree(database)
    run_on(database, date(2025, 10, 14))
    run_on(database, date(2026, 1, 1))
    run_on(database, date(2026, 3, 1))
    one, two, three = documents(database)
    due = [document.due_on for document in (one, two, three)]
    with database.transaction() as session:
        paid = record_receipt(
            session, one.customer_id, amount=Money(2000_00), received_on=date(2026, 3, 20), method="bank_transfer",
            allocations={one.id: Money(1766_40)}, by=BY, at=as_at(date(2026, 3, 20)),
        )  # fmt: skip
        place_hold(
            session, two.id, kind="dispute", reason="Not our visit", by=BY, at=as_at(date(2026, 3, 25))
        )
    with database.reading() as session:
        march = debtors(session, MARCH_31)[0]
        early = debtors(session, date(2026, 3, 19))[0]
        named = debtors_report(session, MARCH_31)
    assert due[1] is not None
    assert MARCH_31 - due[1] > timedelta(days=30)
    assert {age.value: str(amount) for age, amount in march.ages.items() if amount} == {
        "to_60": "1766.40", Age.NOT_DUE.value if due[2] and due[2] >= MARCH_31 else "to_30": "1766.40",
    }  # fmt: skip
    assert (str(march.held), str(march.on_account), str(march.owed)) == ("1766.40", "233.60", "3532.80")
    assert (str(early.owed), str(early.on_account), str(early.held)) == ("5299.20", "0.00", "0.00")
    with database.reading() as session:
        [allocation] = allocations_of(session, receipt_id=paid.id)
    with database.transaction() as session:
        reverse_allocation(
            session, allocation.id, reason="Another school's", by=BY, at=as_at(date(2026, 4, 2))
        )
    with database.transaction() as session:
        issue_credit_note(session, two.id, reason="Not our visit", by=BY, at=as_at(date(2026, 4, 2)))
    with database.reading() as session:
        assert said(debtors_report(session, MARCH_31)) == said(named)
        assert [str(row.owed) for row in debtors(session, date(2026, 4, 2))] == ["3532.80"]


def a_year_of_trade(database: Database) -> tuple[Agreement, Agreement]:
    """Let an academy of a trust and a community school buy ten days each, and the officer deliver to the first."""
    with database.transaction() as session:
        academy = a_school(
            session, customer_class=CustomerClass.ACADEMY, trust=a_trust(session), name="Abbey Academy"
        )
        officer = an_officer(session)
        audit = an_offering(session, code="AUDIT", name="Register audit", family=Family.AUDIT_SUPPORT)
        agreed = selling.agreed(
            session, BY, as_at(date(2025, 10, 10)), school=academy, quantity="10", schedule=Schedule.SINGLE
        )
        session.flush()
    other = agree(database, customer_class=CustomerClass.OWN_MAINTAINED, offering=audit, quantity="10")
    with database.reading() as session:
        line = selling.tranches(session, agreed)[0].line_id
    for day in (date(2025, 11, 4), date(2025, 11, 5)):
        with database.transaction() as session:
            visit = plan_visit(
                session, day=day, part=Part.DAY, officer_id=officer.id, school_id=academy.id, line_id=line, by=BY,
                at=as_at(date(2025, 10, 14)),
            )  # fmt: skip
            log_delivery(session, visit.id, activities=[worked(444)], by=BY, at=as_at(day))
    with database.transaction() as session:
        tranche = selling.tranches(session, other)[0]
        enter(
            session, tranche.id, EntryKind.DELIVERED, Minutes(3 * 444), effective_on=date(2025, 12, 1),
            cause="takeover:1", by=BY, at=as_at(date(2025, 12, 1)),
        )  # fmt: skip
    run_on(database, date(2026, 3, 1))
    with database.transaction() as session:
        close_year(session, YEAR, by=BY, at=as_at(AFTER))
    return agreed, other


def test_income_adds_up_whatever_it_is_asked_by_and_against_its_cost(database: Database) -> None:
    a_year_of_trade(database)
    with database.reading() as session:
        by = {name: income_report(session, YEAR, AFTER, name) for name in DIMENSIONS}
        lapsed = lapsed_report(session, YEAR)
        empty = recovery_report(session, YEAR, AFTER)
    assert {led(report)["Income"] for report in by.values()} == {"7360.00"}
    assert {
        sum(row[3].pence for row in one.sheets[0].rows if isinstance(row[3], Money)) for one in by.values()
    } == {736_000}
    assert [row[:4] for row in said(by["class"])] == [
        [CustomerClass.ACADEMY.title, "1", "1", "3680.00"],
        [CustomerClass.OWN_MAINTAINED.title, "1", "1", "3680.00"],
    ]
    assert [(row[0], row[3]) for row in said(by["trust"])] == [
        ("Brightwater Learning Trust", "3680.00"), ("No trust", "3680.00"),
    ]  # fmt: skip
    assert [(row[0], row[3]) for row in said(by["officer"])] == [
        ("Not delivered by an officer", "6624.00"), ("Asha Okafor", "736.00"),
    ]  # fmt: skip
    assert led(lapsed)["Lapsed, and earned"] == "5520.00"
    assert [(row[4], row[5]) for row in said(lapsed)] == [("8", "2944.00"), ("7", "2576.00")]
    assert empty.warning == ""
    assert any("no cost entered" in note for note in empty.notes)
    with database.transaction() as session:
        cost: dict[str, Any] = {"day_minutes": Minutes(444), "by": BY, "at": as_at(AFTER)}
        service_id = a_service(session).id
        with pytest.raises(Refused, match="above £0"):
            set_service_cost(session, service_id, YEAR, day_cost=Money(0), overhead=Money(0), **cost)
        set_service_cost(session, service_id, YEAR, day_cost=Money(241_50), overhead=Money(7000_00), **cost)
    with database.reading() as session:
        over = recovery_report(session, YEAR, AFTER)
        assert said(over)[-1][2:] == [
            "7360.00", "2", "241.50", "483.00", "7000.00", "7483.00", "-123.00",
        ]  # fmt: skip
        assert over.warning == ""
    with database.transaction() as session:
        set_service_cost(session, service_id, YEAR, day_cost=Money(241_50), overhead=Money(5000_00), **cost)
    with database.reading() as session:
        over = recovery_report(session, YEAR, AFTER)
        assert over.warning == (
            "Charges exceed the cost over these years: Education Welfare Service by £1,877.00."
        )
        assert said(over, 1)[0][1:] == ["1", "7360.00", "5483.00", "1877.00", "More than cost"]
    assert Decimal(said(over)[-1][3]) == 2
