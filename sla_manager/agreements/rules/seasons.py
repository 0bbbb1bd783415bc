"""A season of buy-back: from when renewals are built, ordered, and due; who is reminded at which stage.

"Build early, submit from, due by": three London dates, each counted from its midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import half_up
from sla_manager.kernel.periods import Period, months_weight
from sla_manager.kernel.titles import Titled
from sla_manager.kernel.words import long_date

LONGEST_SEASON_DAYS = 366
BEFORE_DUE = (14, 3)
"""How many days before the due date schools that have not answered are reminded."""
STALE_AFTER = timedelta(days=15)


class Answer(Titled):
    """What a school has said to its renewal."""

    NONE = "none", "Not answered"
    RENEWED = "renewed", "Renewed as it is"
    CHANGED = "changed", "Renewed with changes"
    DECLINED = "declined", "Declined"
    AUTOMATIC = "automatic", "Renewed automatically"

    @property
    def is_order(self) -> bool:
        """Whether something was ordered."""
        return self in (Answer.RENEWED, Answer.CHANGED, Answer.AUTOMATIC)


class Stage(Titled):
    """Why a school is reminded."""

    OPEN = "open", "Ordering has opened"
    BEFORE_14 = "before_14", "Two weeks to go"
    BEFORE_3 = "before_3", "Three days to go"
    AFTER = "after", "The due date is over"
    BY_HAND = "by_hand", "Reminded by the service"


class SeasonDatesWrong(Refused):
    """The dates of a season are in order: build, submit, due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonDates:
    """The dates of a season: the period that is sold, and from when and until when it is bought."""

    starts_on: date
    ends_on: date
    builds_from: date
    submit_from: date
    due_by: date

    def checked(self) -> SeasonDates:
        """Return the dates, or refuse those that are out of order, naming the one to change."""
        if self.ends_on < self.starts_on:
            raise SeasonDatesWrong(
                f"The last day, {long_date(self.ends_on)}, is before the first, {long_date(self.starts_on)}.",
                field="ends_on",
            )
        if (self.ends_on - self.starts_on).days >= LONGEST_SEASON_DAYS:
            raise SeasonDatesWrong(
                "A season sells at most one year. Choose an earlier last day.", field="ends_on"
            )
        if self.submit_from < self.builds_from:
            raise SeasonDatesWrong(
                f"Schools can order from {long_date(self.submit_from)}, but see their renewal only from "
                f"{long_date(self.builds_from)}. Let them see it on or before the day they can order.",
                field="submit_from",
            )
        if self.due_by < self.submit_from:
            raise SeasonDatesWrong(
                f"Orders are due by {long_date(self.due_by)}, before they open on "
                f"{long_date(self.submit_from)}. Choose a later due date.",
                field="due_by",
            )
        return self

    @property
    def valid_until(self) -> date:
        """The last day on which a prepared renewal can be ordered: late orders are taken until the period begins.

        >>> day = date(2027, 3, 1)
        >>> str(SeasonDates(starts_on=date(2027, 4, 1), ends_on=date(2028, 3, 31), builds_from=day,
        ...     submit_from=day, due_by=date(2027, 3, 19)).valid_until)
        '2027-03-31'
        """
        return max(self.due_by, self.starts_on - timedelta(days=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderingWindow:
    """When what begins on a day can be ordered, by the season that sells it."""

    season_id: int
    starts_on: date
    builds_from: date
    submit_from: date
    due_by: date

    def is_open(self, today: date) -> bool:
        """Say whether orders are taken."""
        return today >= self.submit_from

    def is_late(self, today: date, begins_on: date) -> bool:
        """Say whether an order of today is late: after the due date, for what begins with the season.

        What begins later is bought during the year and is never late.
        """
        return today > self.due_by and begins_on <= self.starts_on


class NotOpenYet(Refused):
    """Before its season opens a quote can be prepared and changed, not ordered."""

    def __init__(self, submit_from: date) -> None:
        super().__init__(
            f"You can order from {long_date(submit_from)}. Until then you can change what you want to order."
        )


def stage_on(dates: SeasonDates, today: date) -> Stage | None:
    """Return the stage of reminding that counts today: the tightest, so that missed nights bring no burst (B3).

    None before ordering opens, and when the due date is long over.

    >>> dates = SeasonDates(starts_on=date(2027, 4, 1), ends_on=date(2028, 3, 31), builds_from=date(2027, 1, 4),
    ...     submit_from=date(2027, 2, 1), due_by=date(2027, 3, 19))
    >>> [(stage := stage_on(dates, day)) and stage.value for day in (
    ...     date(2027, 1, 31), date(2027, 2, 1), date(2027, 3, 5), date(2027, 3, 16), date(2027, 3, 20),
    ...     date(2027, 4, 20))]
    [None, 'open', 'before_14', 'before_3', 'after', None]
    """
    if today < dates.submit_from or today >= max(dates.starts_on, dates.due_by + STALE_AFTER):
        return None
    if today > dates.due_by:
        return Stage.AFTER
    left = (dates.due_by - today).days
    if left <= BEFORE_DUE[1]:
        return Stage.BEFORE_3
    return Stage.BEFORE_14 if left <= BEFORE_DUE[0] else Stage.OPEN


def for_one_season(quantity: Decimal, step: Decimal, agreed: Period, season: Period) -> Decimal:
    """Return how much of an agreement is renewed: all of it, or of one of several years what a season's share is.

    Use never counts (E1): only what was agreed, variations included. A longer agreement than a year is brought to
    the season's length, to the nearest step.

    >>> year = Period.through(date(2027, 4, 1), date(2028, 3, 31))
    >>> str(for_one_season(Decimal("12"), Decimal("0.5"), Period.through(date(2026, 10, 14), date(2027, 3, 31)), year))
    '12'
    >>> str(for_one_season(Decimal("37"), Decimal("0.5"), Period.through(date(2024, 4, 1), date(2027, 3, 31)), year))
    '12.5'
    """
    if agreed.days <= LONGEST_SEASON_DAYS:
        return quantity
    steps = Fraction(quantity) / Fraction(step) * months_weight(season) / months_weight(agreed)
    return step * half_up(steps)
