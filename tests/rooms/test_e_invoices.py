"""Electronic invoices in the books: chosen at issue, made once from the stored figures, kept, never changed."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DatabaseError

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.commands.e_invoices import AddressChanged, set_electronic_address
from sla_manager.billing.e_invoices import make_e_invoice, make_waiting_e_invoices
from sla_manager.billing.models import Document, EInvoice, FinancePolicy
from sla_manager.billing.queries.e_invoices import form_of, waiting_e_invoices
from sla_manager.billing.rules.e_invoices import ElectronicInvoiceIncomplete, NotAnElectronicInvoice
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.e_invoices import read
from sla_manager.kernel.money import Money
from sla_manager.people.models import Provider
from sla_manager.people.rules.customer_classes import CustomerClass
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
    with pytest.raises(ElectronicInvoiceIncomplete, match="finance settings") as refused:
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
