"""Hand-over to a council's ledger: the journal of recharges, codes, and X1-X3 for every layout."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date

import pytest
from sqlalchemy import select, text
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
from sla_manager.finance.models import ExportBatch, ExportedDocument
from sla_manager.finance.queries import batch, waiting_for
from sla_manager.finance.queries.coding import school_codes, without_cost_centre
from sla_manager.finance.rules.ready import READY
from sla_manager.gateways.spreadsheets import read_spreadsheet
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.references import sha256
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from tests.builders import a_school
from tests.rooms.owing import BY, FIRST, agree, documents, run_on

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
