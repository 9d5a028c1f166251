"""Who am I, and what may I do?"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from api.principal import PrincipalDep
from domain.principal import Action, Principal, Role, Side, allowed

router = APIRouter(tags=["me"])

ORGANISATION = {"id": "0198c5a2-7e53-7cc1-9d4e-5f0c5b1f2a10", "name": "Aster Integrators"}


class OrganisationRef(BaseModel):
    """An organisation, by id and name."""

    model_config = ConfigDict(json_schema_extra={"examples": [ORGANISATION]})

    id: UUID
    name: str


class Me(BaseModel):
    """The person behind the request."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0198c5a2-8d11-7a05-8a0b-3a7f6a4e9b21",
                    "name": "Sam Seller",
                    "email": "seller@aster.example",
                    "side": "partner",
                    "organisation": ORGANISATION,
                    "roles": ["partner_seller"],
                    "can": ["opportunity.note", "opportunity.open", "opportunity.work_tasks"],
                }
            ]
        }
    )

    id: UUID
    name: str
    email: str
    side: Side
    organisation: OrganisationRef
    roles: list[Role]
    can: list[Action]


@router.get("/me")
async def read_me(principal: PrincipalDep) -> Me:
    """The principal, its organisation and roles, and what it may do."""
    return me(principal)


def me(principal: Principal) -> Me:
    """A principal as `/me` answers it."""
    return Me(
        id=principal.id,
        name=principal.name,
        email=principal.email,
        side=principal.side,
        organisation=OrganisationRef(id=principal.organisation_id, name=principal.organisation),
        roles=sorted(principal.roles),
        can=sorted(allowed(principal.roles)),
    )
