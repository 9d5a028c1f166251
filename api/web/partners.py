"""Partners: who they are, and the deals with them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.fields import Search
from api.principal import PrincipalDep, require
from api.services import DatabaseDep
from api.v1.partners import PartnerCreate
from api.v1.schemas import with_external
from api.web.forms import FormDep, Refusal, WebRoute, claimed, form_page, parse
from api.web.lists import PER_PAGE, Cursor, more_url, stats
from api.web.rendering import go, page
from db import partners, people, pipeline, totals
from db.pages import PageRequest
from db.pipeline import Filters
from db.tables import Organisation, OrganisationKind
from domain.errors import TandemError
from domain.principal import Action, Principal

router = APIRouter(prefix="/partners", include_in_schema=False, route_class=WebRoute)


@router.get("")
async def read_all(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    q: Search = "",
    cursor: Cursor = None,
) -> Response:
    """The partners that one sells with."""
    async with database.read() as session:
        found = await partners.page(session, principal, PageRequest(PER_PAGE, cursor), q=q or None)
        standings = await totals.of_partners(session, principal, [each.id for each in found.items])
    return page(
        request,
        "partners/index.html",
        principal=principal,
        section="partners",
        companies=[(each, standings[each.id]) for each in found.items],
        q=q,
        may_add=principal.may(Action.MANAGE_PARTNERS),
        more_url=more_url(request, found.next_cursor),
    )


@router.get("/new")
async def ask_for_new(
    request: Request, principal: Annotated[Principal, require(Action.MANAGE_PARTNERS)]
) -> Response:
    """The form for a new partner."""
    return _form(request, principal, {})


@router.post("/new")
async def add(
    request: Request,
    principal: Annotated[Principal, require(Action.MANAGE_PARTNERS)],
    database: DatabaseDep,
    form: FormDep,
) -> Response:
    """Add a partner, and show it."""
    typed = form.given("name", "domain", "tier")
    if country := form.get("country"):
        typed["country"] = country.upper()
    try:
        body = parse(PartnerCreate, typed)
        minted = await claimed(database, principal, form)
        partner = Organisation(
            **with_external({**dict(body), "id": minted.resource_id, "kind": OrganisationKind.PARTNER})
        )
        async with database.transaction() as session:
            await partners.add(session, partner)
    except TandemError as error:
        return _form(request, principal, form.values, Refusal.of(error))
    return go(request, f"/partners/{partner.id}", f"{partner.name} is a partner now.")


def _form(request: Request, principal: Principal, values: Any, refusal: Refusal | None = None) -> Response:
    return form_page(
        request,
        "partners/form.html",
        values,
        refusal,
        principal=principal,
        section="partners",
    )


@router.get("/{partner_id}")
async def read(
    partner_id: UUID,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    cursor: Cursor = None,
) -> Response:
    """One partner: its people, and the deals together."""
    async with database.read() as session:
        partner = await partners.get(session, principal, partner_id)
        standings = await totals.of_partners(session, principal, [partner.id])
        deals = await pipeline.page(
            session, principal, Filters(partner_id=partner.id), PageRequest(PER_PAGE, cursor)
        )
        staff = await people.page(
            session, principal, PageRequest(100), organisation_id=partner.id, active=True
        )
    return page(
        request,
        "partners/page.html",
        principal=principal,
        section="partners",
        partner=partner,
        stats=stats(standings[partner.id]),
        deals=deals.items,
        people=[user for user, _ in staff.items],
        may_open=principal.may(Action.OPEN_OPPORTUNITY),
        more_url=more_url(request, deals.next_cursor),
    )
