"""The story of one real school of the Greenwich slice, from register row to exported invoice, with its numbers."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import LineWanted, accept_order, place_order, prepare_quote
from sla_manager.agreements.documents import print_waiting_agreements
from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, Tranche
from sla_manager.agreements.queries import balances, frozen_sha256, quoted_documents
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.models import Document, DocumentFile
from sla_manager.billing.prints import print_waiting
from sla_manager.billing.runs import preview_run, run
from sla_manager.catalogue.commands import load_preset
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.presets import read_preset
from sla_manager.config import ROOT
from sla_manager.finance.commands import make_batch
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import Printer
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import sha256
from sla_manager.kernel.words import pounds
from sla_manager.people.commands import import_schools
from sla_manager.people.queries import school_by_urn
from sla_manager.people.rules.roles import Role
from sla_manager.reports.integrity import problems
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.visits.commands import log_delivery, plan_visit
from sla_manager.visits.rules.deliveries import ActivityDone
from sla_manager.visits.rules.slots import Part
from tests import builders

URN = 141_163
REGISTER = ROOT / "tests" / "data" / "registers" / "greenwich_28_columns.csv"
FIRST, VISIT, LAST = date(2025, 10, 14), date(2025, 11, 4), date(2026, 3, 31)
SECOND_RUN, CREDITED = date(2026, 3, 1), date(2026, 3, 5)

STORY = {
    "school": "Woolwich Polytechnic School",
    "class": "academy",
    "quote": ("4416.00", "883.20", "5299.20"),
    "documents to come": ["1472.00 + 294.40 = 1766.40"] * 3,
    "minutes bought": 4320,
    "minutes after 3 h 20 + 40 min": 4080,
    "first run": ["EWS/25-26/000001 1472.00 + 294.40 = 1766.40"],
    "the same run again": (0, 1),
    "second run": [
        "EWS/25-26/000002 1472.00 + 294.40 = 1766.40",
        "EWS/25-26/000003 1472.00 + 294.40 = 1766.40",
    ],
    "credit": "-368.00 + -73.60 = -441.60",
    "printed": 4,
    "exported": (4, "4048.00", "809.60", "4857.60"),
    "rows of the export": ["SI 1472.00 294.40"] * 3 + ["SC 368.00 73.60"],
    "problems in the books": [],
}
"""What is told of this school: every figure of domain.md's twelve days, from the register to the finance system."""


def test_the_story_of_one_real_school_from_register_row_to_exported_invoice(
    database: Database, by: Actor, tmp_path: Path
) -> None:
    told: dict[str, object] = {}
    with database.transaction() as session:
        agreement_id = _buys(session, by, told)
    with database.transaction() as session:
        _is_visited(session, agreement_id, by, told)
    _is_billed(database, by, told)
    archive = Archive(tmp_path / "invoices")
    with Printer(ROOT / "templates") as printer:
        told["printed"] = print_waiting(database, archive=archive, printer=printer, at=as_at(CREDITED))
        print_waiting_agreements(database, archive=archive, printer=printer, at=as_at(CREDITED))
    with database.reading() as session:
        _says_what_is_stored(session, archive)
    with database.transaction() as session:
        _is_handed_over(session, by, told)
    with database.reading() as session:
        told["problems in the books"] = [problem.message for problem in problems(session, archive)]
    assert told == STORY, f"The story of {URN}: {told}"


def _buys(session: Session, by: Actor, told: dict[str, object]) -> int:
    """From its row in the register to twelve days that are agreed."""
    at = as_at(FIRST)
    builders.council(session)
    builders.terms(session)
    import_schools(session, REGISTER.read_bytes(), filename=REGISTER.name, by=by, at=at)
    school = school_by_urn(session, URN)
    told["school"], told["class"] = school.name, school.customer_class.value
    service = builders.a_service(session)
    load_preset(session, read_preset("southampton-2024-25"), service_id=service.id, by=by, at=at)
    day = session.scalars(select(Offering.id).where(Offering.code == "SOU-EWO-DAY")).one()
    buyer = builders.a_person(session, Role.SCHOOL_BUSINESS_MANAGER, school=school)
    acts = Actor(buyer.id, buyer.name, "203.0.113.7")
    quote = prepare_quote(
        session,
        service_id=service.id,
        school_id=school.id,
        starts_on=FIRST,
        ends_on=LAST,
        schedule=Schedule.THREE,
        lines=[LineWanted(day, Decimal(12))],
        purchase_order="PO 4711",
        by=acts,
        at=at,
    )
    told["quote"] = (str(quote.net), str(quote.vat), str(quote.gross))
    told["documents to come"] = [
        _sum(one.net, one.vat, one.gross) for one in quoted_documents(session, quote)
    ]
    place_order(
        session,
        quote.id,
        role="School business manager",
        statement="I may order this.",
        address="203.0.113.7",
        document_sha256=frozen_sha256(session, quote.id),
        by=acts,
        at=at,
    )
    accept_order(session, quote.id, by=by, at=at)
    told["minutes bought"] = session.scalars(select(Tranche.minutes)).one().minutes
    return quote.id


def _is_visited(session: Session, agreement_id: int, by: Actor, told: dict[str, object]) -> None:
    """A visit of 3 h 20 and its report of 40 minutes, to the minute."""
    agreement = session.get_one(Agreement, agreement_id)
    line_id = session.scalars(
        select(AgreementLine.id).where(AgreementLine.agreement_id == agreement_id)
    ).one()
    visit = plan_visit(
        session,
        officer_id=builders.an_officer(session).id,
        school_id=agreement.school_id,
        day=VISIT,
        part=Part.MORNING,
        line_id=line_id,
        by=by,
        at=as_at(FIRST),
    )
    given = [
        ActivityDone("work", Family.CASEWORK, Minutes(200)),
        ActivityDone("report", Family.CASEWORK, Minutes(40)),
    ]
    log_delivery(session, visit.id, activities=given, by=by, at=as_at(VISIT))
    figures = balances(session, agreement_id=agreement_id)[0].figures
    told["minutes after 3 h 20 + 40 min"] = figures.balance.minutes
    entries = session.scalars(select(LedgerEntry.minutes).order_by(LedgerEntry.id))
    assert [minutes.minutes for minutes in entries] == [4320, -240]


def _is_billed(database: Database, by: Actor, told: dict[str, object]) -> None:
    """Three instalments in two runs, one of them run twice; then a day that the service could not give."""
    with database.reading() as session:
        assert preview_run(session, FIRST).issued == 1
    first = run(database, as_at=FIRST, by=by, at=as_at(FIRST))
    told["first run"] = [f"{one.number} {_sum(one.net, one.vat, one.gross)}" for one in first.documents]
    again = run(database, as_at=FIRST, by=by, at=as_at(FIRST))
    told["the same run again"] = (again.issued, again.already)
    second = run(database, as_at=SECOND_RUN, by=by, at=as_at(SECOND_RUN))
    told["second run"] = [f"{one.number} {_sum(one.net, one.vat, one.gross)}" for one in second.documents]
    with database.transaction() as session:
        invoice = session.scalars(select(Document).where(Document.number == first.documents[0].number)).one()
        credit = issue_credit_note(
            session,
            invoice.id,
            amounts={1: Money.parse("368.00")},
            reason="The officer was ill and the day could not be given again.",
            by=by,
            at=as_at(CREDITED),
        )
        told["credit"] = _sum(credit.net, credit.vat, credit.gross)


def _says_what_is_stored(session: Session, archive: Archive) -> None:
    """Every printed document says the stored figures, none computed again (M2)."""
    query = select(Document, DocumentFile).join(DocumentFile, DocumentFile.document_id == Document.id)
    for document, file in session.execute(query):
        pages = PdfReader(io.BytesIO(archive.read(file.path, file.sha256))).pages
        text = " ".join(" ".join(page.extract_text() for page in pages).split())
        for figure in (document.net, document.vat, document.gross):
            assert pounds(figure) in text, f"{document.number} does not say {pounds(figure)}"
        assert document.number in text
        assert "Woolwich Polytechnic School" in text


def _is_handed_over(session: Session, by: Actor, told: dict[str, object]) -> None:
    """One frozen file for the finance system, with the same figures in it."""
    batch = make_batch(session, "sage50", by=by, at=as_at(CREDITED))
    told["exported"] = (batch.count, str(batch.net), str(batch.vat), str(batch.gross))
    content = bytes(batch.content)
    assert sha256(content) == batch.sha256
    rows = csv.DictReader(io.StringIO(content.decode(batch.layout["encoding"]), newline=""))
    told["rows of the export"] = [f"{row['Type']} {row['Net Amount']} {row['Tax Amount']}" for row in rows]


def _sum(net: Money, vat: Money, gross: Money) -> str:
    return f"{net} + {vat} = {gross}"
