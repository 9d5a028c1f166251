"""Time on one deal: its agenda, what happens if nobody acts, its cadence, its calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict

from api import intake
from api.commands import CommandsDep
from api.etag import answer_version
from api.fields import Input
from api.paging import Listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.changing import ChangeDep
from api.v1.clock_shapes import AgendaItemOut
from api.v1.opportunity_inputs import NoBody
from api.v1.opportunity_shapes import SAM, OpportunityOut
from domain.ladder import Tell
from domain.opportunity import commands as ask
from domain.opportunity.agenda import DueItem, agenda
from domain.opportunity.forecast import Forecast, if_nobody_acts
from domain.opportunity.ladder import Step, steps
from domain.opportunity.state import Opportunity
from domain.principal import Principal, Side
from domain.span import BusinessDuration
from runtime import cel

router = APIRouter(prefix="/opportunities/{opportunity_id}", tags=["opportunities"], route_class=TandemRoute)

LONGEST_FORECAST = 90
"""Days that a forecast looks ahead; further it would only repeat itself."""


class CadenceInput(Input):
    """How often the deal checks in, and who looks after it. Null: as its stages say, and both sides."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"every": "1w", "who_id": SAM["id"]}]}
    )

    every: BusinessDuration | None
    who_id: UUID | None = None


@router.get("/agenda")
async def read_agenda(
    opportunity_id: UUID, response: Response, commands: CommandsDep, principal: PrincipalDep
) -> Listing[AgendaItemOut]:
    """Everything that falls due on the deal, the earliest first, with who is told if nobody acts."""
    deal = await commands.read(opportunity_id)
    answer_version(response, deal.version)
    return Listing[AgendaItemOut](
        items=[AgendaItemOut.of(item, told) for item, told in with_ladder(deal, principal)]
    )


def with_ladder(deal: Opportunity, principal: Principal) -> list[tuple[DueItem, list[Step]]]:
    """The deal's deadlines with the steps of their ladders that are still to come, both in order.

    When a manager is told is the vendor's business.
    """
    internal = principal.side is Side.PARTNER
    ahead: dict[str, list[Step]] = {}
    items = agenda(deal)
    for step in sorted(steps(deal, items), key=lambda each: each.order):
        if not (internal and step.tell is Tell.MANAGER):
            ahead.setdefault(step.of.id, []).append(step)
    return [(item, ahead.get(item.id, [])) for item in items]


@router.get("/forecast")
async def read_forecast(
    opportunity_id: UUID,
    response: Response,
    commands: CommandsDep,
    principal: PrincipalDep,
    days: Annotated[int, Query(ge=1, le=LONGEST_FORECAST, description="How far to look ahead.")] = 30,
) -> Listing[Forecast]:
    """What would happen to the deal by itself if nobody acted, in order."""
    deal = await commands.read(opportunity_id)
    answer_version(response, deal.version)
    return Listing[Forecast](items=foreseen(deal, principal, days))


def foreseen(deal: Opportunity, principal: Principal, days: int) -> list[Forecast]:
    """What the clock would do to the deal in so many days, as far as the principal would read it."""
    now = datetime.now(UTC)
    found = if_nobody_acts(deal, now, now + timedelta(days=days), cel.holds)
    return [each for each in found if principal.side is Side.VENDOR or not each.internal]


@router.put("/check-in-cadence")
async def set_cadence(
    body: CadenceInput, database: DatabaseDep, principal: PrincipalDep, change: ChangeDep
) -> OpportunityOut:
    """Say how often this deal checks in, by either side; the next one is counted from now on."""
    who = await intake.looked_after_by(database, principal, body.who_id, "/who_id")
    return await change(ask.SetCadence(every=body.every, who=who))


@router.post("/refresh-calendar")
async def refresh_calendar(
    database: DatabaseDep, change: ChangeDep, _body: NoBody | None = None
) -> OpportunityOut:
    """Go by the owner's calendar as it is by now: time zone, hours, holidays. Deadlines that are set stay."""
    command = await intake.refreshed_calendar(database, await change.deal())
    return await change(command)
