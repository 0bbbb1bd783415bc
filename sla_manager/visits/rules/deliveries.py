"""What of an officer's time counts against what was bought, and what is free.

Core work is never counted. Of bought work, preparation, reports and travel count only where the agreement says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sla_manager.catalogue.rules.charging import counted
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers

LONGEST_DAY = Minutes(24 * 60)
LONGEST_NOTE = 10_000
MOST_ACTIVITIES = 40
MOST_CASES = 9_999


class NothingLogged(Refused):
    """A delivery has at least one activity."""

    def __init__(self) -> None:
        super().__init__("Enter the time of at least one activity, in hours and minutes.", field="minutes-0")


class TooMuchLogged(Refused):
    """A day has 24 hours."""

    def __init__(self, logged: Minutes) -> None:
        super().__init__(
            f"You entered {logged.hours_and_minutes()} for one day. Check the times: a day has 24 hours.",
            field="minutes-0",
        )


class TooManyActivities(Refused):
    """A delivery is split into a readable number of activities."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"You entered {count} activities. Enter {MOST_ACTIVITIES} at most.", field="minutes-0"
        )


class NotATimeSpent(Refused):
    """An activity took some time, and a countable number of cases."""

    def __init__(self, position: int) -> None:
        super().__init__(
            f"Activity {position + 1}: enter a time above 0 minutes, and a number of cases from 0 to {MOST_CASES:,}.",
            field=f"minutes-{position}",
        )


class CoreIsNeverCharged(Refused):
    """Core work, such as a targeting support meeting, is free to every school."""

    def __init__(self, duty: CoreDuty) -> None:
        super().__init__(
            f"A {duty.value.replace('_', ' ')} is part of the free core offer, so it cannot be charged. "
            "Log it as core.",
            field="what-0",
        )


class CoreWithoutADuty(Refused):
    """Core work is logged under one of the four duties."""

    def __init__(self) -> None:
        super().__init__("Choose which free core duty this activity belongs to.", field="what-0")


class NoteTooLong(Refused):
    """Free text takes 10,000 characters."""

    def __init__(self, length: int, field: str) -> None:
        super().__init__(
            f"This text has {length:,} characters. Shorten it to {LONGEST_NOTE:,} or fewer.", field=field
        )


@dataclass(frozen=True, slots=True)
class ActivityDone:
    """One part of an officer's time. `kind` is work, preparation, report or travel; core carries its duty."""

    kind: str
    family: Family
    minutes: Minutes
    description: str = ""
    duty: CoreDuty | None = None
    cases: int = 0

    @property
    def is_core(self) -> bool:
        """Whether the activity belongs to the free core offer."""
        return self.family is Family.CORE


@dataclass(frozen=True, slots=True)
class WhatCounts:
    """An agreement line's policy on what counts beside the work itself."""

    preparation: bool = True
    report: bool = True
    travel: bool = False


@dataclass(frozen=True, slots=True)
class TimeGiven:
    """The time of a delivery: free core, bought and counted, and what the policy leaves out."""

    core: Minutes
    worked: Minutes
    uncounted: Minutes


def time_given(activities: Sequence[ActivityDone], policy: WhatCounts) -> TimeGiven:
    """Add up a delivery.

    >>> day = [
    ...     ActivityDone("work", Family.CORE, Minutes(120), duty=CoreDuty.TARGETING_SUPPORT_MEETING),
    ...     ActivityDone("work", Family.CASEWORK, Minutes(300)),
    ...     ActivityDone("travel", Family.CASEWORK, Minutes(30)),
    ... ]
    >>> given = time_given(day, WhatCounts(travel=False))
    >>> given.core.minutes, given.worked.minutes, given.uncounted.minutes
    (120, 300, 30)
    """
    core = total_minutes(activity.minutes for activity in activities if activity.is_core)
    bought = {
        kind: total_minutes(a.minutes for a in activities if not a.is_core and a.kind == kind)
        for kind in ("work", "preparation", "report", "travel")
    }
    worked = counted(
        work=bought["work"],
        preparation=bought["preparation"],
        report=bought["report"],
        travel=bought["travel"],
        counts_preparation=policy.preparation,
        counts_report=policy.report,
        counts_travel=policy.travel,
    )
    return TimeGiven(core, worked, total_minutes(bought.values()) - worked)


def check_activities(activities: Sequence[ActivityDone]) -> None:
    """Refuse what cannot be: nothing, more than a day, core without its duty, a core duty that is charged."""
    if not activities:
        raise NothingLogged()
    if len(activities) > MOST_ACTIVITIES:
        raise TooManyActivities(len(activities))
    for position, activity in enumerate(activities):
        if activity.minutes.minutes <= 0 or not 0 <= activity.cases <= MOST_CASES:
            raise NotATimeSpent(position)
        if activity.duty is not None and not activity.is_core:
            raise CoreIsNeverCharged(activity.duty)
        if activity.is_core and activity.duty is None:
            raise CoreWithoutADuty()
        checked_text(activity.description, field=f"description-{position}")
    logged = total_minutes(activity.minutes for activity in activities)
    if logged > LONGEST_DAY:
        raise TooMuchLogged(logged)


def checked_text(text: str, *, field: str) -> str:
    """Return free text as it is kept: bounded, without a pupil's number."""
    kept = text.replace("\r\n", "\n").replace("\0", "").strip()
    if len(kept) > LONGEST_NOTE:
        raise NoteTooLong(len(kept), field)
    return refuse_pupil_numbers(kept, field=field)
