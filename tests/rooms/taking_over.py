"""Steps that tests take with spreadsheets: a file kept, its columns named, taken over to the end."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.takeovers import (
    Progress,
    begin_takeover,
    keep_spreadsheet,
    name_columns,
    take_over_some,
)
from sla_manager.agreements.models import Agreement, TakenRow, Takeover
from sla_manager.agreements.queries.judging import Preview
from sla_manager.agreements.queries.takeovers import kept_table, preview
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.takeovers import ColumnMapping, guessed
from sla_manager.gateways.spreadsheets import write_csv
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests import builders

NAMES = ("URN", "Service", "Days", "Day rate", "Net", "Start", "End", "Paid in", "Used", "Left", "Invoiced net",
         "Invoiced gross", "Notes")  # fmt: skip
TAKEN_ON = date(2025, 10, 14)
PUPIL = "B823200109001"


def row(urn: int, **more: str) -> list[str]:
    """Return a row of a spreadsheet: 12 days at £368, three payments, 4.5 days used; changed as a test wants."""
    facts = {
        "URN": str(urn), "Service": "EWO-DAY", "Days": "12", "Day rate": "£368.00", "Net": "£4,416.00",
        "Start": "01/09/2025", "End": "31/03/2026", "Paid in": "Termly", "Used": "4.5", "Left": "7.5",
        "Invoiced net": "1472.00", "Invoiced gross": "1766.40", "Notes": "",
    }  # fmt: skip
    return [(facts | more)[name] for name in NAMES]


def a_file(*rows: list[str]) -> bytes:
    """Return the rows as a CSV file, as an office would save it."""
    return write_csv(NAMES, rows)


def world(session: Session) -> None:
    """Build a service that sells days, with its terms."""
    builders.terms(session)
    builders.an_offering(session)


def kept(session: Session, content: bytes, *, by: Actor, at: datetime, **more: Any) -> Takeover:
    """Keep a file and name its columns by our guess."""
    service = builders.a_service(session)
    purpose = more.pop("purpose", "import")
    found = keep_spreadsheet(
        session, service.id, content=content, filename=more.pop("filename", "buy-back.csv"), purpose=purpose,
        by=by, at=at,
    )  # fmt: skip
    columns = guessed(kept_table(found).columns)
    mapping = ColumnMapping(columns, schedule=Schedule.SINGLE, **more.pop("holds_for_all", {}))
    wanted = {"taken_on": TAKEN_ON} | more
    return name_columns(session, found.id, service_id=service.id, mapping=mapping, by=by, at=at, **wanted)


def shown(session: Session, content: bytes, *, by: Actor, at: datetime, **more: Any) -> Preview:
    """Return the dry run of a file."""
    return preview(session, kept(session, content, by=by, at=at, **more), today=TAKEN_ON)


def taken_over(database: Database, content: bytes, *, by: Actor, at: datetime, **more: Any) -> Progress:
    """Take a whole file over, a few rows in each transaction."""
    with database.transaction() as session:
        found = kept(session, content, by=by, at=at, **more)
        begin_takeover(session, found.id, service_id=found.service_id, by=by, at=at)
    while True:
        with database.transaction() as session:
            progress = take_over_some(session, found.id, most=2, by=by, at=at)
        if progress.is_done:
            return progress


def agreements(session: Session) -> list[Agreement]:
    """Return what was taken over, in the order of the rows."""
    query = select(Agreement).join(TakenRow, TakenRow.agreement_id == Agreement.id)
    return list(session.scalars(query.order_by(TakenRow.takeover_id, TakenRow.row)))
