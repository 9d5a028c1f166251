"""Somebody's preferences, and what follows from them: when a notice is delivered, if at all."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from domain.calendar import UTC_ZONE, Zone
from domain.notice import NoticeKind
from domain.notification.clock import end_of, is_within, next_at
from domain.notification.kinds import Channel, Mode, default
from domain.value import Input, Value

MORNING = time(8)
"""When the daily summary goes out, where nobody chose."""
GATHER = timedelta(minutes=5)
"""How long what was missed while nobody worked is gathered, so that it goes out together."""


def _minute(value: time) -> time:
    if value.tzinfo is not None or value.second or value.microsecond:
        msg = "write hours and minutes, such as 08:00"
        raise ValueError(msg)
    return value


WallTime = Annotated[time, AfterValidator(_minute)]
"""A time of day on somebody's own clock, to the minute."""


class QuietHours(Input):
    """When somebody is not disturbed: between two times of day, over midnight where the end is earlier."""

    starts: WallTime
    ends: WallTime

    @model_validator(mode="after")
    def _has_two_ends(self) -> Self:
        if self.starts == self.ends:
            msg = "quiet hours that end when they begin are none; give two times, or leave both out"
            raise ValueError(msg)
        return self


class Timing(StrEnum):
    """How a delivery goes out."""

    AT_ONCE = "at_once"
    """As a message of its own."""
    TOGETHER = "together"
    """With all else that is due by then: in a daily summary, or after quiet hours."""
    LATE = "late"
    """With all else that was missed while nobody worked."""


class Planned(NamedTuple):
    """When a notice is delivered, and how."""

    timing: Timing
    due_at: datetime


class Preferences(Value):
    """What one person has chosen; `choices` has only what differs from the defaults."""

    zone: Zone = UTC_ZONE
    choices: dict[NoticeKind, dict[Channel, Mode]] = Field(default={})
    digest_at: WallTime = MORNING
    quiet: QuietHours | None = None

    def mode(self, kind: NoticeKind, channel: Channel) -> Mode:
        """When this person is told of a kind by a channel."""
        return self.choices.get(kind, {}).get(channel, default(kind, channel))

    def is_quiet(self, now: datetime) -> bool:
        """Whether the person is not to be disturbed at this instant."""
        quiet = self.quiet
        wall = now.astimezone(ZoneInfo(self.zone)).time()
        return quiet is not None and is_within(wall, quiet.starts, quiet.ends)

    def loud(self, at: datetime) -> datetime:
        """The first instant from `at` on that is not in the person's quiet hours."""
        if self.quiet is None:
            return at
        return end_of(ZoneInfo(self.zone), self.quiet.starts, self.quiet.ends, at)

    def chosen(self, kind: NoticeKind, channel: Channel, mode: Mode) -> Self:
        """The same with one choice more. In Tandem itself nothing is daily: that is at once."""
        if channel is Channel.IN_APP and mode is Mode.DAILY:
            mode = Mode.AT_ONCE
        choices = {each: dict(modes) for each, modes in self.choices.items()}
        of_kind = choices.setdefault(kind, {})
        of_kind[channel] = mode
        if mode is default(kind, channel):
            del of_kind[channel]
        if not of_kind:
            del choices[kind]
        return self.but(choices=choices)


def plan(
    preferences: Preferences, kind: NoticeKind, channel: Channel, now: datetime, *, late: bool = False
) -> Planned | None:
    """When a notice of this kind, written now, is delivered; None where it is not.

    At once, unless that falls into quiet hours; daily at the person's next morning; what is
    `late` a few minutes later, with the rest of it.
    """
    mode = preferences.mode(kind, channel)
    if mode is Mode.OFF:
        return None
    if mode is Mode.DAILY:
        morning = next_at(ZoneInfo(preferences.zone), preferences.digest_at, now)
        return Planned(Timing.TOGETHER, preferences.loud(morning))
    if late:
        return Planned(Timing.LATE, preferences.loud(now + GATHER))
    if preferences.is_quiet(now):
        return Planned(Timing.TOGETHER, preferences.loud(now))
    return Planned(Timing.AT_ONCE, now)
