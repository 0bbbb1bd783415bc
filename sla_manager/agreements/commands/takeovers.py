"""Coming from spreadsheets: a file is kept, its columns named, its rows judged, then taken over a few at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import sla_manager.agreements.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.agreements.commands.taking import take_over
from sla_manager.agreements.commands.years import hold_years
from sla_manager.agreements.models import Takeover, TakeoverMapping
from sla_manager.agreements.queries.judging import Judged, judge
from sla_manager.agreements.queries.takeovers import kept_table, read_rows, taken_count, takeover
from sla_manager.agreements.queries.taking_over import load_books
from sla_manager.agreements.rules.kept_tables import packed
from sla_manager.agreements.rules.takeovers import ColumnMapping, Finding, Level
from sla_manager.catalogue.queries import offering_by_code
from sla_manager.gateways.spreadsheets import read_spreadsheet
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.references import sha256
from sla_manager.people.models import TradingService
from sla_manager.store.audit import Actor, record
from sla_manager.store.constraints import explain

ROWS_AT_ONCE = 25
KEPT_FOR = timedelta(days=1)
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is. `left` rows wait."""

    rows: int
    taken: int
    refused: int
    left: int
    is_done: bool


def keep_spreadsheet(
    session: Session,
    service_id: int,
    *,
    content: bytes,
    filename: str,
    sheet: str = "",
    purpose: str = "import",
    by: Actor,
    at: datetime,
) -> Takeover:
    """Keep an uploaded spreadsheet until somebody says what its columns are; files left for a day go.

    Its table is kept as text without any pupil number; the file itself is not kept. `purpose` is import or compare.
    """
    if session.get(TradingService, service_id) is None:
        raise NotFound
    table = read_spreadsheet(content, sheet=sheet)
    stale = delete(Takeover).where(
        Takeover.uploaded_at < at - KEPT_FOR, Takeover.status.in_(("uploaded", "mapped"))
    )
    session.execute(stale)
    kept = Takeover(
        service_id=service_id,
        purpose=purpose,
        status="uploaded",
        filename=plain_name(filename),
        sheet=table.sheet[:100],
        sha256=sha256(content),
        rows=len(table.rows),
        kept=packed(table.columns, table.rows),
        mapping={},
        taken_on=None,
        bill_from=None,
        uploaded_at=at,
        uploaded_by=by.name,
        started_at=None,
        started_by="",
        finished_at=None,
        reached=0,
        refused=[],
    )
    session.add(kept)
    session.flush()
    record(
        session, "upload_spreadsheet", about="takeover", about_id=kept.id,
        summary=f"{kept.filename}: {kept.rows} rows to {purpose}", by=by, at=at,
        details={"sha256": kept.sha256, "sheet": kept.sheet},
    )  # fmt: skip
    return kept


def plain_name(name: str) -> str:
    """Return a file's own name, whatever folders stand before it; it is shown and never opened.

    >>> plain_name("C:\\\\Users\\\\x\\\\buy-back.xlsx"), plain_name("../../etc/passwd")
    ('buy-back.xlsx', 'passwd')
    """
    own = PurePosixPath(PureWindowsPath(name or "").name).name
    return "".join(letter for letter in own if letter.isprintable())[:120] or "spreadsheet"


def name_columns(
    session: Session,
    takeover_id: int,
    *,
    service_id: int,
    mapping: ColumnMapping,
    taken_on: date,
    bill_from: date | None = None,
    save_as: str = "",
    by: Actor,
    at: datetime,
) -> Takeover:
    """Say which column is which, when the takeover is, and from when we bill; keep the mapping when it has a name."""
    found = _held(session, takeover_id, service_id)
    _refuse_begun(found)
    comparing = found.purpose == "compare"
    mapping.checked(kept_table(found).columns, comparing=comparing)
    if mapping.offering:
        offering_by_code(session, service_id, mapping.offering)
    if bill_from is not None and bill_from < taken_on:
        raise Refused(
            "We cannot bill from a day before the takeover: your own system has billed until then. "
            "Choose the day of the takeover or a later one.",
            field="bill_from",
        )
    found.mapping, found.taken_on, found.bill_from = mapping.facts(), taken_on, bill_from
    found.status = "mapped"
    if save_as.strip():
        _keep_mapping(session, service_id, " ".join(save_as.split())[:LONGEST_NAME], mapping, by=by, at=at)
    session.flush()
    return found


def _keep_mapping(
    session: Session, service_id: int, name: str, mapping: ColumnMapping, *, by: Actor, at: datetime
) -> None:
    query = select(TakeoverMapping).where(
        TakeoverMapping.service_id == service_id, TakeoverMapping.name == name
    )
    kept = session.scalar(query.with_for_update())
    facts: dict[str, Any] = mapping.facts()
    if kept is None:
        session.add(
            TakeoverMapping(service_id=service_id, name=name, facts=facts, saved_at=at, saved_by=by.name)
        )
    else:
        kept.facts, kept.saved_at, kept.saved_by = facts, at, by.name


def forget_spreadsheet(session: Session, takeover_id: int, *, service_id: int) -> None:
    """Drop a spreadsheet of which nothing was taken over."""
    found = _held(session, takeover_id, service_id)
    _refuse_begun(found)
    session.delete(found)


def begin_takeover(
    session: Session, takeover_id: int, *, service_id: int, by: Actor, at: datetime
) -> Takeover:
    """Begin to take over what the dry run showed; beginning again changes nothing."""
    found = _held(session, takeover_id, service_id)
    if found.status in ("importing", "done"):
        return found
    if found.status != "mapped" or found.purpose != "import":
        raise Refused("Say first which column is which. Then look at what would be taken over.")
    found.status, found.started_at, found.started_by = "importing", at, by.name
    session.flush()
    record(
        session, "begin_takeover", about="takeover", about_id=found.id,
        summary=f"Taking over {found.filename}, {found.rows} rows", by=by, at=at,
        details={"taken_on": str(found.taken_on), "bill_from": str(found.bill_from or "")},
    )  # fmt: skip
    return found


def take_over_some(
    session: Session, takeover_id: int, *, most: int = ROWS_AT_ONCE, by: Actor, at: datetime
) -> Progress:
    """Take over the next rows, in order, each once: what was done stays done, and the next call goes on after it.

    A row that cannot be taken over is noted with its findings and does not stop the others.
    """
    hold_years(session)
    found = session.get(Takeover, takeover_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    if found.status == "done":
        return _progress(session, found, left=0)
    if found.status != "importing":
        raise Refused("This import was not begun. Look at what it would take over, then begin.")
    table, mapping = kept_table(found), ColumnMapping.of(found.mapping)
    waiting = [row for row in table.rows if row[0] > found.reached]
    books = load_books(session, service_id=found.service_id, sha256=found.sha256)
    refused: list[dict[str, Any]] = []
    actor = Actor(by.person_id, found.started_by or by.name, by.address)
    for row in read_rows(table, mapping, waiting[:most]):
        judged = judge(books, row, taken_on=found.taken_on or london_date(at))
        refused += [one.facts() for one in _take_one(session, found, judged, by=actor, at=at)]
        found.reached = row.number
    if refused:
        found.refused = [*found.refused, *refused]
    if len(waiting) <= most:
        _finish(session, found, by=actor, at=at)
    session.flush()
    return _progress(session, found, left=max(0, len(waiting) - most))


def _take_one(session: Session, found: Takeover, judged: Judged, *, by: Actor, at: datetime) -> list[Finding]:
    """Take one row over, by itself; returns what stands against it."""
    if judged.is_refused:
        return [one for one in judged.findings if one.level is Level.ERROR]
    if judged.line is None:
        return []
    try:
        with session.begin_nested():
            take_over(session, found, judged, by=by, at=at)
    except Refused as error:
        return [_not_taken(judged.row.number, error)]
    except IntegrityError as error:
        explained = explain(error)
        if explained is None:
            raise
        return [_not_taken(judged.row.number, explained)]
    return []


def _not_taken(number: int, error: Refused) -> Finding:
    return Finding(number, None, Level.ERROR, error.message, "Correct the row and upload the file again.")


def _finish(session: Session, found: Takeover, *, by: Actor, at: datetime) -> None:
    found.status, found.finished_at, found.kept = "done", at, None
    taken = taken_count(session, found.id)
    record(
        session, "finish_takeover", about="takeover", about_id=found.id,
        summary=f"{found.filename}: {taken} of {found.rows} rows taken over", by=by, at=at,
        details={"refused": len({one['row'] for one in found.refused})},
    )  # fmt: skip


def _progress(session: Session, found: Takeover, *, left: int) -> Progress:
    refused = len({one["row"] for one in found.refused})
    return Progress(found.rows, taken_count(session, found.id), refused, left, found.status == "done")


def _held(session: Session, takeover_id: int, service_id: int) -> Takeover:
    takeover(session, takeover_id, service_id=service_id)
    return session.get_one(Takeover, takeover_id, with_for_update=True, populate_existing=True)


def _refuse_begun(found: Takeover) -> None:
    if found.status in ("importing", "done"):
        raise Conflict(f"{found.filename} is being taken over already. Look at how far it is.")
