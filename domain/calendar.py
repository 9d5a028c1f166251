"""Business time: when somebody is at work, and when so much of it has passed.

A calendar says in a zone's own wall-clock time when work is done. An instant
is open when the clock on that wall is within the hours of its day and the day
is no holiday. So a change to or from summer time lengthens or shortens what
it falls into, and nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import cache, lru_cache
from itertools import pairwise, takewhile
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, WithJsonSchema

from domain.read_once import ReadOnce
from domain.span import Span, Unit, parse_business
from domain.value import Input

UTC_ZONE = "UTC"
_MINUTES_A_DAY = 24 * 60
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class Weekday(StrEnum):
    """The days of a week, as `date.weekday()` numbers them."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_WEEK = tuple(Weekday)
_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)
_FARTHEST = timedelta(hours=16)
"""More than any zone has been away from UTC."""

Distance = Callable[[datetime], timedelta]
"""How far a zone's clock is ahead of UTC at an instant."""


@cache
def zones() -> frozenset[str]:
    """The names of the IANA database's time zones."""
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in zones():
        msg = f"{name[:60]!r} is no time zone; write a name of the IANA list, such as Europe/Berlin or UTC"
        raise ValueError(msg)
    return name


Zone = Annotated[
    str,
    AfterValidator(_zone),
    WithJsonSchema(
        {
            "type": "string",
            "examples": ["Europe/Berlin"],
            "description": "A time zone of the IANA database, such as Europe/Berlin or UTC.",
        }
    ),
]
"""The name of a time zone in the IANA database."""


@lru_cache(maxsize=1024)
def _minutes(text: str) -> tuple[int, int]:
    """The first minute of the day within `text` (`09:00-17:00`), and the first after it.

    Raises:
        ValueError: it is written otherwise, or ends before it begins.
    """
    match = _HOURS.fullmatch(text)
    opens, closes = (
        (0, 0) if match is None else (60 * int(h) + int(m) for h, m in (match.group(1, 2), match.group(3, 4)))
    )
    if not opens < closes <= _MINUTES_A_DAY:
        msg = f"{text[:20]!r} are no hours; write them as in 09:00-17:00 (24:00 ends a day)"
        raise ValueError(msg)
    return opens, closes


def _day(hours: tuple[str, ...]) -> tuple[str, ...]:
    """The hours of one day, in order. Raises `ValueError` where two of them overlap."""
    ordered = tuple(sorted(hours, key=_minutes))
    for earlier, later in pairwise(ordered):
        if _minutes(later)[0] < _minutes(earlier)[1]:
            msg = f"{earlier} and {later} overlap; write each hour of a day once"
            raise ValueError(msg)
    return ordered


DayHours = Annotated[
    tuple[str, ...],
    AfterValidator(_day),
    WithJsonSchema(
        {
            "type": "array",
            "maxItems": 6,
            "items": {"type": "string", "pattern": r"^\d{2}:\d{2}-\d{2}:\d{2}$"},
            "examples": [["09:00-12:30", "13:30-17:00"]],
        }
    ),
]
"""When work is done on one day, by the clock on the wall: `09:00-12:30`, `13:30-17:00`."""


def _week(hours: dict[Weekday, tuple[str, ...]]) -> dict[Weekday, tuple[str, ...]]:
    """The days in order, without those on which nobody works. Raises `ValueError` where none is left."""
    kept = {day: hours[day] for day in Weekday if hours.get(day)}
    if not kept:
        msg = "somebody who never works could never be waited for; write hours for at least one day"
        raise ValueError(msg)
    return kept


WeekHours = Annotated[dict[Weekday, DayHours], AfterValidator(_week)]
"""When work is done in a week; days that are left out are free."""

OFFICE_HOURS: dict[Weekday, tuple[str, ...]] = dict.fromkeys(_WEEK[:5], ("09:00-17:00",))
"""Monday to Friday, nine to five: what holds where nothing else is said."""


class ZoneChange(Input):
    """From `at` on, the zone's clock shows so many seconds more than UTC's."""

    at: AwareDatetime
    seconds: int


class Calendar(ReadOnce):
    """When somebody is at work: a zone, the hours of a week, and the days that are free besides.

    Holidays are resolved before (`runtime.holidays`): rules about them change
    with a library, a kept calendar does not. What is kept for long is `pinned`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: Zone = UTC_ZONE
    hours: WeekHours = OFFICE_HOURS
    holidays: tuple[date, ...] = ()
    changes: tuple[ZoneChange, ...] = Field(
        default=(), description="The zone's changes, in order; without any, the zone database is asked."
    )
    known_until: date | None = Field(
        default=None, description="The last day whose holidays and zone changes are known; None: no end."
    )


def pinned(calendar: Calendar, first: date, last: date) -> Calendar:
    """The calendar with its zone's changes from `first` to `last` written down.

    A library's next version may know other changes; what was reckoned with this one stays as it was.
    """
    distance = _distance(calendar)
    start, end = (datetime.combine(day, time(), UTC) for day in (first, last + _DAY))
    changes = [ZoneChange(at=start, seconds=_seconds(distance(start)))]
    at = start
    while at < end:
        for begins, _, offset in _offsets(distance, at, at + _DAY)[1:]:
            changes.append(ZoneChange(at=begins, seconds=_seconds(offset)))
        at += _DAY
    return calendar.model_copy(update={"changes": tuple(changes), "known_until": last})


def _seconds(offset: timedelta) -> int:
    return offset // _SECOND


_CALENDARS_KNOWN = 64
_KNOWN_OF_EACH = 4096
"""Instants and days of one calendar, and calendars, that are kept at a time."""


class _Reckoned(NamedTuple):
    """What was reckoned lately by a calendar: a process asks for the same instants after each change."""

    calendar: Calendar
    distance: Distance
    instants: dict[tuple[datetime, Span | str], datetime]
    days: dict[date, tuple[_Piece, ...]]


_known: dict[int, _Reckoned] = {}
"""By identity, for a calendar has no hash; what is kept is alive, so that its identity stays its own."""


def _reckoned(calendar: Calendar) -> _Reckoned:
    found = _known.get(id(calendar))
    if found is None:
        if len(_known) >= _CALENDARS_KNOWN:
            _known.clear()
        found = _known.setdefault(id(calendar), _Reckoned(calendar, _distance(calendar), {}, {}))
    if len(found.instants) + len(found.days) >= _KNOWN_OF_EACH:
        found.instants.clear()
        found.days.clear()
    return found


def after(calendar: Calendar, start: datetime, span: Span | str) -> datetime:
    """The instant (UTC) at which `span` has passed since `start`, for somebody with this calendar.

    Business time passes while the calendar is open. What is complete at closing
    time is due then, not at the next opening. A business day has passed when as
    much of working days has: after one, it is the same time on the next working
    day; from outside of the hours, the end of the next working day.

    A length that comes again and again is best given as it is written, which is quickest to look up.

    Raises:
        ValueError: `start` has no time zone, or what is written is no length of time.
    """
    known = _reckoned(calendar).instants
    found = known.get((start, span))
    if found is None:
        length = span if isinstance(span, Span) else parse_business(span)
        found = known[start, span] = _passed(calendar, _utc(start), length)
    return found


def _passed(calendar: Calendar, at: datetime, span: Span) -> datetime:
    if span.unit is Unit.HOURS:
        return at + _part(_HOUR, span.amount)
    return _worked(calendar, at, span)


def _worked(calendar: Calendar, at: datetime, span: Span) -> datetime:
    """When so much business time has passed since `at`.

    Where all days are open for as long that is reckoned in whole numbers, which is quick: in the
    amount's parts of a microsecond.
    """
    by_days = span.unit is Unit.BUSINESS_DAYS
    parts, left, unit = span.amount.denominator, 0, None
    pieces = _open_from(calendar, at)
    while True:
        piece = next(pieces)
        whole = piece.of_day if by_days else _HOUR // _MICROSECOND
        if unit is None:
            unit, left = whole, whole * span.amount.numerator
        elif unit != whole:
            return _worked_by_fractions(calendar, at, span.amount)
        worth = piece.length * parts
        if left <= worth:
            return piece.opens + timedelta(microseconds=left // parts)
        left -= worth


def _worked_by_fractions(calendar: Calendar, at: datetime, days: Fraction) -> datetime:
    """The same for business days that are of different length."""
    left, pieces = days, _open_from(calendar, at)
    while True:
        piece = next(pieces)
        worth = Fraction(piece.length, piece.of_day)
        if left <= worth:
            return piece.opens + timedelta(microseconds=int(piece.of_day * left))
        left -= worth


def open_hours_between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How long the calendar is open from `start` to `end`; zero where the end is not later.

    Raises:
        ValueError: an instant has no time zone.
    """
    last = _utc(end)
    pieces = takewhile(lambda piece: piece.opens < last, _open_from(calendar, _utc(start)))
    return sum((min(piece.closes, last) - piece.opens for piece in pieces), timedelta())


class _Piece(NamedTuple):
    """Open time without a break, in UTC; how long it is, and its whole day, in microseconds."""

    opens: datetime
    closes: datetime
    length: int
    of_day: int


def _open_from(calendar: Calendar, start: datetime) -> Iterator[_Piece]:
    """When the calendar is open from `start` on, in order, for ever."""
    _, distance, _, days = _reckoned(calendar)
    day = (
        start + distance(start)
    ).date() - _DAY  # where the clock goes back over midnight, a day comes twice
    while True:
        pieces = days.get(day)
        if pieces is None:
            pieces = days[day] = _of_day(calendar, distance, day)
        for piece in pieces:
            if piece.closes > start:
                yield piece if piece.opens >= start else _piece(start, piece.closes, piece.of_day)
        day += _DAY


def _of_day(calendar: Calendar, distance: Distance, day: date) -> tuple[_Piece, ...]:
    hours = () if day in calendar.holidays else calendar.hours.get(_WEEK[day.weekday()], ())
    pieces = sorted(_pieces(distance, day, hours)) if hours else []
    length = sum((closes - opens for opens, closes in pieces), timedelta()) // _MICROSECOND
    return tuple(_piece(opens, closes, length) for opens, closes in pieces)


def _piece(opens: datetime, closes: datetime, of_day: int) -> _Piece:
    return _Piece(opens, closes, (closes - opens) // _MICROSECOND, of_day)


def _pieces(distance: Distance, day: date, hours: tuple[str, ...]) -> Iterator[tuple[datetime, datetime]]:
    """The instants (UTC) from and to which the zone's clock shows these hours of the day.

    In summer time's gap it shows some of them never, in the hour that comes twice it shows them twice.
    """
    midnight = datetime.combine(day, time(), UTC)
    for begins, ends, offset in _offsets(distance, midnight - _FARTHEST, midnight + _DAY + _FARTHEST):
        for text in hours:
            opens, closes = (midnight + timedelta(minutes=each) - offset for each in _minutes(text))
            if max(opens, begins) < min(closes, ends):
                yield max(opens, begins), min(closes, ends)


def _offsets(
    distance: Distance, start: datetime, end: datetime
) -> list[tuple[datetime, datetime, timedelta]]:
    """The zone's distance from UTC between two instants that are at most one change apart."""
    first, last = distance(start), distance(end)
    if first == last:
        return [(start, end, first)]
    before, change = start, end
    while change - before > _SECOND:
        middle = before + (change - before) // _SECOND // 2 * _SECOND
        if distance(middle) == first:
            before = middle
        else:
            change = middle
    return [(start, change, first), (change, end, last)]


def _distance(calendar: Calendar) -> Distance:
    """How to ask for the zone's distance from UTC: what was written down, else the zone database."""
    if not calendar.changes:
        zone = ZoneInfo(calendar.zone)
        return lambda at: at.astimezone(zone).utcoffset() or timedelta()
    instants = [change.at for change in calendar.changes]
    offsets = [timedelta(seconds=change.seconds) for change in calendar.changes]
    return lambda at: offsets[max(bisect_right(instants, at) - 1, 0)]


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        msg = f"an instant needs its time zone, and {instant!r} has none"
        raise ValueError(msg)
    return instant.astimezone(UTC)


def _part(whole: timedelta, fraction: Fraction) -> timedelta:
    """So many times `whole`, to the microsecond."""
    return timedelta(microseconds=int(whole // _MICROSECOND * fraction))
