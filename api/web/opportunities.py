"""A deal's page, and opening a new deal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import intake
from api.commands import Commands, CommandsDep
from api.principal import PrincipalDep
from api.services import DatabaseDep, ServicesDep
from api.v1.agenda import LONGEST_FORECAST
from api.v1.opportunity_inputs import OpportunityInput
from api.web import choices, deal_view, discount_view, line_view
from api.web.action_forms import ACTIONS, MENU, NEXT_STEPS
from api.web.actions import Asked, Offer, may_manage, said
from api.web.agenda_view import Reader
from api.web.fields import money_typed
from api.web.forms import Form, FormDep, Refusal, WebRoute, claimed, form_page, parse
from api.web.lists import Cursor
from api.web.rendering import go, page
from api.zones import zone_of
from db import accounts, partners, timeline
from db import handoff as handoffs
from db.pages import PageRequest
from db.session import Database
from domain.errors import TandemError
from domain.opportunity.blockers import open_tasks
from domain.opportunity.state import Opportunity
from domain.playbook import PartnerRole
from domain.principal import Action, Principal

router = APIRouter(prefix="/opportunities", include_in_schema=False, route_class=WebRoute)

FORECASTS = (7, 30, 90)
"""How many days ahead a page offers to look."""
EVENTS = 30
"""How much of the story a deal's page tells at once."""


@router.get("")
async def to_the_list() -> Response:
    """The list of deals is a view of the pipeline."""
    return Response(status_code=303, headers={"Location": "/pipeline?view=list"})


@router.get("/new")
async def ask_for_new(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    partner_id: Annotated[str, Query(max_length=60)] = "",
    playbook: Annotated[str, Query(max_length=60)] = "",
    customer_name: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The form; links may bring what is known already."""
    known = {"partner_id": partner_id, "playbook": playbook, "customer_name": customer_name}
    return await _new(request, principal, database, known)


@router.post("/new")
async def open_new(
    request: Request, principal: PrincipalDep, services: ServicesDep, database: DatabaseDep, form: FormDep
) -> Response:
    """Open the deal and show it; or show the form again, saying what is not right."""
    try:
        body = parse(OpportunityInput, _typed(form, principal))
        minted = await claimed(database, principal, form)
        opening = await intake.opening(database, principal, minted.resource_id, body)
        deal = await Commands(services, principal, minted).open(opening)
    except TandemError as error:
        return await _new(request, principal, database, form.values, Refusal.of(error))
    return go(request, f"/opportunities/{deal.id}", f"Opened. {deal.stage_title} has begun.")


def _typed(form: Form, principal: Principal) -> dict[str, Any]:
    partner_id = form.get("partner_id") if principal.partner_id is None else str(principal.partner_id)
    named = {"partner_id": partner_id, "role": form.get("partner_role") or PartnerRole.RESELLER.value}
    customer = {name: form.get(f"customer_{name}") for name in ("name", "domain", "industry")}
    customer["country"] = (form.get("customer_country") or "").upper() or None
    typed = {
        "title": form.get("title"),
        "customer": {name: value for name, value in customer.items() if value},
        "amount": money_typed(form),
        "partners": [named] if partner_id else [],
    }
    typed |= form.given("expected_close", "playbook", "owner_id")
    return {name: value for name, value in typed.items() if value is not None}


async def _new(
    request: Request,
    principal: Principal,
    database: Database,
    values: Mapping[str, str],
    refusal: Refusal | None = None,
) -> Response:
    async with database.read() as session:
        known = await accounts.page(session, principal, PageRequest(choices.MOST))
    options = {
        **await choices.for_deals(database, principal),
        "roles": [(role.value, role.label.capitalize()) for role in PartnerRole],
        "accounts": [account.name for account in known.items],
    }
    return form_page(
        request,
        "opportunities/new.html",
        values,
        refusal,
        principal=principal,
        options=options,
        currencies=[code for code, _ in choices.currencies()],
    )


@router.get("/{opportunity_id}")
async def read(
    opportunity_id: UUID,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    commands: CommandsDep,
    cursor: Cursor = None,
) -> Response:
    """The deal: where it stands, what it waits for, both sides' tasks, its story."""
    return await show(request, principal, database, await commands.read(opportunity_id), cursor)


async def show(
    request: Request, principal: Principal, database: Database, deal: Opportunity, cursor: str | None = None
) -> Response:
    """The page of a deal that was read already."""
    async with database.read() as session:
        story = await timeline.of_opportunity(session, principal, deal.id, PageRequest(EVENTS, cursor))
        vendor = await _vendor(session)
        handoff = await handoffs.find(session, principal, deal.id) if deal.handoff else None
        parent = await handoffs.parent_of(session, principal, deal.parent_id) if deal.parent_id else None
    reader = Reader(principal, vendor, await zone_of(database, principal), datetime.now(UTC))
    waits, ready = deal_view.waits(deal)
    more = f"/opportunities/{deal.id}?cursor={story.next_cursor}" if story.next_cursor else None
    return page(
        request,
        "opportunities/page.html",
        principal=principal,
        section="pipeline",
        deal=deal,
        stages=deal_view.steps(deal),
        blockers=waits,
        ready=ready,
        lanes=deal_view.lanes(deal, principal, vendor),
        agenda=reader.agenda(deal),
        line_table=line_view.table(deal, principal),
        discount_part=discount_view.discounts_of(deal, principal),
        timeline=[deal_view.entry(told) for told in story.items],
        timeline_more=more,
        offers=offers(deal, principal, database),
        handoff=handoff,
        parent=parent,
        may_manage=may_manage(deal, principal) and deal.hold is None,
        may_note=principal.may(Action.NOTE),
    )


async def _vendor(session: AsyncSession) -> str:
    """What the vendor is called."""
    found = await partners.vendor(session)
    return found.name if found else "Vendor"


@router.get("/{opportunity_id}/forecast")
async def foresee(
    opportunity_id: UUID,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    commands: CommandsDep,
    days: Annotated[int, Query(ge=1, le=LONGEST_FORECAST)] = 30,
) -> Response:
    """What happens to the deal if nobody acts, as a page or a sheet over the deal's."""
    deal = await commands.read(opportunity_id)
    async with database.read() as session:
        vendor = await _vendor(session)
    reader = Reader(principal, vendor, await zone_of(database, principal), datetime.now(UTC))
    return page(
        request,
        "opportunities/forecast.html",
        principal=principal,
        section="pipeline",
        deal=deal,
        days=days,
        spans=FORECASTS,
        found=reader.foresees(deal, days),
        zone=reader.zone.key,
    )


def offers(deal: Opportunity, principal: Principal, database: Database) -> list[Offer]:
    """What the head of the page offers: the next step first, where the deal is ready for it."""
    asked = Asked(deal, principal, database)
    ready = not open_tasks(deal)
    found: list[Offer] = []
    for name in MENU:
        action = ACTIONS[name]
        if not action.offered(deal, principal):
            continue
        primary = name in NEXT_STEPS and (ready or name in {"resume", "reopen"})
        style = "primary" if primary else "danger" if action.danger else ""
        href = f"/opportunities/{deal.id}/actions/{name}"
        found.append(Offer(href, said(action.title, asked), action.icon, style, first=name == "hold"))
    return found
