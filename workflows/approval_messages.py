"""What goes in and out of the approval's workflow and its activities.

In a file of its own, for the reason that `workflows.messages` gives.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from domain.approval import commands as ask
from domain.approval.draft import ApprovalEntry, ApprovalOutcome
from domain.approval.policy import PolicyRef
from domain.approval.state import Approval, ApprovalState, CounterOffer, Facts, StepState, Subject
from domain.percent import Percent
from domain.principal import SYSTEM, Actor
from workflows.entity import Receipt

RECORD_APPROVAL = "record_approval"
RESOLVE_STEPS = "resolve_steps"
JUDGE_ROUND = "judge_round"
TELL_DEAL = "tell_deal"

APPROVAL_ENDED = "approval_ended"
"""The update of a deal's workflow that takes an `ApprovalResult`, whenever the request's state changes.

Requests from before tell it by a signal of that name.
"""
WITHDRAW = "withdraw"
"""The signal of an approval's workflow that takes a `Withdrawal`: its subject is gone."""
PEOPLE_CHANGED = "people_changed"
"""The signal, without argument, that says that somebody who sits there left, or is away, or is back."""


def approval_workflow_id(approval_id: UUID) -> str:
    return f"approval-{approval_id}"


class Submission(BaseModel):
    """The first command of an approval, and who gives it."""

    command: ask.Submit
    by: Actor


class ApprovalStart(BaseModel):
    """What a run begins with: a submission, or an approval to go on with and the commands answered so far."""

    submission: Submission | None = None
    approval: Approval | None = None
    receipts: dict[str, Receipt] = {}


class ApprovalTimeline(BaseModel):
    """What happened in one run of the workflow."""

    entries: list[ApprovalEntry]


class Withdrawal(BaseModel):
    """Why the request is needed no more, as a sentence such as “The deal was lost.”, for its timeline."""

    reason: str


class Judging(BaseModel):
    """A request that is about to ask for another percent, by an amendment or a counter-offer taken."""

    approval: Approval
    percent: Percent | None = None


class ApprovalResult(BaseModel):
    """How a request stands, for whoever waits for it: asked, ended, back with the requester, pending again.

    It is told with every change of the state, the first time as soon as the request is recorded.

    `percent` is what is asked for, after a counter-offer was taken the offer's; `facts` are those
    that it was judged by. `agreed` are the steps that have approved it as it is now, and `not_needed`
    those that were asked in any round and have not. `by` spoke last: an approver, the requester who
    took an offer, or Tandem.
    """

    approval_id: UUID
    version: int
    state: ApprovalState
    subject: Subject
    percent: Percent | None = None
    facts: Facts = {}
    agreed: tuple[str, ...] = ()
    not_needed: tuple[str, ...] = ()
    policy: PolicyRef | None = None
    reason: str | None = None
    counter: CounterOffer | None = None
    by: Actor
    at: AwareDatetime
    comment: str | None = None


def result_of(outcome: ApprovalOutcome) -> ApprovalResult:
    """What an outcome that changed the state tells whoever waits for it."""
    approval, last = outcome.approval, outcome.entries[-1]
    said = approval.ended or approval.returned or approval.counter
    agreed = tuple(step.key for step in approval.steps if step.state is StepState.APPROVED)
    rounds = (*(each.steps for each in approval.rounds), approval.steps)
    asked = (step.key for steps in rounds for step in steps)
    return ApprovalResult(
        approval_id=approval.id,
        version=approval.version,
        state=approval.state,
        subject=approval.subject,
        percent=approval.percent,
        facts=approval.facts,
        agreed=agreed,
        not_needed=tuple(dict.fromkeys(key for key in asked if key not in agreed)),
        policy=approval.policy,
        reason=approval.reason,
        counter=approval.counter,
        by=last.by,
        at=last.at,
        comment=said.comment if said else None,
    )


def refused_result(submission: Submission, why: str, at: datetime) -> ApprovalResult:
    """What whoever waits for a request is told when it could not even be asked."""
    command = submission.command
    return ApprovalResult(
        approval_id=command.id,
        version=0,
        state=ApprovalState.REJECTED,
        subject=command.subject,
        percent=command.percent,
        facts=command.facts,
        policy=command.policy,
        reason=command.reason,
        by=SYSTEM,
        at=at,
        comment=f"It could not be asked: {why}",
    )
