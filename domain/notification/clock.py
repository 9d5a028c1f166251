"""Times of day on somebody's own clock: when a quiet time ends, when the next morning is.

Everything comes in and goes out as instants; the zone's clock decides, also on the days
on which it leaves an hour out or shows one twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def is_within(wall: time, starts: time, ends: time) -> bool:
    """Whether `wall` is from `starts` on and before `ends`; over midnight, where that is earlier."""
    if starts <= ends:
        return starts <= wall < ends
    return wall >= starts or wall < ends


def end_of(zone: ZoneInfo, starts: time, ends: time, at: datetime) -> datetime:
    """The first instant (UTC) from `at` on at which the clock shows no time from `starts` to `ends`.

    Where the clock jumps out of that time, it is the jump; where it jumps back into it, it counts again.
    """
    at = at.astimezone(UTC)
    while is_within(_wall(zone, at), starts, ends):
        left = (_since_midnight(ends) - _since_midnight(_wall(zone, at))) % _DAY
        jump = _jump(zone, at, at + left)
        at = jump if jump is not None else at + left
    return at


def next_at(zone: ZoneInfo, wall: time, after: datetime) -> datetime:
    """The next instant (UTC) after `after` at which a day's clock first shows `wall`, or jumps over it."""
    day = after.astimezone(zone).date() - _DAY
    while True:
        day += _DAY
        shown = datetime.combine(day, wall.replace(fold=0), zone)  # of two, the first
        at = shown.astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None) != shown.replace(tzinfo=None):
            at = _jump(zone, at - _DAY, at) or at  # the clock never shows it: it goes over it here
        if at > after:
            return at


def _wall(zone: ZoneInfo, at: datetime) -> time:
    return at.astimezone(zone).time()


def _since_midnight(wall: time) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)


def _jump(zone: ZoneInfo, start: datetime, end: datetime) -> datetime | None:
    """When the clock jumps after `start`, up to `end`: once at most; None where it does not."""

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(zone).utcoffset()

    first = offset(start)
    if offset(end) == first:
        return None
    whole = start.replace(microsecond=0)  # clocks jump at whole seconds
    before, jump = 0, -((whole - end) // _SECOND)
    while jump - before > 1:
        middle = (before + jump) // 2
        if offset(whole + middle * _SECOND) == first:
            before = middle
        else:
            jump = middle
    return whole + jump * _SECOND
