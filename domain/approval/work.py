"""Who is waited for on a request: its contribution to people's lists of work."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from pydantic import AwareDatetime

from domain.approval.policy import REQUESTER
from domain.approval.state import Approval, ApprovalState
from domain.opportunity.wording import listed
from domain.principal import Side
from domain.value import Value


class Seat(Value):
    """Somebody who is waited for: an approver on an open step, or the requester."""

    step_key: str
    step: str
    side: Side
    user_id: UUID
    stands_in_for_id: UUID | None = None
    stands_in_for: str | None = None
    since: AwareDatetime
    due_at: AwareDatetime | None = None


def seats(approval: Approval) -> list[Seat]:
    """Everybody who is waited for now; nobody when the request has ended."""
    if approval.state is ApprovalState.PENDING:
        return list(_of_approvers(approval))
    return list(_of_requesters(approval)) if approval.is_open else []


def _of_approvers(approval: Approval) -> Iterator[Seat]:
    for step in approval.open_steps():
        for each in step.approvers:
            absent = each.stands_in_for
            yield Seat(
                step_key=step.key,
                step=step.title,
                side=Side.VENDOR,
                user_id=each.id,
                stands_in_for_id=absent.id if absent else None,
                stands_in_for=absent.name if absent else None,
                since=step.opened_at or approval.submitted_at,
                due_at=step.due_at,
            )


def _of_requesters(approval: Approval) -> Iterator[Seat]:
    for user_id in approval.askers:
        yield Seat(
            step_key=REQUESTER,
            step="Take the offer, or not" if approval.counter else "Amend and submit again",
            side=_side(approval, user_id),
            user_id=user_id,
            since=approval.updated_at,
            due_at=approval.expires_at,
        )


def _side(approval: Approval, asker: UUID) -> Side:
    """Whose work a request that came back is: the requester's side's, or that of the partner asked for."""
    if asker != approval.requester.id and approval.subject.partner_id is not None:
        return Side.PARTNER
    return approval.requester.side or Side.VENDOR


def awaited(approval: Approval | None) -> frozenset[UUID]:
    """Everybody on whom it depends who is asked now: who may decide, and for whom they stand in."""
    sitting = (each for step in (approval.open_steps() if approval else ()) for each in step.approvers)
    return frozenset(
        person
        for each in sitting
        for person in (each.id, each.stands_in_for and each.stands_in_for.id)
        if person
    )


def waits_for(approval: Approval) -> str | None:
    """Who is awaited, in words; None when the request has ended."""
    if approval.state is ApprovalState.PENDING:
        return listed((step.title for step in approval.open_steps()), "and") or None
    return approval.requester.name if approval.is_open else None
