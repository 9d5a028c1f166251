"""Business time: when somebody is at work, and when so much of it has passed.

A calendar says in a zone's own wall-clock time when work is done. An instant
is open when the clock on that wall is within the hours of its day and the day
is no holiday. So a change to or from summer time lengthens or shortens what
it falls into, and nothing else.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

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

OFFICE_HOURS: dict[Weekday, tuple[str, ...]] = dict.fromkeys(tuple(Weekday)[:5], ("09:00-17:00",))
"""Monday to Friday, nine to five: what holds where nothing else is said."""


class Calendar(BaseModel):
    """When somebody is at work: a zone, the hours of a week, and the days that are free besides.

    Holidays are resolved before (`runtime.holidays`): rules about them change
    with a library, a kept calendar does not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: Zone = UTC_ZONE
    hours: WeekHours = OFFICE_HOURS
    holidays: tuple[date, ...] = ()
