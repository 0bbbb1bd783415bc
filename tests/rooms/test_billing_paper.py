"""What is issued comes out of the press with the stored figures, and further worked numbers of the domain."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from sla_manager.agreements.commands import vary_line
from sla_manager.agreements.models import AgreementLine, Tranche
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import credit_lost_time, issue_credit_note
from sla_manager.billing.models import DocumentFile
from sla_manager.billing.prints import print_waiting
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.config import ROOT
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import PrinterHere
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from tests.builders import an_offering
from tests.conftest import NOON
from tests.rooms.owing import BY, FIRST, SECOND, agree, documents, run_on, sums

MARCH = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def words(content: bytes) -> str:
    """Return the text of a PDF in one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def line_of(database: Database, agreement_id: int) -> tuple[AgreementLine, Tranche]:
    """Return an agreement's only line and tranche."""
    with database.reading() as session:
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == agreement_id)).one()
        return line, session.scalars(select(Tranche).where(Tranche.line_id == line.id)).one()


def test_m2_every_kind_of_document_prints_its_stored_figures(sqlite: Database, tmp_path: Path) -> None:
    agree(sqlite, offers=[("10.01", "1")] * 3, schedule=Schedule.SINGLE)
    agree(sqlite, customer_class=CustomerClass.OWN_MAINTAINED, schedule=Schedule.SINGLE)
    run_on(sqlite, FIRST)
    for one in documents(sqlite):
        with sqlite.transaction() as session:
            issue_credit_note(
                session, one.id, amounts={1: Money(5_00)}, reason="Agreed back", by=BY, at=MARCH
            )
    archive = Archive(tmp_path)
    assert print_waiting(sqlite, archive=archive, printer=PrinterHere(ROOT / "templates"), at=NOON) == 4
    shown = {DocumentKind.INVOICE: "£36.04", DocumentKind.RECHARGE_NOTE: "£4,416.00",
             DocumentKind.CREDIT_NOTE: "6.00", DocumentKind.RECHARGE_CREDIT: "5.00"}  # fmt: skip
    assert str(documents(sqlite)[0].gross) == "36.04"
    for one in documents(sqlite):
        with sqlite.reading() as session:
            file = session.scalars(select(DocumentFile).where(DocumentFile.document_id == one.id)).one()
        text = words(archive.read(file.path, file.sha256))
        assert one.number in text
        assert shown[one.kind] in text
        assert one.number.replace("/", "-") in file.path
        assert ("123456789" in text.replace(" ", "")) is (one.kind.route.value == "invoice")


def test_n6_printing_again_after_everything_changed_gives_the_same_bytes(
    sqlite: Database, tmp_path: Path
) -> None:
    agree(sqlite)
    run_on(sqlite, FIRST)
    (one,) = documents(sqlite)
    printer = PrinterHere(ROOT / "templates")
    first = printer.print(one.kind.printed_as, one.facts)
    print_waiting(sqlite, archive=Archive(tmp_path), printer=printer, at=NOON)
    with sqlite.reading() as session:
        file = session.scalars(select(DocumentFile)).one()
    assert Archive(tmp_path).read(file.path, file.sha256) == first
    assert printer.print(one.kind.printed_as, documents(sqlite)[0].facts) == first


def test_39_weeks_of_7_4_hours_at_33_pounds_for_an_academy(database: Database) -> None:
    with database.transaction() as session:
        hours = an_offering(
            session, "33.00", code="HOUR", name="Hours", unit="hour", unit_minutes=60, step="0.1"
        )
    agree(database, offering=hours, quantity="288.6", schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    assert sums(documents(database)[0]) == ("9523.80", "1904.76", "11428.56")


@pytest.mark.parametrize(
    ("taken", "figures"),
    [("-4", ("-1472.00", "-294.40", "-1766.40")), ("-2", ("-736.00", "-147.20", "-883.20"))],
)
def test_an_early_end_credits_what_is_not_payable(
    database: Database, taken: str, figures: tuple[str, str, str]
) -> None:
    agreement = agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    line, _ = line_of(database, agreement.id)
    with database.transaction() as session:
        vary_line(
            session, line.id, quantity=Decimal(taken), effective_on=SECOND, reason="Ended early", by=BY,
            at=as_at(SECOND),
        )  # fmt: skip
    run_on(database, SECOND)
    assert sums(documents(database)[-1]) == figures


def test_a_whole_day_lost_to_sickness_of_twelve_invoiced_is_441_60(database: Database) -> None:
    agreement = agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    _, tranche = line_of(database, agreement.id)
    with database.transaction() as session:
        credit_lost_time(
            session,
            tranche.id,
            Minutes(444),
            decided_on=date(2026, 3, 10),
            reason="Officer ill",
            by=BY,
            at=MARCH,
        )
    assert sums(documents(database)[-1]) == ("-368.00", "-73.60", "-441.60")
