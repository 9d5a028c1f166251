"""What happens to the request as a whole: asked, granted, refused, back with the requester, ended."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.approval.events_steps import decided, finished
from domain.approval.happening import ApprovalEvent, said
from domain.approval.policy import PolicyRef
from domain.approval.state import (
    Approval,
    ApprovalState,
    CounterOffer,
    Decision,
    Ended,
    Facts,
    Round,
    Step,
    StepState,
    Verdict,
)
from domain.made import made
from domain.percent import Percent, shown
from domain.principal import Actor


class Submitted(ApprovalEvent):
    """Somebody asked; the first state is made with it."""

    type: Literal["approval_requested"] = "approval_requested"
    what: str
    reason: str | None
    percent: Percent | None
    in_the_name_of: str | None = None
    policy: PolicyRef | None
    steps: tuple[str, ...]
    expires_at: AwareDatetime

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        """The approval is made with it."""

    def words(self, by: Actor) -> str:
        for_whom = f" for {self.in_the_name_of}" if self.in_the_name_of else ""
        why = f": {self.reason}" if self.reason else "."
        return f"{by.name} asked for {self.what}{for_whom}{why}"


def _end(approval: Approval, state: ApprovalState, at: datetime, by: Actor, comment: str | None) -> None:
    approval.state = state
    approval.ended = made(Ended, by=by, at=at, comment=comment)
    _stop(approval, at)


def _stop(approval: Approval, at: datetime) -> None:
    """Nobody is awaited on any step any more."""
    approval.steps = tuple(
        finished(step, at, StepState.SKIPPED) if step.state in (StepState.OPEN, StepState.WAITING) else step
        for step in approval.steps
    )


class Approved(ApprovalEvent):
    """Everybody who had to agree has agreed."""

    type: Literal["approval_approved"] = "approval_approved"
    what: str
    percent: Percent | None
    policy: PolicyRef | None
    comment: str | None = None

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        _end(approval, ApprovalState.APPROVED, at, by, self.comment)

    def words(self, by: Actor) -> str:
        return f"{self.what} was approved."


class _Verdict(ApprovalEvent):
    """What one approver said that decides for the whole request."""

    what: str
    step: str
    decision: Decision

    def keep(self, approval: Approval) -> None:
        for step in approval.steps:
            if step.key == self.step:
                decided(approval, step, self.decision)


class Rejected(_Verdict):
    type: Literal["approval_rejected"] = "approval_rejected"

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        self.keep(approval)
        approval.steps = tuple(
            finished(step, at, StepState.REJECTED) if step.key == self.step else step
            for step in approval.steps
        )
        _end(approval, ApprovalState.REJECTED, at, by, self.decision.comment)

    def words(self, by: Actor) -> str:
        return f"{by.name} rejected {self.what}.{said(self.decision.comment)}"


class Returned(ApprovalEvent):
    """It is the requester's turn: to amend and resubmit. Tandem returns what nobody is left to decide."""

    type: Literal["approval_returned"] = "approval_returned"
    what: str
    comment: str
    step: str | None = None
    decision: Decision | None = None

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        for step in approval.steps:
            if step.key == self.step and self.decision is not None:
                decided(approval, step, self.decision)
        approval.state = ApprovalState.RETURNED
        approval.returned = Ended(by=by, at=at, comment=self.comment)
        _stop(approval, at)

    def words(self, by: Actor) -> str:
        return f"{by.name} returned {self.what} for changes.{said(self.comment)}"


class Resubmitted(ApprovalEvent):
    """The requester asks again; what was before is kept as a round, and everybody decides anew."""

    type: Literal["approval_resubmitted"] = "approval_resubmitted"
    what: str
    percent: Percent | None
    reason: str | None
    comment: str | None
    expires_at: AwareDatetime
    # For the state: the timeline keeps neither what only some may see, nor what the state has.
    facts: Facts = Field(default={}, exclude=True)
    terms: dict[str, str] = Field(default={}, exclude=True)
    steps: tuple[Step, ...] = Field(default=(), exclude=True)

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        approval.terms = self.terms or approval.terms
        approval.rounds = (*approval.rounds, self._round_before(approval, at, by))
        approval.state = ApprovalState.PENDING
        approval.percent, approval.reason, approval.facts = self.percent, self.reason, self.facts
        approval.steps = self.steps
        approval.counter = approval.returned = None
        approval.submitted_at, approval.expires_at = at, self.expires_at

    @staticmethod
    def _round_before(approval: Approval, at: datetime, by: Actor) -> Round:
        _stop(approval, at)
        return Round(
            number=len(approval.rounds) + 1,
            percent=approval.percent,
            reason=approval.reason,
            submitted_at=approval.submitted_at,
            state=approval.state,
            steps=approval.steps,
            counter=approval.counter,
            ended=approval.returned or Ended(by=by, at=at),
        )

    def words(self, by: Actor) -> str:
        return f"{by.name} submitted {self.what} again.{said(self.comment)}"


class Countered(_Verdict):
    """An approver would grant less; the requester takes it or not, and the clocks stand meanwhile."""

    type: Literal["approval_countered"] = "approval_countered"
    percent: Percent

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        self.keep(approval)
        approval.state = ApprovalState.COUNTERED
        approval.counter = CounterOffer(
            percent=self.percent,
            by=self.decision.by,
            at=at,
            step=self.step,
            comment=self.decision.comment,
        )
        approval.steps = tuple(_paused(step) if step.is_open else step for step in approval.steps)

    def words(self, by: Actor) -> str:
        offer = f"{by.name} would grant {shown(self.percent)} % instead of {self.what}."
        return f"{offer}{said(self.decision.comment)}"


def _paused(step: Step) -> Step:
    return step.but(state=StepState.WAITING, approvers=(), alarms=(), due_at=None, recheck_at=None)


class CounterAccepted(ApprovalEvent):
    """The requester takes the offer: who made it has agreed, and steps that less does not need fall away."""

    type: Literal["approval_counter_accepted"] = "approval_counter_accepted"
    what: str
    percent: Percent
    comment: str | None
    needed: tuple[str, ...]
    facts: Facts = Field(default={}, exclude=True)  # for the state, and these as well
    terms: dict[str, str] = Field(default={}, exclude=True)
    steps: tuple[Step, ...] = Field(default=(), exclude=True)

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        approval.terms = self.terms or approval.terms
        approval.state = ApprovalState.PENDING
        approval.percent, approval.facts = self.percent, self.facts
        approval.counter = None
        known = {step.key for step in approval.steps}
        new = (step for step in self.steps if step.key not in known)  # the facts have moved meanwhile
        approval.steps = (*(self._after(step, at) for step in approval.steps), *new)

    def _after(self, step: Step, at: datetime) -> Step:
        if step.state is not StepState.WAITING:
            return step
        if any(each.verdict is Verdict.COUNTER for each in step.decisions) and step.approvals >= step.wanted:
            return finished(step, at)
        return step if step.key in self.needed else finished(step, at, StepState.NOT_NEEDED)

    def words(self, by: Actor) -> str:
        return f"{by.name} takes {self.what}.{said(self.comment)}"


class _Stopped(ApprovalEvent):
    """The end of a request that nobody has decided; `asked` could have until then."""

    what: str
    asked: tuple[UUID, ...] = Field(default=(), exclude=True)  # for who is to be told


class Recalled(_Stopped):
    type: Literal["approval_recalled"] = "approval_recalled"
    comment: str | None

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        _end(approval, ApprovalState.RECALLED, at, by, self.comment)

    def words(self, by: Actor) -> str:
        return f"{by.name} took back the request for {self.what}.{said(self.comment)}"


class Withdrawn(_Stopped):
    """What it was about is gone."""

    type: Literal["approval_withdrawn"] = "approval_withdrawn"
    reason: str

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        _end(approval, ApprovalState.RECALLED, at, by, self.reason)

    def words(self, by: Actor) -> str:
        return f"The request for {self.what} was withdrawn. {self.reason}"


class Expired(_Stopped):
    """Nobody has decided in the time that a request lives."""

    type: Literal["approval_expired"] = "approval_expired"

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        _end(approval, ApprovalState.EXPIRED, at, by, None)

    def words(self, by: Actor) -> str:
        return f"The request for {self.what} expired undecided."
