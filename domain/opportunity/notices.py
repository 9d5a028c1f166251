"""Whom a deal tells what: its reminders and escalations, tasks given to somebody, and grants that end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.discount.state import Discount
from domain.ladder import Subject, Tell
from domain.notice import LATE, CalendarEvent, Fact, Message, NoticeKind
from domain.opportunity.agenda import DueKind
from domain.opportunity.discounts import find
from domain.opportunity.draft import Outcome, TimelineEntry
from domain.opportunity.events import (
    DiscountLapsed,
    Escalated,
    FellDue,
    Reminded,
    TaskAdded,
    TaskAssigned,
    TriggerFired,
)
from domain.opportunity.happening import Happening
from domain.opportunity.state import Opportunity, Person, Task
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


TOLD: dict[str, tuple[type[Happening], ...]] = {
    "deals-tell-people": (Reminded, Escalated, TaskAssigned, TriggerFired),
    "deals-tell-of-new-tasks": (TaskAdded,),
    "deals-tell-of-grants": (FellDue, DiscountLapsed),
}
"""What people are told of, by the patch of the deal's process that began it: older runs go on without."""


def messages(outcome: Outcome, of: tuple[type[Happening], ...] = (Happening,)) -> list[Message]:
    """What is to be told of what happened, or of these kinds of it, and to whom.

    Where a ladder was climbed several rungs at once, each audience hears of the last one only.
    """
    deal = outcome.opportunity
    told: dict[object, Message] = {}
    for entry in outcome.entries:
        event = entry.event
        if not isinstance(event, of):
            continue
        if isinstance(event, Reminded | Escalated):
            told[event.subject, event.key, event.due_at, _rung(deal, event)] = _reminder(deal, entry, event)
        elif (given := _given(entry)) is not None:
            key, assignee = given
            told[key] = _assigned(deal, entry, key, assignee)
        elif isinstance(event, TriggerFired) and (notify := _notifies(deal, event)):
            told[entry.sequence] = _triggered(deal, entry, notify)
        elif (discount := _ending(deal, event)) is not None:
            told[entry.sequence] = _grant(deal, entry, discount)
    return list(told.values())


def _given(entry: TimelineEntry) -> tuple[str, Person] | None:
    """The key of the task that somebody gave to another, and to whom."""
    match entry.event:
        case TaskAdded(task=Task(key=key, assignee=Person() as assignee)):
            pass
        case TaskAssigned(key=key, assignee=Person() as assignee):
            pass
        case _:
            return None
    return (key, assignee) if assignee.id != entry.by.id else None


def _ending(deal: Opportunity, event: Happening) -> Discount | None:
    """The grant that has ended, or will soon."""
    if isinstance(event, DiscountLapsed):
        return find(deal, event.discount_id)
    if isinstance(event, FellDue) and event.kind == DueKind.GRANT_NEAR:
        return next((each for each in deal.discounts if str(each.id) in event.item), None)
    return None


def _grant(deal: Opportunity, entry: TimelineEntry, discount: Discount) -> Message:
    """To the owner and to who asked for it: where that was a partner, to its people."""
    due_at = discount.envelope.until if discount.envelope else None
    said_for = entry.event.due_at if isinstance(entry.event, FellDue) else due_at
    by, whom = discount.requested_by, _owner(deal)
    if by.side is Side.PARTNER:
        whom |= {"partners": tuple(each.id for each in deal.partners if each.id == discount.partner_id)}
    else:
        people = dict.fromkeys((*whom.get("recipients", ()), by.id))
        whom["recipients"] = tuple(each for each in people if each is not None)
    late = said_for is not None and entry.at - said_for > LATE
    return _about(deal, entry, NoticeKind.GRANT_ENDING, due_at=due_at, late=late, **whom)


def _about(deal: Opportunity, entry: TimelineEntry, kind: NoticeKind, **more: Any) -> Message:
    """News of an entry of the timeline, told once; in its words, unless `more` has others."""
    return Message(
        kind=kind,
        title=deal.title,
        opportunity_id=deal.id,
        facts=tuple(_facts(deal)),
        **{"cause": f"{deal.id}:{entry.sequence}", "words": entry.words, **more},
    )


def _rung(deal: Opportunity, event: Reminded | Escalated) -> Tell:
    """Whom the playbook's rung tells, also where there is no other side: so running deals tell as often."""
    return deal.playbook.ladders.of(event.subject)[event.rung - 1].tell


def _reminder(deal: Opportunity, entry: TimelineEntry, event: Reminded | Escalated) -> Message:
    kind = NoticeKind.ESCALATED if event.tell is Tell.MANAGER else _KINDS[event.subject]
    if (
        event.subject is Subject.CHECK_IN
        and event.at_rung > event.due_at
        and kind is not NoticeKind.ESCALATED
    ):
        kind = NoticeKind.CHECK_IN_MISSED
    return _about(
        deal,
        entry,
        kind,
        cause=f"{deal.id}:{event.subject.value}:{event.key}:{event.due_at.isoformat()}:{event.rung}",
        words=f"{event.what}.",
        due_at=event.due_at,
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


def _assigned(deal: Opportunity, entry: TimelineEntry, key: str, assignee: Person) -> Message:
    due_at = deal.tasks[key].due_at
    return _about(deal, entry, NoticeKind.TASK_ASSIGNED, recipients=(assignee.id,), due_at=due_at)


def _notifies(deal: Opportunity, event: TriggerFired) -> NotifyTemplate | None:
    trigger = trigger_at(deal.playbook, event.place)
    notify = trigger.notify if trigger else None
    nobody = notify is not None and notify.to is Audience.PARTNERS and not deal.partners
    return None if nobody else notify


def _triggered(deal: Opportunity, entry: TimelineEntry, notify: NotifyTemplate) -> Message:
    audience = _audience_of(deal, notify)
    return _about(deal, entry, NoticeKind.TRIGGERED, words=notify.words, **audience)


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
