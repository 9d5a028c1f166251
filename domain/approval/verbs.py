"""What somebody may do about a request as it stands: for pages and lists, which offer nothing in vain.

A courtesy: whether a command is allowed is decided by the request's own rules when it arrives.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from domain.approval.state import Approval, ApprovalState, Step
from domain.principal import Principal, Side


class Verb(StrEnum):
    """The commands to a request, by the names that they have everywhere."""

    APPROVE = "approve"
    COUNTER = "counter"
    RETURN = "return"
    REJECT = "reject"
    DELEGATE = "delegate"
    ACCEPT = "accept"
    RESUBMIT = "resubmit"
    RECALL = "recall"


DECIDING = frozenset({Verb.APPROVE, Verb.COUNTER, Verb.RETURN, Verb.REJECT})


def verbs(approval: Approval, principal: Principal) -> tuple[Verb, ...]:
    """What the principal may do now, the most likely first."""
    return tuple(_verbs(approval, principal))


def _verbs(approval: Approval, principal: Principal) -> Iterator[Verb]:
    if not approval.is_open:
        return
    if principal.id in approval.askers:
        yield from _of_requester(approval)
    elif seats_of(approval, principal):
        yield Verb.APPROVE
        if approval.percent is not None:
            yield Verb.COUNTER
        yield from (Verb.RETURN, Verb.REJECT, Verb.DELEGATE)


def _of_requester(approval: Approval) -> Iterator[Verb]:
    if approval.state is ApprovalState.COUNTERED:
        yield Verb.ACCEPT
    if approval.state is not ApprovalState.PENDING:
        yield Verb.RESUBMIT
    yield Verb.RECALL


def seats_of(approval: Approval, principal: Principal) -> list[Step]:
    """The open steps on which the principal may decide."""
    if principal.side is not Side.VENDOR or principal.id in approval.askers:
        return []
    return [step for step in approval.open_steps() if step.seat(principal.id)]
