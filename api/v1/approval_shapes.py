"""How the API shows requests for approval."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.opportunity_shapes import ANA, DEAL
from api.v1.schemas import USER_ID, WHEN, example
from db.approval import Listed
from domain.approval.policy import Needs, PolicyRef
from domain.approval.state import (
    Approval,
    ApprovalState,
    Approver,
    Channel,
    CounterOffer,
    Decision,
    Ended,
    Facts,
    Round,
    Step,
    StepState,
    Subject,
    Verdict,
)
from domain.approval.verbs import Verb, verbs
from domain.approval.work import waits_for
from domain.opportunity.state import Person
from domain.percent import Percent
from domain.principal import Actor, Principal, Side

APPROVAL_ID = "0198c5a4-2f11-7d44-9c02-8a5b6c7d8e9f"
DISCOUNT_ID = "0198c5a4-1e00-7c33-8b01-7f4a5b6c7d8e"
DUE = "2027-01-12T09:30:00Z"
SUMMARY: dict[str, Any] = {
    "id": APPROVAL_ID,
    "version": 2,
    "state": "pending",
    "kind": "discount",
    "title": "27.5 % on ERP rollout",
    "opportunity_id": DEAL,
    "requester": {"id": ANA["id"], "name": ANA["name"]},
    "percent": "27.5",
    "waits_for": "Deal desk",
    "due_at": DUE,
    "expires_at": "2027-02-10T09:30:00Z",
    "created_at": WHEN,
    "updated_at": WHEN,
    "your_step": None,
    "stands_in_for": None,
}
STEP: dict[str, Any] = {
    "key": "deal-desk",
    "title": "Deal desk",
    "rule": "More than the partner's standard discount",
    "state": "open",
    "needs": "one",
    "wanted": 1,
    "after": [],
    "approvers": [
        {
            "id": USER_ID,
            "name": "Dora Desk",
            "via": "deal desk",
            "level": 0,
            "stands_in_for": None,
            "until": None,
        }
    ],
    "decisions": [],
    "opened_at": WHEN,
    "due_at": DUE,
    "closed_at": None,
}
FACTS: dict[str, Any] = {
    "deal": {"amount": 250000.0, "currency": "USD", "stage": "joint-proposal"},
    "partner": {"name": "Aster Integrators", "tier": "gold"},
    "discount": {"percent": 27.5, "standard": 15.0, "beyond": 12.5, "value": 68750.0},
}
APPROVAL: dict[str, Any] = {
    "id": APPROVAL_ID,
    "version": 2,
    "state": "pending",
    "title": "27.5 % on ERP rollout",
    "subject": {
        "kind": "discount",
        "title": "ERP rollout",
        "opportunity_id": DEAL,
        "opportunity": "ERP rollout",
        "discount_id": DISCOUNT_ID,
        "partner_id": None,
    },
    "facts": FACTS,
    "terms": {"grant": "up to 27.5 %, for at least 200,000.00 USD, for 90 days from the approval on"},
    "requester": {"id": ANA["id"], "name": ANA["name"], "side": "vendor", "organisation": "Northwind"},
    "asked_for": None,
    "policy": {"key": "standard", "version": 1},
    "reason": "The competitor offers less.",
    "percent": "27.5",
    "steps": [STEP],
    "rounds": [],
    "counter": None,
    "returned": None,
    "ended": None,
    "waits_for": "Deal desk",
    "due_at": DUE,
    "expires_at": "2027-02-10T09:30:00Z",
    "submitted_at": WHEN,
    "created_at": WHEN,
    "updated_at": WHEN,
    "can": ["approve", "counter", "return", "reject", "delegate"],
}


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class RequesterOut(_Shown):
    """Who asked, or decided; Tandem itself has neither id nor side."""

    id: UUID | None
    name: str
    side: Side | None
    organisation: str | None = None

    @classmethod
    def of(cls, actor: Actor) -> Self:
        return cls.model_validate(actor)


class ApproverOut(_Shown):
    """Somebody who may decide, by which rule, and for whom until when."""

    id: UUID
    name: str
    via: str
    level: int = Field(description="0: named by the step; 1, 2 …: by escalation.")
    stands_in_for: Person | None
    until: datetime | None

    @classmethod
    def of(cls, approver: Approver) -> Self:
        return cls.model_validate(approver)


class DecisionOut(_Shown):
    """What somebody said on a step."""

    by: Person
    verdict: Verdict
    at: datetime
    comment: str | None
    percent: Percent | None
    via: str
    stands_in_for: Person | None
    until: datetime | None
    channel: Channel | None

    @classmethod
    def of(cls, decision: Decision) -> Self:
        return cls.model_validate(decision)


class StepOut(_Shown):
    """One gate: the rule that asks for it, who may decide, and what they said."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [STEP]})

    key: str
    title: str
    rule: str
    state: StepState
    needs: Needs
    wanted: int = Field(description="How many have to agree.")
    after: list[str]
    approvers: list[ApproverOut]
    decisions: list[DecisionOut]
    opened_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None

    @classmethod
    def of(cls, step: Step) -> Self:
        return cls.model_validate(step)


class EndedOut(_Shown):
    """The end, by whoever spoke last: where a counter-offer was taken, that is the requester."""

    by: RequesterOut
    at: datetime
    comment: str | None

    @classmethod
    def of(cls, ended: Ended) -> Self:
        return cls.model_validate(ended)


class RoundOut(_Shown):
    """An earlier submission, as it came back to the requester."""

    number: int
    percent: Percent | None
    reason: str | None
    submitted_at: datetime
    state: ApprovalState
    steps: list[StepOut]
    counter: CounterOffer | None
    ended: EndedOut

    @classmethod
    def of(cls, each: Round) -> Self:
        return cls.model_validate(each)


class AskerOut(BaseModel):
    """Who asked, by id and name."""

    id: UUID | None
    name: str


class ApprovalSummary(BaseModel):
    """A request as lists show it."""

    model_config = example(SUMMARY)

    id: UUID
    version: int
    state: ApprovalState
    kind: str
    title: str
    opportunity_id: UUID | None
    requester: AskerOut
    percent: Percent | None
    waits_for: str | None
    due_at: datetime | None
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    your_step: str | None = Field(description="With `mine`: the step on which you are waited for.")
    stands_in_for: str | None = Field(description="With `mine`: in whose place.")

    @classmethod
    def of(cls, row: Listed) -> Self:
        return cls(
            id=row.id,
            version=row.version,
            state=row.state,
            kind=row.kind,
            title=row.title,
            opportunity_id=row.opportunity_id,
            requester=AskerOut(id=row.requester_id, name=row.requester),
            percent=row.percent,
            waits_for=row.waits_for,
            due_at=row.due_at,
            expires_at=row.expires_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
            your_step=row.seat_step,
            stands_in_for=row.stands_in_for,
        )


class ApprovalOut(BaseModel):
    """A request in full, as far as the principal may see it. `version` is its ETag."""

    model_config = example(APPROVAL)

    id: UUID
    version: int
    state: ApprovalState
    title: str
    subject: Subject
    facts: Facts = Field(description="What it is judged by; amounts in the policy's currency.")
    terms: dict[str, str] = Field(description="What is granted when it is approved, in words.")
    requester: RequesterOut
    asked_for: Person | None = Field(description="In whose name it was asked.")
    policy: PolicyRef | None
    reason: str | None
    percent: Percent | None
    steps: list[StepOut]
    rounds: list[RoundOut] = Field(description="Earlier submissions, the first one first.")
    counter: CounterOffer | None
    returned: EndedOut | None
    ended: EndedOut | None
    waits_for: str | None
    due_at: datetime | None
    expires_at: datetime
    submitted_at: datetime
    created_at: datetime
    updated_at: datetime
    can: list[Verb] = Field(description="What you may do about it now.")

    @classmethod
    def of(cls, approval: Approval, principal: Principal) -> Self:
        """The answer; `approval` holds no more than the principal may see."""
        return cls(
            id=approval.id,
            version=approval.version,
            state=approval.state,
            title=approval.title,
            subject=approval.subject,
            facts=approval.facts,
            terms=approval.terms,
            requester=RequesterOut.of(approval.requester),
            asked_for=approval.asked_for,
            policy=approval.policy,
            reason=approval.reason,
            percent=approval.percent,
            steps=[StepOut.of(step) for step in approval.steps],
            rounds=[RoundOut.of(each) for each in approval.rounds],
            counter=approval.counter,
            returned=EndedOut.of(approval.returned) if approval.returned else None,
            ended=EndedOut.of(approval.ended) if approval.ended else None,
            waits_for=waits_for(approval),
            due_at=approval.due_at,
            expires_at=approval.expires_at,
            submitted_at=approval.submitted_at,
            created_at=approval.created_at,
            updated_at=approval.updated_at,
            can=list(verbs(approval, principal)),
        )
