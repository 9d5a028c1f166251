"""Whom a deal tells what: its reminders and escalations, and tasks that are given to somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.ladder import Subject, Tell
from domain.notice import LATE, CalendarEvent, Fact, Message, NoticeKind
from domain.opportunity.draft import Outcome, TimelineEntry
from domain.opportunity.events import Escalated, Reminded, TaskAssigned, TriggerFired
from domain.opportunity.state import Opportunity
from domain.opportunity.trigger_state import trigger_at
from domain.principal import Role, Side
from domain.trigger import Audience, NotifyTemplate

_KINDS = {
    Subject.TASK: NoticeKind.TASK_DUE,
    Subject.CHECK_IN: NoticeKind.CHECK_IN_DUE,
    Subject.STAGE: NoticeKind.STAGE_OVERDUE,
    Subject.CLOSE: NoticeKind.CLOSE_NEAR,
    Subject.STALE: NoticeKind.STALE,
}


def messages(outcome: Outcome) -> list[Message]:
    """What is to be told of what happened, and to whom.

    Where a ladder was climbed several rungs at once, each audience hears of the last one only.
    """
    deal = outcome.opportunity
    told: dict[object, Message] = {}
    for entry in outcome.entries:
        event = entry.event
        if isinstance(event, Reminded | Escalated):
            told[event.subject, event.key, event.due_at, event.tell] = _reminder(deal, entry, event)
        elif isinstance(event, TaskAssigned) and event.assignee and event.assignee.id != entry.by.id:
            told[event.key] = _assigned(deal, entry, event)
        elif isinstance(event, TriggerFired) and (notify := _notifies(deal, event)):
            told[entry.sequence] = _triggered(deal, entry, notify)
    return list(told.values())


def _reminder(deal: Opportunity, entry: TimelineEntry, event: Reminded | Escalated) -> Message:
    kind = NoticeKind.ESCALATED if event.tell is Tell.MANAGER else _KINDS[event.subject]
    if (
        event.subject is Subject.CHECK_IN
        and event.at_rung > event.due_at
        and kind is not NoticeKind.ESCALATED
    ):
        kind = NoticeKind.CHECK_IN_MISSED
    return Message(
        kind=kind,
        cause=f"{deal.id}:{event.subject.value}:{event.key}:{event.due_at.isoformat()}:{event.rung}",
        title=deal.title,
        words=f"{event.what}.",
        opportunity_id=deal.id,
        due_at=event.due_at,
        facts=tuple(_facts(deal)),
        late=entry.at - event.at_rung > LATE,
        event=_in_calendar(deal, event) if event.subject is Subject.CHECK_IN else None,
        **_audience(deal, event),
    )


def _audience(deal: Opportunity, event: Reminded | Escalated) -> dict[str, Any]:
    match event.tell:
        case Tell.MANAGER:
            of = event.assignee_id if event.side is Side.VENDOR else None
            manager_of = of or (deal.owner.id if deal.owner else None)
            return {"managers_of": (manager_of,)} if manager_of else _directors()
        case Tell.OWNER:
            return _owner(deal)
        case Tell.OTHER_SIDE:
            return _owner(deal) if event.side is Side.PARTNER else _partners(deal, event)
        case _:
            return _whose_turn(deal, event)


def _whose_turn(deal: Opportunity, event: Reminded | Escalated) -> dict[str, Any]:
    if event.assignee_id is not None:
        return {"recipients": (event.assignee_id,)}
    if event.side is Side.VENDOR:
        return _owner(deal)
    return _partners(deal, event) | (_owner(deal) if event.side is None else {})


def _partners(deal: Opportunity, event: Reminded | Escalated) -> dict[str, Any]:
    """The partner that it is about, or all of the deal."""
    if event.partner_id is not None:
        return {"partners": (event.partner_id,)}
    return {"partners": tuple(partner.id for partner in deal.partners)}


def _owner(deal: Opportunity) -> dict[str, Any]:
    return {"recipients": (deal.owner.id,)} if deal.owner else _directors()


def _directors() -> dict[str, Any]:
    """A deal that nobody owns is the sales director's to give away."""
    return {"roles": (Role.SALES_DIRECTOR,)}


def _facts(deal: Opportunity) -> Iterator[Fact]:
    yield Fact(name="Customer", value=deal.customer.name)
    yield Fact(name="Stage", value=deal.stage_title)
    if deal.next_step:
        yield Fact(name="Next step", value=deal.next_step)


def _in_calendar(deal: Opportunity, event: Reminded | Escalated) -> CalendarEvent:
    return CalendarEvent(
        uid=f"check-in-{deal.id}",
        sequence=deal.version,
        title=f"Check-in: {deal.title}",
        starts_at=event.due_at,
    )


def _assigned(deal: Opportunity, entry: TimelineEntry, event: TaskAssigned) -> Message:
    task = deal.tasks[event.key]
    return Message(
        kind=NoticeKind.TASK_ASSIGNED,
        cause=f"{deal.id}:{entry.sequence}",
        recipients=(event.assignee.id,) if event.assignee else (),
        title=deal.title,
        words=entry.words,
        opportunity_id=deal.id,
        due_at=task.due_at,
        facts=tuple(_facts(deal)),
    )


def _notifies(deal: Opportunity, event: TriggerFired) -> NotifyTemplate | None:
    trigger = trigger_at(deal.playbook, event.place)
    notify = trigger.notify if trigger else None
    nobody = notify is not None and notify.to is Audience.PARTNERS and not deal.partners
    return None if nobody else notify


def _triggered(deal: Opportunity, entry: TimelineEntry, notify: NotifyTemplate) -> Message:
    return Message(
        kind=NoticeKind.TRIGGERED,
        cause=f"{deal.id}:{entry.sequence}",
        title=deal.title,
        words=notify.words,
        opportunity_id=deal.id,
        facts=tuple(_facts(deal)),
        **_audience_of(deal, notify),
    )


def _audience_of(deal: Opportunity, notify: NotifyTemplate) -> dict[str, Any]:
    match notify.to:
        case Audience.PARTNERS:
            return {"partners": tuple(partner.id for partner in deal.partners)}
        case Audience.MANAGER:
            return {"managers_of": (deal.owner.id,)} if deal.owner else _directors()
        case Audience.ROLE if notify.role is not None:
            return {"roles": (notify.role,)}
        case Audience.ASSIGNEES:
            given = (task.assignee.id for task in deal.stage_tasks() if task.is_open and task.assignee)
            return {"recipients": people} if (people := tuple(dict.fromkeys(given))) else _owner(deal)
        case _:
            return _owner(deal)
