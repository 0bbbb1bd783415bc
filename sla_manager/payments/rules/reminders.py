"""When a payer is reminded of an invoice: stages by days after the due date, each once, the latest only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

LEAST_GAP = 7
"""Days between two reminders of one invoice, unless the council's own stages follow more closely."""


@dataclass(frozen=True, slots=True)
class Reminded:
    """The last reminder of an invoice: its stage, and the day on which it was posted."""

    stage: int
    on: date


def stage_due(
    due_on: date | None, today: date, days: Sequence[int], last: Reminded | None = None
) -> int | None:
    """Return the stage that is to be sent today (1 is the first), or None.

    After a standstill only the latest stage is sent, and the next one keeps its distance from it.

    >>> due = date(2026, 3, 1)
    >>> stage_due(due, date(2026, 3, 7), (7, 21)), stage_due(due, date(2026, 3, 8), (7, 21))
    (None, 1)
    >>> stage_due(due, date(2026, 4, 30), (7, 21)), stage_due(due, date(2026, 4, 30), (7, 21), Reminded(2, due))
    (2, None)
    """
    overdue = (today - due_on).days if due_on is not None else 0
    stage = sum(1 for day in days if day <= overdue)
    if not stage or (last is not None and stage <= last.stage):
        return None
    if last is not None:
        gap = min(LEAST_GAP, days[stage - 1] - days[stage - 2]) if stage > 1 else LEAST_GAP
        if today < last.on + timedelta(days=gap):
            return None
    return stage
