"""The proof pack of a school's year: whole, provable, the same bytes for the same books, and nobody's name in it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from sla_manager.agreements.documents import print_waiting_agreements
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.prints import print_waiting
from sla_manager.config import ROOT
from sla_manager.finance.commands import make_batch
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import PrintingUnavailable
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.payments.commands import record_receipt
from sla_manager.reports.errands import (
    CHECK_BOOKS,
    KEPT_FOR,
    PROOF_PACK,
    Workshop,
    do_waiting,
    pack_file,
    remove_old_packs,
)
from sla_manager.reports.proof_pack.making import proof_pack
from sla_manager.store.database import Database
from sla_manager.store.errands import Errand, ask, latest
from sla_manager.visits.commands import log_delivery
from tests import visiting
from tests.rooms.owing import BY, THIRD, agree_many, documents, run_on

AT = as_at(date(2026, 3, 5))
ONE = "documents/EWS-25-26-000001.pdf"


class Paper:
    """Prints what it is given, as text."""

    def print(self, kind: str, facts: Any, xml: bytes = b"") -> bytes:
        return f"%PDF {kind} ".encode() + canonical_json(dict(facts))


class NoPaper:
    """Cannot print."""

    def print(self, kind: str, facts: Any, xml: bytes = b"") -> bytes:
        raise PrintingUnavailable("There is no printing library.")


def a_year(database: Database, folder: Path) -> tuple[int, Archive]:
    """Fill a year of one school: visit, three invoices, a credit, a payment, a batch; and another school beside it."""
    with database.transaction() as session:
        scene = visiting.a_scene(session, quantity="12")
        visit = visiting.a_visit(session, scene)
        log_delivery(
            session, visit.id, activities=[visiting.worked(240), visiting.meeting(60)],
            note="Met the head, Wilhelmina Osgood", by=BY, at=as_at(visiting.TUESDAY),
        )  # fmt: skip
        school_id = scene.school.id
    agree_many(database, 1)
    run_on(database, THIRD)
    first = documents(database)[0]
    with database.transaction() as session:
        issue_credit_note(session, first.id, amounts={1: Money(184_00)}, reason="Ill", by=BY, at=AT)
        record_receipt(
            session, first.customer_id, amount=Money(1000_00), received_on=date(2026, 3, 4), method="cheque",
            reference="J Blenkinsop", allocations={first.id: Money(900_00)}, by=BY, at=AT,
        )  # fmt: skip
        make_batch(session, "plain", by=BY, at=AT)
    archive = Archive(folder / "invoices")
    print_waiting(database, archive=archive, printer=Paper(), at=AT)
    print_waiting_agreements(database, archive=archive, printer=Paper(), at=AT)
    return school_id, archive


def packed(database: Database, school_id: int, archive: Archive, printer: Any = None) -> bytes:
    """Return the pack of 2025-26."""
    with database.reading() as session:
        pieces = proof_pack(
            session,
            school_id,
            2025,
            archive=archive,
            printer=printer or Paper(),
            templates=ROOT / "templates",
        )
        return b"".join(pieces)


def opened(content: bytes) -> dict[str, bytes]:
    """Return the files of a pack."""
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        assert pack.testzip() is None
        return {one.filename: pack.read(one) for one in pack.infolist()}


def rows(content: bytes) -> list[dict[str, str]]:
    """Return the rows of a list."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_proof_pack_holds_the_whole_year_of_one_school_and_proves_itself(
    database: Database, tmp_path: Path
) -> None:
    school_id, archive = a_year(database, tmp_path)
    content = packed(database, school_id, archive)
    assert packed(database, school_id, archive) == content
    files = opened(content)
    sums = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    assert sums == {path: sha256(one) for path, one in files.items() if path != "SHA256SUMS"}
    manifest = json.loads(files["manifest.json"])
    assert {one["path"]: one["sha256"] for one in manifest["files"]} == {
        path: digest for path, digest in sums.items() if path != "manifest.json"
    }
    _tells_the_year(files)
    _names_nobody_but_who_signed(database, files)
    checked = json.loads(files["checks.json"])["checks"]
    assert [(one["count"], one["problems"]) for one in checked] == [
        (4, []),
        (2, []),
        (1, []),
        (4, []),
        (5, []),
    ]


def _tells_the_year(files: dict[str, bytes]) -> None:
    folder = "agreements/EWS-SLA-25-26-000001"
    accepted = json.loads(files[f"{folder}/acceptance.json"])
    signed = json.loads(files[f"{folder}/version-2-agreement.json"])
    assert accepted["role"] == "School business manager"
    assert "203.0.113.7" not in str(accepted)
    assert signed["reference"] == accepted["agreement"] == "EWS-SLA/25-26/000001"
    assert sha256(files[f"{folder}/version-1-quote.json"]) == accepted["document_sha256"]
    assert f"{folder}/statement-of-time.pdf" in files
    (visit,) = rows(files["visits.csv"])
    assert (visit["Free minutes given"], visit["Bought minutes given"], visit["Minutes taken off"]) == (
        "60",
        "240",
        "240",
    )
    listed = rows(files["documents.csv"])
    assert [one["Number"] for one in listed] == [
        "EWS/25-26/000001", "EWS/25-26/000003", "EWS/25-26/000005", "EWS-CN/25-26/000001",
    ]  # fmt: skip
    assert listed[0]["SHA-256 of the PDF"] == sha256(files[ONE])
    assert [one["Amount"] for one in rows(files["payments.csv"])] == ["900.00"]
    handed = rows(files["hand-over.csv"])
    assert {one["Batch"] for one in handed} == {"1"}
    assert len(handed) == 4
    page = files["index.html"].decode()
    assert "Everything in this pack is as it was issued." in page
    assert f'<a href="{ONE}">EWS/25-26/000001</a>' in page


def _names_nobody_but_who_signed(database: Database, files: dict[str, bytes]) -> None:
    with database.reading() as session:
        officer = session.scalar(text("SELECT name FROM officer"))
    said = b"".join(one for path, one in files.items() if not path.endswith(".pdf")).decode()
    assert officer
    for name in (officer, "Osgood", "Blenkinsop"):
        assert name not in said


def test_what_was_changed_by_hand_is_named_in_the_pack(sqlite: Database, tmp_path: Path) -> None:
    school_id, archive = a_year(sqlite, tmp_path)
    with sqlite.transaction() as session:
        session.execute(text("DROP TRIGGER document_no_update"))
        session.execute(text("UPDATE document SET purchase_order = 'x' WHERE id = 1"))
        session.execute(text("UPDATE document_balance SET open = open + 1 WHERE document_id = 1"))
    paper = next((tmp_path / "invoices").glob("*/EWS-25-26-000003.pdf"))
    paper.chmod(0o644)
    paper.write_bytes(b"%PDF other")
    files = opened(packed(sqlite, school_id, archive))
    found = {
        (problem["about"], problem["code"])
        for one in json.loads(files["checks.json"])["checks"]
        for problem in one["problems"]
    }
    assert found == {
        ("EWS/25-26/000001", "document_changed"),
        ("EWS/25-26/000001", "balance_off"),
        ("EWS/25-26/000003", "file_off"),
    }
    assert "documents/EWS-25-26-000003.pdf" not in files
    assert "must be looked at" in files["index.html"].decode()


def test_without_a_printer_the_pack_says_what_is_not_printed(sqlite: Database, tmp_path: Path) -> None:
    school_id, archive = a_year(sqlite, tmp_path)
    files = opened(packed(sqlite, school_id, archive, NoPaper()))
    assert not any(path.endswith("statement-of-time.pdf") for path in files)
    (missing,) = json.loads(files["manifest.json"])["not_printed"]
    assert missing.endswith(", statement of time")


def a_shop(database: Database, archive: Archive, tmp_path: Path, **more: Any) -> Workshop:
    """Return where errands are done."""
    return Workshop(
        database, archive, Paper(), ROOT / "templates", tmp_path / "packs", **({"at": AT} | more)
    )  # fmt: skip


def test_a_pack_that_was_asked_for_is_made_once_and_removed_later(database: Database, tmp_path: Path) -> None:
    school_id, archive = a_year(database, tmp_path)
    about, facts = f"{school_id}:2025", {"school_id": school_id, "year": 2025}
    for _ in range(2):
        with database.transaction() as session:
            ask(session, PROOF_PACK, about, facts=facts, by=BY, at=AT)
    assert do_waiting(a_shop(database, archive, tmp_path, stopping=lambda: True)) == (0, 0)
    assert do_waiting(a_shop(database, archive, tmp_path)) == (1, 0)
    assert do_waiting(a_shop(database, archive, tmp_path)) == (0, 0)
    with database.reading() as session:
        done = latest(session, PROOF_PACK, about)
        assert done is not None
        assert session.query(Errand).count() == 1
    made = pack_file(tmp_path / "packs", done.id)
    assert sha256(made.read_bytes()) == done.result["sha256"] == sha256(packed(database, school_id, archive))
    assert remove_old_packs(tmp_path / "packs", database=database, at=AT + KEPT_FOR) == 0
    later = AT + KEPT_FOR + timedelta(minutes=1)
    assert remove_old_packs(tmp_path / "packs", database=database, at=later) == 1
    assert list((tmp_path / "packs").iterdir()) == []


def test_a_stop_half_way_leaves_nothing_and_the_pack_is_made_the_next_time(
    sqlite: Database, tmp_path: Path
) -> None:
    school_id, archive = a_year(sqlite, tmp_path)
    with sqlite.transaction() as session:
        ask(session, PROOF_PACK, "x", facts={"school_id": school_id, "year": 2025}, by=BY, at=AT)
    asked = iter([False, False, False, True])
    shop = a_shop(sqlite, archive, tmp_path, stopping=lambda: next(asked, True))
    assert do_waiting(shop) == (0, 0)
    assert list((tmp_path / "packs").iterdir()) == []
    assert do_waiting(a_shop(sqlite, archive, tmp_path)) == (1, 0)


def test_the_books_are_checked_as_an_errand_and_each_check_is_named(sqlite: Database, tmp_path: Path) -> None:
    _, archive = a_year(sqlite, tmp_path)
    with sqlite.transaction() as session:
        ask(session, CHECK_BOOKS, "all", by=BY, at=AT)
        session.execute(text("UPDATE document_balance SET open = open + 1 WHERE document_id = 1"))
    assert do_waiting(a_shop(sqlite, archive, tmp_path)) == (1, 0)
    with sqlite.reading() as session:
        done = latest(session, CHECK_BOOKS, "all")
    assert done is not None
    assert done.result["count"] == 1
    assert [one["title"].split(":")[0] for one in done.result["checks"] if one["count"]] == ["Money"]
    assert done.result["problems"][0]["about"] == "EWS/25-26/000001"
