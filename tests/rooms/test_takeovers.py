"""Agreements taken over from spreadsheets: judged row by row, each once, their price, our ledger."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.commands import close_year, vary_line
from sla_manager.agreements.commands.takeovers import (
    begin_takeover,
    forget_spreadsheet,
    keep_spreadsheet,
    name_columns,
    take_over_some,
)
from sla_manager.agreements.models import (
    Acceptance,
    Agreement,
    AgreementLine,
    Instalment,
    LedgerEntry,
    TakenRow,
    Takeover,
)
from sla_manager.agreements.queries import balances, latest_version
from sla_manager.agreements.queries.takeovers import kept_table, mappings
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.agreements.rules.takeovers import ColumnMapping, Field, Level, MappingIncomplete
from sla_manager.billing.queries.dues import due_plan
from sla_manager.gateways.spreadsheets import write_xlsx
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.reports.integrity import agreement_problems, ledger_problems
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests import builders
from tests.rooms import selling
from tests.rooms.taking_over import (
    NAMES,
    PUPIL,
    TAKEN_ON,
    a_file,
    agreements,
    kept,
    row,
    shown,
    taken_over,
    world,
)

LATER = datetime.fromisoformat("2026-04-20T10:00:00+00:00")


@pytest.fixture
def books(database: Database) -> Database:
    """A service that sells days, an academy (900101) and a community school (900102)."""
    with database.transaction() as session:
        world(session)
        builders.a_school(session, 900_101, customer_class=CustomerClass.ACADEMY, name="Hill Academy")
        builders.a_school(session, 900_102, name="Dale Primary School")
    return database


def test_a_row_becomes_an_agreement_that_runs_at_their_price(
    books: Database, by: Actor, at: datetime
) -> None:
    rows = [row(900_101, Notes="Paid by BACS"), row(900_102, **{"Day rate": "350", "Net": "4200"})]
    progress = taken_over(books, a_file(*rows), by=by, at=at)
    assert (progress.rows, progress.taken, progress.refused, progress.left) == (2, 2, 0, 0)
    with books.reading() as session:
        academy, school = agreements(session)
        assert (academy.status, academy.origin) == (AgreementStatus.AGREED, Origin.IMPORT)
        assert (str(academy.net), str(academy.vat), str(academy.gross)) == ("4416.00", "883.20", "5299.20")
        assert (str(school.net), str(school.vat)) == ("4200.00", "0.00")
        figures = {one.agreement_id: one.figures for one in balances(session)}
        assert figures[academy.id].delivered.minutes == 1998
        assert figures[academy.id].balance.minutes == 3330
        entry = session.scalars(
            select(LedgerEntry).where(LedgerEntry.kind == "delivered").order_by(LedgerEntry.id)
        ).first()
        assert entry is not None
        assert (entry.cause, entry.effective_on) == ("takeover:2", TAKEN_ON)
        assert entry.reason == ("Used before 14 October 2025. Taken over from buy-back.csv, row 2, by Test")
        assert (
            session.scalars(select(Acceptance.statement)).first()
            == "Taken over from buy-back.csv, row 2, by Test"
        )
        assert session.scalars(select(TakenRow.theirs)).first()["notes"] == "Paid by BACS"  # type: ignore[index]
        assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 0


def test_nothing_that_was_billed_elsewhere_is_billed_here(books: Database, by: Actor, at: datetime) -> None:
    rows = [row(900_101), row(900_102, **{"Paid in": "in arrears"})]
    taken_over(books, a_file(*rows), by=by, at=at)
    with books.reading() as session:
        assert session.scalar(select(func.count()).select_from(Instalment)) == 0
        plan = due_plan(session, date(2026, 3, 31))
        assert (plan.dues, plan.nothing) == ([], [])


def test_from_a_day_on_we_bill_what_falls_due_later_and_only_that(
    books: Database, by: Actor, at: datetime
) -> None:
    rows = [row(900_101), row(900_102, **{"Paid in": "in arrears"})]
    taken_over(books, a_file(*rows), by=by, at=at, bill_from=date(2025, 12, 1))
    with books.reading() as session:
        due = [
            (one.due_on, one.position, one.count, str(one.net)) for one in session.scalars(select(Instalment))
        ]
        assert due == [(date(2026, 1, 1), 2, 3, "1472.00"), (date(2026, 3, 1), 3, 3, "1472.00")]
        assert session.scalars(select(TakenRow.to_bill).order_by(TakenRow.row)).first() == Money(2944_00)
        labels = [(one.label, one.agreement_id) for one in due_plan(session, date(2026, 3, 31)).dues]
        assert [label for label, _ in labels] == ["instalment 2 of 3", "instalment 3 of 3"]
        assert list(agreement_problems(session)) == []
        assert list(ledger_problems(session)) == []


def test_importing_again_changes_nothing(books: Database, by: Actor, at: datetime) -> None:
    content = a_file(row(900_101), row(900_102))
    taken_over(books, content, by=by, at=at)
    again = taken_over(books, content, by=by, at=at, filename="another name.csv")
    assert (again.taken, again.refused) == (0, 0)
    with books.reading() as session:
        assert session.scalar(select(func.count()).select_from(Agreement)) == 2
        assert session.scalar(select(func.count()).select_from(TakenRow)) == 2


def killed_half_way(database: Database, takeover_id: int, by: Actor, at: datetime) -> None:
    """Take a row over and stop before it is kept."""
    with database.transaction() as session:
        take_over_some(session, takeover_id, most=1, by=by, at=at)
        raise RuntimeError("killed before it was kept")


def test_an_import_that_stopped_half_way_goes_on_where_it_was(
    books: Database, by: Actor, at: datetime
) -> None:
    rows = [row(900_101, Service="EWO-DAY", Start=f"0{n}/09/2025", End=f"0{n}/09/2025", Used="", Left="",
                Days="1", Net="368") for n in range(1, 7)]  # fmt: skip
    with books.transaction() as session:
        found = kept(session, a_file(*rows), by=by, at=at)
        begin_takeover(session, found.id, service_id=found.service_id, by=by, at=at)
    with books.transaction() as session:
        assert take_over_some(session, found.id, most=4, by=by, at=at).left == 2
    with pytest.raises(RuntimeError):
        killed_half_way(books, found.id, by, at)
    with books.transaction() as session:
        progress = take_over_some(session, found.id, most=4, by=by, at=at)
    assert (progress.taken, progress.left, progress.is_done) == (6, 0, True)
    with books.reading() as session:
        assert session.get_one(Takeover, found.id).kept is None
        assert len({one.reference for one in agreements(session)}) == 6


def test_a_broken_row_does_not_stop_the_others(books: Database, by: Actor, at: datetime) -> None:
    rows = [row(900_101), row(999_999), row(900_102, Days="12.3"), row(900_102)]
    progress = taken_over(books, a_file(*rows), by=by, at=at)
    assert (progress.taken, progress.refused) == (2, 2)
    with books.reading() as session:
        refused = session.scalars(select(Takeover.refused)).one()
        assert [(one["row"], one["field"]) for one in refused] == [(3, "URN"), (4, "Quantity bought")]


FINDINGS = [
    ({"URN": "12"}, Field.URN, Level.ERROR, "“12” is not a URN"),
    ({"URN": "900999"}, Field.URN, Level.ERROR, "No school has the URN 900999"),
    ({"Service": "Ballet"}, Field.OFFERING, Level.ERROR, "We sell nothing called “Ballet”"),
    ({"Service": "TSM"}, Field.OFFERING, Level.ERROR, "part of the free core offer"),
    ({"Days": "12.3", "Net": ""}, Field.QUANTITY, Level.ERROR, "off the step: it is sold in steps of 0.5"),
    ({"Days": "0"}, Field.QUANTITY, Level.ERROR, "cannot be a bought quantity"),
    ({"Days": "twelve"}, Field.QUANTITY, Level.ERROR, "“twelve” is not a number"),
    ({"Net": "£4,400.00"}, Field.NET, Level.ERROR, "12 days × £368.00 = £4,416.00, but the net is £4,400.00"),
    ({"Day rate": "", "Net": ""}, Field.UNIT_PRICE, Level.ERROR, "neither a price nor a net"),
    ({"Day rate": "-368"}, Field.UNIT_PRICE, Level.ERROR, "below nothing"),
    (
        {"Day rate": "350", "Net": "4200"},
        Field.UNIT_PRICE,
        Level.WARNING,
        "our price list says £368.00, £18.00 more",
    ),
    ({"Day rate": "368.01", "Net": "4416.00"}, Field.NET, Level.ERROR, "−£0.12 off"),
    ({"Day rate": "416.67", "Net": "5000.00"}, Field.NET, Level.WARNING, "a rounded price, −£0.04 off"),
    ({"Start": "31/02/2026"}, Field.STARTS_ON, Level.ERROR, "“31/02/2026” is not a date"),
    ({"End": "31/03/2025"}, Field.ENDS_ON, Level.ERROR, "is before the first"),
    ({"End": "31/08/2031"}, Field.ENDS_ON, Level.ERROR, "longer than 5 years"),
    ({"Paid in": "in shells"}, Field.SCHEDULE, Level.ERROR, "no way of paying"),
    ({"Used": "13", "Left": ""}, Field.USED, Level.ERROR, "13 used is more than 12 bought"),
    ({"Used": "4.5", "Left": "10"}, Field.BALANCE, Level.WARNING, "2.5 above it look carried forward"),
    (
        {"Used": "4.5", "Left": "5"},
        Field.BALANCE,
        Level.WARNING,
        "Their balance is 5, and bought less used is 7.5",
    ),
    ({"Used": "4.3333", "Left": ""}, Field.USED, Level.WARNING, "not a whole number of minutes"),
    ({"Notes": f"Seen {PUPIL}"}, None, Level.ERROR, "unique pupil number"),
]


@pytest.mark.parametrize(("changed", "field", "level", "message"), FINDINGS)
def test_what_is_wrong_with_a_row_is_said_with_its_field(
    sqlite: Database,
    by: Actor,
    at: datetime,
    changed: dict[str, str],
    field: Field | None,
    level: Level,
    message: str,
) -> None:
    with sqlite.transaction() as session:
        world(session)
        builders.a_core_offering(session, code="TSM")
        builders.a_school(session, 900_101, customer_class=CustomerClass.ACADEMY)
        pupil = {"Notes": changed["Notes"].replace(PUPIL, valid_pupil_number())} if "Notes" in changed else {}
        seen = shown(session, a_file(row(900_101, **(changed | pupil))), by=by, at=at)
        said = [one for one in seen.findings if message in one.message]
        assert said, [one.message for one in seen.findings]
        assert said[0].row == 2
        assert said[0].level is level
        assert said[0].what_to_do
        assert field is None or said[0].field is field
        assert len(seen.to_take) == (0 if level is Level.ERROR else 1)


def valid_pupil_number() -> str:
    """Return a number that is a pupil's by its check letter, of nobody."""
    letters, digits = "ABCDEFGHJKLMNPQRTUVWXYZ", [int(one) for one in PUPIL[1:]]
    check = sum(number * weight for weight, number in enumerate(digits, start=2)) % 23
    return f"{letters[check]}{PUPIL[1:]}"


def test_a_pupil_number_is_never_kept_in_any_column(books: Database, by: Actor, at: datetime) -> None:
    number = valid_pupil_number()
    content = write_xlsx(
        [*NAMES, "Officer's own"], [[*row(900_101), f"Home visit {number}"], [*row(900_102), ""]]
    )
    with books.transaction() as session:
        seen = shown(session, content, by=by, at=at)
        assert [one.row.number for one in seen.refused] == [2]
        cells = [
            cell for _, cells in kept_table(session.scalars(select(Takeover)).one()).rows for cell in cells
        ]
        assert not any(number in cell for cell in cells)


def test_schools_are_found_by_urn_laestab_or_name_and_two_of_a_name_are_refused(
    books: Database, by: Actor, at: datetime
) -> None:
    with books.transaction() as session:
        for urn in (900_103, 900_104):
            builders.a_school(session, urn, name="St Anne's School")
        names = ["School", "DfE", *NAMES[1:]]
        found = [
            ["hill academy", "", *row(0)[1:]],
            ["", "2030102", *row(0)[1:]],
            ["St Anne’s School", "", *row(0)[1:]],
            ["Hill Acadamy", "", *row(0)[1:]],
            ["", "", *row(0)[1:]],
        ]
        seen = shown(session, write_xlsx(names, found), by=by, at=at)
        urns = [one.school.urn if one.school else None for one in seen.rows]
        assert urns == [900_101, 900_102, None, None, None]
        messages = {
            one.row: (one.message, one.what_to_do) for one in seen.findings if one.level is Level.ERROR
        }
        assert "2 schools have the name" in messages[4][0]
        assert "URN 900103" in messages[4][0]
        assert "Hill Academy, URN 900101" in messages[5][1]
        assert messages[6][0] == "The row names no school."


def test_the_same_agreement_twice_is_refused_in_the_file_and_against_the_books(
    books: Database, by: Actor, at: datetime
) -> None:
    with books.transaction() as session:
        school = builders.a_school(session, 900_105, name="Brook School")
        selling.agreed(session, by, at, school=school)
        rows = [row(900_101), row(900_101), row(900_101, Start="01/10/2025"), row(900_105)]
        seen = shown(session, a_file(*rows), by=by, at=at)
        assert [one.is_refused for one in seen.rows] == [False, True, False, True]
        messages = [one.message for one in seen.findings]
        assert (
            "Hill Academy, Education welfare officer, day: row 2 has the same service and dates." in messages
        )
        assert any("in the books already: EWS-SLA/25-26/000001" in message for message in messages)
        assert any("row 2 has the same service for some of the same days" in message for message in messages)


def test_a_total_at_the_foot_is_passed_over(books: Database, by: Actor, at: datetime) -> None:
    total = ["Total", "", "24", "", "8832", "", "", "", "9", "15", "", "", ""]
    with books.transaction() as session:
        seen = shown(
            session, write_xlsx(["School", *NAMES[1:]], [["Hill Academy", *row(0)[1:]], total]), by=by, at=at
        )
        assert (len(seen.to_take), len(seen.refused), seen.passed_over) == (1, 0, 1)
        assert {name: str(amount) for name, amount in seen.totals.items()} == {
            "net": "4416.00", "vat": "883.20", "gross": "5299.20", "invoiced": "1472.00",
        }  # fmt: skip


def test_used_time_over_two_financial_years_is_put_on_the_earlier_first(
    books: Database, by: Actor, at: datetime
) -> None:
    one = row(900_102, Days="20", Net="7360", Start="01/09/2025", End="31/08/2026", Used="14", Left="6")
    taken_over(books, a_file(one), by=by, at=LATER, taken_on=date(2026, 4, 20))
    with books.reading() as session:
        figures = [
            (b.year, b.figures.contracted.minutes, b.figures.delivered.minutes) for b in balances(session)
        ]
        assert figures == [(2025, 23 * 222, 23 * 222), (2026, 17 * 222, 5 * 222)]
        days = session.scalars(select(LedgerEntry.effective_on).where(LedgerEntry.kind == "delivered"))
        assert list(days) == [date(2026, 3, 31), date(2026, 4, 20)]


def test_hours_become_days_and_the_balance_alone_says_what_was_used(
    books: Database, by: Actor, at: datetime
) -> None:
    one = row(900_102, Used="", Left="55:30")
    taken_over(books, a_file(one), by=by, at=at, holds_for_all={"in_hours": True})
    with books.reading() as session:
        assert [b.balance.minutes for b in balances(session)] == [55 * 60 + 30]
        assert session.scalars(select(TakenRow.theirs)).one()["balance"] == "7.5"


def test_a_closed_year_takes_nothing_over(books: Database, by: Actor, at: datetime) -> None:
    with books.transaction() as session:
        close_year(session, FinancialYear(2025), by=by, at=as_at(date(2026, 4, 20)))
        seen = shown(session, a_file(row(900_101)), by=by, at=LATER)
        assert seen.to_take == []
        assert "The financial year 2025-26 is closed" in seen.findings[0].message


def test_the_text_says_that_it_was_taken_over_and_nobody_accepts_it_again(
    books: Database, by: Actor, at: datetime
) -> None:
    taken_over(books, a_file(row(900_101)), by=by, at=at, bill_from=date(2026, 1, 1))
    with books.reading() as session:
        facts = latest_version(session, agreements(session)[0].id).facts
        assert facts["acceptance"] is None
        assert facts["acceptance_statement"].endswith("Taken over from buy-back.csv, row 2, by Test.")
        assert [one["label"] for one in facts["costs"]["schedule"]] == [
            "Invoice 1 of 3, billed elsewhere", "Invoice 2 of 3", "Invoice 3 of 3",
        ]  # fmt: skip
        assert facts["costs"]["gross"] == "5299.20"


def test_it_can_be_varied_like_any_other(books: Database, by: Actor, at: datetime) -> None:
    taken_over(books, a_file(row(900_101)), by=by, at=at)
    with books.transaction() as session:
        line = session.scalars(select(AgreementLine)).one()
        vary_line(
            session, line.id, quantity=Decimal(2), effective_on=date(2025, 11, 3), reason="More", by=by, at=at
        )
        assert [b.balance.minutes for b in balances(session)] == [3330 + 888]


def test_a_mapping_is_kept_by_name_and_replaced(books: Database, by: Actor, at: datetime) -> None:
    with books.transaction() as session:
        found = kept(session, a_file(row(900_101)), by=by, at=at, save_as="Our buy-back sheet")
        name_columns(
            session, found.id, service_id=found.service_id, taken_on=TAKEN_ON, save_as=" Our buy-back  sheet",
            mapping=ColumnMapping({Field.URN: "URN", Field.QUANTITY: "Days", Field.NET: "Net"}, offering="EWO-DAY",
                                  starts_on=date(2025, 9, 1), ends_on=date(2026, 3, 31)), by=by, at=at,
        )  # fmt: skip
        (one,) = mappings(session, found.service_id)
        assert ColumnMapping.of(one.facts).offering == "EWO-DAY"
        assert ColumnMapping.of(one.facts).ends_on == date(2026, 3, 31)


def test_a_mapping_that_says_too_little_is_refused_by_field(books: Database, by: Actor, at: datetime) -> None:
    with books.transaction() as session:
        found = kept(session, a_file(row(900_101)), by=by, at=at)
        whole = {Field.URN: "URN", Field.QUANTITY: "Days", Field.NET: "Net", Field.OFFERING: "Service",
                 Field.STARTS_ON: "Start", Field.ENDS_ON: "End"}  # fmt: skip
        lacking = {one: {key: column for key, column in whole.items() if key is not one} for one in whole}
        fields = set()
        for mapping in (*lacking.values(), {**whole, Field.NOTES: "No such column"}):
            with pytest.raises(MappingIncomplete) as refused:
                ColumnMapping(mapping).checked(kept_table(found).columns)
            fields.add(refused.value.field)
        assert fields == {"urn", "quantity", "unit_price", "offering", "starts_on", "ends_on", "notes"}
        before = pytest.raises(Refused, match="cannot bill from a day before the takeover")
        with before:
            name_columns(session, found.id, service_id=found.service_id, mapping=ColumnMapping(whole),
                         taken_on=TAKEN_ON, bill_from=date(2025, 10, 1), by=by, at=at)  # fmt: skip


def test_a_file_is_another_services_secret_and_goes_after_a_day(
    books: Database, by: Actor, at: datetime
) -> None:
    with books.transaction() as session:
        found = kept(session, a_file(row(900_101)), by=by, at=at)
        other = builders.a_service(session, "other")
        with pytest.raises(NotFound):
            begin_takeover(session, found.id, service_id=other.id, by=by, at=at)
        keep_spreadsheet(session, other.id, content=a_file(row(1)), filename="x.csv", by=by, at=LATER)
        assert session.scalars(select(Takeover.service_id)).all() == [other.id]


def test_what_was_taken_over_is_never_changed_dropped_or_begun_anew(
    books: Database, by: Actor, at: datetime
) -> None:
    taken_over(books, a_file(row(900_101)), by=by, at=at)
    with books.transaction() as session:
        found = session.scalars(select(Takeover)).one()
        with pytest.raises(Conflict, match="taken over already"):
            forget_spreadsheet(session, found.id, service_id=found.service_id)
        assert begin_takeover(session, found.id, service_id=found.service_id, by=by, at=at).status == "done"
        assert take_over_some(session, found.id, by=by, at=at).taken == 1
    for statement in (
        delete(Takeover), update(Takeover).values(filename="x"), delete(TakenRow), update(TakenRow).values(row=9),
    ):  # fmt: skip
        with pytest.raises(IntegrityError), books.transaction() as session:
            session.execute(statement)
