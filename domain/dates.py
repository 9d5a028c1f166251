"""Days and instants as sentences say them.

In English wherever the process runs: the system's own names of months follow its language, and not every
system can write a day without a zero.
"""

from __future__ import annotations

from datetime import date, datetime

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def dated(day: date) -> str:
    """`5 January 2027`; of an instant, its day in the zone that it is given in."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def timed(instant: datetime) -> str:
    """`5 January 2027, 09:30 UTC`, for an instant in UTC."""
    return f"{dated(instant)}, {instant.hour:02}:{instant.minute:02} UTC"
