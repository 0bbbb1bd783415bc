"""Calendars that other programs subscribe to (iCalendar, RFC 5545).

The time zone is written out by our own rules: the generated one ends after a year, and a phone then shows visits
an hour off. Only school, time and place are told; what a visit is about stays here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from icalendar import Calendar, Event, Timezone

from sla_manager.kernel.clock import LONDON

PRODUCT = "-//SLA Manager//Visits//EN"

_EUROPE_LONDON = """\
BEGIN:VTIMEZONE
TZID:Europe/London
BEGIN:DAYLIGHT
TZNAME:BST
TZOFFSETFROM:+0000
TZOFFSETTO:+0100
DTSTART:19810329T010000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZNAME:GMT
TZOFFSETFROM:+0100
TZOFFSETTO:+0000
DTSTART:19961027T020000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""


@dataclass(frozen=True, slots=True)
class CalendarVisit:
    """A visit as a calendar may know it."""

    uid: str
    sequence: int
    school: str
    place: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    cancelled: bool


def write_calendar(name: str, visits: Iterable[CalendarVisit]) -> bytes:
    """Return the calendar file: the same visits give the same bytes, so that unchanged ones need not be sent."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-published-ttl", "PT1H")
    calendar.add_component(Timezone.from_ical(_EUROPE_LONDON))
    for visit in visits:
        calendar.add_component(_event(visit))
    return bytes(calendar.to_ical())


def _event(visit: CalendarVisit) -> Event:
    event = Event()
    event.add("uid", visit.uid)
    event.add("sequence", visit.sequence)
    event.add("dtstamp", visit.changed_at)
    event.add("last-modified", visit.changed_at)
    event.add("dtstart", visit.starts_at.astimezone(LONDON))
    event.add("dtend", visit.ends_at.astimezone(LONDON))
    event.add("summary", visit.school)
    if visit.place:
        event.add("location", visit.place)
    event.add("status", "CANCELLED" if visit.cancelled else "CONFIRMED")
    return event
