"""The calendar: what falls due over all deals, between two days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from api.fields import Day
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.opportunity_shapes import DEAL, SAM
from api.v1.schemas import deal_of, example
from api.zones import begins_there, zone_of
from db import agenda
from db.agenda import Due, Wanted, Whose
from domain.errors import InvalidInput
from domain.opportunity.planned import PlannedKind
from domain.principal import Side

router = APIRouter(prefix="/calendar", tags=["calendar"], route_class=TandemRoute)

LONGEST = timedelta(days=366)
_AHEAD = timedelta(days=30)


class DueOpportunity(BaseModel):
    """The deal on which something falls due."""

    id: UUID
    version: int
    title: str
    customer: str
    owner: str | None


class DueOut(BaseModel):
    """Something that falls due. `day` is set for what is the same day in every zone."""

    model_config = example(
        {
            "kind": "task",
            "key": "share-customer-profile",
            "title": "Share the customer's profile",
            "at": "2026-11-05T09:00:00Z",
            "day": None,
            "side": "partner",
            "partner_id": None,
            "assignee_id": SAM["id"],
            "opportunity": {
                "id": DEAL,
                "version": 7,
                "title": "ERP rollout",
                "customer": "Acme",
                "owner": "Ana Rep",
            },
        }
    )

    kind: PlannedKind
    key: str
    title: str
    at: datetime
    day: date | None
    side: Side | None
    partner_id: UUID | None
    assignee_id: UUID | None
    opportunity: DueOpportunity

    @classmethod
    def of(cls, due: Due) -> Self:
        return cls(**due.item.model_dump(), opportunity=DueOpportunity(**deal_of(due)))


@router.get("")
async def read_calendar(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    first: Annotated[
        Day | None, Query(alias="from", description="The first day; today where not given.")
    ] = None,
    last: Annotated[
        Day | None, Query(alias="to", description="The last day; 30 days after the first where not given.")
    ] = None,
    whose: Annotated[
        Whose, Query(description="What I have to do, my team, or everybody on my side.")
    ] = Whose.ME,
    kind: Annotated[list[PlannedKind] | None, Query(description="Only these kinds; may be repeated.")] = None,
) -> Listing[DueOut]:
    """What falls due, the earliest first. Days are those of your own time zone.

    What is overdue stands where it was due, until it is done.
    """
    zone = await zone_of(database, principal)
    start = first or datetime.now(UTC).astimezone(zone).date()
    end = last or start + _AHEAD
    if not start <= end <= start + LONGEST:
        raise InvalidInput("The last day is at most 366 days after the first.", pointer="/to")
    begins, ends = begins_there(start, zone), begins_there(end + timedelta(days=1), zone)
    wanted = Wanted(begins, ends, whose, frozenset(kind or ()))
    async with database.read() as session:
        page = await agenda.page(session, principal, wanted, paging)
    return listing(request, response, page, DueOut.of)
