"""What falls due next on a request, as absolute UTC instants; and what then happens by itself.

Escalations and changes of stand-ins are due here as well, but need the directory:
`fall_due` leaves them to `rules.to_resolve`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.approval import events as did
from domain.approval.draft import ApprovalOutcome, Draft
from domain.approval.state import AlarmKind, Approval, Step
from domain.made import made
from domain.principal import SYSTEM


def _instants(approval: Approval) -> Iterator[datetime]:
    if approval.is_open:
        yield approval.expires_at
    for step in approval.open_steps():
        yield from (alarm.at for alarm in step.alarms if not alarm.done)
        if step.recheck_at is not None:
            yield step.recheck_at


def next_due(approval: Approval) -> datetime | None:
    """When the clock has to speak next; None when the request has ended."""
    return min(_instants(approval), default=None)


def fall_due(approval: Approval, now: datetime) -> ApprovalOutcome:
    """What the passing of time leads to by itself: expiry, or else each reminder once."""
    draft = Draft(approval, now, SYSTEM)
    if approval.is_open and approval.expires_at <= now:
        draft.add(did.Expired(what=approval.title, asked=approval.sitting))
        return draft.outcome()
    for step in approval.open_steps():
        if any(each.kind is AlarmKind.REMIND and not each.done and each.at <= now for each in step.alarms):
            draft.add(_reminded(step))
    return draft.outcome()


def _reminded(step: Step) -> did.Reminded:
    return made(
        did.Reminded,
        key=step.key,
        title=step.title,
        to=tuple([each.person for each in step.approvers]),
        due_at=step.due_at,
    )
