"""When a step is due, reminds and escalates: absolute instants, on the approvers' business time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.approval.policy import StepTemplate
from domain.approval.state import Alarm, AlarmKind
from domain.calendar import Calendar, after
from domain.span import half, parse_business


def clocks(
    template: StepTemplate, calendars: Sequence[Calendar], wanted: int, opened_at: datetime, level: int
) -> tuple[datetime, tuple[Alarm, ...]]:
    """When the step is due (UTC), and its alarms in order.

    `calendars` are those of who may decide. The step is due as soon as so many of
    them as have to agree have had the time for it; that approver's calendar is the
    clock of all alarms. There is one escalation for each level above `level`, the
    last of them to the backup: as long again after the level before it, or at `due`.

    Raises:
        IndexError: nobody may decide.
    """
    span = parse_business(template.due)
    ordered = sorted(calendars, key=lambda each: after(each, opened_at, span))
    calendar = ordered[min(wanted, len(ordered)) - 1]
    due_at = after(calendar, opened_at, span)
    times = [half(span)] if template.remind == "half" else [parse_business(each) for each in template.remind]
    alarms = [Alarm(kind=AlarmKind.REMIND, at=after(calendar, opened_at, each)) for each in times]
    reached = opened_at
    for number, each in enumerate(template.escalate, start=1):
        at = after(calendar, opened_at, parse_business(each.after)) if each.after is not None else due_at
        reached = max(at, reached)
        alarms.append(Alarm(kind=AlarmKind.ESCALATE, level=number, at=reached))
    at = after(calendar, reached, span) if template.escalate else due_at
    alarms.append(Alarm(kind=AlarmKind.ESCALATE, level=len(template.escalate) + 1, at=at))
    ringing = (each for each in alarms if each.kind is AlarmKind.REMIND or each.level > level)
    return due_at, tuple(sorted(ringing, key=lambda each: (each.at, each.kind, each.level)))
