"""Calendar files: right times all year, escaped text, folded lines, nothing but school, time and place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar

from sla_manager.gateways.calendars import CalendarVisit, write_calendar
from sla_manager.kernel.clock import london_time

VISIT = CalendarVisit(
    uid="visit-1@sla-manager",
    sequence=0,
    school="Thamesview Primary School",
    place="1 Test Lane, Town, ZZ1 1ZZ",
    starts_at=london_time(date(2026, 7, 1), time(9, 0)),
    ends_at=london_time(date(2026, 7, 1), time(12, 30)),
    changed_at=datetime(2026, 6, 1, 9, 0, tzinfo=UTC),
    cancelled=False,
)


def lines(content: bytes) -> list[str]:
    """Return the unfolded lines of a calendar."""
    return content.decode().replace("\r\n ", "").split("\r\n")


def test_i3_a_calendar_tells_school_time_and_place_only() -> None:
    event = Calendar.from_ical(write_calendar("Visits", [VISIT])).walk("VEVENT")[0]
    assert set(event.keys()) == {
        "UID",
        "SEQUENCE",
        "DTSTAMP",
        "LAST-MODIFIED",
        "DTSTART",
        "DTEND",
        "SUMMARY",
        "LOCATION",
        "STATUS",
    }
    assert str(event["SUMMARY"]) == "Thamesview Primary School"


def test_i5_text_that_contains_a_component_is_escaped_and_lines_are_folded_at_75_octets() -> None:
    nasty = replace(
        VISIT, school="Ŵ" * 60 + "\nBEGIN:VEVENT\r\nSUMMARY:x;y,z\\", place="BEGIN:VEVENT\nEND:VCALENDAR"
    )
    content = write_calendar("Visits", [nasty])
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert lines(content).count("BEGIN:VEVENT") == 1
    assert b"\n" not in content.replace(b"\r\n", b"")
    event = Calendar.from_ical(content).walk("VEVENT")[0]
    assert str(event["LOCATION"]) == "BEGIN:VEVENT\nEND:VCALENDAR"
    assert str(event["SUMMARY"]).startswith("Ŵ" * 60)


def test_i2_a_cancelled_visit_stays_with_its_status() -> None:
    content = write_calendar("Visits", [replace(VISIT, cancelled=True, sequence=3)])
    assert "STATUS:CANCELLED" in lines(content)
    assert "SEQUENCE:3" in lines(content)


def test_t2_visits_across_both_changes_of_clocks_keep_their_length() -> None:
    found = []
    for day in (date(2026, 3, 29), date(2026, 10, 25)):
        crossing = replace(
            VISIT, starts_at=london_time(day, time(0, 30)), ends_at=london_time(day, time(2, 30))
        )
        event = Calendar.from_ical(write_calendar("Visits", [crossing])).walk("VEVENT")[0]
        start, end = (event[key].dt.astimezone(UTC) for key in ("DTSTART", "DTEND"))
        found.append(int((end - start).total_seconds()) // 60)
    assert found == [60, 180]


def test_the_time_zone_is_right_for_years_to_come() -> None:
    zone = Calendar.from_ical(write_calendar("Visits", [VISIT])).walk("VTIMEZONE")[0].to_tz()
    london = ZoneInfo("Europe/London")
    for month in range(60):
        moment = datetime(2026, 1, 15, 12, 0, tzinfo=UTC) + timedelta(days=30 * month)
        assert moment.replace(tzinfo=zone).utcoffset() == moment.replace(tzinfo=london).utcoffset()
    assert "DTSTART;TZID=Europe/London:20260701T090000" in lines(write_calendar("Visits", [VISIT]))


def test_the_same_visits_give_the_same_bytes() -> None:
    assert write_calendar("Visits", [VISIT, VISIT]) == write_calendar("Visits", [VISIT, VISIT])
