"""The parallel run: their balances and invoices beside ours, line by line, with the reason where it can be told.

Ours on a day is what the books say: time by the ledger, money by the documents that were issued, those that are due
and not issued, and, for what was taken over, those that another system issues by the same schedule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from sla_manager.agreements.models import (
    Agreement,
    ParallelRun,
    TakenRow,
    Takeover,
)
from sla_manager.agreements.queries.takeovers import kept_table, read_rows, their_figures
from sla_manager.agreements.queries.taking_over import find_offering, find_school, load_books
from sla_manager.agreements.rules.differences import Difference, Figure, Theirs, differences
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.agreements.rules.taken_cells import ReadRow
from sla_manager.agreements.rules.takeovers import ColumnMapping, Level
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.quantities import plain
from sla_manager.reports.our_figures import our_figures
from sla_manager.store.audit import Actor, record

_IN_FORCE = (AgreementStatus.AGREED, AgreementStatus.ENDED)


@dataclass(frozen=True, slots=True)
class TheirRow:
    """One line of their side: which row it is, whom it is about, and what it says."""

    row: int | None
    school: str
    agreement_id: int | None
    theirs: Theirs
    trouble: str = ""
    """Why it has no agreement of ours beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the report."""

    row: int | None
    school: str
    agreement_id: int | None
    reference: str
    description: str
    unit: str
    figures: tuple[Difference, ...]
    finding: str = ""

    @property
    def agrees(self) -> bool:
        """Whether everything that can be compared agrees."""
        return not self.finding and all(one.agrees for one in self.figures)

    def facts(self) -> dict[str, Any]:
        """Return it as JSON holds it: amounts and quantities as text."""
        return {
            "row": self.row,
            "school": self.school,
            "agreement_id": self.agreement_id,
            "reference": self.reference,
            "description": self.description,
            "unit": self.unit,
            "finding": self.finding,
            "agrees": self.agrees,
            "figures": {
                one.figure.value: {
                    "theirs": _text(one.theirs),
                    "ours": _text(one.ours),
                    "off": _text(one.off),
                    "reason": one.reason,
                }
                for one in self.figures
            },
        }


def _text(value: Decimal | Money | None) -> str | None:
    if value is None:
        return None
    return str(value) if isinstance(value, Money) else plain(value)


def compare_upload(
    session: Session, found: Takeover, *, as_at: date, once_key: str | None = None, by: Actor, at: datetime
) -> ParallelRun:
    """Compare an uploaded, mapped file with our books on a day and keep the comparison; the upload is dropped."""
    made = _made(session, once_key)
    if made is not None:
        return made
    run = _keep(
        session, found.service_id, _of_file(session, found, as_at), filename=found.filename,
        sha256=found.sha256, as_at=as_at, once_key=once_key, by=by, at=at,
    )  # fmt: skip
    session.delete(session.get_one(Takeover, found.id))
    session.flush()
    return run


def compare_taken_over(
    session: Session, service_id: int, *, as_at: date, once_key: str | None = None, by: Actor, at: datetime
) -> ParallelRun:
    """Compare the figures that were taken over with our books on a day, and keep the comparison."""
    made = _made(session, once_key)
    if made is not None:
        return made
    query = select(TakenRow, Agreement).join(Agreement, Agreement.id == TakenRow.agreement_id)
    query = query.where(TakenRow.service_id == service_id).options(joinedload(Agreement.school))
    rows = [
        TheirRow(taken.row, agreement.school.name, agreement.id, theirs_of(taken.theirs))
        for taken, agreement in session.execute(query.order_by(TakenRow.takeover_id, TakenRow.row))
    ]
    return _keep(
        session, service_id, rows, filename="The figures that were taken over", sha256="", as_at=as_at,
        once_key=once_key, by=by, at=at,
    )  # fmt: skip


def _made(session: Session, once_key: str | None) -> ParallelRun | None:
    if not once_key:
        return None
    return session.scalar(select(ParallelRun).where(ParallelRun.once_key == once_key))


def _keep(
    session: Session,
    service_id: int,
    rows: Sequence[TheirRow],
    *,
    filename: str,
    sha256: str,
    as_at: date,
    once_key: str | None,
    by: Actor,
    at: datetime,
) -> ParallelRun:
    lines = compare(session, service_id, rows, as_at=as_at, with_ours_alone=bool(sha256))
    kept = ParallelRun(
        service_id=service_id,
        filename=filename,
        sha256=sha256,
        as_at=as_at,
        compared_at=at,
        compared_by=by.name,
        facts={"lines": [line.facts() for line in lines], "totals": totals(lines)},
        once_key=once_key or None,
    )
    session.add(kept)
    session.flush()
    counts = kept.facts["totals"]
    record(
        session, "compare_parallel_run", about="parallel_run", about_id=kept.id,
        summary=f"{filename}: {counts['agreeing']} of {counts['lines']} lines agree on {as_at}", by=by, at=at,
        details={"sha256": sha256},
    )  # fmt: skip
    return kept


def theirs_of(facts: Mapping[str, Any]) -> Theirs:
    """Return their figures from the facts that were kept with a row."""

    def number(name: str) -> Decimal | None:
        return Decimal(facts[name]) if facts.get(name) is not None else None

    def money(name: str) -> Money | None:
        return Money.parse(facts[name]) if facts.get(name) is not None else None

    return Theirs(
        bought=number("quantity"),
        used=number("used"),
        balance=number("balance"),
        unit_price=money("unit_price"),
        invoiced_net=money("invoiced_net"),
        invoiced_gross=money("invoiced_gross"),
    )


def _of_file(session: Session, found: Takeover, as_at: date) -> list[TheirRow]:
    """Find our agreement for each row: the school's, of the same service, in force on the row's days or the day."""
    table, mapping = kept_table(found), ColumnMapping.of(found.mapping)
    books = load_books(session, service_id=found.service_id, sha256=found.sha256)
    ours = _agreements(session, found.service_id)
    by_school: dict[int, list[Agreement]] = defaultdict(list)
    for one in ours:
        by_school[one.school_id].append(one)
    rows = []
    for row in read_rows(table, mapping, table.rows):
        if row.is_total:
            continue
        school, trouble = find_school(books, row)
        offering = find_offering(books, row)[0] if row.offering else None
        name = school.name if school else row.school or f"Row {row.number}"
        if school is None:
            rows.append(TheirRow(row.number, name, None, _figures(row, None), _first(trouble)))
            continue
        fitting = [
            one
            for one in by_school[school.id]
            if _runs(one, row, as_at) and (offering is None or one.lines[0].offering_id == offering.id)
        ]
        rows.append(_beside(row, name, fitting))
    return rows


def _beside(row: ReadRow, name: str, fitting: Sequence[Agreement]) -> TheirRow:
    if len(fitting) == 1:
        return TheirRow(
            row.number, name, fitting[0].id, _figures(row, fitting[0].lines[0].unit_minutes),
            _first(row.findings),
        )  # fmt: skip
    trouble = "We have no such agreement on this day."
    if fitting:
        trouble = f"We have {len(fitting)} such agreements. Add the service and the dates to the file."
    return TheirRow(row.number, name, None, _figures(row, None), trouble)


def _first(findings: Iterable[Any]) -> str:
    return next((one.message for one in findings if one.level is Level.ERROR), "")


def _figures(row: ReadRow, unit_minutes: Minutes | None) -> Theirs:
    return theirs_of(their_figures(row, unit_minutes))


def _runs(agreement: Agreement, row: ReadRow, as_at: date) -> bool:
    starts_on, ends_on = row.starts_on or as_at, row.ends_on or row.starts_on or as_at
    return agreement.starts_on <= ends_on and starts_on <= (agreement.ends_early_on or agreement.ends_on)


def _agreements(session: Session, service_id: int) -> list[Agreement]:
    query = (
        select(Agreement)
        .where(Agreement.service_id == service_id, Agreement.status.in_(_IN_FORCE))
        .options(selectinload(Agreement.lines), joinedload(Agreement.school))
        .order_by(Agreement.id)
    )
    return list(session.scalars(query))


def compare(
    session: Session, service_id: int, rows: Sequence[TheirRow], *, as_at: date, with_ours_alone: bool = True
) -> list[Line]:
    """Return a line for each of their rows, then (of a whole file) one for each agreement that is not in it.

    The same number of questions however many rows there are.
    """
    every = {one.id: one for one in _agreements(session, service_id)}
    ours = our_figures(session, every, as_at)
    lines = []
    for row in rows:
        agreement = every.get(row.agreement_id or 0)
        if agreement is None:
            found = differences_alone(row.theirs)
            lines.append(
                Line(row=row.row, school=row.school, agreement_id=None, reference="", description="", unit="",
                     figures=found, finding=row.trouble or "We have no such agreement on this day.")
            )  # fmt: skip
            continue
        figures = differences(row.theirs, ours[agreement.id])
        lines.append(_line(agreement, row.row, figures, row.trouble))
    named = {row.agreement_id for row in rows}
    for agreement in every.values():
        if (
            with_ours_alone
            and agreement.id not in named
            and agreement.starts_on <= as_at <= agreement.ends_on
        ):
            figures = differences(Theirs(), ours[agreement.id])
            lines.append(_line(agreement, None, figures, "This agreement is not in their file."))
    return lines


def differences_alone(theirs: Theirs) -> tuple[Difference, ...]:
    """Return their figures with nothing of ours beside them."""
    return tuple(Difference(figure, getattr(theirs, figure.value), None, None) for figure in Figure)


def _line(agreement: Agreement, row: int | None, figures: tuple[Difference, ...], finding: str) -> Line:
    first = agreement.lines[0]
    return Line(
        row=row,
        school=agreement.school.name,
        agreement_id=agreement.id,
        reference=agreement.reference,
        description=", ".join(line.description for line in agreement.lines),
        unit=first.unit,
        figures=figures,
        finding=finding,
    )


def totals(lines: Sequence[Line]) -> dict[str, Any]:
    """Add the lines up that have both sides; money as text, time by unit."""
    both = [line for line in lines if line.agreement_id is not None and line.row is not None]
    money = {}
    for figure in (Figure.INVOICED_NET, Figure.INVOICED_GROSS):
        pairs = [one for line in both for one in line.figures if one.figure is figure and one.off is not None]
        money[figure.value] = _summed(pairs)
    return {
        "lines": len(lines),
        "agreeing": sum(line.agrees for line in lines),
        "differing": sum(not line.agrees for line in both),
        "only_theirs": sum(line.agreement_id is None for line in lines),
        "only_ours": sum(line.row is None for line in lines),
        "money": money,
        "time": {unit: _time(both, unit) for unit in sorted({line.unit for line in both})},
    }


def _summed(pairs: Sequence[Difference]) -> dict[str, str]:
    theirs = total(one.theirs for one in pairs if isinstance(one.theirs, Money))
    ours = total(one.ours for one in pairs if isinstance(one.ours, Money))
    return {"theirs": str(theirs), "ours": str(ours), "off": str(theirs - ours)}


def _time(lines: Sequence[Line], unit: str) -> dict[str, dict[str, str]]:
    found = {}
    for figure in (Figure.BOUGHT, Figure.USED, Figure.BALANCE):
        pairs = [
            one
            for line in lines
            if line.unit == unit
            for one in line.figures
            if one.figure is figure and one.off is not None
        ]
        theirs = sum((one.theirs for one in pairs if isinstance(one.theirs, Decimal)), Decimal(0))
        ours = sum((one.ours for one in pairs if isinstance(one.ours, Decimal)), Decimal(0))
        found[figure.value] = {"theirs": plain(theirs), "ours": plain(ours), "off": plain(theirs - ours)}
    return found
