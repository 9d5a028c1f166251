"""Approvals: what waits for a decision, deciding, and what a request would take before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from api import discounts
from api.approval_commands import ApprovalCommands, ApprovalCommandsDep, colleague
from api.commands import CommandsDep
from api.etag import Precondition, PreconditionDep, answer_version
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


@dataclass(frozen=True, slots=True)
class Change:
    """A command to the request in the path, under the precondition that came with it."""

    approval_id: UUID
    response: Response
    commands: ApprovalCommands
    if_match: Precondition

    async def __call__(self, command: ask.Command) -> ApprovalOut:
        """Give the request this command, and answer it as it is then. Raises what `change_as_read` does."""
        after = await self.commands.change_as_read(self.approval_id, command, self.if_match)
        return shown(self.response, after, self.commands.principal)


async def _change(
    approval_id: UUID, response: Response, commands: ApprovalCommandsDep, if_match: PreconditionDep
) -> Change:
    return Change(approval_id, response, commands, if_match)


ChangeDep = Annotated[Change, Depends(_change)]
"""Dependency of every route that gives a request a command."""


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
async def approve(change: ChangeDep, body: ApproveBody | None = None) -> ApprovalOut:
    """Agree. When everybody has who has to, it is granted."""
    return await change((body or ApproveBody()).command())


@router.post("/{approval_id}/reject")
async def reject(body: RejectBody, change: ChangeDep) -> ApprovalOut:
    """Say no: it ends, with the reason."""
    return await change(body.command())


@router.post("/{approval_id}/return")
async def return_for_changes(body: ReturnBody, change: ChangeDep) -> ApprovalOut:
    """Send it back for changes; the requester amends it and submits it again."""
    return await change(body.command())


@router.post("/{approval_id}/counter")
async def counter(body: CounterBody, change: ChangeDep) -> ApprovalOut:
    """Offer less; the requester takes it, or not."""
    return await change(body.command())


@router.post("/{approval_id}/accept")
async def accept(change: ChangeDep, body: AcceptBody | None = None) -> ApprovalOut:
    """As the requester: take the counter-offer."""
    return await change((body or AcceptBody()).command())


@router.post("/{approval_id}/resubmit")
async def resubmit(change: ChangeDep, body: ResubmitBody | None = None) -> ApprovalOut:
    """As the requester: ask again, after it came back."""
    return await change((body or ResubmitBody()).command())


@router.post("/{approval_id}/recall")
async def recall(change: ChangeDep, body: RecallBody | None = None) -> ApprovalOut:
    """As the requester: take the request back; it ends."""
    return await change((body or RecallBody()).command())


@router.post("/{approval_id}/delegate")
async def delegate(body: DelegateBody, change: ChangeDep) -> ApprovalOut:
    """Give your decision on this request to a colleague."""
    command = ask.DelegateSeat(
        to=await colleague(change.commands.services.database, change.commands.principal, body.to),
        until=body.until,
        step=body.step,
    )
    return await change(command)
