"""Hand-over to a council's ledger: the journal of recharges, codes, and X1-X3 for every layout."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.finance.commands import NothingToExport, make_batch
from sla_manager.finance.commands.batches import CodesMissing
from sla_manager.finance.commands.coding import (
    CodesNotReadable,
    enter_school_code,
    enter_service_code,
    import_school_codes,
)
from sla_manager.finance.commands.replies import receive_reply, take_in_reply
from sla_manager.finance.models import ExportBatch, ExportedDocument, LedgerAnswer, ReplyReading
from sla_manager.finance.queries import batch, waiting_for
from sla_manager.finance.queries.coding import school_codes, without_cost_centre
from sla_manager.finance.queries.replies import (
    answered,
    answers_of,
    rejected_documents,
    table_of,
    usual_reading,
)
from sla_manager.finance.rules.ready import READY
from sla_manager.gateways.spreadsheets import read_spreadsheet
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.references import sha256
from sla_manager.payments.queries import open_amount
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from tests.builders import a_school
from tests.rooms.owing import BY, FIRST, agree, agree_many, documents, run_on

AT = as_at(date(2026, 3, 5))


def made(database: Database, layout: str) -> ExportBatch:
    """Make a batch and return it with its content."""
    with database.transaction() as session:
        number = make_batch(session, layout, by=BY, at=AT).id
    with database.reading() as session:
        return batch(session, number, with_content=True)


def enter_codes(database: Database, *, urns: tuple[int, ...]) -> None:
    """Enter the service's codes and the cost centres of some schools."""
    with database.transaction() as session:
        service = session.scalars(select(TradingService)).one()
        codes = {"income_centre": "EWS01", "income_code": "91001", "charge_code": "43210"}
        enter_service_code(session, service.id, training=False, **codes, by=BY, at=AT)
        for urn in urns:
            query = select(Customer).join(School, School.id == Customer.school_id).where(School.urn == urn)
            found = session.scalars(query).one()
            enter_school_code(session, found.id, cost_centre=f"S{urn}", by=BY, at=AT)


def own_schools(database: Database, *urns: int) -> None:
    """Let maintained schools of this authority owe a recharge each."""
    for urn in urns:
        with database.transaction() as session:
            school = a_school(session, urn, customer_class=CustomerClass.OWN_MAINTAINED)
        agree(database, school=school, schedule=Schedule.SINGLE)


def test_a_journal_takes_recharges_alone_and_leaves_schools_without_a_cost_centre_waiting(
    database: Database,
) -> None:
    own_schools(database, 900_501, 900_502)
    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    with pytest.raises(CodesMissing, match="income code of Education Welfare"):
        made(database, "journal")
    enter_codes(database, urns=())
    with pytest.raises(CodesMissing, match="No cost centre is entered for"):
        made(database, "journal")
    enter_codes(database, urns=(900_501,))
    found = made(database, "journal")
    rows = list(csv.DictReader(io.StringIO(bytes(found.content).decode(), newline="")))
    names = ("Cost centre", "Account code", "Debit", "Credit", "CFR code")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("S900501", "43210", "4416.00", "", "E28a"),
        ("EWS01", "91001", "", "4416.00", ""),
    ]  # fmt: skip
    assert (found.count, str(found.net), str(found.vat)) == (1, "4416.00", "0.00")
    with database.reading() as session:
        assert len(without_cost_centre(session, "journal", "recharges")) == 1
        assert len(waiting_for(session, "journal", "recharges")) == 1
    enter_codes(database, urns=(900_502,))
    assert made(database, "journal").count == 1


def test_x1_x2_x3_every_layout_freezes_disjoint_batches_that_are_never_voided(database: Database) -> None:
    own_schools(database, 900_511)
    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    enter_codes(database, urns=(900_511,))
    first = {name: made(database, name) for name in READY}
    for name, found in first.items():
        assert found.sha256 == sha256(bytes(found.content)), name
        with pytest.raises(NothingToExport):
            made(database, name)
    for statement in ("DELETE FROM export_batch", "UPDATE exported_document SET target = 'void'"):
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.execute(text(statement))
    with database.transaction() as session:
        for one in documents(database):
            issue_credit_note(session, one.id, amounts={1: Money(368_00)}, reason="Corrected", by=BY, at=AT)
        session.execute(text("UPDATE school SET name = 'Renamed since'"))
    later = {name: made(database, name) for name in READY}
    with database.reading() as session:
        held = session.execute(select(ExportedDocument.target, ExportedDocument.document_id)).all()
        for name in READY:
            kept = batch(session, first[name].id, with_content=True)
            assert bytes(kept.content) == bytes(first[name].content), name
            scope = {"journal": "recharges", "plain": "all", "sage50": "all"}.get(name, "invoices")
            listed = [
                one
                for one in documents(database)
                if scope == "all" or (scope == "recharges") == ("-R" in one.series)
            ]
            both = [first[name], later[name]]
            assert total(one.gross for one in both) == total(one.gross for one in listed), name
            assert sum(one.count for one in both) == len(listed), name
    assert len(held) == len(set(held))
    with zipfile.ZipFile(io.BytesIO(bytes(later["oracle"].content))) as archive:
        assert "EWS-CN/25-26/000001" in archive.read("RaInterfaceLinesAll.csv").decode()


def test_cost_centres_come_from_a_spreadsheet_all_or_none(database: Database) -> None:
    own_schools(database, 900_521, 900_522)
    good = b"URN,School,Cost centre,Account code\n900521,Hill,S0001,43210\n900522,Dale,S0002,\n"
    with database.transaction() as session:
        done = import_school_codes(session, read_spreadsheet(good), by=BY, at=AT)
        assert (done.entered, done.unchanged) == (2, 0)
    with database.transaction() as session:
        done = import_school_codes(session, read_spreadsheet(good), by=BY, at=AT)
        assert (done.entered, done.unchanged) == (0, 2)
    bad = b"URN,Cost centre\n900521,S0009\n900522,=1+1\n123456,S1\n900521,S0010\n"
    with pytest.raises(CodesNotReadable) as refused, database.transaction() as session:
        import_school_codes(session, read_spreadsheet(bad), by=BY, at=AT)
    assert [one.split(":")[0] for one in refused.value.problems] == ["Row 3", "Row 4", "Row 5"]
    with database.reading() as session:
        assert [(one.urn, one.cost_centre, one.account_code) for one in school_codes(session)] == [
            (900_521, "S0001", "43210"), (900_522, "S0002", "")
        ]  # fmt: skip


def replied(database: Database, content: str, *, payments: bool = False, **more: object) -> ReplyReading:
    """Take a reply of Sage in and return what came of it."""
    with database.transaction() as session:
        name = str(more.get("filename", "reply.csv"))
        found = receive_reply(session, "sage50", filename=name, content=content.encode(), by=BY, at=AT)
        reading = usual_reading(session, "sage50", table_of(found).columns)
    with database.transaction() as session:
        return take_in_reply(session, found.id, reading, payments=payments, by=BY, at=AT)


def test_a_reply_is_shown_on_each_document_once_however_often_it_comes(database: Database) -> None:
    agree_many(database, 3, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    found = made(database, "sage50")
    first, second, third = documents(database)
    content = (
        "Invoice No,Status,Error message,Date,Amount paid\n"
        f"{first.number},Posted,,01/03/2026,\n"
        f"{second.number.lower().replace('/', ' ')},Rejected,Unknown account EW900,,\n"
        f"{third.number},Paid,,02/03/2026,1000.00\n"
        f"{third.number},Paid,,02/03/2026,1000.00\n"
        "EWS/24-25/000099,Posted,,,\n"
    )
    done = replied(database, content, payments=True)
    assert (done.answers, done.repeated, done.left_out) == (4, 0, 1)
    assert replied(database, content, payments=True).id == done.id
    again = replied(
        database, content + f"{first.number},Paid,,03/03/2026,5299.20\n", payments=True, filename="b.csv"
    )
    assert (again.answers, again.repeated, again.left_out) == (1, 4, 1)
    with database.reading() as session:
        assert [(one.status, one.reason) for one in answers_of(session, second.id)] == [
            ("rejected", "Unknown account EW900")
        ]
        assert answered(session, found.id) == {"paid": 2, "rejected": 1}
        assert [one.document_id for one in rejected_documents(session, found.id)] == [second.id]
        assert [str(open_amount(session, one.id)) for one in (first, second, third)] == [
            "0.00",
            "5299.20",
            "3299.20",
        ]


def test_x3_a_rejected_document_enters_no_second_batch_and_its_correction_is_a_new_document(
    database: Database,
) -> None:
    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    made(database, "sage50")
    (rejected,) = documents(database)
    replied(database, f"Number,Status,Reason\n{rejected.number},Error,Period closed\n")
    with pytest.raises(NothingToExport):
        made(database, "sage50")
    again = {"batch_id": 1, "target": "sage50", "document_id": rejected.id}
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(insert(ExportedDocument), [again])
    with database.transaction() as session:
        issue_credit_note(session, rejected.id, reason="Rejected: period closed", by=BY, at=AT)
    assert made(database, "sage50").count == 1


def test_an_answer_is_only_to_what_was_handed_over_and_a_rejection_has_a_reason(database: Database) -> None:
    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    (document,) = documents(database)
    with database.transaction() as session:
        received = receive_reply(session, "sage50", filename="r", content=b"a,b\n1,2\n", by=BY, at=AT)
    row = {
        "reply_id": received.id,
        "target": "sage50",
        "document_id": document.id,
        "row": 2,
        "fingerprint": "f",
    }
    with pytest.raises(IntegrityError, match="answers_are_to_what"), database.transaction() as session:
        session.execute(insert(LedgerAnswer), [row | {"status": "accepted", "reason": "", "reference": ""}])
    made(database, "sage50")
    with pytest.raises(IntegrityError, match="rejected_with_a_reason"), database.transaction() as session:
        session.execute(insert(LedgerAnswer), [row | {"status": "rejected", "reason": "", "reference": ""}])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Number,Status\nEWS/25-26/000001,Perhaps\n", "Row 2: “Perhaps” is none of the words"),
        ("Number,Status,Amount\nEWS/25-26/000001,Paid,1.23456\n", "Row 2: “1.23456” is not an amount"),
        ("Number,Status,Amount\nEWS/25-26/000001,Paid,-5.00\n", "above nothing"),
        ("Number,Status,Date\nEWS/25-26/000001,Paid,31/02/2026\n", "is not a day"),
        ("Number,Colour\nEWS/25-26/000001,red\n", "one answer for every row"),
    ],
)
def test_a_reply_that_cannot_be_understood_is_refused_row_by_row(
    sqlite: Database, content: str, said: str
) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        replied(sqlite, content)
    with sqlite.reading() as session:
        assert session.scalars(select(LedgerAnswer)).all() == []
