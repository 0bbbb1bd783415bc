"""Hand-over: frozen batches, disjoint, with control totals, and cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.finance.commands import NothingToExport, make_batch, save_layout, save_sage50
from sla_manager.finance.commands import batches as commands
from sla_manager.finance.models import ExportBatch, ExportedDocument
from sla_manager.finance.queries import batch, waiting_for
from sla_manager.finance.rules.cells import NotInEncoding, write_rows, written
from sla_manager.finance.rules.exported import share_vat
from sla_manager.finance.rules.fields import FIELDS
from sla_manager.finance.rules.layouts import Column, LayoutNotUsable
from sla_manager.finance.rules.writing import AccountTooLong
from sla_manager.kernel.cells import inert, quoted
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.references import sha256
from sla_manager.people.models import Customer
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from tests.builders import a_school
from tests.rooms.owing import BY, FIRST, THIRD, agree, agree_many, documents, run_on

AT = as_at(date(2026, 3, 5))
SAGE_HEADER = (
    "Type,Account Reference,Nominal A/C Ref,Department Code,Date,Reference,Details,Net Amount,Tax Code,Tax Amount,"
    "Exchange Rate,Extra Reference,User Name,Project Refn,Cost Code Refn"
)


def made(database: Database, layout: str) -> ExportBatch:
    """Make a batch and return it with its content."""
    with database.transaction() as session:
        number = make_batch(session, layout, by=BY, at=AT).id
    with database.reading() as session:
        return batch(session, number, with_content=True)


def rows_of(found: ExportBatch) -> list[dict[str, str]]:
    """Read a batch's file as a finance system would."""
    text_of = bytes(found.content).decode(found.layout["encoding"])
    return list(csv.DictReader(io.StringIO(text_of, newline=""), delimiter=found.layout["delimiter"]))


def test_sage50_has_its_fifteen_columns_and_positive_credits(database: Database) -> None:
    agree(database, schedule=Schedule.SINGLE)
    agree(database, schedule=Schedule.SINGLE, customer_class=CustomerClass.OWN_MAINTAINED)
    run_on(database, FIRST)
    with database.transaction() as session:
        issue_credit_note(
            session, documents(database)[0].id, amounts={1: Money(184_00)}, reason="Ill", by=BY, at=AT
        )
    found = made(database, "sage50")
    content = bytes(found.content).decode()
    assert content.splitlines()[0] == SAGE_HEADER
    rows = rows_of(found)
    assert [(row["Type"], row["Net Amount"], row["Tax Code"], row["Tax Amount"]) for row in rows] == [
        ("SI", "4416.00", "T1", "883.20"),
        ("SI", "4416.00", "T9", "0.00"),
        ("SC", "184.00", "T1", "36.80"),
    ]
    assert [row["Date"] for row in rows] == ["14/10/2025", "14/10/2025", "05/03/2026"]
    assert {len(row) for row in rows} == {15}
    assert all(len(row["Account Reference"]) <= 8 for row in rows)


def test_control_totals_are_those_of_rows_and_of_documents(database: Database) -> None:
    agree(database, offers=[("10.01", "1")] * 3, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    with database.transaction() as session:
        issue_credit_note(session, documents(database)[0].id, reason="All of it", by=BY, at=AT)
    found = made(database, "plain")
    rows = rows_of(found)
    for field in ("net", "vat", "gross"):
        whole = total(Money.parse(row[field]) for row in rows)
        assert whole == getattr(found, field) == total(getattr(one, field) for one in documents(database))
    assert found.count == len({row["number"] for row in rows}) == 2
    assert found.sha256 == sha256(bytes(found.content))
    assert [row["vat"] for row in rows[:3]] == ["2.01", "2.00", "2.00"]


def test_a_document_enters_one_batch_of_a_target_and_another_of_another(database: Database) -> None:
    agree_many(database, 2, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    assert made(database, "plain").count == 2
    with pytest.raises(NothingToExport):
        made(database, "plain")
    assert made(database, "sage50").count == 2
    agree_many(database, 1, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    second = made(database, "plain")
    assert (second.count, second.filename) == (1, "plain-20260305-0002.csv")


def test_x1_two_people_who_make_a_batch_at_once_get_disjoint_ones(database: Database) -> None:
    agree_many(database, 6, schedule=Schedule.SINGLE)
    run_on(database, FIRST)

    def one(_: int) -> str:
        try:
            made(database, "plain")
        except NothingToExport:
            return "nothing left"
        return "made"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == ["made", "nothing left", "nothing left", "nothing left"]
    with database.reading() as session:
        held = session.scalars(select(ExportedDocument.document_id)).all()
    assert len(held) == len(set(held)) == 6


def test_x1_control_without_the_turn_the_key_of_the_database_still_refuses(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree_many(database, 2, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    with database.reading() as session:
        seen_by_both = waiting_for(session, "plain")
    made(database, "plain")
    monkeypatch.setattr(commands, "waiting_for", lambda *_: seen_by_both)
    with pytest.raises(IntegrityError, match="exported_document"):
        made(database, "plain")


def test_x2_a_batch_downloads_as_the_same_bytes_after_the_layout_changed(database: Database) -> None:
    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    before = bytes(made(database, "sage50").content)
    with database.transaction() as session:
        taxes = {"standard": "T5", "zero": "T0", "exempt": "T2", "outside_scope": "T9"}
        options = {"nominal": "4100", "department": "7", "date_format": "ddmmyyyy", "tax_codes": taxes}
        save_sage50(session, options=options, by=BY, at=AT)
        session.execute(text("UPDATE school SET name = 'Renamed'"))
    with database.reading() as session:
        kept = session.scalars(select(ExportBatch)).one()
        assert bytes(batch(session, kept.id, with_content=True).content) == before
        assert sha256(before) == kept.sha256
    agree_many(database, 1, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    (row,) = rows_of(made(database, "sage50"))
    assert (row["Nominal A/C Ref"], row["Department Code"], row["Date"], row["Tax Code"]) == (
        "4100", "7", "14102025", "T5"
    )  # fmt: skip


def test_a_batch_never_changes(database: Database) -> None:
    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    made(database, "plain")
    for statement in (
        "UPDATE export_batch SET count = 9",
        "DELETE FROM exported_document",
        "DELETE FROM export_batch",
    ):
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.execute(text(statement))


def test_x4_text_that_would_run_is_made_inert_and_numbers_stay_numbers(database: Database) -> None:
    with database.transaction() as session:
        school = a_school(session, 900_777, customer_class=CustomerClass.ACADEMY, name="=cmd|' /C calc'!A0")
    agree(
        database, school=school, offers=[("415.25", "0.5")], purchase_order="+1+1", schedule=Schedule.SINGLE
    )
    run_on(database, FIRST)
    with database.transaction() as session:
        issue_credit_note(session, documents(database)[0].id, reason="＝SUM(A1)", by=BY, at=AT)
    first, second = rows_of(made(database, "plain"))
    assert first["customer"] == "'=cmd|' /C calc'!A0"
    assert first["purchase_order"] == "'+1+1"
    assert second["reason"] == "'＝SUM(A1)"
    assert (first["net"], second["net"]) == ("207.63", "-207.63")


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " =", "\u00a0@", "\ufeff="]
)
def test_x4_every_dangerous_beginning_is_made_inert(start: str) -> None:
    assert inert(f"{start}1+1") == f"'{start}1+1"


def test_x5_commas_quotes_newlines_and_all_letters_come_back(database: Database) -> None:
    name = 'St "Anne\'s", Tŷ Gwyn; £5 😀\nSecond line'
    with database.transaction() as session:
        school = a_school(session, 900_778, customer_class=CustomerClass.ACADEMY, name=name)
    agree(database, school=school, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    (row,) = rows_of(made(database, "plain"))
    assert row["customer"] == name
    assert bytes(made(database, "sage50").content).endswith(b"\r\n")


def test_x5_a_letter_that_the_encoding_does_not_have_is_named_and_nothing_is_made(database: Database) -> None:
    with database.transaction() as session:
        school = a_school(session, 900_779, customer_class=CustomerClass.ACADEMY, name="Tŷ Gwyn")
        save_layout(
            session, name="old-ledger", title="Old ledger", columns=[Column("Name", "customer")],
            options={"encoding": "cp1252", "header": False}, by=BY, at=AT,
        )  # fmt: skip
    agree(database, school=school, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    with pytest.raises(NotInEncoding, match="“ŷ”"):
        made(database, "old-ledger")
    with database.reading() as session:
        assert session.scalars(select(ExportBatch)).all() == []


def test_a_layout_of_the_council_s_own_is_written_as_it_chose(database: Database) -> None:
    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    with database.transaction() as session:
        issue_credit_note(
            session, documents(database)[0].id, amounts={1: Money(10_00)}, reason="x", by=BY, at=AT
        )
        save_layout(
            session, name="ledger", title="Ledger",
            columns=[Column("Belegdatum", "issued_on"), Column("Co", constant="01"), Column("Amount", "gross")],
            options={"delimiter": ";", "encoding": "utf-8", "date_format": "dd.mm.yyyy", "sign": "reversed",
                     "rows": "document", "header": True},
            by=BY, at=AT,
        )  # fmt: skip
    assert bytes(made(database, "ledger").content).decode() == (
        "Belegdatum;Co;Amount\r\n14.10.2025;01;-5299.20\r\n05.03.2026;01;12.00\r\n"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "sage50"}, "is ready"),
        ({"name": "Our Ledger"}, "small letters"),
        ({"columns": []}, "between 1 and 100"),
        ({"columns": [Column("x", "secret")]}, "no field “secret”"),
        ({"options": {"encoding": "utf-7"}}, "one of the list"),
        ({"columns": [Column("x" * 201, "number")]}, "200 characters"),
    ],
)
def test_a_layout_that_cannot_be_written_is_refused(
    sqlite: Database, change: dict[str, object], said: str
) -> None:
    wanted: dict[str, object] = {
        "name": "mine",
        "title": "Mine",
        "columns": [Column("n", "number")],
        "options": {},
    }
    with pytest.raises(LayoutNotUsable, match=said), sqlite.transaction() as session:
        save_layout(session, **(wanted | change), by=BY, at=AT)  # type: ignore[arg-type]


def test_an_unknown_layout_is_not_found_and_named_ones_are_offered(sqlite: Database) -> None:
    with pytest.raises(NotFound, match="There are: plain, sage50"), sqlite.transaction() as session:
        make_batch(session, "agresso", by=BY, at=AT)


def test_an_account_that_sage_would_cut_off_is_refused(sqlite: Database) -> None:
    with sqlite.transaction() as session:
        school = a_school(session, 900_780, customer_class=CustomerClass.ACADEMY)
        session.scalars(
            select(Customer).where(Customer.school_id == school.id)
        ).one().account_reference = "LONG 90078"
    agree(sqlite, school=school, schedule=Schedule.SINGLE)
    run_on(sqlite, FIRST)
    with pytest.raises(AccountTooLong, match="LONG 90078"):
        made(sqlite, "sage50")


def test_every_field_can_be_written(sqlite: Database) -> None:
    agree(sqlite)
    run_on(sqlite, THIRD)
    for rows in ("line", "document"):
        with sqlite.transaction() as session:
            columns = [Column(name, name) for name in FIELDS]
            save_layout(
                session, name=f"all-{rows}", title="", columns=columns, options={"rows": rows}, by=BY, at=AT
            )
        assert set(rows_of(made(sqlite, f"all-{rows}"))[0]) == set(FIELDS)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.text(max_size=30), min_size=2, max_size=5), min_size=1, max_size=5))
def test_any_text_comes_back_through_a_reader_of_csv(rows: list[list[str]]) -> None:
    usable = [[cell.encode("utf-8", "ignore").decode() for cell in row] for row in rows]
    content = write_rows(usable, delimiter=",", encoding="utf-8", date_format="dd/mm/yyyy").decode()
    back = list(csv.reader(io.StringIO(content, newline="")))
    assert back == [[inert(cell) for cell in row] for row in usable]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-(10**8), 10**8), min_size=1, max_size=30), st.integers(-(10**8), 10**8))
def test_the_vat_of_the_rows_is_the_vat_of_the_document(nets: list[int], vat: int) -> None:
    assert total(share_vat([Money(net) for net in nets], Money(vat))) == Money(vat)


def test_cells_are_written_exactly() -> None:
    cells = [Money(-207_63), Decimal("0.500"), 12, date(2026, 3, 31), None, "-207.63"]
    assert [written(cell, date_format="dd/mm/yyyy") for cell in cells] == [
        "-207.63", "0.5", "12", "31/03/2026", "", "'-207.63"
    ]  # fmt: skip
    assert quoted("a\rb") == '"a\rb"'
