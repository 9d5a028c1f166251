"""An approval as it stands: everything its workflow owns, in one value.

The parts are frozen and replaced. All instants are aware and in UTC; no clock
is computed here, the resolved instants are kept.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.approval.policy import ApproverRule, Needs, PolicyRef, StepTemplate
from domain.made import made
from domain.opportunity.state import Person
from domain.percent import Percent, shown
from domain.principal import THE_VENDOR, Actor, Side
from domain.timeline import Changing
from domain.value import Value

Facts = dict[str, Any]
"""What a request is judged by, as plain JSON values, by name: `deal`, `partner`, `discount` …"""


class ApprovalState(StrEnum):
    """The life of a request."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETURNED = "returned"
    """It waits for the requester, who amends and resubmits."""
    COUNTERED = "countered"
    """It waits for the requester, who takes what is offered, or not."""
    RECALLED = "recalled"
    """Taken back by the requester, or withdrawn because its subject is gone (then `ended.by` is Tandem)."""
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        """Somebody is awaited: an approver, or the requester."""
        return self in _OPEN

    @property
    def label(self) -> str:
        return self.value.capitalize()


_OPEN = frozenset({ApprovalState.PENDING, ApprovalState.RETURNED, ApprovalState.COUNTERED})


class StepState(StrEnum):
    """How far one step is."""

    WAITING = "waiting"
    """Steps before it are not finished, or who is asked is being found out."""
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    """The request ended, or went back to the requester, before it was decided."""
    NOT_NEEDED = "not_needed"
    """After a counter-offer its rule holds no more."""


class Verdict(StrEnum):
    """What an approver says."""

    APPROVE = "approve"
    REJECT = "reject"
    RETURN = "return"
    COUNTER = "counter"


class Channel(StrEnum):
    """How a decision came."""

    PAGE = "page"
    API = "api"
    MAIL = "mail"


class AlarmKind(StrEnum):
    REMIND = "remind"
    ESCALATE = "escalate"


class Subject(Value):
    """What the request is about. `title` names it, as in “27.5 % on `title`”: the deal's, for a discount."""

    kind: str = Field(default="discount", max_length=40)
    title: str
    opportunity_id: UUID | None = None
    opportunity: str | None = None
    discount_id: UUID | None = None
    partner_id: UUID | None = Field(default=None, description="The partner whose request it is, if one's.")


class Approver(Value):
    """Somebody who may decide on a step, and how it comes that it is they."""

    id: UUID
    name: str
    via: str
    level: int = Field(default=0, description="0: named by the step; 1, 2 …: by escalation.")
    stands_in_for: Person | None = None
    until: AwareDatetime | None = Field(default=None, description="Until when the one stood in for is away.")

    @property
    def person(self) -> Person:
        return made(Person, id=self.id, name=self.name)


class HandedSeat(Value):
    """A seat that its holder gave to a colleague, for this step only."""

    from_id: UUID
    to: Person
    until: AwareDatetime | None = None

    def holds(self, at: datetime) -> bool:
        return self.until is None or at < self.until


class Decision(Value):
    """What somebody said on a step; nobody says it twice in a round."""

    by: Person
    verdict: Verdict
    at: AwareDatetime
    comment: str | None = None
    percent: Percent | None = None
    via: str
    stands_in_for: Person | None = None
    until: AwareDatetime | None = None
    channel: Channel | None = None


class Alarm(Value):
    """A clock of a step: a reminder, or an escalation to the level. Each rings once."""

    kind: AlarmKind
    level: int = 0
    at: AwareDatetime
    done: bool = False


class Step(Value):
    """One gate of the request in this round."""

    key: str
    title: str
    rule: str
    needs: Needs
    after: tuple[str, ...] = ()
    state: StepState = StepState.WAITING
    wanted: int = Field(default=1, description="How many have to agree: fixed when the step opens.")
    level: int = Field(default=0, description="The escalation level that is reached.")
    approvers: tuple[Approver, ...] = Field(default=(), description="Who may decide and has not yet.")
    handed: tuple[HandedSeat, ...] = ()
    decisions: tuple[Decision, ...] = ()
    opened_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    alarms: tuple[Alarm, ...] = ()
    recheck_at: AwareDatetime | None = Field(
        default=None, description="When a stand-in comes or goes: who may decide is found out anew."
    )

    @property
    def is_open(self) -> bool:
        return self.state is StepState.OPEN

    @property
    def is_finished(self) -> bool:
        """Nothing comes from it any more that later steps would wait for."""
        return self.state in _FINISHED

    @property
    def approvals(self) -> int:
        return sum([each.verdict in _AGREEING for each in self.decisions])

    def seat(self, person_id: UUID | None) -> Approver | None:
        """The seat of somebody who may decide now."""
        for each in self.approvers:
            if each.id == person_id:
                return each
        return None

    def decision_of(self, person_id: UUID | None) -> Decision | None:
        return next((each for each in self.decisions if each.by.id == person_id), None)


_FINISHED = (StepState.APPROVED, StepState.NOT_NEEDED)
_AGREEING = frozenset({Verdict.APPROVE, Verdict.COUNTER})
"""A counter-offer that is taken counts as the approval of who made it."""


class CounterOffer(Value):
    """What an approver would grant instead."""

    percent: Percent
    by: Person
    at: AwareDatetime
    step: str
    comment: str | None = None


class Ended(Value):
    """The end of a request, or of one of its rounds."""

    by: Actor
    at: AwareDatetime
    comment: str | None = None


class Round(Value):
    """An earlier submission, as it came back to the requester."""

    number: int
    percent: Percent | None
    reason: str | None
    submitted_at: AwareDatetime
    state: ApprovalState
    steps: tuple[Step, ...]
    counter: CounterOffer | None = None
    ended: Ended


class Approval(Changing):
    """The request."""

    id: UUID
    state: ApprovalState = ApprovalState.PENDING
    subject: Subject
    facts: Facts = Field(default={})
    internal_facts: tuple[str, ...] = Field(
        default=(), description="Names of facts that only approvers and the deal desk's side see."
    )
    terms: dict[str, str] = Field(default={}, description="What is granted when it is approved, in words.")
    requester: Actor
    asked_for: Person | None = Field(default=None, description="In whose name the requester asks.")
    policy: PolicyRef | None = None
    templates: tuple[StepTemplate, ...] = Field(default=(), description="All steps of the policy, pinned.")
    backup: tuple[ApproverRule, ...] = Field(default=(), description="The policy's last level to ask.")
    reason: str | None = None
    percent: Percent | None = None
    steps: tuple[Step, ...] = ()
    rounds: tuple[Round, ...] = ()
    counter: CounterOffer | None = None
    returned: Ended | None = Field(default=None, description="Who returned it and what for, while it is so.")
    ended: Ended | None = None
    expires_at: AwareDatetime
    submitted_at: AwareDatetime
    created_at: AwareDatetime

    @property
    def called(self) -> str:
        return f"The request for {self.title}"

    @property
    def is_open(self) -> bool:
        return self.state.is_open

    @property
    def title(self) -> str:
        """How people name the request: “27.5 % on ERP rollout”."""
        return self.titled(self.percent)

    def titled(self, percent: Decimal | None) -> str:
        """The request's name if it asked for so much."""
        return f"{shown(percent)} % on {self.subject.title}" if percent is not None else self.subject.title

    @property
    def took_offer(self) -> bool:
        """Whether it was the requester who spoke last: who asked never decides, but may take an offer."""
        last = self.ended.by.id if self.ended is not None else None
        return self.state is ApprovalState.APPROVED and last in self.askers

    @property
    def ended_by(self) -> str | None:
        """Who brought its end about; of an offer that was taken, who made it. None while it is open."""
        if self.ended is None or not self.took_offer:
            return self.ended.by.name if self.ended else None
        decisions = [each for step in self.steps for each in step.decisions]
        return max(decisions, key=lambda each: each.at).by.name if decisions else THE_VENDOR

    @property
    def is_internal(self) -> bool:
        """The vendor asked for itself, or Tandem for a deal that nobody owns: no partner hears of it."""
        return self.requester.side is not Side.PARTNER and self.subject.partner_id is None

    @property
    def askers(self) -> tuple[UUID, ...]:
        """The requester and whoever it is asked for: they never decide (four eyes)."""
        ids = (self.requester.id, self.asked_for.id if self.asked_for else None)
        return tuple([each for each in ids if each is not None])

    def step(self, key: str) -> Step | None:
        for step in self.steps:
            if step.key == key:
                return step
        return None

    def template(self, key: str) -> StepTemplate | None:
        for template in self.templates:
            if template.key == key:
                return template
        return None

    def open_steps(self) -> list[Step]:
        """The steps that wait for somebody's decision; none while the requester is awaited."""
        if self.state is not ApprovalState.PENDING:
            return []
        return [step for step in self.steps if step.state is StepState.OPEN]

    @property
    def sitting(self) -> tuple[UUID, ...]:
        """Who may decide now, on any step."""
        return tuple({each.id: None for step in self.open_steps() for each in step.approvers})

    @property
    def due_at(self) -> datetime | None:
        """When the next decision is due."""
        return min((step.due_at for step in self.open_steps() if step.due_at is not None), default=None)

    def put(self, new: Step) -> None:
        """Replace the step with the same key."""
        self.steps = tuple([new if step.key == new.key else step for step in self.steps])
