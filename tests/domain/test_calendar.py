"""Business time: exact in every zone, over weekends, holidays and changes of the clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from domain.calendar import Calendar, Weekday, after, open_hours_between, pinned, zones
from domain.span import BusinessDuration, Span, Unit, half, parse_business, share

MINUTE = timedelta(minutes=1)
BERLIN = Calendar(zone="Europe/Berlin")
NIGHTS = {"fri": ["20:00-24:00"], "sat": ["00:00-06:00"], "sun": ["00:00-24:00"]}
ALWAYS = dict.fromkeys(Weekday, ("00:00-24:00",))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(zone: str, text: str) -> datetime:
    """An instant as the clock of the zone shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


# --- against a plain count, minute by minute ---


def clock_of(calendar: Calendar) -> Callable[[datetime], date | None]:
    """A look at the wall: which day it shows, where the calendar is open at that minute."""
    zone, free = ZoneInfo(calendar.zone), set(calendar.holidays)
    week = [[False] * 24 * 60 for _ in Weekday]
    for day, hours in calendar.hours.items():
        for opens, closes in (each.split("-") for each in hours):
            for minute in range(minute_of(opens), minute_of(closes)):
                week[list(Weekday).index(day)][minute] = True

    def shows(at: datetime) -> date | None:
        wall = at.astimezone(zone)
        inside = week[wall.weekday()][60 * wall.hour + wall.minute]
        return wall.date() if inside and wall.date() not in free else None

    return shows


def minute_of(clock: str) -> int:
    return 60 * int(clock[:2]) + int(clock[3:])


def open_minutes(calendar: Calendar, start: datetime, end: datetime) -> list[date]:
    """The day of each open minute."""
    shows = clock_of(calendar)
    days = (shows(start + number * MINUTE) for number in range((end - start) // MINUTE))
    return [day for day in days if day is not None]


ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # half an hour of summer time
    "America/Havana",  # the clock changes at midnight
    "Africa/Casablanca",  # winter time in Ramadan
    "Antarctica/Troll",  # two hours of summer time
    "Pacific/Kiritimati",
)
CHANGES = (
    utc("2027-03-28T01:00"),  # Europe, to summer time
    utc("2027-10-31T01:00"),
    utc("2027-03-14T07:00"),  # New York
    utc("2027-11-07T06:00"),
    utc("2027-03-14T05:00"),  # Havana
    utc("2027-11-07T05:00"),
    utc("2027-04-03T15:00"),  # Lord Howe
    utc("2027-10-02T15:30"),
    utc("2027-02-07T02:00"),  # Casablanca
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    marks = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)] + ["24:00"]
    hours: dict[Any, list[str]] = {}
    for day in draw(st.sets(st.sampled_from(Weekday), min_size=1)):
        edges = sorted(draw(st.sets(st.sampled_from(marks), min_size=2, max_size=4)))
        hours[day] = [f"{opens}-{closes}" for opens, closes in zip(edges[::2], edges[1::2], strict=False)]
    around = st.dates(date(2027, 3, 1), date(2027, 11, 30))
    return Calendar(
        zone=draw(st.sampled_from(ZONES)), hours=hours, holidays=tuple(draw(st.lists(around, max_size=4)))
    )


starts = st.builds(
    lambda change, minutes: change + minutes * MINUTE,
    st.sampled_from(CHANGES),
    st.integers(-2 * 24 * 60, 24 * 60),
)


@settings(max_examples=60, deadline=None)
@given(calendars(), starts, st.integers(1, 60), st.sampled_from(list(Unit)))
def test_a_pinned_calendar_reckons_without_the_zone_database(
    calendar: Calendar, start: datetime, amount: int, unit: Unit
) -> None:
    known = date(2030, 12, 31)  # sixty hours take 120 weeks where half an hour of each is open
    kept = pinned(calendar, date(2027, 1, 1), known)
    assert kept.known_until == known
    kept = Calendar.model_validate_json(kept.model_dump_json()).model_copy(update={"zone": "UTC"})
    span = Span(Fraction(amount), unit)
    assert after(kept, start, span) == after(calendar, start, span)
    end = start + timedelta(days=amount)
    assert open_hours_between(kept, start, end) == open_hours_between(calendar, start, end)


@settings(max_examples=40, deadline=None)
@given(calendars(), starts, st.integers(0, 2 * 24 * 60))
@example(Calendar(zone="America/Havana", hours=ALWAYS), CHANGES[5] - 90 * MINUTE, 300)
def test_open_hours_are_what_a_clock_on_the_wall_counts(
    calendar: Calendar, start: datetime, minutes: int
) -> None:
    end = start + minutes * MINUTE
    assert open_hours_between(calendar, start, end) == len(open_minutes(calendar, start, end)) * MINUTE


@settings(max_examples=40, deadline=None)
@given(calendars(), starts, st.integers(1, 9))
def test_business_hours_pass_while_the_calendar_is_open(
    calendar: Calendar, start: datetime, hours: int
) -> None:
    due = after(calendar, start, Span(Fraction(hours, 2), Unit.BUSINESS_HOURS))
    assert open_hours_between(calendar, start, due) == timedelta(hours=hours) / 2
    if due - start < timedelta(days=3):
        assert len(open_minutes(calendar, start, due)) == 30 * hours
    assert clock_of(calendar)(due - MINUTE) is not None, "nothing is due while everybody is away"


@settings(max_examples=20, deadline=None)
@given(calendars(), starts, st.integers(1, 4))
def test_business_days_are_so_much_of_working_days(calendar: Calendar, start: datetime, days: int) -> None:
    due = after(calendar, start, Span(Fraction(days, 2), Unit.BUSINESS_DAYS))
    if due - start > timedelta(days=3):
        return
    day = timedelta(hours=26)
    whole = Counter(open_minutes(calendar, start - day, due + day))
    passed = Counter(open_minutes(calendar, start, due))
    counted = sum(Fraction(count, whole[each]) for each, count in passed.items())
    # The last minute may have passed in part.
    assert abs(counted - Fraction(days, 2)) < Fraction(1, min(whole.values()))


@settings(max_examples=40, deadline=None)
@given(calendars(), starts, st.integers(1, 8), st.integers(1, 8))
def test_more_time_is_never_due_earlier(calendar: Calendar, start: datetime, one: int, more: int) -> None:
    span = Span(Fraction(one), Unit.BUSINESS_HOURS)
    longer = Span(Fraction(one + more), Unit.BUSINESS_HOURS)
    assert start < after(calendar, start, span) < after(calendar, start, longer)


# --- examples ---


@pytest.mark.parametrize(
    ("start", "span", "due"),
    [
        ("2027-03-01T09:00", "8bh", "2027-03-01T17:00"),  # complete at closing time: due then
        ("2027-03-01T10:00", "8bh", "2027-03-02T10:00"),
        ("2027-03-01T07:00", "1bh", "2027-03-01T10:00"),  # before the hours
        ("2027-03-05T16:00", "2bh", "2027-03-08T10:00"),  # over a weekend
        ("2027-03-06T12:00", "8bh", "2027-03-08T17:00"),  # on a weekend
        ("2027-03-01T15:00", "2bd", "2027-03-03T15:00"),
        ("2027-03-04T15:00", "2bd", "2027-03-08T15:00"),
        ("2027-03-05T20:00", "1bd", "2027-03-08T17:00"),  # from outside of the hours
        ("2027-03-05T20:00", "30d", "2027-04-04T20:00"),
        ("2027-03-05T20:00", "8h", "2027-03-06T04:00"),
        ("2027-03-05T20:00", "2w", "2027-03-19T20:00"),
    ],
)
def test_time_passes_in_office_hours(start: str, span: str, due: str) -> None:
    assert after(Calendar(), utc(start), parse_business(span)) == utc(due)


def test_a_holiday_is_free() -> None:
    good_friday, easter_monday = date(2027, 3, 26), date(2027, 3, 29)
    calendar = Calendar(zone="Europe/Berlin", holidays=(good_friday, easter_monday))
    start = local("Europe/Berlin", "2027-03-25T16:00")
    assert after(calendar, start, parse_business("8bh")) == local("Europe/Berlin", "2027-03-30T16:00")
    assert after(calendar, start, parse_business("1bd")) == local("Europe/Berlin", "2027-03-30T16:00")
    assert open_hours_between(calendar, start, start + timedelta(days=3)) == timedelta(hours=1)


def test_a_holiday_in_one_zone_is_a_day_of_that_zone() -> None:
    calendar = Calendar(zone="Pacific/Auckland", holidays=(date(2027, 3, 2),))
    # Monday 14:00 in Auckland; Tuesday is free there, though it begins on Monday in UTC.
    assert after(calendar, utc("2027-03-01T01:00"), parse_business("4bh")) == utc("2027-03-02T21:00")


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("Europe/Berlin", "2027-03-01T15:00"),
        ("America/New_York", "2027-03-01T20:00"),
        ("Asia/Kolkata", "2027-03-02T07:00"),
        ("Asia/Tokyo", "2027-03-02T06:00"),
    ],
)
def test_hours_are_those_of_the_zone(zone: str, due: str) -> None:
    # Six business hours from Monday 10:00 in Berlin.
    assert after(Calendar(zone=zone), utc("2027-03-01T09:00"), parse_business("6bh")) == utc(due)


def test_summer_time_moves_the_hours_in_utc() -> None:
    # The clock goes forward on Sunday, 28 March 2027.
    friday = local("Europe/Berlin", "2027-03-26T16:00")
    assert friday == utc("2027-03-26T15:00")
    assert after(BERLIN, friday, parse_business("2bh")) == utc("2027-03-29T08:00")
    assert after(BERLIN, friday, parse_business("1bd")) == local("Europe/Berlin", "2027-03-29T16:00")
    # And back on Sunday, 31 October.
    friday = local("Europe/Berlin", "2027-10-29T16:00")
    assert after(BERLIN, friday, parse_business("2bh")) == utc("2027-11-01T09:00")


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 23), ("2027-10-31", 25), ("2027-11-01", 24)])
def test_a_day_around_the_clock_has_the_hours_it_has(day: str, hours: int) -> None:
    calendar = Calendar(zone="Europe/Berlin", hours=ALWAYS)
    start = local("Europe/Berlin", f"{day}T00:00")
    end = start + timedelta(days=1)  # on the wall
    assert open_hours_between(calendar, start, end) == timedelta(hours=hours)
    assert after(calendar, start, parse_business("1bd")) == end


def test_hours_in_the_gap_are_not_there_and_those_that_come_twice_count_twice() -> None:
    calendar = Calendar(zone="Europe/Berlin", hours={"sun": ["02:00-02:30", "04:00-05:00"]})
    for start, hours in (("2027-03-28T00:00", 1), ("2027-10-31T00:00", 2), ("2027-11-07T00:00", 1.5)):
        begins = local("Europe/Berlin", start)
        assert open_hours_between(calendar, begins, begins + timedelta(days=1)) == timedelta(hours=hours)


def test_a_day_that_a_zone_never_had_is_no_working_day() -> None:
    # Samoa went over the date line: no 30 December 2011 there.
    calendar = Calendar(zone="Pacific/Apia")
    start = local("Pacific/Apia", "2011-12-29T16:00")
    assert after(calendar, start, parse_business("2bh")) == local("Pacific/Apia", "2012-01-02T10:00")


def test_nights_and_breaks() -> None:
    calendar = Calendar(hours=NIGHTS)
    assert after(calendar, utc("2027-03-05T21:00"), parse_business("5bh")) == utc("2027-03-06T02:00")
    lunch = Calendar(hours={"mon": ["13:00-17:00", "09:00-12:00"]})
    assert after(lunch, utc("2027-03-01T11:00"), parse_business("2bh")) == utc("2027-03-01T14:00")


def test_seconds_are_kept() -> None:
    start = utc("2027-03-01T16:59:30.500000")
    assert after(Calendar(), start, parse_business("1bh")) == utc("2027-03-02T09:59:30.500000")


def test_nothing_passes_backwards() -> None:
    monday = utc("2027-03-01T12:00")
    assert open_hours_between(Calendar(), monday, monday - timedelta(days=3)) == timedelta()
    assert open_hours_between(Calendar(), monday, monday) == timedelta()


def test_an_instant_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        after(Calendar(), datetime(2027, 3, 1), parse_business("1bh"))  # noqa: DTZ001 - what is refused


# --- what people write ---


@pytest.mark.parametrize(
    "text", ["", "8", "bh", "0bh", "8 bh", "-1bd", "1.5bd", "8BH", "10000bh", "8m", "٣bd"]
)
def test_what_is_no_duration_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write a number from 1 to 9999 and bh"):
        parse_business(text)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (parse_business("8bh"), "8 business hours"),
        (parse_business("1bh"), "1 business hour"),
        (half(parse_business("5bd")), "2.5 business days"),
        (share(parse_business("8bh"), Fraction(1, 3)), "2.67 business hours"),
        (parse_business("8h"), "8 hours"),
        (parse_business("30d"), "30 days"),
        (parse_business("100d"), "100 days"),
        (parse_business("2w"), "14 days"),
        (half(parse_business("1w")), "3.5 days"),
        (half(parse_business("1d")), "12 hours"),
    ],
)
def test_a_length_of_time_in_words(span: Span, words: str) -> None:
    assert str(span) == words


def test_a_part_of_a_length_of_time_is_due_within_it() -> None:
    monday = utc("2027-03-01T09:00")
    assert after(Calendar(), monday, half(parse_business("8bh"))) == utc("2027-03-01T13:00")
    assert after(Calendar(), monday, half(parse_business("1bd"))) == utc("2027-03-01T13:00")
    assert after(Calendar(), monday, share(parse_business("1bd"), Fraction(3, 2))) == utc("2027-03-02T13:00")
    assert after(Calendar(), monday, share(parse_business("8h"), Fraction(1, 4))) == utc("2027-03-01T11:00")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"zone": "Mars/Olympus"}, "is no time zone"),
        ({"zone": "../../etc/passwd"}, "is no time zone"),
        ({"hours": {}}, "hours for at least one day"),
        ({"hours": {"mon": []}}, "hours for at least one day"),
        ({"hours": {"mon": ["9-17"]}}, "are no hours"),
        ({"hours": {"mon": ["17:00-09:00"]}}, "are no hours"),
        ({"hours": {"mon": ["09:00-24:30"]}}, "are no hours"),
        ({"hours": {"mon": ["09:00-12:00", "11:59-17:00"]}}, "overlap"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Calendar.model_validate(wrong)


def test_a_calendar_goes_through_json() -> None:
    calendar = Calendar(zone="Asia/Tokyo", hours=NIGHTS, holidays=(date(2027, 1, 1),))
    assert Calendar.model_validate_json(calendar.model_dump_json()) == calendar
    assert "Europe/Berlin" in zones()


def test_a_policy_names_a_business_duration() -> None:
    class Step(BaseModel):
        due: BusinessDuration

    assert Step(due="8bh").due == "8bh"
    with pytest.raises(ValidationError, match="is not a duration"):
        Step(due="soon")
