"""A calendar as its page shows it: weeks of days, and what falls due on each, in the reader's time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.calendar_feed import path
from db.agenda import Due, DueOnDay
from domain.opportunity.planned import PlannedKind

KINDS: dict[PlannedKind, tuple[str, str]] = {
    PlannedKind.CHECK_IN: ("Check-ins", "radio"),
    PlannedKind.TASK: ("Tasks", "list-checks"),
    PlannedKind.DECISION: ("Decisions", "shield-check"),
    PlannedKind.FOLLOW_UP: ("Follow-ups", "message-square"),
    PlannedKind.ACCEPTANCE: ("Hand-offs to accept", "check"),
    PlannedKind.STAGE: ("Stage targets", "milestone"),
    PlannedKind.EXPECTED_CLOSE: ("Expected closes", "flag"),
    PlannedKind.HOLD_ENDS: ("Holds ending", "circle-pause"),
    PlannedKind.GRANT: ("Grants", "clock"),
}
"""What each kind is called in the filters, and its picture."""
WEEK = 7
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing in the calendar. `time` is the clock's in the reader's zone, where the hour matters."""

    due: Due
    href: str
    icon: str
    kind: str
    time: str
    overdue: bool

    @property
    def id(self) -> str:
        return f"due-{self.due.opportunity_id}-{self.due.item.kind.value}-{self.due.item.key}"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the page; `inside` when it is of the month that is looked at."""

    day: date
    inside: bool
    today: bool
    total: int
    items: list[Shown]

    @property
    def hidden(self) -> int:
        """How many things have no place in the month."""
        return self.total - len(self.items)


def shown(due: Due, zone: ZoneInfo, now: datetime) -> Shown:
    """One thing, as the reader sees it. Everything in a calendar is still open: past is overdue."""
    words, icon = KINDS[due.item.kind]
    timed = due.item.kind is PlannedKind.CHECK_IN
    return Shown(
        due=due,
        href=path(due),
        icon=icon,
        kind=words,
        time=f"{due.item.at.astimezone(zone):%H:%M}" if timed else "",
        overdue=due.item.at < now,
    )


def span(month: date) -> tuple[date, date]:
    """The first and the last day of a month's page: whole weeks, from Monday."""
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    first, last = month - month.weekday() * _DAY, following - _DAY
    return first, last + (WEEK - 1 - last.weekday()) * _DAY


def weeks(month: date, found: Mapping[date, DueOnDay], zone: ZoneInfo, now: datetime) -> list[list[Day]]:
    """The weeks of a month, Monday first; days before and after it fill them up."""
    first, last = span(month)
    today = now.astimezone(zone).date()
    days = []
    for place in range((last - first).days + 1):
        day = first + place * _DAY
        due = found.get(day, DueOnDay([], 0))
        items = [shown(each, zone, now) for each in due.items]
        days.append(Day(day, day.month == month.month, day == today, due.total, items))
    return [days[at : at + WEEK] for at in range(0, len(days), WEEK)]


def next_month(month: date, step: int) -> date:
    """The first day of the month so many months on."""
    place = month.year * 12 + month.month - 1 + step
    return date(place // 12, place % 12 + 1, 1)
