"""The hand-off of a won opportunity to customer success, its follow-ups and the renewal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from api.commands import Commands, CommandsDep
from api.etag import Precondition, PreconditionDep
from api.handoff_commands import HandOffCommands, HandOffCommandsDep, candidate
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.changing import Change, ChangeDep
from api.v1.handoff_shapes import (
    AcceptBody,
    CloseBody,
    ContractBody,
    FollowUpBody,
    FollowUpOut,
    HandOffOut,
    HandOffSummary,
    ReceiverBody,
    ReturnBody,
)
from api.v1.opportunity_shapes import OpportunityOut
from db import handoff as handoffs
from db.handoff import Sort, Wanted
from domain.errors import NoHandOff
from domain.handoff import commands as ask
from domain.handoff.state import HandOffProcess, Progress
from domain.opportunity import commands as ask_deal
from domain.opportunity.state import Opportunity
from domain.principal import Principal, Side

router = APIRouter(
    prefix="/opportunities/{opportunity_id}/handoff", tags=["opportunities"], route_class=TandemRoute
)
lists = APIRouter(prefix="/handoffs", tags=["hand-offs"], route_class=TandemRoute)


def shown(
    response: Response, deal: Opportunity, process: HandOffProcess | None, principal: Principal
) -> HandOffOut:
    """The hand-off as the API answers it. Its ETag is of two versions: the deal's, and the process's."""
    if deal.handoff is None:
        raise NoHandOff(f"“{deal.title}” is {deal.status.value.replace('_', ' ')}: there is no hand-off.")
    of_process = f".{process.version}" if process else ""
    response.headers["ETag"] = f'"{deal.version}{of_process}"'
    return HandOffOut.of(deal, deal.handoff, process, principal)


async def _of_process(precondition: PreconditionDep) -> Precondition:
    """The part of the caller's ETags that is the process's version."""
    if precondition.tags is None:
        return precondition
    return Precondition(frozenset(tag.rpartition(".")[2] for tag in precondition.tags))


async def _of_deal(change: ChangeDep) -> Change:
    """A change of the deal by somebody who may have read its hand-off: that ETag names its version, too."""
    tags = change.if_match.tags
    if tags is None:
        return change
    return replace(change, if_match=Precondition(frozenset(tag.partition(".")[0] for tag in tags)))


@dataclass(frozen=True, slots=True)
class Give:
    """A command to the hand-off of the deal in the path, under the precondition that came with it."""

    opportunity_id: UUID
    response: Response
    commands: HandOffCommands
    deals: Commands
    if_match: Precondition

    async def __call__(self, command: ask.Command) -> HandOffOut:
        """Give the hand-off this command, and answer it as it is then. Raises as `HandOffCommands.change`."""
        process = await self.commands.change(self.opportunity_id, command, self.if_match)
        deal = await self.deals.read(self.opportunity_id)
        return shown(self.response, deal, process, self.commands.principal)


async def _give(
    opportunity_id: UUID,
    response: Response,
    commands: HandOffCommandsDep,
    deals: CommandsDep,
    if_match: Annotated[Precondition, Depends(_of_process)],
) -> Give:
    return Give(opportunity_id, response, commands, deals, if_match)


GiveDep = Annotated[Give, Depends(_give)]
DealChangeDep = Annotated[Change, Depends(_of_deal)]


@router.get("")
async def read_handoff(
    opportunity_id: UUID, response: Response, deals: CommandsDep, database: DatabaseDep
) -> HandOffOut:
    """The hand-off. Before the deal is won there is none: 409 `no_handoff`."""
    deal = await deals.read(opportunity_id)
    async with database.read() as session:
        process = await handoffs.find(session, deals.principal, opportunity_id)
    return shown(response, deal, process, deals.principal)


@router.post("/accept")
async def accept_handoff(change: DealChangeDep, body: AcceptBody | None = None) -> OpportunityOut:
    """Customer success takes over; the deal is `handed_off`, and the follow-ups begin."""
    return await change(ask_deal.AcceptHandOff(comment=body.comment if body else None))


@router.post("/return")
async def return_handoff(body: ReturnBody, change: DealChangeDep) -> OpportunityOut:
    """Customer success says what is missing; it is the seller's turn again."""
    return await change(ask_deal.ReturnHandOff(comment=body.comment, clocked=True))


@router.post("/assign")
async def assign_handoff(body: ReceiverBody, give: GiveDep) -> HandOffOut:
    """Say who receives it: a colleague, or yourself."""
    database, principal = give.commands.services.database, give.commands.principal
    return await give(ask.Assign(to=await candidate(database, principal, body.user_id)))


@router.get("/follow-ups")
async def list_follow_ups(opportunity_id: UUID, commands: HandOffCommandsDep) -> Listing[FollowUpOut]:
    """The check-ins with the customer, planned and held, the earliest first. Partners are told none."""
    process = await commands.read(opportunity_id)
    inside = commands.principal.side is Side.VENDOR
    ordered = sorted(process.follow_ups if inside else (), key=lambda each: (each.due_at, each.key))
    return Listing(items=[FollowUpOut.model_validate(each) for each in ordered])


@router.post("/follow-ups", status_code=status.HTTP_201_CREATED)
async def log_follow_up(body: FollowUpBody, give: GiveDep) -> HandOffOut:
    """Log a check-in with the customer, and how the customer is."""
    return await give(body.command())


@router.post("/contract")
async def set_contract(body: ContractBody, give: GiveDep) -> HandOffOut:
    """Say when the contract ends: so long before as the playbook says, the renewal opens by itself."""
    return await give(body.command())


@router.post("/close")
async def close_handoff(body: CloseBody, give: GiveDep) -> HandOffOut:
    """Nothing more is followed up, and no renewal opens: the contract ended, or the customer left."""
    return await give(body.command())


@lists.get("")
async def list_handoffs(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    progress: Annotated[list[Progress] | None, Query(description="One or several.")] = None,
    mine: Annotated[bool, Query(description="Only those that you receive.")] = False,
    unassigned: Annotated[bool, Query(description="Only those that nobody receives.")] = False,
    awaited: Annotated[bool, Query(description="Only where a follow-up should have been by now.")] = False,
    renewal_before: Annotated[
        date | None, Query(description="Only where the renewal opens before this day.")
    ] = None,
    sort: Annotated[
        Sort, Query(description="due: the least time left first; renewal: the next to open first.")
    ] = Sort.DUE,
) -> Listing[HandOffSummary]:
    """The hand-offs of the deals that you see."""
    wanted = Wanted(
        progress=tuple(progress or ()),
        receiver_id=principal.id if mine else None,
        unassigned=unassigned,
        awaited=awaited and principal.side is Side.VENDOR,
        renewal_before=renewal_before,
        sort=sort,
    )
    async with database.read() as session:
        found = await handoffs.page(session, principal, paging, wanted)
    return listing(request, response, found, HandOffSummary.of)
