"""iCalendar (RFC 5545): what is due, in the form that calendars read, as one event of a mail or as a feed.

The same entries make the same bytes, so that a feed can be answered 304. Instants
are written in UTC: each calendar shows them in its own zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event, vDuration

from domain.notice import CalendarEvent

CONTENT_TYPE = "text/calendar; charset=utf-8"
_PRODUCT = "-//Tandem//Tandem//EN"
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters but for tab and line feed: some calendars refuse a whole file for one of them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in somebody's calendar: at an instant for some minutes, or on a day.

    `uid` is the same for as long as the thing is; `sequence` rises, and `changed`
    is when, each time that something about it changes.
    """

    uid: str
    title: str
    begins: datetime | date
    changed: datetime
    sequence: int = 0
    minutes: int = 30
    details: str | None = None
    url: str | None = None


def event_file(event: CalendarEvent, *, stamp: datetime, url: str | None = None) -> bytes:
    """A file with one event, to go along with a mail. `stamp` is when it was made.

    It is published, not an invitation (RFC 5546, 3.2.1): nobody is asked to answer.
    """
    calendar = _calendar()
    calendar.add("method", "PUBLISH")
    entry = Entry(event.uid, event.title, event.starts_at, stamp, event.sequence, event.minutes, url=url)
    calendar.add_component(_event(entry))
    return _bytes(calendar)


def feed(name: str, entries: Iterable[Entry], *, refresh: timedelta) -> bytes:
    """A whole calendar, called `name`, that asks to be read again every `refresh`."""
    calendar = _calendar()
    calendar.add("x-wr-calname", _line(name))
    calendar.add("name", _line(name))  # RFC 7986, which says it without the X
    calendar.add("refresh-interval", vDuration(refresh), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(refresh))
    for entry in entries:
        calendar.add_component(_event(entry))
    return _bytes(calendar)


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    return calendar


def _bytes(calendar: Calendar) -> bytes:
    written: bytes = calendar.to_ical()
    return written


def _event(entry: Entry) -> Event:
    """An event that takes time where it has one; a day's is only there to be seen."""
    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", entry.changed)
    event.add("last-modified", entry.changed)
    event.add("sequence", entry.sequence)
    event.add("summary", _line(entry.title))
    if isinstance(entry.begins, datetime):
        begins = entry.begins.astimezone(UTC)
        event.add("dtstart", begins)
        event.add("dtend", begins + timedelta(minutes=entry.minutes))
    else:
        event.add("dtstart", entry.begins)
        event.add("dtend", entry.begins + timedelta(days=1))
        event.add("transp", "TRANSPARENT")
    if entry.details:
        event.add("description", _readable(entry.details))
    if entry.url:
        event.add("url", entry.url)
    return event


def _readable(text: str) -> str:
    return _UNREADABLE.sub(" ", text)


def _line(text: str) -> str:
    return " ".join(_readable(text).split())
