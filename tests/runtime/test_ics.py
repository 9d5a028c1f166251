"""Files for calendars, read back as a calendar reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar, Event

from domain.notice import CalendarEvent
from runtime import ics
from runtime.ics import Entry

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def events(file: bytes) -> list[Event]:
    return list(Calendar.from_ical(file).events)


def an_entry(**changes: Any) -> Entry:
    known: dict[str, Any] = {"uid": "one@tandem", "title": "Check in", "begins": NOW, "changed": NOW}
    return Entry(**{**known, **changes})


def test_an_event_of_a_mail_says_when_and_how_long():
    event = CalendarEvent(uid="c1@tandem", sequence=3, title="Check in with Aster", starts_at=NOW, minutes=45)
    file = ics.event_file(event, stamp=NOW - HOUR, url="https://tandem.example/opportunities/1")
    calendar = Calendar.from_ical(file)
    assert str(calendar["method"]) == "PUBLISH"
    (said,) = calendar.events
    assert (said.uid, said.sequence, said["summary"]) == ("c1@tandem", 3, "Check in with Aster")
    assert (said.start, said.end, said.DTSTAMP) == (NOW, NOW + timedelta(minutes=45), NOW - HOUR)
    assert said["url"] == "https://tandem.example/opportunities/1"


def test_a_time_in_another_zone_is_the_same_instant():
    berlin = datetime.fromisoformat("2027-03-01T10:00:00+01:00")
    event = CalendarEvent(uid="c1@tandem", title="Check in", starts_at=berlin)
    (said,) = events(ics.event_file(event, stamp=NOW))
    assert said.start == NOW


def test_a_day_is_a_whole_day_and_takes_no_time():
    (said,) = events(ics.feed("Tandem", [an_entry(begins=date(2027, 3, 31))], refresh=HOUR))
    assert (said.start, said.end) == (date(2027, 3, 31), date(2027, 4, 1))
    assert said["transp"] == "TRANSPARENT"


def test_a_feed_has_a_name_and_says_how_often_to_come_again():
    file = ics.feed("Rosa’s Tandem", [], refresh=HOUR)
    calendar = Calendar.from_ical(file)
    assert calendar["x-wr-calname"] == calendar["name"] == "Rosa’s Tandem"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in file
    assert calendar.events == []


def test_the_same_entries_make_the_same_file():
    entries = [an_entry(), an_entry(uid="two@tandem", sequence=7, details="Due by 17:00.")]
    assert ics.feed("Tandem", entries, refresh=HOUR) == ics.feed("Tandem", entries, refresh=HOUR)


@pytest.mark.parametrize(
    "title", ["a\r\nBEGIN:VEVENT", "x" * 500, "مرحبا 🎉; a, b\\c", "bell\x07\x00", "\u2028"]
)
def test_whatever_a_title_holds_stays_in_its_event(title: str):
    file = ics.feed("Tandem\r\nX-A:1", [an_entry(title=title, details=title)], refresh=HOUR)
    (said,) = events(file)
    assert said.uid == "one@tandem"
    assert all(len(line) <= 75 for line in file.split(b"\r\n"))
    assert not set(file) & set(range(9)) | set(file) & {7, 0}
