"""Approvals: what waits for a decision, deciding, and what a request would take before it is made."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api import discounts
from api.approval_commands import ApprovalCommandsDep, colleague
from api.commands import CommandsDep
from api.etag import PreconditionDep, answer_version
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.approval_inputs import (
    AcceptBody,
    ApproveBody,
    CounterBody,
    DelegateBody,
    PreviewInput,
    RecallBody,
    RejectBody,
    ResubmitBody,
    ReturnBody,
)
from api.v1.approval_shapes import ApprovalOut, ApprovalSummary
from api.v1.discounts import PreviewOut
from db import approval as approvals
from domain.approval import commands as ask
from domain.approval.state import Approval, ApprovalState
from domain.principal import Principal

router = APIRouter(prefix="/approvals", tags=["approvals"], route_class=TandemRoute)


def shown(response: Response, approval: Approval, principal: Principal) -> ApprovalOut:
    """The request as the API answers it, with its version as ETag."""
    answer_version(response, approval.version)
    return ApprovalOut.of(approval, principal)


@router.get("")
async def list_approvals(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    state: Annotated[list[ApprovalState] | None, Query(description="One or several.")] = None,
    mine: Annotated[
        bool, Query(description="Only what waits for you, the least time left first; else the latest first.")
    ] = False,
    opportunity_id: UUID | None = None,
    requester_id: UUID | None = None,
) -> Listing[ApprovalSummary]:
    """The requests that you may see, or with `mine` those that wait for you."""
    states = tuple(state or ())
    async with database.read() as session:
        if mine:
            found = await approvals.inbox(session, principal, paging, states=states)
        else:
            found = await approvals.page(
                session,
                principal,
                paging,
                states=states,
                opportunity_id=opportunity_id,
                requester_id=requester_id,
            )
    return listing(request, response, found, ApprovalSummary.of)


@router.post("/preview")
async def preview_approval(
    body: PreviewInput, deals: CommandsDep, principal: PrincipalDep, database: DatabaseDep
) -> PreviewOut:
    """Who would be asked for this discount, in which order and by which rule. Nothing is kept."""
    deal = await deals.read(body.opportunity_id)
    return PreviewOut.of(await discounts.preview(database, principal, deal, body), principal)


@router.get("/{approval_id}")
async def read_approval(approval_id: UUID, response: Response, commands: ApprovalCommandsDep) -> ApprovalOut:
    """One request: what is asked, by which rules, who decides until when, and what was said."""
    return shown(response, await commands.read(approval_id), commands.principal)


@router.post("/{approval_id}/approve")
async def approve(
    approval_id: UUID,
    response: Response,
    commands: ApprovalCommandsDep,
    if_match: PreconditionDep,
    body: ApproveBody | None = None,
) -> ApprovalOut:
    """Agree. When everybody has who has to, it is granted."""
    command = (body or ApproveBody()).command()
    after = await commands.change_as_read(approval_id, command, if_match)
    return shown(response, after, commands.principal)


@router.post("/{approval_id}/reject")
async def reject(
    approval_id: UUID,
    body: RejectBody,
    response: Response,
    commands: ApprovalCommandsDep,
    if_match: PreconditionDep,
) -> ApprovalOut:
    """Say no: it ends, with the reason."""
    after = await commands.change_as_read(approval_id, body.command(), if_match)
    return shown(response, after, commands.principal)


@router.post("/{approval_id}/return")
async def return_for_changes(
    approval_id: UUID,
    body: ReturnBody,
    response: Response,
    commands: ApprovalCommandsDep,
    if_match: PreconditionDep,
) -> ApprovalOut:
    """Send it back for changes; the requester amends it and submits it again."""
    after = await commands.change_as_read(approval_id, body.command(), if_match)
    return shown(response, after, commands.principal)


@router.post("/{approval_id}/counter")
async def counter(
    approval_id: UUID,
    body: CounterBody,
    response: Response,
    commands: ApprovalCommandsDep,
    if_match: PreconditionDep,
) -> ApprovalOut:
    """Offer less; the requester takes it, or not."""
    after = await commands.change_as_read(approval_id, body.command(), if_match)
    return shown(response, after, commands.principal)


@router.post("/{approval_id}/accept")
async def accept(
    approval_id: UUID,
    response: Response,
    commands: ApprovalCommandsDep,
    if_match: PreconditionDep,
    body: AcceptBody | None = None,
) -> ApprovalOut:
    """As the requester: take the counter-offer."""
    command = (body or AcceptBody()).command()
    after = await commands.change_as_read(approval_id, command, if_match)
    return shown(response, after, commands.principal)


@router.post("/{approval_id}/resubmit")
async def resubmit(
    approval_id: UUID,
    response: Response,
    commands: ApprovalCommandsDep,
    if_match: PreconditionDep,
    body: ResubmitBody | None = None,
) -> ApprovalOut:
    """As the requester: ask again, after it came back."""
    command = (body or ResubmitBody()).command()
    after = await commands.change_as_read(approval_id, command, if_match)
    return shown(response, after, commands.principal)


@router.post("/{approval_id}/recall")
async def recall(
    approval_id: UUID,
    response: Response,
    commands: ApprovalCommandsDep,
    if_match: PreconditionDep,
    body: RecallBody | None = None,
) -> ApprovalOut:
    """As the requester: take the request back; it ends."""
    command = (body or RecallBody()).command()
    after = await commands.change_as_read(approval_id, command, if_match)
    return shown(response, after, commands.principal)


@router.post("/{approval_id}/delegate")
async def delegate(
    approval_id: UUID,
    body: DelegateBody,
    response: Response,
    commands: ApprovalCommandsDep,
    if_match: PreconditionDep,
) -> ApprovalOut:
    """Give your decision on this request to a colleague."""
    command = ask.DelegateSeat(
        to=await colleague(commands.services.database, commands.principal, body.to),
        until=body.until,
        step=body.step,
    )
    after = await commands.change_as_read(approval_id, command, if_match)
    return shown(response, after, commands.principal)
