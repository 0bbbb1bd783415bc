"""Reminders of a season: when it opens, 14 and 3 days before orders are due, and once after; never after an answer.

Each person gets one mail for each school and stage. Only the stage of today is looked at, so a worker that was down
for days sends no burst of stale mail (B3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import islice

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.mails import warn
from sla_manager.agreements.models import Renewal, Season
from sla_manager.agreements.queries.recipients import Recipient, school_recipients
from sla_manager.agreements.rules.seasons import Answer, Stage, stage_on
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.words import long_date, pounds
from sla_manager.people.models import School
from sla_manager.store.audit import SYSTEM, Actor, record
from sla_manager.store.database import Database

AT_ONCE = 100


def remind_of_seasons(
    database: Database,
    *,
    address: str,
    by: Actor = SYSTEM,
    at: datetime,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Post the reminders that are due today, in small transactions; returns how many mails were posted.

    `address` is where people open the product, for the link in the mail.
    """
    today = london_date(at)
    with database.reading() as session:
        every = session.scalars(select(Season).where(Season.closed_at.is_(None))).all()
    posted = 0
    for season in every:
        stage = stage_on(season.dates, today)
        after = 0
        while stage is not None and not stopping():
            with database.transaction() as session:
                ids = _due(session, season.id, stage, after=after)
                posted += remind(session, ids, stage=stage, address=address, by=by, at=at)
            if len(ids) < AT_ONCE:
                break
            after = ids[-1]
    return posted


def unanswered(season_id: int) -> ColumnElement[bool]:
    """Say which renewals of a season wait for their school."""
    return and_(
        Renewal.season_id == season_id, Renewal.answer == Answer.NONE, Renewal.agreement_id.is_not(None)
    )


def _due(session: Session, season_id: int, stage: Stage, *, after: int) -> list[int]:
    """Return the next renewals that this stage has not been said to."""
    query = (
        select(Renewal.id)
        .where(
            unanswered(season_id),
            Renewal.id > after,
            or_(Renewal.reminded_stage.is_(None), Renewal.reminded_stage != stage),
        )
        .order_by(Renewal.id)
        .limit(AT_ONCE)
        .with_for_update()
    )
    return list(session.scalars(query))


def remind_now(session: Session, season_id: int, *, address: str, by: Actor, at: datetime) -> int:
    """Remind every school that has not answered, now: at most once a day each. Returns how many mails there are."""
    ids = list(session.scalars(select(Renewal.id).where(unanswered(season_id)).order_by(Renewal.id)))
    posted = remind(session, ids, stage=Stage.BY_HAND, address=address, by=by, at=at)
    record(
        session,
        "remind_schools",
        about="season",
        about_id=season_id,
        summary=f"{len(ids)} schools reminded, {posted} mails",
        by=by,
        at=at,
    )
    return posted


def remind(
    session: Session, renewal_ids: Sequence[int], *, stage: Stage, address: str, by: Actor, at: datetime
) -> int:
    """Post a reminder to everybody concerned by renewals that wait; one that was answered is passed over."""
    posted, rest = 0, iter(renewal_ids)
    while chunk := list(islice(rest, AT_ONCE)):
        query = (
            select(Renewal)
            .where(Renewal.id.in_(chunk), Renewal.answer == Answer.NONE, Renewal.agreement_id.is_not(None))
            .order_by(Renewal.id)
            .options(
                joinedload(Renewal.school).load_only(School.name, School.urn),
                joinedload(Renewal.season).joinedload(Season.service),
            )
        )
        waiting = session.scalars(query).all()
        people = school_recipients(session, [one.school_id for one in waiting])
        for one in waiting:
            told = [
                _tell(session, one, person, stage=stage, address=address, at=at)
                for person in people.get(one.school_id, [])
            ]
            if any(told) or stage is not Stage.BY_HAND:
                one.reminded_stage = one.reminded_stage if stage is Stage.BY_HAND else stage
            if any(told):
                one.reminded_at = at
            posted += sum(told)
        session.flush()
    return posted


def _tell(
    session: Session, renewal: Renewal, person: Recipient, *, stage: Stage, address: str, at: datetime
) -> bool:
    today = london_date(at)
    said = f"{stage.value}-{today.isoformat()}" if stage is Stage.BY_HAND else stage.value
    season, school = renewal.season, renewal.school
    return warn(
        session,
        f"renewal-reminder:{renewal.id}:{said}:{person.key}",
        recipient=person.email,
        subject=_subject(season, school, stage, today),
        paragraphs=[
            _opening(season, stage, today),
            (
                f"{school.name} has an agreement of {pounds(renewal.last_net)}. The renewal for {season.name} is "
                f"{pounds(renewal.offered_net)} before VAT, for the same quantities."
            ),
            "Order it as it is, change it, or tell us that you do not want it:",
            f"{address}/school/{school.urn}/renewals/{renewal.id}",
        ],
        at=at,
    )


def _subject(season: Season, school: School, stage: Stage, today: date) -> str:
    name = f"{season.service.name} {season.name}"
    if stage is Stage.AFTER or today > season.due_by:
        return f"{school.name}: your order for {name} is overdue"
    if stage is Stage.OPEN:
        return f"{school.name}: you can now renew {name}"
    return f"{school.name}: renew {name} by {long_date(season.due_by)}"


def _opening(season: Season, stage: Stage, today: date) -> str:
    if stage is Stage.AFTER or today > season.due_by:
        return (
            f"Orders were due by {long_date(season.due_by)}. You can still order until "
            f"{long_date(season.dates.valid_until)}, but we may have fewer officer days left."
        )
    if today < season.submit_from:
        return f"Your renewal is ready to look at. You can order from {long_date(season.submit_from)}."
    return f"Your renewal is ready. Please answer by {long_date(season.due_by)}."
