"""How the API shows hand-offs, and what it takes about them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.fields import Input, Name, Words
from api.v1.opportunity_shapes import ANA, DEAL, TASK, TaskOut
from api.v1.schemas import USER_ID, example, example_input
from db.handoff import Listed
from domain.handoff import commands as ask
from domain.handoff.state import EndReason, FollowUpState, HandOffProcess, Health, Progress
from domain.opportunity.blockers import Blocker, blockers
from domain.opportunity.state import HandOff, HandOffState, Opportunity, Person
from domain.playbook import HANDOFF
from domain.principal import Principal, Side

SUSI = {"id": USER_ID, "name": "Susi Success"}
FOLLOW_UP: dict[str, Any] = {
    "key": "follow-up-1",
    "title": "Is everybody trained?",
    "state": "done",
    "due_at": "2027-04-29T15:00:00Z",
    "health": "good",
    "note": "All shifts work with it.",
    "next_step": "Show the reports to the plant manager",
    "done_at": "2027-04-28T09:00:00Z",
    "done_by": SUSI,
}
RENEWAL = {"opens_at": "2028-01-01T00:00:00Z", "opened_at": None, "opportunity_id": None, "title": None}


class FollowUpOut(BaseModel):
    """A check-in of customer success with the customer, after the acceptance."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [FOLLOW_UP]})

    key: str
    title: str
    state: FollowUpState
    due_at: datetime
    health: Health | None
    note: str | None
    next_step: str | None
    done_at: datetime | None
    done_by: Person | None


class RenewalOut(BaseModel):
    """The next deal with the customer: when it opens by itself, or which it is."""

    model_config = example(RENEWAL)

    opens_at: datetime | None
    opened_at: datetime | None
    opportunity_id: UUID | None
    title: str | None


class EndedOut(BaseModel):
    """Why nothing more is followed up."""

    reason: EndReason
    note: str | None
    at: datetime
    by: str


class HandOffOut(BaseModel):
    """How far the hand-off is, what it waits for, and what follows.

    `state` is the deal's: pending, returned or accepted. `progress` tells pending apart: is it being
    prepared, or is it complete and waits for customer success until `due_at`? It is null for deals
    that were handed off before hand-offs were processes of their own. Partners are not told
    follow-ups, health and why it ended.
    """

    model_config = example(
        {
            "opportunity_id": DEAL,
            "state": "pending",
            "since": "2027-03-30T15:00:00Z",
            "note": None,
            "by": None,
            "tasks": [TASK],
            "blockers": [],
            "progress": "waiting",
            "receiver": SUSI,
            "due_at": "2027-04-01T15:00:00Z",
            "accepted_at": None,
            "health": None,
            "follow_ups": [],
            "contract_ends": "2028-03-31",
            "renewal": RENEWAL,
            "ended": None,
        }
    )

    opportunity_id: UUID
    state: HandOffState
    since: datetime
    note: str | None
    by: str | None
    tasks: list[TaskOut]
    blockers: list[Blocker]
    progress: Progress | None
    receiver: Person | None
    due_at: datetime | None
    accepted_at: datetime | None
    health: Health | None
    follow_ups: list[FollowUpOut]
    contract_ends: date | None
    renewal: RenewalOut
    ended: EndedOut | None

    @classmethod
    def of(
        cls, deal: Opportunity, handoff: HandOff, process: HandOffProcess | None, principal: Principal
    ) -> Self:
        return cls(
            opportunity_id=deal.id,
            state=handoff.state,
            since=handoff.since,
            note=handoff.note,
            by=handoff.by,
            tasks=[TaskOut.of(task) for task in deal.tasks.values() if task.stage == HANDOFF],
            blockers=blockers(deal),
            **_of_process(deal, process, inside=principal.side is Side.VENDOR),
        )


def _of_process(deal: Opportunity, process: HandOffProcess | None, *, inside: bool) -> dict[str, Any]:
    """What the process adds to what the deal says."""
    if process is None:
        nothing = dict.fromkeys(("progress", "receiver", "due_at", "accepted_at", "health", "ended"))
        renewal = RenewalOut(opens_at=None, opened_at=None, opportunity_id=None, title=None)
        return {**nothing, "follow_ups": [], "contract_ends": deal.contract_ends, "renewal": renewal}
    ended, opened = process.ended, process.renewal
    waits = process.progress is Progress.WAITING
    return {
        "progress": process.progress,
        "receiver": process.receiver,
        "due_at": process.due_at if inside or waits else None,
        "accepted_at": process.accepted_at,
        "health": process.health if inside else None,
        "follow_ups": [FollowUpOut.model_validate(each) for each in process.follow_ups] if inside else [],
        "contract_ends": process.contract_ends,
        "renewal": RenewalOut(
            opens_at=process.renewal_at if process.is_open else None,
            opened_at=opened.opened_at if opened else None,
            opportunity_id=opened.opportunity_id if opened else None,
            title=opened.title if opened else None,
        ),
        "ended": EndedOut(reason=ended.reason, note=ended.note, at=ended.at, by=ended.by.name)
        if ended and inside
        else None,
    }


class HandOffSummary(BaseModel):
    """A hand-off in a list. `due_at`: until when customer success has, for the acceptance or a follow-up."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "opportunity_id": DEAL,
                    "opportunity": "ERP rollout",
                    "customer": "Acme",
                    "owner": ANA["name"],
                    "partners": ["Aster Integrators"],
                    "progress": "accepted",
                    "since": "2027-03-30T15:00:00Z",
                    "receiver_id": USER_ID,
                    "receiver": "Susi Success",
                    "due_at": "2027-04-29T15:00:00Z",
                    "accepted_at": "2027-03-30T15:00:00Z",
                    "health": "good",
                    "follow_up": "Is everybody trained?",
                    "follow_up_at": "2027-04-29T15:00:00Z",
                    "contract_ends": "2028-03-31",
                    "renewal_at": "2028-01-01T00:00:00Z",
                    "renewal_id": None,
                }
            ]
        },
    )

    opportunity_id: UUID
    opportunity: str
    customer: str
    owner: str | None
    partners: list[str]
    progress: Progress
    since: datetime
    receiver_id: UUID | None
    receiver: str | None
    due_at: datetime | None
    accepted_at: datetime | None
    health: Health | None
    follow_up: str | None
    follow_up_at: datetime | None
    contract_ends: date | None
    renewal_at: datetime | None
    renewal_id: UUID | None

    @classmethod
    def of(cls, listed: Listed) -> Self:
        return cls.model_validate(listed)


class AcceptBody(Input):
    model_config = example_input({"comment": "Welcome, Acme."})

    comment: Words | None = None


class ReturnBody(Input):
    model_config = example_input({"comment": "Who is the sponsor?"})

    comment: Words


class ReceiverBody(Input):
    """Who receives it; null gives it back to all of customer success."""

    model_config = example_input({"user_id": USER_ID})

    user_id: UUID | None


class FollowUpBody(Input):
    """A check-in with the customer was held; without `key`, one that nobody had planned."""

    model_config = example_input({"key": "follow-up-1", "health": "good", "note": "All shifts work with it."})

    key: str | None = Field(default=None, max_length=60)
    health: Health
    note: Words
    next_step: Name | None = None

    def command(self) -> ask.LogFollowUp:
        return ask.LogFollowUp(**self.model_dump())


class ContractBody(Input):
    """The day on which the contract ends; null: it is not known."""

    model_config = example_input({"contract_ends": "2028-03-31"})

    contract_ends: date | None

    def command(self) -> ask.SetContract:
        return ask.SetContract(ends=self.contract_ends)


class CloseBody(Input):
    """Why nothing more is followed up or renewed."""

    model_config = example_input({"reason": "customer_left", "note": "They were bought by a competitor."})

    reason: Literal[EndReason.CONTRACT_ENDED, EndReason.CUSTOMER_LEFT, EndReason.OTHER]
    note: Words

    def command(self) -> ask.Close:
        return ask.Close(reason=self.reason, note=self.note)
