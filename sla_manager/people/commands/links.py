"""The register's links file brought in, and the changes of schools that it shows; changes entered by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.gateways.registers import read_register
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import counted, long_date
from sla_manager.people.models import School, SchoolChange, SchoolLink
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.links import ChangeKind, LinkRow, Succession, kind_of, read_links, successions
from sla_manager.store.audit import Actor, record

CLOSED = "2"
_DECIDED = {"confirmed": "done", "dismissed": "put aside"}


@dataclass(frozen=True, slots=True)
class LinksReport:
    """What a links file held: its rows, how many were new, the changes found, and those without a date."""

    rows: int
    new: int
    found: int
    undated: int


class NoSuccessor(Refused):
    """A conversion, merger or change of trust names what comes after."""

    def __init__(self) -> None:
        super().__init__(
            "Enter the URN of the school that comes after. Import the register first when it is new.",
            field="to_urn",
        )


class ChangeIsDecided(Conflict):
    """A change is decided once."""

    def __init__(self, change: SchoolChange) -> None:
        super().__init__(f"This change was {_DECIDED[change.status]} already by {change.decided_by}.")


def import_links(session: Session, content: bytes, *, filename: str, by: Actor, at: datetime) -> LinksReport:
    """Bring the register's links in, and note what they mean for schools that we know; again changes nothing.

    Nothing happens to any agreement: each change found waits for somebody to confirm it. Refused whole: a file that
    lacks a column or has a cell that cannot be read.
    """
    file = read_register(content)
    rows = read_links(file.columns, file.rows())
    new = _keep(session, rows, at)
    found, undated = find_changes(session, successions(rows), by=by, at=at)
    report = LinksReport(len(rows), new, found, undated)
    record(
        session,
        "import_links",
        about="school_link",
        about_id=None,
        summary=f"Imported {filename[:200]}: {counted(new, 'new link')}, {counted(found, 'change')} found.",
        by=by,
        at=at,
        details={"rows": report.rows, "new": new, "found": found, "undated": undated},
    )
    return report


def _keep(session: Session, rows: Sequence[LinkRow], at: datetime) -> int:
    known = {(one.urn, one.link_urn, one.link_type) for one in session.scalars(select(SchoolLink))}
    new = {
        (row.urn, row.link_urn, row.link_type): row
        for row in rows
        if (row.urn, row.link_urn, row.link_type) not in known
    }
    session.add_all(
        SchoolLink(
            urn=row.urn, link_urn=row.link_urn, link_name=row.link_name, link_type=row.link_type,
            established_on=row.established_on, imported_at=at,
        )
        for row in new.values()
    )  # fmt: skip
    session.flush()
    return len(new)


def find_changes(
    session: Session, every: Iterable[Succession], *, by: Actor, at: datetime
) -> tuple[int, int]:
    """Note what became of schools that we know: conversions and mergers by their links, closures without one.

    Returns how many changes are new, and how many links between known schools have no date anywhere.
    """
    pairs = list(every)
    schools = {one.urn: one for one in session.scalars(select(School).options(joinedload(School.trust)))}
    noted = {(one.from_school_id, one.to_school_id) for one in session.scalars(select(SchoolChange))}
    found = undated = 0
    for pair in pairs:
        before, after = schools.get(pair.before), schools.get(pair.after)
        if before is None or after is None or (before.id, after.id) in noted:
            continue
        day = pair.on or after.opened_on or _day_after(before.closed_on)
        if day is None:
            undated += 1
            continue
        kind = kind_of(pair, pairs, after_is_academy=_is_academy(after), before_is=_is_academy(before))
        session.add(_found(kind, before, after, day, by=by, at=at))
        noted.add((before.id, after.id))
        found += 1
    succeeded = {pair.before for pair in pairs}
    for school in schools.values():
        gone = school.status_code == CLOSED and school.closed_on is not None and school.urn not in succeeded
        if gone and not any(before == school.id for before, _ in noted):
            day = _day_after(school.closed_on)
            if day is not None:
                session.add(_found(ChangeKind.CLOSURE, school, None, day, by=by, at=at))
                found += 1
    session.flush()
    return found, undated


def _found(
    kind: ChangeKind, before: School, after: School | None, day: date, *, by: Actor, at: datetime
) -> SchoolChange:
    return SchoolChange(
        kind=kind,
        from_school_id=before.id,
        to_school_id=None if after is None else after.id,
        trust_id=None if after is None else after.trust_id,
        effective_on=day,
        source="links",
        found_at=at,
        found_by=by.name,
        decided_at=None,
        decided_by=None,
        once_key=None,
    )


def _is_academy(school: School) -> bool:
    return school.customer_class is CustomerClass.ACADEMY


def _day_after(day: date | None) -> date | None:
    return None if day is None else day + timedelta(days=1)


def enter_change(
    session: Session,
    *,
    kind: ChangeKind,
    from_school_id: int,
    to_urn: int | None,
    effective_on: date,
    reason: str,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> SchoolChange:
    """Enter by hand what becomes of a school; the same `once_key` is one entry.

    A conversion or merger names the school after it; a closure none; a change of trust stays with the school, whose
    trust the register says.
    """
    if once_key is not None:
        made = session.scalar(select(SchoolChange).where(SchoolChange.once_key == once_key))
        if made is not None:
            return made
    before = session.get(School, from_school_id)
    if before is None:
        raise NotFound
    after = _after(session, kind, before, to_urn)
    same = select(SchoolChange).where(
        SchoolChange.from_school_id == before.id,
        SchoolChange.kind == kind,
        SchoolChange.effective_on == effective_on,
    )
    if session.scalar(same) is not None:
        raise Conflict(f"This change of {before.name} on {long_date(effective_on)} is on the list already.")
    change = SchoolChange(
        kind=kind,
        from_school_id=before.id,
        to_school_id=None if after is None else after.id,
        trust_id=None if after is None else after.trust_id,
        effective_on=effective_on,
        source="hand",
        reason=refuse_pupil_numbers(reason.strip(), field="reason"),
        found_at=at,
        found_by=by.name,
        decided_at=None,
        decided_by=None,
        once_key=once_key,
    )
    session.add(change)
    session.flush()
    _note(session, "enter_school_change", change, before, by=by, at=at)
    return change


def _after(session: Session, kind: ChangeKind, before: School, to_urn: int | None) -> School | None:
    if kind is ChangeKind.CLOSURE:
        return None
    if kind is ChangeKind.TRUST_CHANGE:
        return before
    after = None if to_urn is None else session.scalar(select(School).where(School.urn == to_urn))
    if after is None:
        raise NoSuccessor
    if after.id == before.id:
        raise Refused("A school cannot follow itself. Enter another URN.", field="to_urn")
    return after


def decide_change(
    session: Session, change_id: int, *, confirmed: bool, reason: str = "", by: Actor, at: datetime
) -> SchoolChange:
    """Mark a change as done, or put it aside with a reason; once."""
    change = session.get(SchoolChange, change_id, with_for_update=True, populate_existing=True)
    if change is None:
        raise NotFound
    wanted = "confirmed" if confirmed else "dismissed"
    if change.status == wanted:
        return change
    if change.status != "found":
        raise ChangeIsDecided(change)
    words = refuse_pupil_numbers(reason.strip(), field="reason")
    if not confirmed and not words:
        raise Refused("Say why nothing follows from it.", field="reason")
    change.status, change.decided_at, change.decided_by = wanted, at, by.name
    change.reason = words or change.reason
    change.version += 1
    session.flush()
    before = session.get_one(School, change.from_school_id)
    _note(session, f"{'confirm' if confirmed else 'dismiss'}_school_change", change, before, by=by, at=at)
    return change


def _note(
    session: Session, action: str, change: SchoolChange, before: School, *, by: Actor, at: datetime
) -> None:
    record(
        session,
        action,
        about="school_change",
        about_id=change.id,
        summary=f"{before.name}: {change.kind.title.lower()} on {long_date(change.effective_on)}.",
        by=by,
        at=at,
        details={"to_school_id": change.to_school_id, "source": change.source, "reason": change.reason},
    )
