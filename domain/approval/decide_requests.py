"""What requesters say: take the offer, submit again, take the request back."""

from __future__ import annotations

from domain.approval import commands as ask
from domain.approval import events as did
from domain.approval.draft import Draft
from domain.approval.guards import demand_requester
from domain.approval.resolve import Judged, steps_of
from domain.approval.state import ApprovalState
from domain.errors import ApprovalNotReturned, InvalidInput, NoCounterOffer

MAX_ROUNDS = 20
"""Submissions of one request: what came back so often is another request."""


def accept(draft: Draft, command: ask.Accept, judged: Judged) -> None:
    approval = draft.approval
    demand_requester(approval, draft.by)
    if approval.counter is None or approval.state is not ApprovalState.COUNTERED:
        raise NoCounterOffer("No counter-offer was made, or it has been answered.")
    percent = approval.counter.percent
    draft.add(
        did.CounterAccepted(
            what=approval.titled(percent),
            percent=percent,
            comment=command.comment,
            facts=judged.facts,
            terms=judged.terms,
            needed=judged.fired,
            steps=steps_of(approval.templates, judged.fired),
        )
    )


def resubmit(draft: Draft, command: ask.Resubmit, judged: Judged) -> None:
    approval = draft.approval
    demand_requester(approval, draft.by)
    if approval.state is ApprovalState.PENDING:
        raise ApprovalNotReturned(
            "The request is being decided; take it back to change it, or wait until it is returned."
        )
    if len(approval.rounds) >= MAX_ROUNDS - 1:
        raise InvalidInput(f"This was submitted {MAX_ROUNDS} times; take it back and ask anew.")
    percent = command.percent if command.percent is not None else approval.percent
    draft.add(
        did.Resubmitted(
            what=approval.titled(percent),
            percent=percent,
            reason=command.reason or approval.reason,
            comment=command.comment,
            facts=judged.facts,
            terms=judged.terms,
            steps=steps_of(approval.templates, judged.fired),
            expires_at=draft.now + (approval.expires_at - approval.submitted_at),
        )
    )


def recall(draft: Draft, command: ask.Recall, _judged: Judged) -> None:
    demand_requester(draft.approval, draft.by)
    approval = draft.approval
    draft.add(did.Recalled(what=approval.title, comment=command.comment, asked=approval.sitting))
