"""The partners of an opportunity."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response, status

from api import intake
from api.commands import CommandsDep
from api.etag import PreconditionDep, answer_version
from api.paging import Listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.opportunities import shown
from api.v1.opportunity_inputs import PartnerInput
from api.v1.opportunity_shapes import OpportunityOut, PartnerOut
from domain.opportunity import commands as ask

router = APIRouter(
    prefix="/opportunities/{opportunity_id}/partners", tags=["opportunities"], route_class=TandemRoute
)


@router.get("")
async def list_deal_partners(
    opportunity_id: UUID, response: Response, commands: CommandsDep
) -> Listing[PartnerOut]:
    """Who takes part in the deal, and as what."""
    deal = await commands.read(opportunity_id)
    answer_version(response, deal.version)
    return Listing[PartnerOut](items=[PartnerOut.model_validate(partner) for partner in deal.partners])


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_deal_partner(
    opportunity_id: UUID,
    body: PartnerInput,
    response: Response,
    commands: CommandsDep,
    principal: PrincipalDep,
    database: DatabaseDep,
    if_match: PreconditionDep,
) -> OpportunityOut:
    """Add a partner: the tasks for its role in the current stage become its own."""
    partner = await intake.deal_partner(database, principal, body)
    return shown(response, await commands.change(opportunity_id, ask.AddPartner(partner=partner), if_match))


@router.delete("/{partner_id}")
async def remove_deal_partner(
    opportunity_id: UUID,
    partner_id: UUID,
    response: Response,
    commands: CommandsDep,
    if_match: PreconditionDep,
) -> OpportunityOut:
    """Remove a partner: it no longer sees the deal; its open tasks wait for another."""
    command = ask.RemovePartner(partner_id=partner_id)
    return shown(response, await commands.change(opportunity_id, command, if_match))
