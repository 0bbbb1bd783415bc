"""The season board: counts, money and days of every answer, and the schools, a page at a time.

The same number of questions at 600 schools and at 6,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, Renewal, Season
from sla_manager.agreements.queries.recipients import AT_SCHOOL
from sla_manager.agreements.rules.seasons import Answer, Stage
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.models import Offering
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.titles import Titled
from sla_manager.people.models import Membership, Officer, Person, School
from sla_manager.store.columns import MinutesColumn, MoneyColumn

PAGE = 50
_NO_MONEY = literal(Money(0), MoneyColumn())
_NO_TIME = literal(Minutes(0), MinutesColumn())


class Standing(Titled):
    """Where a school stands in a season: its answer, or that nothing could be prepared."""

    RENEWED = "renewed", "Renewed as it is"
    CHANGED = "changed", "Renewed with changes"
    AUTOMATIC = "automatic", "Renewed automatically"
    DECLINED = "declined", "Declined"
    NONE = "none", "Not answered"
    TROUBLE = "trouble", "Could not be prepared"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """What one standing comes to: schools, last year's money and time, and this year's.

    This year's is what was ordered; where nothing was answered it is what is offered, and nothing where declined.
    """

    standing: Standing
    schools: int
    last_net: Money
    last_minutes: Minutes
    net: Money
    minutes: Minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A season's board. `unit_minutes` is the length of a day to say time in; None where hours are sold."""

    rows: tuple[BoardRow, ...]
    unit_minutes: Minutes | None

    def of(self, standing: Standing) -> BoardRow:
        """Return the row of a standing."""
        return next(row for row in self.rows if row.standing is standing)

    @property
    def schools(self) -> int:
        """How many schools there are in all."""
        return sum(row.schools for row in self.rows)

    @property
    def last_net(self) -> Money:
        """What all of them bought last year."""
        return total(row.last_net for row in self.rows)

    @property
    def last_minutes(self) -> Minutes:
        """How much time that was."""
        return total_minutes(row.last_minutes for row in self.rows)

    @property
    def ordered(self) -> Money:
        """What was ordered so far."""
        return total(row.net for row in self.rows if row.standing in _ORDERED)

    @property
    def ordered_minutes(self) -> Minutes:
        """How much time was ordered so far."""
        return total_minutes(row.minutes for row in self.rows if row.standing in _ORDERED)


_ORDERED = (Standing.RENEWED, Standing.CHANGED, Standing.AUTOMATIC)


def season_board(session: Session, season: Season) -> Board:
    """Return the board of a season, in two questions."""
    troubled = Renewal.trouble != ""
    query = (
        select(
            Renewal.answer,
            troubled.label("troubled"),
            func.count(Renewal.id),
            func.coalesce(func.sum(Renewal.last_net), _NO_MONEY),
            func.coalesce(func.sum(Renewal.last_minutes), _NO_TIME),
            func.coalesce(func.sum(func.coalesce(Agreement.net, _NO_MONEY)), _NO_MONEY),
            func.coalesce(func.sum(Renewal.offered_minutes), _NO_TIME),
        )
        .outerjoin(Agreement, Agreement.id == Renewal.agreement_id)
        .where(Renewal.season_id == season.id)
        .group_by(Renewal.answer, troubled)
    )
    found: dict[Standing, tuple[Any, ...]] = {}
    for answer, is_troubled, *figures in session.execute(query):
        key = Standing.TROUBLE if is_troubled and answer is Answer.NONE else Standing(answer.value)
        found[key] = tuple(figures)
    day = select(Offering.unit_minutes).where(
        Offering.service_id == season.service_id, Offering.unit == "day", Offering.unit_minutes.is_not(None)
    )
    return Board(
        rows=tuple(_row(standing, found.get(standing)) for standing in Standing),
        unit_minutes=session.scalar(day.order_by(Offering.id).limit(1)),
    )


def _row(standing: Standing, figures: tuple[Any, ...] | None) -> BoardRow:
    schools, last_net, last_minutes, net, minutes = figures or (0, Money(0), Minutes(0), Money(0), Minutes(0))
    nothing = standing in (Standing.DECLINED, Standing.TROUBLE)
    return BoardRow(
        standing=standing,
        schools=schools,
        last_net=last_net,
        last_minutes=last_minutes,
        net=Money(0) if nothing else net,
        minutes=Minutes(0) if nothing else minutes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolSearch:
    """What the list is narrowed by."""

    standing: Standing | None = None
    text: str = ""
    officer_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolRow:
    """One school of a season: what it had, what it is offered or has ordered, and who was reminded when."""

    renewal_id: int
    urn: int
    school: str
    standing: Standing
    officer: str
    last_net: Money
    net: Money | None
    agreement_id: int | None
    reference: str
    status: AgreementStatus | None
    answered_at: datetime | None
    answered_by: str
    is_late: bool
    says: str
    """Why the school declined, or why nothing could be prepared."""
    reminded_at: datetime | None
    reminded_stage: Stage | None
    seen_at: datetime | None
    """When somebody of the school last signed in, if that was since the renewal was there to be seen."""
    seen_by: str


def season_schools(
    session: Session,
    season: Season,
    search: SchoolSearch,
    *,
    after: tuple[str, int] | None = None,
    size: int = PAGE,
) -> tuple[list[SchoolRow], tuple[str, int] | None]:
    """Return a page of a season's schools by name, and the key after which the next page begins."""
    query = _rows(season, search).order_by(School.name, School.urn)
    if after is not None:
        name, urn = after
        query = query.where(or_(School.name > name, and_(School.name == name, School.urn > urn)))
    found = session.execute(query.limit(size + 1)).all()
    seen = _seen(session, season, [row.school_id for row in found])
    rows = [_school(season, row, seen) for row in found[:size]]
    return rows, (rows[-1].school, rows[-1].urn) if len(found) > size else None


def every_school(session: Session, season: Season, search: SchoolSearch) -> Iterator[SchoolRow]:
    """Yield every school of a season by name, for a file."""
    after: tuple[str, int] | None = None
    while True:
        rows, after = season_schools(session, season, search, after=after, size=1000)
        yield from rows
        if after is None:
            return


def _rows(season: Season, search: SchoolSearch) -> Any:
    query = (
        select(
            Renewal,
            Renewal.school_id.label("school_id"),
            School.urn,
            School.name,
            Officer.name.label("officer"),
            Agreement.net,
            Agreement.reference,
            Agreement.status,
            Agreement.starts_on,
        )
        .join(School, School.id == Renewal.school_id)
        .outerjoin(Officer, Officer.id == School.link_officer_id)
        .outerjoin(Agreement, Agreement.id == Renewal.agreement_id)
    )
    return query.where(Renewal.season_id == season.id, *_conditions(search))


def _conditions(search: SchoolSearch) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    words = search.text.strip()
    if words.isascii() and words.isdigit() and len(words) <= 9:
        found.append(School.urn == int(words))
    else:
        found += [School.name.icontains(word, autoescape=True) for word in words.split()]
    if search.officer_id is not None:
        found.append(School.link_officer_id == search.officer_id)
    if search.standing is Standing.TROUBLE:
        found += [Renewal.answer == Answer.NONE, Renewal.trouble != ""]
    elif search.standing is not None:
        found += [Renewal.answer == Answer(search.standing.value), Renewal.trouble == ""]
    return found


def _seen(session: Session, season: Season, school_ids: Sequence[int]) -> dict[int, tuple[datetime, str]]:
    """Return who of each school signed in last."""
    at_school = and_(Membership.school_id == School.id, Membership.role.in_(AT_SCHOOL))
    query = (
        select(School.id, Person.last_signed_in_at, Person.name)
        .join(Membership, or_(at_school, Membership.trust_id == School.trust_id))
        .join(Person, Person.id == Membership.person_id)
        .where(School.id.in_(school_ids), Person.last_signed_in_at.is_not(None))
        .order_by(Person.last_signed_in_at)
    )
    return {school_id: (at, name) for school_id, at, name in session.execute(query) if at is not None}


def _school(season: Season, row: Any, seen: dict[int, tuple[datetime, str]]) -> SchoolRow:
    renewal: Renewal = row.Renewal
    standing = (
        Standing.TROUBLE
        if renewal.trouble and renewal.answer is Answer.NONE
        else Standing(renewal.answer.value)
    )
    at, name = seen.get(renewal.school_id, (None, ""))
    since = max(season.builds_from, london_date(renewal.prepared_at))
    was_there = at is not None and london_date(at) >= since
    late = (
        renewal.answer.is_order
        and renewal.answered_at is not None
        and season.window.is_late(london_date(renewal.answered_at), row.starts_on or season.starts_on)
    )
    return SchoolRow(
        renewal_id=renewal.id,
        urn=row.urn,
        school=row.name,
        standing=standing,
        officer=row.officer or "",
        last_net=renewal.last_net,
        net=row.net,
        agreement_id=renewal.agreement_id,
        reference=row.reference or "",
        status=row.status,
        answered_at=renewal.answered_at,
        answered_by=renewal.answered_by,
        is_late=late,
        says=renewal.trouble if standing is Standing.TROUBLE else renewal.reason,
        reminded_at=renewal.reminded_at,
        reminded_stage=renewal.reminded_stage,
        seen_at=at if was_there else None,
        seen_by=name if was_there else "",
    )


def ending_inside(session: Session, season: Season) -> tuple[int, date | None]:
    """Return how many agreements end inside a season, so that a later one renews them, and the first such day."""
    query = select(func.count(Agreement.id), func.min(Agreement.ends_on)).where(
        Agreement.service_id == season.service_id,
        Agreement.status == AgreementStatus.AGREED,
        Agreement.ends_early_on.is_(None),
        Agreement.starts_on < season.starts_on,
        Agreement.ends_on >= season.starts_on,
        Agreement.ends_on < season.ends_on,
    )
    count, first = session.execute(query).one()
    return count, first
