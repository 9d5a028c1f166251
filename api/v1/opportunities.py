"""Opportunities: list, open, read, change, and their way from open to handed off."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status

from api import discounts, intake
from api.commands import CommandsDep
from api.etag import answer_version
from api.fields import AnyDay, Instant, Search, changes
from api.idempotency import MintedDep
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.changing import ChangeDep, shown
from api.v1.opportunity_inputs import (
    HoldBody,
    LoseBody,
    MoveBody,
    NoBody,
    NoteBody,
    OpportunityInput,
    OpportunityPatch,
    ReopenBody,
    WinBody,
)
from api.v1.opportunity_shapes import OpportunityOut, OpportunitySummary
from db import pipeline
from db.pipeline import SORTS, Filters
from domain.opportunity import commands as ask
from domain.opportunity.blockers import Blocker
from domain.opportunity.state import Status
from domain.playbook import Phase
from domain.principal import Side

router = APIRouter(prefix="/opportunities", tags=["opportunities"], route_class=TandemRoute)


@router.get("")
async def list_opportunities(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    stage: Annotated[str | None, Query(max_length=60)] = None,
    phase: Phase | None = None,
    status: Status | None = None,
    partner_id: UUID | None = None,
    owner_id: UUID | None = None,
    account_id: UUID | None = None,
    playbook: Annotated[str | None, Query(max_length=60)] = None,
    turn: Side | None = None,
    q: Search | None = None,
    updated_since: Instant | None = None,
    close_before: AnyDay | None = None,
    close_after: AnyDay | None = None,
    sort: Annotated[str, Query(max_length=40, description=f"One of: {', '.join(SORTS)}.")] = "-updated_at",
) -> Listing[OpportunitySummary]:
    """The opportunities that the principal takes part in, the latest change first."""
    filters = Filters(
        stage=stage,
        phase=phase,
        status=status,
        partner_id=partner_id,
        owner_id=owner_id,
        account_id=account_id,
        playbook=playbook,
        turn=turn,
        q=q,
        updated_since=updated_since,
        close_before=close_before,
        close_after=close_after,
    )
    async with database.read() as session:
        page = await pipeline.page(session, principal, filters, paging, sort=sort)
    return listing(request, response, page, OpportunitySummary.of)


@router.post("", status_code=status.HTTP_201_CREATED)
async def open_opportunity(
    body: OpportunityInput,
    response: Response,
    commands: CommandsDep,
    database: DatabaseDep,
    principal: PrincipalDep,
    minted: MintedDep,
) -> OpportunityOut:
    """Open an opportunity: its process starts, and the first stage's tasks open for both sides."""
    deal = await commands.open(await intake.opening(database, principal, minted.resource_id, body))
    response.headers["Location"] = f"/api/v1/opportunities/{deal.id}"
    return shown(response, deal)


@router.get("/{opportunity_id}")
async def read_opportunity(opportunity_id: UUID, response: Response, commands: CommandsDep) -> OpportunityOut:
    """One opportunity, in full."""
    return shown(response, await commands.read(opportunity_id))


@router.patch("/{opportunity_id}")
async def change_opportunity(
    body: OpportunityPatch, database: DatabaseDep, principal: PrincipalDep, change: ChangeDep
) -> OpportunityOut:
    """Change title, amount, expected close, owner or custom fields."""
    values = changes(body)
    if "owner_id" in values:
        values["owner"] = await intake.owner(database, principal, values.pop("owner_id"))
    return await change(ask.Change(**values))


@router.post("/{opportunity_id}/advance")
async def advance(change: ChangeDep, body: NoteBody | None = None) -> OpportunityOut:
    """Move on through the open gate; for a joint sign-off, agree for one's own side."""
    command = ask.Advance(note=body.note if body else None)
    return await change(command)


@router.post("/{opportunity_id}/move")
async def move(body: MoveBody, change: ChangeDep) -> OpportunityOut:
    """Move back or forward to any stage, with a reason."""
    command = ask.Move(stage=body.stage, reason=body.reason)
    return await change(command)


@router.post("/{opportunity_id}/hold")
async def hold(body: HoldBody, change: ChangeDep) -> OpportunityOut:
    """Put the deal on hold: its clocks stop until it is resumed, or until the time given."""
    command = ask.HoldDeal(reason=body.reason, until=body.until)
    return await change(command)


@router.post("/{opportunity_id}/resume")
async def resume(change: ChangeDep, _body: NoBody | None = None) -> OpportunityOut:
    """Go on after a hold: every deadline keeps the time that it had left."""
    return await change(ask.Resume())


@router.post("/{opportunity_id}/win")
async def win(change: ChangeDep, body: WinBody | None = None) -> OpportunityOut:
    """The customer has signed: the hand-off to customer success begins."""
    return await change(ask.Win(**(body or WinBody()).model_dump()))


@router.post("/{opportunity_id}/lose")
async def lose(body: LoseBody, change: ChangeDep) -> OpportunityOut:
    """The deal is lost: say why."""
    command = ask.Lose(reason=body.reason, note=body.note)
    return await change(command)


@router.post("/{opportunity_id}/reopen")
async def reopen(change: ChangeDep, body: ReopenBody | None = None) -> OpportunityOut:
    """Go on with a lost deal, in the stage where it was lost."""
    command = ask.Reopen(reason=body.reason if body else None)
    return await change(command)


@router.post("/{opportunity_id}/stage-approvals/{approval_id}/ask-again")
async def ask_again(
    approval_id: UUID, change: ChangeDep, minted: MintedDep, body: NoBody | None = None
) -> OpportunityOut:
    """Ask anew for an approval that the stage waits for, and that was not given."""
    del body
    return await change(ask.AskStageApproval(approval_id=approval_id, id=minted.resource_id))


@router.get("/{opportunity_id}/blockers")
async def read_blockers(
    opportunity_id: UUID,
    response: Response,
    commands: CommandsDep,
    database: DatabaseDep,
    principal: PrincipalDep,
) -> Listing[Blocker]:
    """What keeps the deal from its next stage, whose turn it is, since when, and due when."""
    deal = await commands.read(opportunity_id)
    answer_version(response, deal.version)
    return Listing[Blocker](items=await discounts.blockers_seen(database, principal, deal))
