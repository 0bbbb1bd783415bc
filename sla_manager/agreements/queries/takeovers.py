"""Spreadsheets on their way into the books: found, read, and how far an import is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, defer

from sla_manager.agreements.models import (
    Agreement,
    LedgerEntry,
    ParallelRun,
    TakenRow,
    Takeover,
    TakeoverMapping,
)
from sla_manager.agreements.queries.judging import Preview, judge
from sla_manager.agreements.queries.payment import (
    Billing,
    QuotedDocument,
    billing_facts,
    planned_documents,
    quoted_documents,
)
from sla_manager.agreements.queries.taking_over import load_books
from sla_manager.agreements.rules.kept_tables import KeptTable, unpacked
from sla_manager.agreements.rules.statuses import Origin
from sla_manager.agreements.rules.taken_cells import ReadRow, read_row
from sla_manager.agreements.rules.taken_checks import exact_minutes
from sla_manager.agreements.rules.takeovers import PUPIL_NUMBER_REMOVED, ColumnMapping, Field
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import Period
from sla_manager.kernel.quantities import plain


def takeover(session: Session, takeover_id: int, *, service_id: int) -> Takeover:
    """Return a spreadsheet of a service; a foreign one is not found."""
    found = session.get(Takeover, takeover_id)
    if found is None or found.service_id != service_id:
        raise NotFound(
            "This file is gone: it was dropped, or nobody went on with it for a day. Upload it again."
        )
    return found


def takeovers(session: Session, service_id: int, *, limit: int = 20) -> list[Takeover]:
    """Return a service's latest spreadsheets, the newest first, without their rows."""
    query = select(Takeover).where(Takeover.service_id == service_id).order_by(Takeover.id.desc())
    return list(session.scalars(query.limit(limit).options(defer(Takeover.kept))))


def kept_table(found: Takeover) -> KeptTable:
    """Return the rows of a spreadsheet that is not done yet."""
    if found.kept is None:
        raise NotFound("This file is taken over. Its rows are in the books.")
    return unpacked(bytes(found.kept))


def mappings(session: Session, service_id: int) -> list[TakeoverMapping]:
    """Return the mappings that a service has kept, by name."""
    query = select(TakeoverMapping).where(TakeoverMapping.service_id == service_id)
    return list(session.scalars(query.order_by(TakeoverMapping.name)))


def parallel_runs(session: Session, service_id: int, *, limit: int = 20) -> list[ParallelRun]:
    """Return a service's latest comparisons, the newest first."""
    query = select(ParallelRun).where(ParallelRun.service_id == service_id).order_by(ParallelRun.id.desc())
    return list(session.scalars(query.limit(limit)))


def parallel_run(session: Session, run_id: int, *, service_id: int) -> ParallelRun:
    """Return a comparison of a service; a foreign one is not found."""
    found = session.get(ParallelRun, run_id)
    if found is None or found.service_id != service_id:
        raise NotFound
    return found


def taken_rows(session: Session, takeover_id: int) -> list[tuple[TakenRow, Agreement]]:
    """Return what was taken over from a file, in the order of its rows."""
    query = select(TakenRow, Agreement).join(Agreement, Agreement.id == TakenRow.agreement_id)
    rows = session.execute(query.where(TakenRow.takeover_id == takeover_id).order_by(TakenRow.row))
    return [(row, agreement) for row, agreement in rows]


def taken_count(session: Session, takeover_id: int) -> int:
    """Return how many rows of a file were taken over."""
    query = select(func.count()).select_from(TakenRow).where(TakenRow.takeover_id == takeover_id)
    return session.scalar(query) or 0


def waiting_takeovers(session: Session) -> list[int]:
    """Return the imports that were begun and are not done, the oldest first."""
    return list(
        session.scalars(select(Takeover.id).where(Takeover.status == "importing").order_by(Takeover.id))
    )


def billed_elsewhere() -> ColumnElement[bool]:
    """Say of a ledger entry of an agreement whether another system bills it: what a run here must leave out."""
    return exists().where(
        TakenRow.agreement_id == Agreement.id,
        or_(
            TakenRow.bill_from.is_(None),
            LedgerEntry.effective_on < TakenRow.bill_from,
            LedgerEntry.cause.startswith("takeover:", autoescape=True),
        ),
    )


def documents_as_agreed(
    session: Session, agreement: Agreement, *, billing: Billing | None = None
) -> list[QuotedDocument]:
    """Return every document of an agreement; of one that was taken over also those that are billed elsewhere."""
    own = quoted_documents(session, agreement, billing=billing)
    if agreement.origin is not Origin.IMPORT:
        return own
    taken = session.scalar(select(TakenRow).where(TakenRow.agreement_id == agreement.id))
    if taken is None:
        return own
    term = Period.through(agreement.starts_on, agreement.ends_on)
    planned = planned_documents(agreement.lines, agreement.schedule, term, billing_facts(session))
    elsewhere = [
        replace(one, label=f"{one.label}, billed elsewhere", payable_by=None)
        for one in planned
        if taken.bill_from is None or one.due_on < taken.bill_from
    ]
    return [*elsewhere, *own]


def read_rows(
    table: KeptTable, mapping: ColumnMapping, rows: Sequence[tuple[int, tuple[str, ...]]]
) -> list[ReadRow]:
    """Return rows in types, by the columns that were chosen."""
    places = {
        one: table.columns.index(name) for one, name in mapping.columns.items() if name in table.columns
    }
    return [
        read_row(
            number,
            {one: cells[place] for one, place in places.items()},
            mapping,
            row_has_upn=any(PUPIL_NUMBER_REMOVED in cell for cell in cells),
        )
        for number, cells in rows
    ]


def preview(session: Session, found: Takeover, *, today: date) -> Preview:
    """Judge every row of a mapped spreadsheet, writing nothing."""
    table, mapping = kept_table(found), ColumnMapping.of(found.mapping)
    books = load_books(session, service_id=found.service_id, sha256=found.sha256)
    rows = read_rows(table, mapping, table.rows)
    return Preview(tuple(judge(books, row, taken_on=found.taken_on or today) for row in rows))


def their_figures(row: ReadRow, unit_minutes: Minutes | None) -> dict[str, Any]:
    """Return what a row said, as facts: amounts as text, used and balance in the unit that is bought."""
    facts: dict[str, Any] = {"school": row.school, "notes": row.notes}
    for name in ("unit_price", "net", "gross", "invoiced_net", "invoiced_gross", "paid"):
        amount = getattr(row, name)
        facts[name] = None if amount is None else str(amount)
    facts["quantity"] = None if row.quantity is None else plain(row.quantity)
    for name, one in (("used", Field.USED), ("balance", Field.BALANCE)):
        value = getattr(row, name)
        if value is not None and row.in_hours and unit_minutes is not None:
            minutes, _ = exact_minutes(row, one, value, unit_minutes)
            value = minutes.shown_in_units(unit_minutes)
        facts[name] = None if value is None else plain(value)
    return facts
