"""The demonstration's capacity: what the service keeps free this year, and one order that there is no room for."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

from sqlalchemy.orm import Session

from sla_manager.agreements.queries import orders_waiting
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import TradingService
from sla_manager.planning.commands import set_capacity
from sla_manager.planning.queries import capacity, order_room, years_of
from sla_manager.planning.rules.capacity import CapacitySettings
from sla_manager.store.audit import Actor

SHORT_BY = 2
"""By how many days the largest order that waits is too large."""
_OF_WORKING_TIME = {"planned_leave": 14, "supervision": 16, "training": 20, "court": 10, "audits": 18}
"""One part in so many of what officers work."""


def tell_capacity(session: Session, service: TradingService, *, today: date, by: Actor, at: datetime) -> None:
    """Set this year's capacity so that little is left to sell: the largest order that waits is then held.

    The duty rota takes what a busy service's does: officers answer schools on every school day.
    """
    year = years_of(session, today)[0]
    held = capacity(session, service.id, year, today=today).year
    day, working = held.facts.settings.day_length, held.whole.working
    times = {
        name: _whole_days(Minutes(working.minutes // part), day) for name, part in _OF_WORKING_TIME.items()
    }
    meeting = Minutes(day.minutes * 3 // 4)

    def wanted(duty_rota: Minutes) -> None:
        set_capacity(
            session,
            service.id,
            year,
            settings=CapacitySettings(
                day_length=day, meeting=meeting, schools=0, duty_rota=duty_rota, **times
            ),
            note="Last year’s diaries. Duty rota: officers answer schools from 8:30am on every school day.",
            by=by,
            at=at,
        )

    largest = max(
        (order_room(session, one.id, today=today).asked for one in orders_waiting(session, service.id)),
        default=Minutes(8 * day.minutes),
    )
    left, rota = largest - Minutes(SHORT_BY * day.minutes), Minutes(0)
    to_come = sum(len(part.days) for part in held.facts.stretches if not part.past)
    share = Fraction(to_come, sum(len(part.days) for part in held.facts.stretches) or 1)
    for _ in range(3):  # each round is nearer: only a part of the rota falls on the weeks to come
        wanted(rota)
        free = capacity(session, service.id, year, today=today).year.ahead.free
        if not share:
            return
        rota = max(rota + Minutes(int((free - left).minutes / share)), Minutes(0))
    wanted(rota)


def _whole_days(minutes: Minutes, day: Minutes) -> Minutes:
    return Minutes(minutes.minutes // day.minutes * day.minutes)
