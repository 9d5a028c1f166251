"""Who am I, and what may I do?"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from api.principal import PrincipalDep
from api.route import TandemRoute
from api.v1.schemas import ORGANISATION, USER_ID, OrganisationRef, example
from domain.principal import Action, Principal, Role, Side, allowed

router = APIRouter(tags=["me"], route_class=TandemRoute)


class Me(BaseModel):
    """The person behind the request."""

    model_config = example(
        {
            "id": USER_ID,
            "name": "Sam Seller",
            "email": "seller@aster.example",
            "side": "partner",
            "organisation": ORGANISATION,
            "roles": ["partner_seller"],
            "can": ["opportunity.note", "opportunity.open", "opportunity.work_tasks"],
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
