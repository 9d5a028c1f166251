"""The hand-off of a won opportunity to customer success."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from api.commands import CommandsDep
from api.etag import answer_version
from api.fields import Input, Words
from api.route import TandemRoute
from api.v1.changing import ChangeDep
from api.v1.opportunity_shapes import DEAL, TASK, OpportunityOut, TaskOut
from domain.errors import NoHandOff
from domain.opportunity import commands as ask
from domain.opportunity.blockers import Blocker, blockers
from domain.opportunity.state import HandOffState
from domain.playbook import HANDOFF

router = APIRouter(
    prefix="/opportunities/{opportunity_id}/handoff", tags=["opportunities"], route_class=TandemRoute
)


class HandOffOut(BaseModel):
    """How far the hand-off is, and what it waits for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "opportunity_id": DEAL,
                    "state": "pending",
                    "since": "2027-03-30T15:00:00Z",
                    "note": None,
                    "by": None,
                    "tasks": [TASK],
                    "blockers": [],
                }
            ]
        }
    )

    opportunity_id: UUID
    state: HandOffState
    since: datetime
    note: str | None
    by: str | None
    tasks: list[TaskOut]
    blockers: list[Blocker]


class AcceptBody(Input):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"comment": "Welcome, Acme."}]})

    comment: Words | None = None


class ReturnBody(Input):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"comment": "Who is the sponsor?"}]}
    )

    comment: Words


@router.get("")
async def read_handoff(opportunity_id: UUID, response: Response, commands: CommandsDep) -> HandOffOut:
    """The hand-off. Before the deal is won there is none: 409 `no_handoff`."""
    deal = await commands.read(opportunity_id)
    if deal.handoff is None:
        raise NoHandOff(f"“{deal.title}” is {deal.status.value.replace('_', ' ')}: there is no hand-off.")
    answer_version(response, deal.version)
    return HandOffOut(
        opportunity_id=deal.id,
        state=deal.handoff.state,
        since=deal.handoff.since,
        note=deal.handoff.note,
        by=deal.handoff.by,
        tasks=[TaskOut.of(task) for task in deal.tasks.values() if task.stage == HANDOFF],
        blockers=blockers(deal),
    )


@router.post("/accept")
async def accept_handoff(change: ChangeDep, body: AcceptBody | None = None) -> OpportunityOut:
    """Customer success takes over; the deal is `handed_off`."""
    command = ask.AcceptHandOff(comment=body.comment if body else None)
    return await change(command)


@router.post("/return")
async def return_handoff(body: ReturnBody, change: ChangeDep) -> OpportunityOut:
    """Customer success says what is missing; it is the seller's turn again."""
    command = ask.ReturnHandOff(comment=body.comment)
    return await change(command)
