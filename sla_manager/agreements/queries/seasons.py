"""Seasons asked: which there are, which one sells a day, how far its renewals are prepared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import Agreement, Renewal, Season
from sla_manager.agreements.rules.seasons import Answer, OrderingWindow
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.periods import add_months
from sla_manager.people.models import TradingService

_MADE = (AgreementStatus.AGREED, AgreementStatus.ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """How far a season's renewals are: schools with something to renew, prepared, in trouble."""

    schools: int
    prepared: int
    troubled: int

    @property
    def left(self) -> int:
        """How many schools are still to come."""
        return max(self.schools - self.prepared - self.troubled, 0)


def season_by_id(session: Session, season_id: int, *, service_id: int | None = None) -> Season:
    """Return a season with its service; another service's is not found."""
    query = select(Season).where(Season.id == season_id).options(joinedload(Season.service))
    found = session.scalar(query)
    if found is None or service_id not in (None, found.service_id):
        raise NotFound
    return found


def seasons(session: Session, service_id: int) -> list[Season]:
    """Return a service's seasons, the latest first."""
    query = select(Season).where(Season.service_id == service_id)
    return list(session.scalars(query.order_by(Season.starts_on.desc())))


def season_of(session: Session, service_id: int, starts_on: date) -> Season | None:
    """Return the season that sells what begins on a day: of two that cover it, the one that began later."""
    query = (
        select(Season)
        .where(Season.service_id == service_id, Season.starts_on <= starts_on, Season.ends_on >= starts_on)
        .order_by(Season.starts_on.desc())
    )
    return session.scalar(query.limit(1))


def ordering_window(session: Session, service_id: int, starts_on: date) -> OrderingWindow | None:
    """Return when what begins on a day can be ordered; None where no season says so: then always."""
    found = season_of(session, service_id, starts_on)
    return found.window if found is not None else None


def valid_until(session: Session, service: TradingService, starts_on: date, *, today: date) -> date:
    """Return the last day of a quote that is made today: the service's days, and a season's quote as long as it sells.

    Else what is prepared early would run out before anybody may order it.
    """
    usual = today + timedelta(days=service.quote_valid_days)
    season = season_of(session, service.id, starts_on)
    if season is None or season.starts_on != starts_on or today > season.dates.valid_until:
        return usual
    return max(usual, season.dates.valid_until)


def to_renew(season: Season) -> ColumnElement[bool]:
    """Say which agreements a season renews: those that end in the year before it, and were not ended early."""
    return and_(
        Agreement.service_id == season.service_id,
        Agreement.status.in_(_MADE),
        Agreement.ends_early_on.is_(None),
        Agreement.ends_on < season.starts_on,
        Agreement.ends_on >= add_months(season.starts_on, -12),
    )


def schools_to_renew(session: Session, season: Season) -> list[int]:
    """Return the schools whose agreements end before a season and that still need a renewal in it.

    Those are the ones without one, the ones that could not be prepared, and those whose quote ran out unanswered:
    an early offer that ended leaves the usual price.
    """
    done = (
        select(Renewal.school_id)
        .outerjoin(Agreement, Agreement.id == Renewal.agreement_id)
        .where(
            Renewal.season_id == season.id,
            or_(
                Renewal.answer != Answer.NONE,
                and_(Renewal.trouble == "", Agreement.status != AgreementStatus.EXPIRED),
            ),
        )
    )
    query = select(Agreement.school_id).where(to_renew(season), Agreement.school_id.not_in(done))
    return list(session.scalars(query.distinct().order_by(Agreement.school_id)))


def preparation(session: Session, season: Season) -> Preparation:
    """Return how far the renewals of a season are."""
    schools = select(func.count(func.distinct(Agreement.school_id))).where(to_renew(season))
    of_season = select(func.count(Renewal.id)).where(Renewal.season_id == season.id)
    row = session.execute(
        select(
            schools.scalar_subquery(),
            of_season.where(Renewal.trouble == "").scalar_subquery(),
            of_season.where(Renewal.trouble != "").scalar_subquery(),
        )
    ).one()
    return Preparation(schools=row[0], prepared=row[1], troubled=row[2])


def seasons_to_look_after(session: Session, *, today: date) -> Sequence[int]:
    """Return the seasons that are prepared and still sell: every night what is missing in them is tried again."""
    query = select(Season).where(
        Season.prepared_at.is_not(None), Season.closed_at.is_(None), Season.builds_from <= today
    )
    return [one.id for one in session.scalars(query.order_by(Season.id)) if today <= one.dates.valid_until]


def seasons_to_prepare(session: Session) -> Sequence[int]:
    """Return the seasons whose renewals somebody asked for and that are not prepared to the end."""
    query = select(Season.id).where(
        Season.requested_at.is_not(None),
        or_(Season.prepared_at.is_(None), Season.prepared_at < Season.requested_at),
    )
    return session.scalars(query.order_by(Season.requested_at, Season.id)).all()
