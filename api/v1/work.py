"""What waits for me."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.opportunity_shapes import ASTER, DEAL
from api.v1.schemas import deal_of
from db import work
from db.work import Waiting
from domain.opportunity.work import WorkKind
from domain.principal import Role, Side

router = APIRouter(prefix="/work", tags=["work"], route_class=TandemRoute)


class WorkOpportunity(BaseModel):
    """The deal that something is about."""

    id: UUID
    version: int
    title: str
    customer: str
    stage: str
    owner: str | None


class WorkOut(BaseModel):
    """One thing to do. `key` is the task's key for a task, the approval's id for an approval."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "task",
                    "key": "share-customer-profile",
                    "title": "Share the customer's profile",
                    "side": "partner",
                    "partner_id": ASTER,
                    "assignee_id": None,
                    "role": None,
                    "required": True,
                    "since": "2026-11-02T09:00:00Z",
                    "due_at": "2026-11-05T09:00:00Z",
                    "opportunity": {
                        "id": DEAL,
                        "version": 7,
                        "title": "ERP rollout",
                        "customer": "Acme",
                        "stage": "Joint qualification",
                        "owner": "Ana Rep",
                    },
                }
            ]
        }
    )

    kind: WorkKind
    key: str
    title: str
    side: Side
    partner_id: UUID | None
    assignee_id: UUID | None
    role: Role | None
    required: bool
    since: datetime
    due_at: datetime | None
    opportunity: WorkOpportunity

    @classmethod
    def of(cls, waiting: Waiting) -> Self:
        deal = WorkOpportunity(**deal_of(waiting), stage=waiting.stage)
        return cls(**waiting.item.model_dump(), opportunity=deal)


@router.get("")
async def list_work(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    whose: Annotated[
        Literal["me", "team"], Query(description="What waits for me, or for anybody on my side.")
    ] = "me",
) -> Listing[WorkOut]:
    """What waits for the principal, the earliest deadline first."""
    async with database.read() as session:
        page = await work.page(session, principal, paging, team=whose == "team")
    return listing(request, response, page, WorkOut.of)
