"""Planning a season: its dates, changed while nobody else changed them; asking for its renewals; closing it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Season
from sla_manager.agreements.queries.seasons import season_by_id
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.seasons import SeasonDates
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.words import long_date
from sla_manager.people.models import TradingService
from sla_manager.store.audit import Actor, record

MOST_NOTICE_MONTHS = 12


class SeasonThere(Refused):
    """One season for each service and period."""

    def __init__(self, season: Season) -> None:
        super().__init__(
            f"There is a season that begins on {long_date(season.starts_on)} already. "
            "Open it and change its dates, or choose another first day.",
            field="starts_on",
        )


class SeasonClosed(Conflict):
    """A closed season stays as it is."""

    def __init__(self, season: Season) -> None:
        super().__init__(f"The season {season.name} is closed. Nothing more is prepared or changed in it.")


def plan_season(
    session: Session,
    *,
    service_id: int,
    dates: SeasonDates,
    schedule: Schedule = Schedule.THREE,
    notice_months: int = 0,
    renews: bool = False,
    by: Actor,
    at: datetime,
) -> Season:
    """Return a new season; refuses dates out of order and a second one that begins on the same day."""
    if session.get(TradingService, service_id) is None:
        raise NotFound
    _refuse_twin(session, service_id, dates, but=None)
    season = Season(
        service_id=service_id,
        made_at=at,
        made_by=by.name,
        requested_at=None,
        requested_by="",
        prepared_at=None,
        closed_at=None,
        closed_by="",
        version=1,
    )
    _fill(season, dates, schedule, notice_months, renews)
    session.add(season)
    session.flush()
    _note(session, "plan_season", season, by, at)
    return season


def change_season(
    session: Session,
    season_id: int,
    *,
    dates: SeasonDates,
    schedule: Schedule,
    notice_months: int,
    renews: bool,
    version: int,
    by: Actor,
    at: datetime,
) -> Season:
    """Change a season's dates and what its renewals propose; quotes that were prepared keep their own text.

    `version` is what the form was opened with: somebody else's change meanwhile is a conflict (N11).
    """
    season = _held(session, season_id)
    if season.version != version:
        raise Conflict("Somebody else changed this season while you had it open. Check what it says now.")
    if (dates.starts_on, dates.ends_on) != (season.starts_on, season.ends_on) and season.requested_at:
        raise Refused(
            "Renewals are prepared for this period already. Keep its first and last day.", field="starts_on"
        )
    _refuse_twin(session, season.service_id, dates, but=season.id)
    _fill(season, dates, schedule, notice_months, renews)
    season.version += 1
    session.flush()
    _note(session, "change_season", season, by, at)
    return season


def request_renewals(session: Session, season_id: int, *, by: Actor, at: datetime) -> Season:
    """Ask for the renewals of every school to be prepared: the worker does it. Asking again changes nothing."""
    season = _held(session, season_id)
    if season.is_being_prepared:
        return season
    season.requested_at, season.requested_by, season.requested_by_id = at, by.name, by.person_id
    session.flush()
    _note(session, "request_renewals", season, by, at)
    return season


def close_season(session: Session, season_id: int, *, by: Actor, at: datetime) -> Season:
    """Close a season: nobody is reminded any more, and no renewal is prepared. Closing again changes nothing."""
    season = session.get(Season, season_id, with_for_update=True, populate_existing=True)
    if season is None:
        raise NotFound
    if season.closed_at is None:
        season.closed_at, season.closed_by = at, by.name
        season.version += 1
        session.flush()
        _note(session, "close_season", season, by, at)
    return season


def _held(session: Session, season_id: int) -> Season:
    found = session.get(Season, season_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    if found.closed_at is not None:
        raise SeasonClosed(found)
    return season_by_id(session, season_id)


def _refuse_twin(session: Session, service_id: int, dates: SeasonDates, *, but: int | None) -> None:
    twin = session.scalar(
        select(Season).where(Season.service_id == service_id, Season.starts_on == dates.starts_on)
    )
    if twin is not None and twin.id != but:
        raise SeasonThere(twin)


def _fill(season: Season, dates: SeasonDates, schedule: Schedule, notice_months: int, renews: bool) -> None:
    checked = dates.checked()
    if not 0 <= notice_months <= MOST_NOTICE_MONTHS:
        raise Refused(
            f"Notice is between 0 and {MOST_NOTICE_MONTHS} months, not {notice_months}.",
            field="notice_months",
        )
    if renews and not notice_months:
        raise Refused(
            "An agreement that renews by itself needs a time for notice. Enter how many months.",
            field="notice_months",
        )
    season.year = checked.starts_on.year
    season.starts_on, season.ends_on = checked.starts_on, checked.ends_on
    season.builds_from, season.submit_from = checked.builds_from, checked.submit_from
    season.due_by = checked.due_by
    season.schedule, season.notice_months, season.renews = schedule, notice_months, renews


def _note(session: Session, action: str, season: Season, by: Actor, at: datetime) -> None:
    record(
        session,
        action,
        about="season",
        about_id=season.id,
        summary=f"Season {season.name}: orders from {season.submit_from}, due by {season.due_by}",
        by=by,
        at=at,
        details={
            "starts_on": season.starts_on.isoformat(),
            "ends_on": season.ends_on.isoformat(),
            "builds_from": season.builds_from.isoformat(),
            "submit_from": season.submit_from.isoformat(),
            "due_by": season.due_by.isoformat(),
        },
    )
