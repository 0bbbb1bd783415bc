"""Papers: frozen once, printed like agreements, and sent with the signed copy by one mail."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import accept_order
from sla_manager.agreements.documents import (
    freeze_paper,
    post_signed_copies,
    print_waiting_agreements,
    print_waiting_papers,
)
from sla_manager.agreements.documents.certificates import certificate_key
from sla_manager.agreements.models import Agreement, Paper, PaperFile
from sla_manager.agreements.queries import acceptance_of
from sla_manager.agreements.queries.papers import paper_by_key, paper_of_school, papers_of_agreement
from sla_manager.config import ROOT
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.mail import Mail
from sla_manager.gateways.printing import PrinterHere, PrintingFailed
from sla_manager.gateways.printing.facts import plain
from sla_manager.gateways.printing.letter_facts import (
    LETTER_KINDS,
    LetterFacts,
    LetterRow,
    LetterSection,
    LetterTable,
    Signature,
)
from sla_manager.gateways.printing.press import Press
from sla_manager.jobs.outbox import send_outbox
from sla_manager.kernel.errors import GatewayFailed, NotFound
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests import builders
from tests.rooms import selling
from tests.rooms.printed_samples import ACADEMY, COUNCIL, FINANCE_DESK


class Paperless:
    """Prints what it is given as text, and fails for what it is told to."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails

    def print(self, kind: str, facts: Mapping[str, object]) -> bytes:
        if self.fails and self.fails in str(facts):
            raise PrintingFailed("It jammed.")
        return b"%PDF-1.7 " + kind.encode() + canonical_json(dict(facts))


def letter(**more: object) -> LetterFacts:
    facts: dict[str, object] = {
        "kind": "certificate",
        "heading": "Certificate of acceptance",
        "reference": "EWS-SLA/25-26/000001",
        "dated": "2025-10-14",
        "supplier": COUNCIL,
        "customer": ACADEMY,
        "school": "Brightwater Academy",
        "salutation": "Dear colleague,",
        "paragraphs": ("This certifies <b>something</b>.",),
        "glance": (LetterRow(label="Net", value="£4,416.00"),),
        "sections": (
            LetterSection(
                heading="What it comes to",
                paragraphs=("As agreed.",),
                points=("One point",),
                rows=(LetterRow(label="Hash", value="ab" * 32, is_code=True),),
                table=LetterTable(
                    caption="Charges",
                    columns=("Document", "Net"),
                    amounts=(False, True),
                    rows=(("Invoice 1 of 3", "£1,472.00"),),
                    last_row=("All documents", "£4,416.00"),
                ),
            ),
        ),
        "closing": ("Yours sincerely",),
        "signatures": (Signature(name="Asha Okafor", role="Head", rows=()),),
        "questions": FINANCE_DESK,
    }
    return LetterFacts(**(facts | more))  # type: ignore[arg-type]  # a test's own words


def agree(session: Session, by: Actor, at: datetime, name: str = "Ada Alder") -> Agreement:
    school = builders.a_school(session)
    manager = selling.manager_of(
        session, school, name=name, email=f"{name.split()[0].lower()}@school.example"
    )
    quoted = selling.quote(session, by, at, school=school)
    selling.order(session, quoted, selling.acting(manager), at)

    return accept_order(session, quoted.id, by=Actor(None, "Robin Vale"), at=at + timedelta(hours=1))


def test_a_paper_is_frozen_once_under_its_key(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        school = builders.a_school(session)
        facts = plain(letter())
        first = freeze_paper(session, "k:1", kind="certificate", facts=facts, school_id=school.id, at=at)
        other = plain(letter(heading="Another"))
        again = freeze_paper(session, "k:1", kind="certificate", facts=other, school_id=school.id, at=at)
        assert again.id == first.id
        assert again.sha256 == sha256(canonical_json(facts))
        with pytest.raises(NotFound):
            paper_of_school(session, first.id, school_id=builders.a_school(session).id)
    for change in ("kind", "facts"):
        with pytest.raises(IntegrityError, match="append_only_paper"), database.transaction() as session:
            setattr(session.get_one(Paper, first.id), change, "x")


def test_papers_that_wait_are_printed_once_and_one_that_fails_stops_no_other(
    database: Database, at: datetime, tmp_path: Path
) -> None:
    with database.transaction() as session:
        school = builders.a_school(session)
        for name in ("one", "two", "three"):
            facts = plain(letter(heading=name))
            freeze_paper(session, name, kind="certificate", facts=facts, school_id=school.id, at=at)
    archive = Archive(tmp_path)
    with pytest.raises(GatewayFailed, match="2 papers printed, 1 not"):
        print_waiting_papers(database, archive=archive, printer=Paperless("two"), at=at)
    assert print_waiting_papers(database, archive=archive, printer=Paperless(), at=at) == 1
    assert print_waiting_papers(database, archive=archive, printer=Paperless(), at=at) == 0
    with database.reading() as session:
        files = list(session.scalars(select(PaperFile).order_by(PaperFile.id)))
    assert {hashlib.sha256(archive.read(one.path, one.sha256)).hexdigest() for one in files} == {
        one.sha256 for one in files
    }
    assert len({one.path for one in files}) == 3


def test_c3_a_certificate_says_who_accepted_what_when_and_from_where(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        agreed = agree(session, by, at)
        paper = paper_by_key(session, certificate_key(agreed.id))
        accepted = acceptance_of(session, agreed.id)
        assert paper is not None
        assert accepted is not None
        said = str(paper.facts)
        for words in (
            "Ada Alder",
            "School business manager",
            accepted.statement,
            accepted.document_sha256,
            "203.0.113.7",
            "14 October 2025, 11:00:00 UTC",
            "14 October 2025, 12:00:00 BST",
            "Robin Vale",
            "14 October 2025, 13:00:00 BST",
        ):
            assert words in said
        assert [one.kind for one in papers_of_agreement(session, agreed.id)] == ["certificate"]


def test_the_signed_copy_goes_out_once_with_both_files_when_both_are_printed(
    database: Database, by: Actor, at: datetime, tmp_path: Path
) -> None:
    with database.transaction() as session:
        agreed = agree(session, by, at)
    archive = Archive(tmp_path)
    assert post_signed_copies(database, at=at) == 0
    print_waiting_agreements(database, archive=archive, printer=Paperless(), at=at)
    assert post_signed_copies(database, at=at) == 0
    print_waiting_papers(database, archive=archive, printer=Paperless(), at=at)
    assert (post_signed_copies(database, at=at), post_signed_copies(database, at=at)) == (1, 0)
    sent: list[Mail] = []
    send_outbox(database, send=sent.append, at=at, address="https://sla.example", archive=archive)
    mail = next(one for one in sent if one.key == f"signed:{agreed.id}")
    assert mail.recipient == "ada@school.example"
    name = agreed.reference.replace("/", "-")
    assert [one.filename for one in mail.attachments] == [f"{name}.pdf", f"{name}-certificate.pdf"]
    assert all(one.content.startswith(b"%PDF-1.7 ") for one in mail.attachments)
    assert f"https://sla.example/school/{agreed.school.urn}/agreements/{agreed.id}" in mail.body


def test_a_mail_whose_file_is_damaged_waits_with_the_reason(
    database: Database, by: Actor, at: datetime, tmp_path: Path
) -> None:
    with database.transaction() as session:
        agreed = agree(session, by, at)
    archive = Archive(tmp_path)
    print_waiting_agreements(database, archive=archive, printer=Paperless(), at=at)
    print_waiting_papers(database, archive=archive, printer=Paperless(), at=at)
    post_signed_copies(database, at=at)
    for file in tmp_path.glob("*/*certificate*.pdf"):
        file.chmod(0o600)
        file.write_bytes(b"%PDF-1.7 something else")
    sent: list[Mail] = []
    send_outbox(database, send=sent.append, at=at, archive=archive)
    assert f"signed:{agreed.id}" not in [one.key for one in sent]
    with database.reading() as session:
        key = OutboxMessage.key == f"signed:{agreed.id}"
        message = session.scalars(select(OutboxMessage).where(key)).one()
        assert "not what was kept" in str(message.last_error)
        assert session.scalar(select(func.count(OutboxMessage.id)).where(key)) == 1


@pytest.mark.parametrize("kind", LETTER_KINDS)
def test_every_kind_of_letter_prints_and_what_is_in_it_is_escaped(kind: str) -> None:
    press = Press(ROOT / "templates")
    page = press.page(kind, plain(letter(kind=kind)))
    for words in ("Certificate of acceptance", "£4,416.00", "Asha Okafor", "Charges", "&lt;b&gt;something"):
        assert words in page
    content = PrinterHere(ROOT / "templates").print(kind, plain(letter(kind=kind)))
    assert content.startswith(b"%PDF-")
