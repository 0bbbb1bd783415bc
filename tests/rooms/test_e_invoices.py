"""Electronic invoices in the books: chosen at issue, made once from the stored figures, kept, never changed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DatabaseError

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.commands.e_invoices import AddressChanged, set_electronic_address
from sla_manager.billing.e_invoices import make_e_invoice, make_waiting_e_invoices
from sla_manager.billing.models import Document, DocumentFile, EInvoice, FinancePolicy
from sla_manager.billing.prints import print_documents
from sla_manager.billing.queries.e_invoices import form_of, waiting_e_invoices
from sla_manager.billing.rules.e_invoices import ElectronicInvoiceIncomplete, NotAnElectronicInvoice
from sla_manager.config import ROOT
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.e_invoices import read
from sla_manager.gateways.printing import PrinterHere, PrintingFailed, print_document
from sla_manager.kernel.money import Money
from sla_manager.people.models import Provider
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.reports.integrity import file_problems
from sla_manager.store.database import Database
from tests.conftest import NOON
from tests.rooms import owing

BY = owing.BY


def choose(database: Database, form: str, *, endpoint: str = "GB123456789") -> None:
    """Let the council choose how its invoices leave electronically."""
    with database.transaction() as session:
        session.merge(
            FinancePolicy(
                id=1, purchase_order_from=None, reminder_days=[], late_payment=False, e_invoice=form,
                endpoint_scheme="9932" if endpoint else "", endpoint_id=endpoint, changed_at=NOON, changed_by="Test",
            )
        )  # fmt: skip
        council = session.get_one(Provider, 1)
        council.vat_number, council.bank_sort_code, council.bank_account = (
            "GB123456789",
            "00-00-00",
            "00000000",
        )


def address(database: Database, customer_id: int, *, version: int = 0, gln: str = "5060012340001") -> None:
    """Enter where a customer takes electronic invoices."""
    with database.transaction() as session:
        set_electronic_address(
            session, customer_id, scheme="0088", identifier=gln, buyer_reference="FINANCE",
            expected_version=version, by=BY, at=NOON,
        )  # fmt: skip


def only(database: Database) -> Document:
    """Return the one document there is."""
    (document,) = owing.documents(database)
    return document


def test_m2_three_at_ten_pounds_one_leaves_with_the_stored_amounts(
    database: Database, tmp_path: Path
) -> None:
    owing.agree(database, offers=[("10.01", "3")], schedule=Schedule.SINGLE)
    choose(database, "xml")
    owing.run_on(database, owing.FIRST)
    document = only(database)
    assert owing.sums(document) == ("30.03", "6.01", "36.04")
    archive = Archive(tmp_path)
    assert form_of_document(database, document.id) == "xml"
    assert make_waiting_e_invoices(database, archive=archive, at=NOON).made == 0
    address(database, document.customer_id)
    assert make_waiting_e_invoices(database, archive=archive, at=NOON).made == 1
    assert make_waiting_e_invoices(database, archive=archive, at=NOON).made == 0
    with database.reading() as session:
        kept = session.scalars(select(EInvoice)).one()
        assert waiting_e_invoices(session) == (0, [])
    figures = read(archive.read(kept.path, kept.sha256))
    assert (figures.number, figures.without_vat, figures.vat, figures.due) == (
        document.number, "30.03", "6.01", "36.04",
    )  # fmt: skip
    with database.reading() as session:
        assert list(file_problems(session, archive)) == []
        (tmp_path / kept.path).unlink()
        assert [one.about for one in file_problems(session, archive)] == [document.number]


def form_of_document(database: Database, document_id: int) -> str:
    """Return what was chosen at issue."""
    with database.reading() as session:
        return form_of(session, document_id)


def test_the_choice_is_frozen_at_issue_and_a_made_file_never_changes(
    database: Database, tmp_path: Path
) -> None:
    owing.agree(database)
    choose(database, "none")
    owing.run_on(database, owing.FIRST)
    choose(database, "hybrid")
    owing.run_on(database, owing.SECOND)
    choose(database, "none")
    first, second = owing.documents(database)
    assert [form_of_document(database, one.id) for one in (first, second)] == ["none", "hybrid"]
    address(database, first.customer_id)
    archive = Archive(tmp_path)
    made = make_e_invoice(database, first.id, archive=archive, by=BY, at=NOON)
    address(database, first.customer_id, version=1, gln="5060012340018")
    again = make_e_invoice(database, first.id, archive=archive, by=BY, at=NOON)
    assert (again.id, again.sha256) == (made.id, made.sha256)
    with pytest.raises(DatabaseError), database.transaction() as session:
        session.execute(update(EInvoice).values(sha256="0" * 64))
    with pytest.raises(AddressChanged):
        address(database, first.customer_id, version=1)


def test_m3_a_credit_note_names_its_invoice_and_says_what_it_takes_back(
    database: Database, tmp_path: Path
) -> None:
    owing.agree(database, offers=[("415.25", "0.5")], schedule=Schedule.SINGLE)
    choose(database, "none")
    owing.run_on(database, owing.FIRST)
    invoice = only(database)
    with database.transaction() as session:
        credit = issue_credit_note(
            session, invoice.id, amounts={1: Money(207_63)}, reason="Officer was ill", by=BY, at=NOON
        )
    assert credit.id is not None
    address(database, invoice.customer_id)
    kept = make_e_invoice(database, credit.id, archive=Archive(tmp_path), by=BY, at=NOON)
    figures = read(Archive(tmp_path).read(kept.path, kept.sha256))
    assert (figures.kind, figures.without_vat, figures.vat, figures.due) == (
        "381",
        "207.63",
        "41.53",
        "249.16",
    )
    assert figures.preceding == ((invoice.number, invoice.issued_on.isoformat()),)


def test_a_recharge_never_leaves_and_what_is_missing_is_named(database: Database, tmp_path: Path) -> None:
    owing.agree(database, customer_class=CustomerClass.OWN_MAINTAINED)
    choose(database, "xml", endpoint="")
    owing.run_on(database, owing.FIRST)
    recharge = only(database)
    assert form_of_document(database, recharge.id) == "none"
    with pytest.raises(NotAnElectronicInvoice):
        make_e_invoice(database, recharge.id, archive=Archive(tmp_path), by=BY, at=NOON)
    (other,) = owing.agree_many(database, 1)
    owing.run_on(database, owing.FIRST)
    invoice = owing.documents(database)[-1]
    assert (invoice.agreement_id, invoice.kind.value) == (other, "invoice")
    with pytest.raises(ElectronicInvoiceIncomplete, match="How we ask for money") as refused:
        make_e_invoice(database, invoice.id, archive=Archive(tmp_path), by=BY, at=NOON)
    assert [one.term for one in refused.value.missing] == ["BT-34", "BT-49", "BT-10"]


def test_two_who_make_the_same_file_at_once_leave_one(database: Database, tmp_path: Path) -> None:
    owing.agree(database)
    choose(database, "xml")
    owing.run_on(database, owing.FIRST)
    document = only(database)
    address(database, document.customer_id)
    together, made = threading.Barrier(2), []

    class Slow(Archive):
        def keep(self, **what: object) -> object:  # type: ignore[override]
            together.wait(timeout=10)
            return super().keep(**what)  # type: ignore[arg-type]

    def make() -> None:
        made.append(make_e_invoice(database, document.id, archive=Slow(tmp_path), by=BY, at=NOON).id)

    hands = [threading.Thread(target=make) for _ in range(2)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert len(made) == 2
    assert len(set(made)) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(EInvoice)) == 1
    assert document.issued_on == date(2025, 10, 14)


def hybrid_world(database: Database) -> Document:
    """Issue one invoice that is to be a hybrid."""
    owing.agree(database)
    choose(database, "hybrid")
    owing.run_on(database, owing.FIRST)
    return only(database)


def test_a_hybrid_is_a_tagged_pdf_a3_that_carries_the_stored_figures(
    sqlite: Database, tmp_path: Path
) -> None:
    document, archive = hybrid_world(sqlite), Archive(tmp_path)
    done = print_documents(sqlite, archive=archive, printer=PrinterHere(ROOT / "templates"), at=NOON, hands=2)
    assert (done.printed, done.reasons, done.without_xml) == (1, [], [])
    with sqlite.reading() as session:
        file, kept = session.scalars(select(DocumentFile)).one(), session.scalars(select(EInvoice)).one()
    content = archive.read(file.path, file.sha256)
    root = pypdf.PdfReader(BytesIO(content)).trailer["/Root"]
    carried = root["/AF"][0].get_object()
    assert (carried["/F"], carried["/AFRelationship"]) == ("factur-x.xml", "/Alternative")
    assert carried["/EF"]["/F"]["/Subtype"] == "/text/xml"
    assert root["/MarkInfo"]["/Marked"].value is True
    said = root["/Metadata"].get_object().get_data().decode()
    assert said.count("<rdf:RDF") == 1
    for claim in ('pdfaid:part="3"', 'pdfaid:conformance="A"', "<pdfuaid:part>1<", ">EN 16931<"):
        assert claim in said
    xml = carried["/EF"]["/F"].get_object().get_data()
    assert (kept.syntax, xml) == ("cii", archive.read(kept.path, kept.sha256))
    figures = read(xml)
    assert (figures.number, figures.due) == (document.number, str(document.gross))
    again = print_document("invoice", document.facts, templates=ROOT / "templates", xml=xml)
    assert again == content


def test_a_hybrid_that_lacks_something_is_printed_without_its_xml_and_says_why(
    sqlite: Database, tmp_path: Path
) -> None:
    owing.agree(sqlite)
    choose(sqlite, "hybrid")
    with sqlite.transaction() as session:
        session.get_one(Provider, 1).vat_number = ""
    owing.run_on(sqlite, owing.FIRST)
    done = print_documents(sqlite, archive=Archive(tmp_path), printer=Press(), at=NOON)
    assert done.printed == 1
    assert "issued without the council's VAT number" in done.without_xml[0]


class Press:
    """Prints a page that names its document; what it is told to break breaks, and it stops when told to."""

    def __init__(self, *, breaks: str = "", stops_at: int = 0) -> None:
        self.breaks, self.stops_at, self.printed = breaks, stops_at, 0

    def print(self, kind: str, facts: Mapping[str, object], xml: bytes = b"") -> bytes:
        if facts["number"] == self.breaks:
            raise PrintingFailed(f"{kind} could not be printed: its font is missing.")
        self.printed += 1
        if self.stops_at and self.printed > self.stops_at:
            raise KeyboardInterrupt
        return f"%PDF {kind} {facts['number']}".encode() + xml


def test_a_failing_print_says_why_and_does_not_hold_up_the_others(database: Database, tmp_path: Path) -> None:
    owing.agree_many(database, 3)
    owing.run_on(database, owing.FIRST)
    first, *_ = owing.documents(database)
    archive, told = Archive(tmp_path), []
    done = print_documents(
        database, archive=archive, printer=Press(breaks=first.number), at=NOON, hands=2, told=told.append
    )
    assert (done.printed, told) == (2, [2])
    assert done.reasons == [f"{first.number}: invoice could not be printed: its font is missing."]
    assert print_documents(database, archive=archive, printer=Press(), at=NOON).printed == 1


def test_n8_a_round_that_was_stopped_goes_on_with_what_has_no_file(sqlite: Database, tmp_path: Path) -> None:
    owing.agree_many(sqlite, 5)
    owing.run_on(sqlite, owing.FIRST)
    archive, after = Archive(tmp_path), Press()
    with pytest.raises(KeyboardInterrupt):
        print_documents(sqlite, archive=archive, printer=Press(stops_at=2), at=NOON)
    done = print_documents(sqlite, archive=archive, printer=after, at=NOON)
    with sqlite.reading() as session:
        assert session.scalar(select(func.count()).select_from(DocumentFile)) == 5
    assert 0 < done.printed == after.printed <= 5
    assert len(list(tmp_path.rglob("*.pdf"))) == 5
