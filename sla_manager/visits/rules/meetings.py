"""Targeting support meetings: every school has at least one a term, bought or not."""

from __future__ import annotations

from datetime import date

from sla_manager.kernel.titles import Titled


class MeetingState(Titled):
    """Where a school's targeting support meeting of a term stands."""

    HELD = "held"
    BOOKED = "booked"
    DUE = "due"
    OVERDUE = "overdue"


def meeting_state(
    *, held_on: date | None, booked_on: date | None, term_ends_on: date, today: date
) -> MeetingState:
    """Say where the meeting stands.

    A meeting whose day has passed and that nobody logged is not held; after the term it is overdue.

    >>> meeting_state(held_on=None, booked_on=date(2025, 11, 4), term_ends_on=date(2025, 12, 19),
    ...               today=date(2025, 10, 14)).value
    'booked'
    >>> meeting_state(held_on=None, booked_on=None, term_ends_on=date(2025, 12, 19), today=date(2025, 12, 20)).value
    'overdue'
    """
    if held_on is not None:
        return MeetingState.HELD
    if today > term_ends_on:
        return MeetingState.OVERDUE
    if booked_on is not None and booked_on >= today:
        return MeetingState.BOOKED
    return MeetingState.DUE
