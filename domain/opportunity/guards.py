"""Who may do what on a deal, and when a deal takes it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from domain.dates import dated
from domain.errors import DealClosed, DealOnHold, Forbidden, InvalidInput, NotFound, TaskClosed
from domain.opportunity.state import Opportunity, Status, Task
from domain.opportunity.wording import possessive
from domain.principal import Action, Actor, Side

MAX_AHEAD = timedelta(days=3653)
"""Ten years: no deal waits longer, and a timer that far ahead is still one that every server can set."""

MAX_TEXT = 200_000
"""Characters that people write into the tasks of one deal. A deal travels as one message of at most 2 MB."""

CLOSE_FROM, CLOSE_TO = date(1990, 1, 1), date(2100, 12, 31)
"""Between these an expected close is believed, also that of a deal taken over from an old system."""


def ahead(instant: datetime | None, now: datetime, what: str, *, pointer: str) -> None:
    """Raises: InvalidInput, unless the instant is not given, or in the next ten years."""
    if instant is None or now < instant <= now + MAX_AHEAD:
        return
    when = "in the past" if instant <= now else "more than ten years away"
    raise InvalidInput(f"{what} would be {when}; give a time in the next ten years.", pointer=pointer)


def later(day: date | None, now: datetime, what: str, *, pointer: str) -> None:
    """Raises: InvalidInput, unless the day on which something ends is not given, or in the next ten years."""
    if day is not None and not now.date() <= day <= (now + MAX_AHEAD).date():
        raise InvalidInput(
            f"{what} would end on {dated(day)}; give a day in the next ten years.", pointer=pointer
        )


def plausible_close(day: date | None) -> None:
    """Raises: InvalidInput, when nobody can mean that day as the expected close."""
    if day is not None and not CLOSE_FROM <= day <= CLOSE_TO:
        raise InvalidInput(
            f"The expected close is {day}; give a day from {CLOSE_FROM} to {CLOSE_TO}.",
            pointer="/expected_close",
        )


def _written(deal: Opportunity) -> int:
    """Characters that people wrote into the deal's tasks."""
    return sum(
        len(task.note or "") + len((task.help if task.template is None else None) or "")
        for task in deal.tasks.values()
    )


def room_for_text(before: Opportunity, after: Opportunity) -> None:
    """Raises: InvalidInput, when a change writes more into the tasks of a deal than it can carry."""
    written = _written(after)
    if written > MAX_TEXT and written > _written(before):
        raise InvalidInput(
            "The tasks of this deal hold no more text: write less here, and keep documents elsewhere."
        )


def demand(by: Actor, action: Action, what: str) -> None:
    """Refuse somebody whose roles do not allow it.

    Raises:
        Forbidden: with `what` as the sentence.
    """
    if not by.may(action):
        raise Forbidden(what)


def not_closed(deal: Opportunity) -> None:
    """Raises: DealClosed, when nothing more is awaited."""
    if deal.is_closed:
        state = deal.status.value.replace("_", " ")
        how = " Reopen it first." if deal.status is Status.LOST else ""
        raise DealClosed(f"“{deal.title}” is {state} and takes no more changes.{how}")


def at_work(deal: Opportunity) -> None:
    """Tasks can be worked: the deal is open, or won and being handed off.

    Raises: DealClosed, DealOnHold.
    """
    not_closed(deal)
    if deal.hold is not None:
        raise DealOnHold(f"“{deal.title}” is on hold: {deal.hold.reason}. Resume it first.")


def selling(deal: Opportunity) -> None:
    """The deal is still to be won.

    Raises: DealClosed, DealOnHold.
    """
    at_work(deal)
    if deal.status is Status.WON:
        raise DealClosed(f"“{deal.title}” is won and being handed off.")


def current_task(deal: Opportunity, key: str) -> Task:
    """The task with this key, in the current stage.

    Raises: NotFound, TaskClosed (its stage has been left).
    """
    task = deal.tasks.get(key)
    if task is None:
        raise NotFound(f"This deal has no task “{key}”.")
    if task.stage != deal.stage.key:
        how = "" if deal.in_handoff else " To work on it, the vendor moves the deal there."
        title = deal.playbook.template(task.stage).title
        raise TaskClosed(
            f"“{task.title}” belongs to {title}, and the deal is in {deal.stage_title}.{how}", task=task.key
        )
    return task


def is_for(deal: Opportunity, task: Task, side: Side | None, organisation_id: UUID | None) -> bool:
    """Whether the task is one for people of this organisation: each side works its own.

    A partner's task that no partner of the deal has, waits: for a partner of the deal with the
    role that it asks for, and meanwhile the vendor stands in.
    """
    if side is Side.VENDOR:
        return task.side is Side.VENDOR or deal.partner(task.partner_id) is None
    if task.side is Side.VENDOR:
        return False
    if owner := deal.partner(task.partner_id):
        return owner.id == organisation_id
    partner = deal.partner(organisation_id)
    return partner is not None and task.partner_role in (None, partner.role)


def demand_task(by: Actor, deal: Opportunity, task: Task) -> None:
    """The task is for the one who asks, and the role allows it.

    Raises: Forbidden.
    """
    demand(by, Action.WORK_TASKS, "Your role does not work on tasks.")
    if by.is_system or is_for(deal, task, by.side, by.organisation_id):
        return
    owner = deal.partner(task.partner_id)
    if task.side is Side.PARTNER and owner is None and task.partner_role is not None:
        role = task.partner_role.label
        raise Forbidden(f"“{task.title}” waits for a partner as {role}; meanwhile the vendor may do it.")
    raise Forbidden(f"“{task.title}” is {possessive(owner.name if owner else 'the vendor')} task.")
