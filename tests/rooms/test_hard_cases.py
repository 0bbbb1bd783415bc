"""Hard cases that no room tests by itself: last year's credit, a row changed by hand, rows that add up as shown."""

from __future__ import annotations

import re
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import close_year
from sla_manager.agreements.models import LedgerEntry
from sla_manager.agreements.queries import balances
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.models import Document
from sla_manager.gateways.archive import Archive
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.rules.roles import Role
from sla_manager.reports.integrity import problems
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.visits.commands import log_delivery
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms import selling
from tests.rooms.owing import FIRST, THIRD, agree, run_on
from tests.visiting import TUESDAY, a_scene, a_visit, worked


def test_e3_crediting_last_years_invoice_gives_money_back_never_days_in_this_year(
    database: Database, by: Actor
) -> None:
    last, this = (date(2024, 10, 14), date(2025, 3, 31)), (date(2025, 4, 14), date(2026, 3, 31))
    for starts_on, ends_on in (last, this):
        with database.transaction() as session:
            school = builders.a_school(session, builders.FIRST_URN)
            selling.agreed(session, by, as_at(starts_on), school=school, starts_on=starts_on, ends_on=ends_on)
        run_on(database, starts_on)
    with database.transaction() as session:
        close_year(session, FinancialYear(2024), by=by, at=as_at(date(2025, 4, 20)))
    with database.transaction() as session:
        before = _ledger(session)
        invoice = session.scalars(select(Document.id).order_by(Document.id)).first()
        assert invoice is not None
        credit = issue_credit_note(session, invoice, reason="Paid twice.", by=by, at=as_at(date(2025, 6, 2)))
        assert str(credit.gross) == "-1472.00"
    with database.reading() as session:
        assert _ledger(session) == before
        left = {row.year: row.figures.balance.minutes for row in balances(session)}
        assert left == {2024: 0, 2025: 12 * 444}


def _ledger(session: Session) -> list[tuple[int, str, int]]:
    query = select(LedgerEntry).order_by(LedgerEntry.id)
    found = session.scalars(query)
    return [(one.tranche_id, one.kind.value, one.minutes.minutes) for one in found]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE document SET customer_name = 'Somebody else' WHERE id = 2", "document_changed"),
        ("UPDATE document_line SET net = net + 1 WHERE document_id = 2", "lines_off"),
        ("UPDATE document_vat SET vat = vat - 1 WHERE document_id = 2", "vat_off"),
        ("UPDATE number_series SET last = last + 1 WHERE series = 'EWS'", "counter_off"),
    ],
)
def test_n10_a_row_changed_by_hand_is_found_and_its_document_named(
    database: Database, tmp_path: Path, change: str, code: str
) -> None:
    agree(database)
    run_on(database, FIRST)
    run_on(database, THIRD)
    archive = Archive(tmp_path)
    with database.reading() as session:
        assert [one.message for one in problems(session, archive)] == []
        number = session.get_one(Document, 2).number
    _by_hand(database, change)
    with database.reading() as session:
        found = [(one.code, one.about) for one in problems(session, archive)]
    about = "EWS 2025-26" if code == "counter_off" else number
    assert (code, about) in found


def _by_hand(database: Database, change: str) -> None:
    """Do what nobody may: take the guards of the table away, and change a row."""
    table = change.split()[1]
    with database.engine.begin() as connection:
        if database.engine.dialect.name == "sqlite":
            query = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name")
            for name in list(connection.execute(query, {"name": table}).scalars()):
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        changed = connection.execute(text(change))
        assert changed.rowcount == 1


class _Cells(HTMLParser):
    """Reads a page's figures in hours and minutes, row by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[int]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Begin a row."""
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data: str) -> None:
        """Keep what is a length of time, in minutes."""
        found = re.fullmatch(r"(−?)(?:(\d+) hours?)? ?(?:(\d+) minutes?)?", data.strip())
        if found and self.rows and data.strip():
            sign, hours, minutes = found.groups()
            length = int(hours or 0) * 60 + int(minutes or 0)
            self.rows[-1].append(-length if sign else length)


def test_t6_the_rows_that_are_shown_add_up_to_the_total_that_is_shown(
    app: Flask, sqlite: Database, by: Actor, at: datetime
) -> None:
    """Three thirds of a step: as days each is 0.17 and together 0.5; the hours beneath are exact."""
    with sqlite.transaction() as session:
        scene = a_scene(session)
        for day in (4, 11, 18):
            visit = a_visit(session, scene, TUESDAY.replace(day=day))
            log_delivery(session, visit.id, activities=[worked(74)], by=by, at=as_at(TUESDAY.replace(day=20)))
        reader = builders.a_person(session, Role.SERVICE_MANAGER)
        agreement_id, tranche_id = scene.line.agreement_id, scene.tranche.id
    client = app.test_client()
    sign_in_as(client, reader.id)
    page = client.get(f"/service/ews/agreements/{agreement_id}/ledger/{tranche_id}")
    assert page.status_code == 200
    assert "−0.17 days" in page.text
    rows = [row for row in _Cells(page.text).rows if row]
    assert rows == [[4440, 4440], [-74, 4366], [-74, 4292], [-74, 4218]]
    total = 0
    for entry, left in rows:
        total += entry
        assert total == left
