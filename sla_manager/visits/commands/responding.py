"""What a school says of its visits: agree, query, decide on extra time; and how the council settles a query."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.commands import enter, reverse_entry
from sla_manager.agreements.models import LedgerEntry
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.kernel.errors import Conflict, Forbidden, NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.words import long_date, pounds
from sla_manager.people.models import Membership, School
from sla_manager.people.rules.roles import Permission, roles_with
from sla_manager.store.audit import Actor, record
from sla_manager.visits.models import (
    Delivery,
    ExtraTime,
    ExtraTimeStatus,
    SchoolResponse,
    Visit,
    VisitStatus,
)
from sla_manager.visits.queries.diary import visit_in
from sla_manager.visits.rules.deliveries import checked_text

AGREE, QUERY, SETTLED = "agree", "query", "settled"


class NothingToAnswer(Conflict):
    """A school answers what was delivered or charged, not what is planned."""

    def __init__(self) -> None:
        super().__init__("This visit is not delivered or charged yet, so there is nothing to agree or query.")


class QueryWithoutWords(Refused):
    """A query says what is wrong."""

    def __init__(self) -> None:
        super().__init__("Enter what is wrong, for example the time or the work.", field="wording")


class NothingToSettle(Conflict):
    """Only a query is settled."""

    def __init__(self) -> None:
        super().__init__("The school has no open query about this visit.")


class SettledWithMore(Refused):
    """Settling a query never takes more time than before."""

    def __init__(self, taken: Minutes) -> None:
        super().__init__(
            f"This visit took {taken.hours_and_minutes()} off the balance. Enter that or less.",
            field="minutes",
        )


class OnlyTheSchoolApproves(Forbidden):
    """Money leaves a school only with its consent."""

    def __init__(self, school: str) -> None:
        super().__init__(f"Only a person of {school} who may approve extra time can decide this.")


class AlreadyDecided(Conflict):
    """Extra time is decided once."""

    def __init__(self, extra: ExtraTime) -> None:
        super().__init__(f"This extra time is already {extra.status.value} by {extra.decided_by}.")


def respond_to_delivery(
    session: Session, visit_id: int, *, answer: str, wording: str = "", by: Actor, at: datetime
) -> SchoolResponse:
    """Keep the school's answer to a visit that was delivered or charged; the last one counts.

    `answer` is "agree" or "query"; a query needs words and puts the visit in dispute. The same answer again
    (a double click) is one answer.
    """
    visit = visit_in(session, visit_id)
    if answer not in (AGREE, QUERY):
        raise Refused("Choose “agree” or “query”.", field="answer")
    if visit.status is VisitStatus.PLANNED:
        raise NothingToAnswer()
    words = checked_text(wording, field="wording")
    if answer == QUERY and not words:
        raise QueryWithoutWords()
    last = _last(session, visit_id)
    if last is not None and (last.answer, last.wording, last.person_id) == (answer, words, by.person_id):
        return last
    kept = _keep(session, visit, answer, words, by=by, at=at)
    said = "agreed" if answer == AGREE else "queried"
    _record(session, f"{answer}_delivery", visit, f"{visit.school.name} {said} the visit on {{day}}.", by, at)
    return kept


def settle_query(
    session: Session,
    visit_id: int,
    *,
    wording: str,
    minutes: Minutes | None = None,
    by: Actor,
    at: datetime,
) -> SchoolResponse:
    """Settle a school's query with words, and where it is right, with less time taken off the balance.

    `minutes` is what the visit takes in the end (0 gives everything back); None leaves it. The first entry is
    reversed and a new one made, so both stay in the ledger.
    """
    visit = visit_in(session, visit_id)
    last = _last(session, visit_id)
    if last is None or last.answer != QUERY:
        raise NothingToSettle()
    words = checked_text(wording, field="wording")
    if not words:
        raise Refused("Enter what you decided, for the school to read.", field="wording")
    kept = _keep(session, visit, SETTLED, words, by=by, at=at)
    if minutes is not None:
        _take_instead(session, visit, minutes, kept, by=by, at=at)
    _record(
        session, "settle_query", visit, f"Settled the query of {visit.school.name} about {{day}}.", by, at
    )
    return kept


def _take_instead(
    session: Session, visit: Visit, minutes: Minutes, settled: SchoolResponse, *, by: Actor, at: datetime
) -> None:
    entry = taken_by(session, visit.id)
    taken = Minutes(0) if entry is None else -entry.minutes
    if minutes > taken or minutes < Minutes(0):
        raise SettledWithMore(taken)
    if entry is None or minutes == taken:
        return
    reason = f"Query settled: {settled.wording[:200]}"
    reverse_entry(session, entry.id, reason=reason, by=by, at=at)
    if minutes:
        enter(
            session,
            entry.tranche_id,
            EntryKind(entry.kind),
            minutes,
            effective_on=entry.effective_on,
            cause=f"settled:{settled.id}",
            reason=reason,
            visit_id=visit.id,
            delivery_id=entry.delivery_id,
            by=by,
            at=at,
        )


def taken_by(session: Session, visit_id: int) -> LedgerEntry | None:
    """Return the entry with which a visit takes time off a balance now, or None."""
    undone = select(LedgerEntry.reverses_id).where(LedgerEntry.reverses_id.is_not(None))
    query = select(LedgerEntry).where(
        LedgerEntry.visit_id == visit_id,
        LedgerEntry.kind.in_([EntryKind.DELIVERED, EntryKind.CHARGED]),
        LedgerEntry.id.not_in(undone),
    )
    return session.scalar(query.order_by(LedgerEntry.id.desc()).limit(1))


def decide_extra_time(
    session: Session, extra_time_id: int, *, approve: bool, by: Actor, at: datetime
) -> ExtraTime:
    """Approve or decline proposed extra time. Only a person of the school may: nothing is charged silently."""
    session.execute(select(ExtraTime.id).where(ExtraTime.id == extra_time_id).with_for_update())
    query = select(ExtraTime).where(ExtraTime.id == extra_time_id)
    loading = joinedload(ExtraTime.delivery).joinedload(Delivery.visit).joinedload(Visit.school)
    extra = session.scalar(query.options(loading))
    if extra is None:
        raise NotFound()
    school = extra.delivery.visit.school
    if not _may_approve(session, school, by):
        raise OnlyTheSchoolApproves(school.name)
    decided = ExtraTimeStatus.APPROVED if approve else ExtraTimeStatus.DECLINED
    if extra.status is decided:
        return extra
    if extra.status is not ExtraTimeStatus.PROPOSED:
        raise AlreadyDecided(extra)
    extra.status, extra.decided_at, extra.decided_by = decided, at, by.name
    extra.version += 1
    session.flush()
    said = (
        f"{decided.value.capitalize()} {extra.minutes.hours_and_minutes()} of extra time ({pounds(extra.net)}) "
        f"at {school.name} on {long_date(extra.delivery.delivered_on)}."
    )
    record(session, "decide_extra_time", about="extra_time", about_id=extra.id, summary=said, by=by, at=at,
           details={"minutes": extra.minutes.minutes, "net": str(extra.net), "status": decided.value})  # fmt: skip
    return extra


def _may_approve(session: Session, school: School, by: Actor) -> bool:
    if by.person_id is None:
        return False
    here = Membership.school_id == school.id
    if school.trust_id is not None:
        here = here | (Membership.trust_id == school.trust_id)
    query = select(Membership.id).where(
        Membership.person_id == by.person_id,
        Membership.role.in_(list(roles_with(Permission.APPROVE_EXTRA_TIME))),
        here,
    )
    return session.scalar(query.limit(1)) is not None


def _last(session: Session, visit_id: int) -> SchoolResponse | None:
    query = select(SchoolResponse).where(SchoolResponse.visit_id == visit_id)
    return session.scalar(query.order_by(SchoolResponse.id.desc()).limit(1))


def _keep(
    session: Session, visit: Visit, answer: str, words: str, *, by: Actor, at: datetime
) -> SchoolResponse:
    response = SchoolResponse(
        visit_id=visit.id,
        answer=answer,
        wording=words,
        person_id=by.person_id,
        answered_by=by.name,
        answered_at=at,
    )
    session.add(response)
    session.flush()
    return response


def _record(session: Session, action: str, visit: Visit, summary: str, by: Actor, at: datetime) -> None:
    said = summary.format(day=long_date(visit.day))
    record(session, action, about="visit", about_id=visit.id, summary=said, by=by, at=at)
