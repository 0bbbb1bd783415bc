"""What finance watches: the dashboard, the check of the books, proof packs; and the outbox of the administrator."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from sla_manager.config import ROOT
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.reports.errands import PROOF_PACK, Workshop, do_waiting
from sla_manager.store.audit import AuditEntry
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage, post
from sla_manager.web import proof_packs
from tests import builders
from tests.conftest import NOON, sign_in_as
from tests.rooms import selling
from tests.rooms.owing import BY, FIRST, SIGNED, run_on

URN = 900_301


class Paper:
    """Prints a line."""

    def print(self, kind: str, facts: Mapping[str, object], xml: bytes = b"") -> bytes:
        return b"%PDF-1.7 " + kind.encode()


@dataclass(frozen=True)
class Desk:
    """Browsers of those who watch."""

    finance: FlaskClient
    administrator: FlaskClient
    school: FlaskClient
    other_school: FlaskClient


@pytest.fixture
def desk(app: Flask, sqlite: Database) -> Desk:
    """Sell to one school, and sign everybody in."""
    app.extensions["sla.printer"] = Paper()
    with sqlite.transaction() as session:
        school = builders.a_school(session, URN, customer_class=CustomerClass.ACADEMY)
        selling.agreed(session, BY, SIGNED, school=school)
        other = builders.a_school(session, URN + 1, customer_class=CustomerClass.ACADEMY)
        people = [
            builders.a_person(session, Role.FINANCE_OFFICER),
            builders.a_person(session, Role.ADMINISTRATOR),
            builders.a_person(session, Role.SCHOOL_BUSINESS_MANAGER, school=school),
            builders.a_person(session, Role.SCHOOL_BUSINESS_MANAGER, school=other, name="Ola Wren"),
        ]
        ids = [one.id for one in people]
    clients = []
    for one in ids:
        clients.append(app.test_client())
        sign_in_as(clients[-1], one)
    run_on(sqlite, FIRST)
    return Desk(*clients)


def test_v2_the_dashboard_asks_at_most_fifteen_questions(desk: Desk, sqlite: Database) -> None:
    asked: list[str] = []

    @event.listens_for(sqlite.engine, "before_cursor_execute")
    def _count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    page = desk.finance.get("/finance/")
    assert page.status_code == 200
    assert len([one for one in asked if one.startswith("SELECT")]) <= 15, "\n".join(asked)
    assert "£1,766.40" in page.text
    assert "Waiting to print" in page.text


def test_the_books_are_checked_when_somebody_asks_and_the_page_says_what_is_off(
    desk: Desk, sqlite: Database
) -> None:
    with sqlite.transaction() as session:
        session.execute(text("UPDATE document_balance SET open = open + 100"))
    assert "Check them now" in desk.finance.get("/finance/check").text
    assert desk.finance.post("/finance/check").status_code == 303
    page = desk.finance.get("/finance/check").text
    assert "1 thing in the books must be looked at." in page
    assert "£1,767.40 is kept as open, but its credits and payments leave £1,766.40." in page
    assert "Do not chase this document until it is put right." in page
    assert "1 thing in the books must be looked at." in desk.finance.get("/finance/").text


def test_a_school_and_finance_get_the_same_proof_pack_and_another_school_none(
    desk: Desk, sqlite: Database
) -> None:
    place = f"/school/{URN}/proof-packs/2025-26"
    assert desk.school.get(f"{place}/file").status_code == 302
    assert "Make the pack" in desk.school.get(place).text
    assert desk.school.post(place).status_code == 303
    page = desk.school.get(place)
    assert "Refresh" not in page.headers
    file = desk.school.get(f"{place}/file")
    assert file.headers["Content-Disposition"] == "attachment; filename=proof-pack-900301-2025-26.zip"
    with zipfile.ZipFile(io.BytesIO(file.data)) as pack:
        assert "documents/EWS-25-26-000001.json" in pack.namelist()
    assert desk.finance.get(f"/finance/proof-packs/{URN}/2025-26/file").data == file.data
    assert f"{URN}/2025-26" in desk.finance.get("/finance/proof-packs?q=900301").text
    for page_of_it in (place, f"{place}/file"):
        assert desk.other_school.get(page_of_it).status_code == 404
    assert desk.school.get(f"/school/{URN}/proof-packs/2019-20").status_code == 404
    with sqlite.reading() as session:
        noted = session.query(AuditEntry).filter_by(action="make_proof_pack").one()
    assert noted.details["bytes"] == len(file.data)


def test_a_large_pack_is_made_by_the_worker_and_its_page_shows_how_far_it_is(
    desk: Desk, sqlite: Database, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof_packs, "SMALL", 1)
    place = f"/finance/proof-packs/{URN}/2025-26"
    for _ in range(2):
        assert desk.finance.post(place).status_code == 303
    page = desk.finance.get(place)
    assert page.headers["Refresh"] == "5"
    assert "<progress" in page.text
    assert "Refresh" not in desk.finance.get(f"{place}?stay=yes").headers
    folder = app.extensions["sla.archive"]
    shop = Workshop(sqlite, _Nothing(), Paper(), ROOT / "templates", folder / "packs", NOON)
    assert do_waiting(shop) == (1, 0)
    assert "Download the pack" in desk.finance.get(place).text
    with sqlite.reading() as session:
        assert session.execute(text("SELECT kind FROM errand")).scalars().all() == [PROOF_PACK]


class _Nothing:
    """An archive in which nothing was kept."""

    def read(self, path: str, sha256_kept: str, /) -> bytes:
        raise AssertionError(path)


def test_the_administrator_sees_why_a_mail_failed_and_tries_again_but_reads_no_secret(
    desk: Desk, sqlite: Database
) -> None:
    with sqlite.transaction() as session:
        session.query(OutboxMessage).delete()
        for key, body in (("reminder:1", "Please pay."), ("password-link:1", "Open /secret-token")):
            made = post(session, key, recipient="sbm@school.example", subject=key, body=body, at=NOON)
            assert made is not None
            made.last_error = "The mail server said no."
        session.flush()
        ids = [one for (one,) in session.query(OutboxMessage.id).order_by(OutboxMessage.id)]
    assert desk.finance.get("/admin/outbox").status_code == 403
    listed = desk.administrator.get("/admin/outbox?state=failing").text
    assert listed.count("The mail server said no.") == 2
    assert "Please pay." in desk.administrator.get(f"/admin/outbox/{ids[0]}").text
    assert "secret-token" not in desk.administrator.get(f"/admin/outbox/{ids[1]}").text
    assert desk.administrator.post(f"/admin/outbox/{ids[0]}/try-again").status_code == 303
    assert desk.administrator.post("/admin/outbox/try-again").status_code == 303
    assert "2 mails" in re.sub(r"\s+", " ", desk.administrator.get("/admin/outbox").text)
