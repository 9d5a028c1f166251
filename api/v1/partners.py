"""Partners: the organisations that the vendor sells with."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.etag import PreconditionDep, answer_new, answer_version
from api.fields import CountryCode, Domain, Input, Name, Search, Sort, changes, unset
from api.idempotency import MintedDep
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep, require
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.schemas import PARTNER_ID, WHEN, External, example, example_input, external_of, with_external
from db import partners
from db.tables import Organisation, OrganisationKind
from domain.partner import Tier
from domain.principal import Action, Principal

router = APIRouter(prefix="/partners", tags=["partners"], route_class=TandemRoute)

Manager = Annotated[Principal, require(Action.MANAGE_PARTNERS)]


class PartnerStatus(StrEnum):
    """An inactive partner's people cannot sign in, and it is put on no new deal."""

    ACTIVE = "active"
    INACTIVE = "inactive"


_EXAMPLE = {
    "name": "Aster Integrators",
    "domain": "aster.example",
    "country": "US",
    "tier": "gold",
    "external": None,
}


class PartnerCreate(Input):
    """An organisation to sell with. Its domain says which addresses its own administrators may invite."""

    model_config = example_input(_EXAMPLE)

    name: Name
    domain: Domain | None = None
    country: CountryCode | None = None
    tier: Tier = Tier.REGISTERED
    external: External | None = None


class PartnerUpdate(Input):
    """What is to change; what is left out stays."""

    model_config = example_input({"tier": "silver"})

    name: Name = unset()
    domain: Domain | None = None
    country: CountryCode | None = None
    tier: Tier = unset()
    status: PartnerStatus = unset()
    external: External | None = None


class PartnerPublic(BaseModel):
    """An organisation that the vendor sells with."""

    model_config = example(
        {
            "id": PARTNER_ID,
            "version": 1,
            **_EXAMPLE,
            "status": "active",
            "created_at": WHEN,
            "updated_at": WHEN,
        }
    )

    id: UUID
    version: int
    name: str
    domain: str | None
    country: str | None
    tier: Tier | None
    status: PartnerStatus
    external: External | None
    created_at: datetime
    updated_at: datetime


@router.get("")
async def list_partners(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    q: Search = "",
    tier: Tier | None = None,
    status: PartnerStatus | None = None,
    sort: Sort = "name",
) -> Listing[PartnerPublic]:
    """The partners that you may see: all for the vendor, itself for a partner."""
    async with database.read() as session:
        found = await partners.page(session, principal, paging, q=q, tier=tier, status=status, sort=sort)
    return listing(request, response, found, show)


@router.post("", status_code=201)
async def create_partner(
    body: PartnerCreate,
    request: Request,
    response: Response,
    _principal: Manager,
    minted: MintedDep,
    database: DatabaseDep,
) -> PartnerPublic:
    """Add a partner."""
    values = with_external({**dict(body), "id": minted.resource_id, "kind": OrganisationKind.PARTNER})
    async with database.transaction() as session:
        partner = await partners.add(session, Organisation(**values))
    answer_new(request, response, partner.version, "read_partner", partner_id=partner.id)
    return show(partner)


@router.get("/{partner_id}")
async def read_partner(
    partner_id: UUID, response: Response, principal: PrincipalDep, database: DatabaseDep
) -> PartnerPublic:
    """One partner."""
    async with database.read() as session:
        partner = await partners.get(session, principal, partner_id)
    answer_version(response, partner.version)
    return show(partner)


@router.patch("/{partner_id}")
async def update_partner(
    partner_id: UUID,
    body: PartnerUpdate,
    response: Response,
    principal: Manager,
    precondition: PreconditionDep,
    database: DatabaseDep,
) -> PartnerPublic:
    """Change a partner."""
    async with database.transaction() as session:
        partner = await partners.get(session, principal, partner_id)
        precondition.check(partner.version)
        partner = await partners.change(session, partner, with_external(changes(body)), datetime.now(UTC))
    answer_version(response, partner.version)
    return show(partner)


def show(partner: Organisation) -> PartnerPublic:
    """A partner as the API answers it."""
    return PartnerPublic(
        **partner.model_dump(include=set(PartnerPublic.model_fields) - {"external"}),
        external=external_of(partner),
    )
