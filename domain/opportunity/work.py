"""What waits for whom: a deal's contribution to people's lists of work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime

from domain.opportunity.blockers import Blocker, blockers
from domain.opportunity.state import Opportunity, Status, Task
from domain.opportunity.wording import listed
from domain.principal import Role, Side
from domain.value import Value


class WorkKind(StrEnum):
    TASK = "task"
    SIGN_OFF = "sign_off"
    ADVANCE = "advance"
    CHECK_IN = "check_in"
    HANDOFF = "handoff"
    FOLLOW_UP = "follow_up"
    """Of a hand-off: a check-in with the customer after the acceptance; the key is the follow-up's."""
    APPROVAL = "approval"
    """Of a request on the deal, not of the deal itself; the key is the request's id."""


class WorkItem(Value):
    """One thing that waits for somebody.

    It is for the assignee; without one for everybody of `role`; without that for the
    deal's owner on the vendor's side, and for everybody of the partner on the other.
    """

    kind: WorkKind
    key: str
    title: str
    side: Side
    partner_id: UUID | None = None
    assignee_id: UUID | None = None
    role: Role | None = None
    required: bool = True
    since: AwareDatetime
    due_at: AwareDatetime | None = None


def _task(deal: Opportunity, task: Task) -> WorkItem:
    stands_in = task.side is Side.PARTNER and deal.partner(task.partner_id) is None
    side = Side.VENDOR if stands_in else task.side
    return WorkItem(
        kind=WorkKind.TASK,
        key=task.key,
        title=task.title,
        side=side,
        partner_id=task.partner_id if side is Side.PARTNER else None,
        assignee_id=task.assignee.id if task.assignee else None,
        role=_unowned(deal, side),
        required=task.required,
        since=task.opened_at,
        due_at=task.due_at,
    )


def _unowned(deal: Opportunity, side: Side) -> Role | None:
    """A deal that nobody owns is the sales director's to give away."""
    return Role.SALES_DIRECTOR if side is Side.VENDOR and deal.owner is None else None


def _sides(deal: Opportunity, side: Side) -> list[UUID | None]:
    """For whom something of this side is: each partner, or the vendor."""
    return [partner.id for partner in deal.partners] if side is Side.PARTNER else [None]


def _for_side(deal: Opportunity, kind: WorkKind, side: Side, title: str, at: Dates) -> Iterator[WorkItem]:
    since, due_at = at
    for partner_id in _sides(deal, side):
        yield WorkItem(
            kind=kind,
            key=str(partner_id or side.value),
            title=title,
            side=side,
            partner_id=partner_id,
            role=_unowned(deal, side),
            since=since,
            due_at=due_at,
        )


Dates = tuple[datetime, datetime | None]
"""Since when, and due when."""


def _decision(deal: Opportunity, blocker: Blocker) -> Iterator[WorkItem]:
    at = (blocker.since, blocker.due_at)
    match blocker.code:
        case "sign_off_missing" if blocker.turn is not None:
            yield from _for_side(deal, WorkKind.SIGN_OFF, blocker.turn, f"Agree: {deal.stage_title}", at)
        case "ready_to_advance" | "ready_to_win":
            yield from _for_side(deal, WorkKind.ADVANCE, Side.VENDOR, blocker.what, at)
        case "discount_outside_grant":
            title = "Ask again for the discount, or change the deal back"
            yield from _for_side(deal, WorkKind.ADVANCE, Side.VENDOR, title, at)
        case "handoff_not_accepted":
            yield WorkItem(
                kind=WorkKind.HANDOFF,
                key="accept",
                title="Accept the hand-off",
                side=Side.VENDOR,
                role=Role.CUSTOMER_SUCCESS,
                since=blocker.since,
                due_at=blocker.due_at,
            )


def work_items(deal: Opportunity) -> list[WorkItem]:
    """Everything that waits for somebody on this deal; nothing while it is on hold or closed."""
    if deal.is_closed or deal.hold is not None:
        return []
    items = [_task(deal, task) for task in deal.stage_tasks() if task.is_open]
    for blocker in blockers(deal):
        items.extend(_decision(deal, blocker))
    return [*items, *_check_ins(deal)]


def _check_ins(deal: Opportunity) -> Iterator[WorkItem]:
    """For the one who looks after them, or for both sides; each is told with whom."""
    if deal.status is not Status.OPEN or deal.next_check_in_at is None:
        return
    at = (deal.last_check_in.at if deal.last_check_in else deal.stage.entered_at, deal.next_check_in_at)
    who = deal.cadence.who
    for side in Side if who is None else (who.side,):
        title = f"Check in with {_other_side(deal, side)}"
        for item in _for_side(deal, WorkKind.CHECK_IN, side, title, at):
            if who is None:
                yield item
            elif item.partner_id == who.partner_id:
                yield item.but(assignee_id=who.person.id)


def _other_side(deal: Opportunity, side: Side) -> str:
    if side is Side.PARTNER:
        return "the vendor"
    return listed((partner.name for partner in deal.partners), "and") or deal.customer.name
