"""The agreement's document: what it says, frozen and printed once, whatever crashes or runs at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from sla_manager.agreements.commands import LineWanted
from sla_manager.agreements.documents import print_version, print_waiting_agreements
from sla_manager.agreements.documents.prints import NotAllPrinted
from sla_manager.agreements.models import AgreementFile, AgreementVersion
from sla_manager.agreements.queries import latest_version, version_files, versions
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.catalogue.commands import load_preset, set_price
from sla_manager.catalogue.queries import core_offer, offerings
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.patterns import Every, VisitPattern
from sla_manager.catalogue.rules.presets import preset_names, read_preset
from sla_manager.config import ROOT
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import PrinterHere, PrintingFailed
from sla_manager.gateways.printing.reading import read_facts
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.people.models import Customer
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests.builders import (
    a_core_offering,
    a_school,
    a_service,
    a_trust,
    an_offering,
    an_officer,
    terms,
)
from tests.rooms.selling import agreed, quote


class Reading:
    """A printer that reads the facts as the real one does, and writes down how often it was asked."""

    def __init__(self, *, fails_on: str = "") -> None:
        self.printed: list[str] = []
        self.fails_on = fails_on

    def print(self, kind: str, facts: Mapping[str, object]) -> bytes:
        """Return bytes that follow from the facts alone."""
        read_facts(kind, facts)
        if self.fails_on and self.fails_on == facts["reference"]:
            raise PrintingFailed("The paper is stuck.")
        self.printed.append(str(facts["reference"]))
        return b"%PDF " + canonical_json(facts)


def test_the_facts_say_what_is_free_what_is_bought_and_what_it_costs(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        terms(session)
        a_core_offering(session, activities=["A meeting every term"])
        school = a_school(session, customer_class=CustomerClass.ACADEMY, name="Brightwater Academy")
        school.link_officer_id = an_officer(session).id
        made = agreed(session, by, at, school=school)
        facts = latest_version(session, made.id).facts
    assert facts["title"] == "Contract for services"
    assert facts["stage"] == "agreement"
    free = facts["core_offer"][0]["items"][0]
    assert (free["name"], free["points"]) == ("Targeting support meeting", ["A meeting every term"])
    assert [(one["quantity"], one["unit_price"], one["net"]) for one in facts["bought"]] == [
        ("12", "368.00", "4416.00")
    ]
    assert facts["link_officer"]["name"] == "Asha Okafor"
    assert [one["gross"] for one in facts["costs"]["schedule"]] == ["1766.40"] * 3
    assert facts["acceptance"]["role"] == "School business manager"
    assert facts["cancellation_bands"][0] == {
        "notice": "Fewer than 5 clear working days", "charge": "100 per cent of the booked time",
    }  # fmt: skip
    assert "never carried" in " ".join(facts["no_carry_forward"])
    assert [one["year"] for one in facts["tranches"]] == ["2025-26"]


@pytest.mark.parametrize(
    ("customer_class", "title"),
    [
        (CustomerClass.OWN_MAINTAINED, "Service level agreement"),
        (CustomerClass.VOLUNTARY_AIDED, "Service level agreement"),
        (CustomerClass.ACADEMY, "Contract for services"),
        (CustomerClass.INDEPENDENT, "Contract for services"),
        (CustomerClass.OUT_OF_AREA_MAINTAINED, "Contract for services"),
        (CustomerClass.OTHER, "Contract for services"),
    ],
)
def test_the_title_follows_who_the_customer_is(
    database: Database, by: Actor, at: datetime, customer_class: CustomerClass, title: str
) -> None:
    with database.transaction() as session:
        facts = latest_version(session, quote(session, by, at, customer_class=customer_class).id).facts
        assert facts["title"] == title
        assert facts["costs"]["shows_vat"] is (title == "Contract for services")


@pytest.mark.parametrize("name", [name for name in preset_names() if read_preset(name).chargeable])
def test_every_preset_makes_a_document_that_can_be_printed(
    sqlite: Database, by: Actor, at: datetime, name: str, tmp_path: Path
) -> None:
    preset = read_preset(name)
    with sqlite.transaction() as session:
        terms(session)
        service = a_service(session)
        load_preset(session, preset, service_id=service.id, by=by, at=at)
        sold = next(
            one
            for one in offerings(session, service.id, date(2025, 10, 14))
            if one.family is not Family.CORE
            and (not one.customer_classes or CustomerClass.ACADEMY in one.customer_classes)
            and one.minimum_per_week is None
        )
        if not any(price.offering == sold.code for price in preset.prices):
            set_price(
                session, sold.id, CustomerClass.ACADEMY, unit_price=Money(50_00), starts_on=date(2025, 4, 1), by=by,
                at=at,
            )  # fmt: skip
        phase = sold.phases[0] if sold.phases else "Secondary"
        school = a_school(session, customer_class=CustomerClass.ACADEMY, phase=phase)
        made = agreed(
            session,
            by,
            at,
            school=school,
            offering=sold,
            quantity=str(sold.minimum),
            schedule=Schedule.SINGLE,
        )
        facts = latest_version(session, made.id).facts
        free = core_offer(session, service.id, date(2025, 10, 14))
    assert sum(len(duty["items"]) for duty in facts["core_offer"]) >= len(free) > 0
    assert len(facts["we_will"]) + len(facts["you_will"]) == len(preset.obligations)
    assert (
        print_waiting_agreements(
            sqlite, archive=Archive(tmp_path / "a"), printer=PrinterHere(ROOT / "templates"), at=at
        )
        == 1
    )


def test_an_agreement_is_printed_once_and_a_quote_only_when_asked_for(
    database: Database, by: Actor, at: datetime, tmp_path: Path
) -> None:
    archive, printer = Archive(tmp_path / "archive"), Reading()
    with database.transaction() as session:
        made = agreed(session, by, at)
    assert print_waiting_agreements(database, archive=archive, printer=printer, at=at) == 1
    assert print_waiting_agreements(database, archive=archive, printer=printer, at=at) == 0
    assert printer.printed == [made.reference]
    with database.reading() as session:
        quoted, signed = versions(session, made.id)
        files = version_files(session, made.id)
        assert set(files) == {signed.id}
        content = archive.read(files[signed.id].path, files[signed.id].sha256)
        assert sha256(content) == files[signed.id].sha256
        assert files[signed.id].path == "2025-26/EWS-SLA-25-26-000001-v2.pdf"
    first = print_version(database, quoted.id, archive=archive, printer=printer, at=at)
    assert print_version(database, quoted.id, archive=archive, printer=printer, at=at).id == first.id


def test_a_crash_between_the_file_and_its_note_is_made_good(
    database: Database, by: Actor, at: datetime, tmp_path: Path
) -> None:
    archive, printer = Archive(tmp_path / "archive"), Reading()
    with database.transaction() as session:
        version = latest_version(session, agreed(session, by, at).id)
    name = "EWS-SLA-25-26-000001-v2.pdf"
    archive.keep(year="2025-26", name=name, content=printer.print("agreement", version.facts))
    assert print_waiting_agreements(database, archive=archive, printer=printer, at=at) == 1
    assert [path.name for path in (tmp_path / "archive" / "2025-26").iterdir()] == [name]


def test_two_printers_at_once_leave_one_file(
    database: Database, by: Actor, at: datetime, tmp_path: Path
) -> None:
    archive, printer = Archive(tmp_path / "archive"), Reading()
    with database.transaction() as session:
        version = latest_version(session, agreed(session, by, at).id)

    def go(_worker: int) -> int:
        return print_version(database, version.id, archive=archive, printer=printer, at=at).id

    with ThreadPoolExecutor(4) as workers:
        assert len(set(workers.map(go, range(4)))) == 1
    with database.reading() as session:
        assert len(session.scalars(select(AgreementFile)).all()) == 1


def test_one_that_cannot_be_printed_does_not_stop_the_others(
    database: Database, by: Actor, at: datetime, tmp_path: Path
) -> None:
    archive = Archive(tmp_path / "archive")
    with database.transaction() as session:
        stuck, other = agreed(session, by, at), agreed(session, by, at)
    printer = Reading(fails_on=stuck.reference)
    with pytest.raises(NotAllPrinted, match="1 agreements printed, 1 not"):
        print_waiting_agreements(database, archive=archive, printer=printer, at=at)
    assert printer.printed == [other.reference]
    printer.fails_on = ""
    assert print_waiting_agreements(database, archive=archive, printer=printer, at=at) == 1
    with database.reading() as session:
        assert len(session.scalars(select(AgreementFile)).all()) == 2


def test_every_frozen_text_has_the_hash_of_its_facts(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        agreed(session, by, at)
    with database.reading() as session:
        frozen = session.scalars(select(AgreementVersion)).all()
        assert [one.kind for one in frozen] == ["quote", "agreement"]
        assert all(one.sha256 == sha256(canonical_json(one.facts)) for one in frozen)


def test_the_document_says_how_each_price_comes_about_and_how_it_ends_and_renews(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at, notice_months=3, renews=True)
        facts = latest_version(session, made.id).facts
        plain_one = latest_version(session, agreed(session, by, at).id).facts
    assert "12 days × £368.00 = £4,416.00" in facts["bought"][0]["explanation"]
    assert facts["notice"] == [
        "Either side may end this agreement early by giving 3 months’ notice in writing.",
        "It renews for a further year unless one side gives notice in time.",
    ]
    assert plain_one["notice"] == [
        "This agreement runs to its last day. It ends earlier only when both sides consent.",
        "It does not renew by itself.",
    ]
    assert (facts["agreed_on"], facts["parties"]) == ("2025-10-14", [])


def test_a_trust_that_pays_is_named_beside_the_school(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        trust = a_trust(session)
        school = a_school(session, customer_class=CustomerClass.ACADEMY, name="Quay Academy", trust=trust)
        payer = session.scalars(select(Customer).where(Customer.trust_id == trust.id)).one()
        facts = latest_version(session, quote(session, by, at, school=school, payer_id=payer.id).id).facts
    assert facts["customer"]["name"] == "Brightwater Learning Trust"
    assert facts["schools"] == ["Quay Academy"]
    assert facts["parties"][0].startswith("Brightwater Learning Trust pays for Quay Academy")


def test_a_weekly_pattern_stands_in_the_delivery_schedule(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        hour = an_offering(
            session, "33.00", code="HOUR", unit="hour", unit_minutes=60, step="0.05", minimum="0.05"
        )
        pattern = VisitPattern(Every.FORTNIGHT, Decimal("1.85"), 39)
        lines = [LineWanted(hour.id, Decimal("72.15"), pattern=pattern)]
        whole_year = quote(session, by, at, lines=lines, starts_on=date(2025, 4, 1))
        facts = latest_version(session, whole_year.id).facts
    assert facts["delivery"][0]["when"] == "Every fortnight, 1 April 2025 to 31 March 2026"
    assert facts["delivery"][0]["length"] == "19 visits of 3 hours 42 minutes, and 1 hour 51 minutes"


def test_a_text_that_was_frozen_before_these_parts_existed_is_printed_as_it_was(
    sqlite: Database, by: Actor, at: datetime
) -> None:
    with sqlite.transaction() as session:
        facts = latest_version(session, agreed(session, by, at, notice_months=3).id).facts
    older = {key: value for key, value in facts.items() if key not in ("parties", "notice", "agreed_on")}
    newer_parts = ("explanation", "package", "discount")
    older["bought"] = [
        {key: value for key, value in line.items() if key not in newer_parts} for line in facts["bought"]
    ]
    printer = PrinterHere(ROOT / "templates")
    now, then = (_text(printer.print("agreement", one)) for one in (facts, older))
    for new in ("Notice and renewal", "12 days × £368.00", "Agreed for Aldermere Council"):
        assert new in now
        assert new not in then
    assert "Education welfare officer, day" in then
    assert "Document accepted" in then


def _text(content: bytes) -> str:
    return " ".join("\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages).split())
