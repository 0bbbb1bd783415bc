"""The parallel run: their balances and invoices beside ours, with the reasons that the figures show."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.commands.takeovers import keep_spreadsheet, name_columns
from sla_manager.agreements.models import ParallelRun, Takeover
from sla_manager.agreements.queries.takeovers import kept_table
from sla_manager.agreements.rules.takeovers import ColumnMapping, guessed
from sla_manager.billing.runs import run
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.reports.parallel_run import compare_taken_over, compare_upload
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests import builders
from tests.rooms import selling
from tests.rooms.counting import queries
from tests.rooms.taking_over import a_file, row, taken_over, world

DAY = date(2026, 2, 2)


@pytest.fixture
def books(database: Database, by: Actor, at: datetime) -> Database:
    """Two agreements taken over on 14 October, 12 days each: an academy's and a community school's."""
    with database.transaction() as session:
        world(session)
        builders.a_school(session, 900_101, customer_class=CustomerClass.ACADEMY, name="Hill Academy")
        builders.a_school(session, 900_102, name="Dale Primary School")
    taken_over(database, a_file(row(900_101), row(900_102)), by=by, at=at)
    return database


def compared(database: Database, *rows: list[str], by: Actor, at: datetime, as_at: date = DAY) -> ParallelRun:
    """Upload a later file of theirs and compare it."""
    with database.transaction() as session:
        service = builders.a_service(session)
        found = keep_spreadsheet(
            session,
            service.id,
            content=a_file(*rows),
            filename="february.csv",
            purpose="compare",
            by=by,
            at=at,
        )
        mapping = ColumnMapping(guessed(kept_table(found).columns))
        name_columns(session, found.id, service_id=service.id, mapping=mapping, taken_on=as_at, by=by, at=at)
        return compare_upload(session, found, as_at=as_at, by=by, at=at)


def figure(kept: ParallelRun, line: int, name: str) -> tuple[Any, ...]:
    """Return theirs, ours, what is off and why of one figure of one line."""
    one = kept.facts["lines"][line]["figures"][name]
    return one["theirs"], one["ours"], one["off"], one["reason"]


def test_the_figures_that_were_taken_over_agree_on_their_day(
    books: Database, by: Actor, at: datetime
) -> None:
    with books.transaction() as session:
        kept = compare_taken_over(
            session, builders.a_service(session).id, as_at=date(2025, 10, 14), by=by, at=at
        )
    assert figure(kept, 0, "balance") == ("7.5", "7.5", "0", "")
    assert figure(kept, 0, "invoiced_net") == ("1472.00", "1472.00", "0.00", "")
    assert figure(kept, 0, "invoiced_gross") == ("1766.40", "1766.40", "0.00", "")
    theirs, ours, off, reason = figure(kept, 1, "invoiced_gross")
    assert (theirs, ours, off) == ("1766.40", "1472.00", "294.40")
    assert reason == "VAT: they charge it; here it is a recharge or an exempt service, without VAT."
    totals = kept.facts["totals"]
    assert (totals["lines"], totals["agreeing"], totals["differing"]) == (2, 1, 1)
    assert totals["money"]["invoiced_gross"] == {"theirs": "3532.80", "ours": "3238.40", "off": "294.40"}
    assert totals["time"]["day"]["balance"] == {"theirs": "15", "ours": "15", "off": "0"}


REASONS = [
    ({"Used": "4.5", "Left": "10"}, "balance", "2.5", "They carried 2.5 days forward from an earlier year"),
    ({"Used": "6", "Left": "6"}, "used", "1.5", "1.5 days in their file are not entered here"),
    ({"Used": "6", "Left": "6"}, "balance", "-1.5", "It follows from what was bought and used"),
    ({"Used": "2", "Left": ""}, "used", "-2.5", "2.5 days entered here are not in their file yet"),
    ({"Days": "14", "Net": ""}, "bought", "2", "They count 2 days more as bought"),
    ({"Invoiced net": "4416.00"}, "invoiced_net", "1472.00", "the whole at once; £1,472.00 of it falls due later"),
    ({"Invoiced net": "1472.00"}, "invoiced_net", "-1472.00", "Other days: they have invoiced 1 of 3 parts"),
    ({"Invoiced net": "2944.01"}, "invoiced_net", "0.01", "Rounding"),
    ({"Invoiced net": "2784.00", "Day rate": "348", "Net": ""}, "invoiced_net", "-160.00", "Another price"),
    ({"Invoiced net": "2000"}, "invoiced_net", "-944.00", "No reason found"),
    ({"Invoiced net": "", "Invoiced gross": "3532.81"}, "invoiced_gross", "0.01", "Rounding of VAT"),
    ({"Invoiced net": "2944", "Invoiced gross": "2944"}, "invoiced_gross", "-588.80", "they charge none"),
]  # fmt: skip


def test_the_reason_of_a_difference_is_told_where_the_figures_show_it(
    sqlite: Database, by: Actor, at: datetime
) -> None:
    with sqlite.transaction() as session:
        world(session)
        builders.a_school(session, 900_101, customer_class=CustomerClass.ACADEMY)
    taken_over(sqlite, a_file(row(900_101)), by=by, at=at)
    for changed, name, off, reason in REASONS:
        kept = compared(
            sqlite, row(900_101, **{"Invoiced net": "2944", "Invoiced gross": "", **changed}), by=by, at=at
        )
        found = figure(kept, 0, name)
        assert (found[2], reason in found[3]) == (off, True), (changed, found)


def test_a_row_without_ours_and_ours_without_a_row_are_both_said(
    books: Database, by: Actor, at: datetime
) -> None:
    with books.transaction() as session:
        builders.a_school(session, 900_103, name="Brook School")
    kept = compared(books, row(900_101), row(900_103), row(900_999), by=by, at=at)
    findings = [(line["row"], line["finding"]) for line in kept.facts["lines"]]
    assert findings == [
        (2, ""),
        (3, "We have no such agreement on this day."),
        (4, "No school has the URN 900999."),
        (None, "This agreement is not in their file."),
    ]
    totals = kept.facts["totals"]
    assert (totals["only_theirs"], totals["only_ours"]) == (2, 1)


def test_what_we_issued_counts_as_issued_and_what_another_bills_as_planned(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        world(session)
        school = builders.a_school(session, 900_101, customer_class=CustomerClass.ACADEMY)
        other = builders.a_school(session, 900_104, customer_class=CustomerClass.ACADEMY)
        selling.agreed(session, by, at, school=other)
        assert school.id != other.id
    taken_over(database, a_file(row(900_101)), by=by, at=at, bill_from=date(2025, 12, 1))
    run(database, as_at=date(2026, 1, 31), by=by, at=datetime.fromisoformat("2026-01-31T12:00:00+00:00"))
    kept = compared(
        database, row(900_101, **{"Invoiced net": "2944", "Invoiced gross": "3532.80"}),
        row(900_104, Start="14/10/2025", Used="", Left="12", **{"Invoiced net": "", "Invoiced gross": "3532.80"}),
        by=by, at=at,
    )  # fmt: skip
    assert figure(kept, 0, "invoiced_gross") == ("3532.80", "3532.80", "0.00", "")
    assert figure(kept, 1, "invoiced_gross") == ("3532.80", "3532.80", "0.00", "")
    assert figure(kept, 1, "balance")[:2] == ("12", "12")


def test_a_comparison_is_kept_once_and_never_changed(books: Database, by: Actor, at: datetime) -> None:
    with books.transaction() as session:
        service = builders.a_service(session)
        first = compare_taken_over(session, service.id, as_at=DAY, once_key="k", by=by, at=at)
        second = compare_taken_over(session, service.id, as_at=DAY, once_key="k", by=by, at=at)
        assert first.id == second.id
        compared_file = select(func.count()).select_from(Takeover).where(Takeover.purpose == "compare")
        assert session.scalar(compared_file) == 0
    with pytest.raises(IntegrityError, match="append_only_parallel_run"), books.transaction() as session:
        session.execute(delete(ParallelRun))


def test_v1_the_comparison_asks_the_same_number_of_questions_however_many_rows(
    sqlite: Database, by: Actor, at: datetime
) -> None:
    counts = []
    with sqlite.transaction() as session:
        world(session)
        for urn in range(900_101, 900_113):
            builders.a_school(session, urn)
    for urns in (range(900_101, 900_103), range(900_103, 900_113)):
        taken_over(sqlite, a_file(*(row(urn) for urn in urns)), by=by, at=at)
        with sqlite.transaction() as session:
            service = builders.a_service(session)
            with queries(sqlite) as seen:
                compare_taken_over(session, service.id, as_at=DAY, by=by, at=at)
        counts.append(seen.number)
    assert counts[0] == counts[1]
    assert counts[0] <= 20


def test_hours_of_theirs_stand_beside_our_days(books: Database, by: Actor, at: datetime) -> None:
    with books.transaction() as session:
        service = builders.a_service(session)
        found = keep_spreadsheet(
            session, service.id, content=a_file(row(900_101, Used="33:18", Left="55:30")), filename="h.csv",
            purpose="compare", by=by, at=at,
        )  # fmt: skip
        mapping = ColumnMapping(guessed(kept_table(found).columns), in_hours=True)
        name_columns(session, found.id, service_id=service.id, mapping=mapping, taken_on=DAY, by=by, at=at)
        kept = compare_upload(session, found, as_at=DAY, by=by, at=at)
    assert figure(kept, 0, "used")[:3] == (str(Decimal("4.5")), "4.5", "0")
    assert figure(kept, 0, "balance")[:3] == ("7.5", "7.5", "0")
