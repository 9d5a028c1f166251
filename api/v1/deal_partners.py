"""The partners of an opportunity."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response, status

from api import intake
from api.commands import CommandsDep
from api.etag import answer_version
from api.paging import Listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.changing import ChangeDep
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
    body: PartnerInput, principal: PrincipalDep, database: DatabaseDep, change: ChangeDep
) -> OpportunityOut:
    """Add a partner: the tasks for its role in the current stage become its own."""
    partner = await intake.deal_partner(database, principal, body)
    return await change(ask.AddPartner(partner=partner))


@router.delete("/{partner_id}")
async def remove_deal_partner(partner_id: UUID, change: ChangeDep) -> OpportunityOut:
    """Remove a partner: it no longer sees the deal; its open tasks wait for another."""
    command = ask.RemovePartner(partner_id=partner_id)
    return await change(command)
