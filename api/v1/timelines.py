"""The story of an opportunity: timeline, notes, check-ins."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.fields import Input, Instant, Name, Words
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.changing import ChangeDep
from api.v1.opportunity_shapes import DEAL, SAM, OpportunityOut
from db import opportunity as opportunities
from db import timeline
from db.pages import PageRequest
from db.timeline import Told
from domain.opportunity import commands as ask
from domain.opportunity.state import Mood

router = APIRouter(prefix="/opportunities/{opportunity_id}", tags=["opportunities"], route_class=TandemRoute)

EVENT: JsonDict = {
    "id": "7421-190",
    "opportunity_id": DEAL,
    "opportunity": "ERP rollout",
    "stream_id": DEAL,
    "approval_id": None,
    "sequence": 3,
    "at": "2026-11-03T14:12:05Z",
    "type": "task_completed",
    "by": {**SAM, "side": "partner", "organisation": "Aster Integrators"},
    "internal": False,
    "words": "Sam Seller completed “Share the customer's profile”.",
    "data": {"key": "share-customer-profile", "title": "Share the customer's profile", "note": None},
}


class ActorOut(BaseModel):
    """Who did it; id and side are null for what Tandem does by itself."""

    id: UUID | None
    name: str
    side: str | None
    organisation: str | None


class EventOut(BaseModel):
    """Something that happened: who, when, what, in words and as data. `id` is its place in the feed.

    `stream_id` says whose `sequence` it is: the deal's own id, or that of a request on it
    (`approval_id`, too) or of its hand-off.
    What is `internal` only the vendor's people read.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EVENT]})

    id: str
    opportunity_id: UUID
    opportunity: str
    stream_id: UUID
    approval_id: UUID | None
    sequence: int
    at: datetime
    type: str
    by: ActorOut
    internal: bool
    words: str
    data: dict[str, Any]

    @classmethod
    def of(cls, told: Told) -> Self:
        return cls(
            id=str(told.place),
            opportunity_id=told.opportunity_id,
            opportunity=told.opportunity,
            stream_id=told.stream_id,
            approval_id=told.approval_id,
            sequence=told.sequence,
            at=told.at,
            type=told.type,
            by=ActorOut(
                id=told.actor_id,
                name=told.actor,
                side=told.actor_side,
                organisation=told.actor_organisation,
            ),
            internal=told.internal,
            words=told.words,
            data=told.data,
        )


class NoteInput(Input):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "The CFO wants monthly payments."}]}
    )

    text: Words


class CheckInInput(Input):
    """Both sides talked. Without `next_at` the next check-in follows the cadence."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "note": "Budget confirmed.",
                    "mood": "good",
                    "attendees": ["Ana Rep", "Sam Seller"],
                    "next_step": "Demo with the plant manager",
                }
            ]
        },
    )

    note: Words
    mood: Mood | None = None
    attendees: Annotated[list[Name], Field(default_factory=list, max_length=30)]
    next_step: Name | None = None
    next_at: Instant | None = None


@router.get("/timeline")
async def read_timeline(
    opportunity_id: UUID,
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
) -> Listing[EventOut]:
    """What happened on the deal, the latest first."""
    return listing(request, response, await _story(database, principal, opportunity_id, paging), EventOut.of)


@router.get("/notes")
async def list_notes(
    opportunity_id: UUID,
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
) -> Listing[EventOut]:
    """The notes on the deal, the latest first."""
    page = await _story(database, principal, opportunity_id, paging, "note_added")
    return listing(request, response, page, EventOut.of)


@router.post("/notes", status_code=status.HTTP_201_CREATED)
async def add_note(body: NoteInput, change: ChangeDep) -> OpportunityOut:
    """Write a note; everybody on the deal sees it."""
    return await change(ask.AddNote(text=body.text))


@router.get("/check-ins")
async def list_check_ins(
    opportunity_id: UUID,
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
) -> Listing[EventOut]:
    """The check-ins of the deal, the latest first."""
    page = await _story(database, principal, opportunity_id, paging, "checked_in")
    return listing(request, response, page, EventOut.of)


@router.post("/check-ins", status_code=status.HTTP_201_CREATED)
async def log_check_in(body: CheckInInput, change: ChangeDep) -> OpportunityOut:
    """Log that both sides talked, and what comes next."""
    command = ask.LogCheckIn(**body.model_dump())
    return await change(command)


async def _story(
    database: DatabaseDep, principal: PrincipalDep, opportunity_id: UUID, paging: PageRequest, *types: str
) -> Any:
    async with database.read() as session:
        await opportunities.demand_visible(session, principal, opportunity_id)
        return await timeline.of_opportunity(session, principal, opportunity_id, paging, types=types)
