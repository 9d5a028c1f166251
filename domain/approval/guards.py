"""When a request takes a command, and from whom."""

from __future__ import annotations

from collections.abc import Sequence

from domain.approval.events_steps import people
from domain.approval.state import Approval, ApprovalState, Approver, Step
from domain.dates import dated
from domain.errors import (
    AlreadyDecided,
    ApprovalClosed,
    ApprovalNotPending,
    NotAnApprover,
    NotFound,
    NotTheRequester,
    OwnRequest,
)
from domain.principal import Actor

Seats = list[tuple[Step, Approver]]
"""Open steps, each with the seat of the one who decides."""


def still_open(approval: Approval) -> None:
    """Raises: ApprovalClosed, with how, by whom and when."""
    if approval.is_open:
        return
    ended = approval.ended
    who = f" by {approval.ended_by} at {ended.at:%H:%M} UTC on {dated(ended.at)}" if ended else ""
    raise ApprovalClosed(
        f"The request for {approval.title} was {approval.state.value} already{who}; nothing can be decided.",
        state=approval.state.value,
    )


def demand_requester(approval: Approval, by: Actor) -> None:
    """Raises: NotTheRequester, unless it is their request, or was asked in their name."""
    if by.id not in approval.askers:
        raise NotTheRequester(f"Only {approval.requester.name}, who asked, can do this.")


def seats_of(approval: Approval, by: Actor, key: str | None) -> Seats:
    """The open steps on which somebody may decide now: the named one, or all where they sit.

    Raises:
        OwnRequest: it is their own (four eyes).
        ApprovalNotPending: the requester is awaited.
        NotFound: there is no such step.
        AlreadyDecided: they have said what they think.
        NotAnApprover: somebody else is asked.
    """
    if by.id in approval.askers:
        raise OwnRequest("Nobody decides on a request of their own: it takes a second pair of eyes.")
    if approval.state is not ApprovalState.PENDING:
        raise ApprovalNotPending(
            f"The request is {approval.state.value}: {approval.requester.name} is awaited.",
            state=approval.state.value,
        )
    if key is not None and approval.step(key) is None:
        raise NotFound(f"This request has no step “{key}”.")
    asked = approval.steps if key is None else [step for step in approval.steps if step.key == key]
    found = [(step, seat) for step in asked if step.is_open and (seat := step.seat(by.id)) is not None]
    if not found:
        _explain(approval, asked, by)
    return found


def _explain(approval: Approval, asked: Sequence[Step], by: Actor) -> None:
    """Say why somebody has no seat. Raises: AlreadyDecided, NotAnApprover."""
    for step in asked:
        if said := step.decision_of(by.id):
            raise AlreadyDecided(
                f"You have decided on {step.title} already: {said.verdict.value}, "
                f"at {said.at:%H:%M} UTC on {dated(said.at)}. Nobody decides twice."
            )
    sitting = [seat for step in approval.open_steps() for seat in step.approvers]
    for seat in sitting:
        if seat.stands_in_for is not None and seat.stands_in_for.id == by.id:
            back = "end the delegation, or have this one handed back, to decide yourself."
            raise NotAnApprover(f"{seat.name} decides for you; {back}")
    who = people({seat.id: seat for seat in sitting}.values())
    waits = f" It waits for {who}." if who else ""
    raise NotAnApprover(f"You are not asked to decide here.{waits}")
