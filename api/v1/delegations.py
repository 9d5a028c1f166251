"""Out of office: who decides for whom, and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.fields import Input, Instant, Reason
from api.idempotency import MintedDep
from api.paging import Listing, PagingDep, listing
from api.people_changed import people_changed
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep, Services, ServicesDep
from api.v1.schemas import USER_ID, WHEN, PersonRef, example, example_input
from db import delegations, directory, people
from db.delegations import Named
from db.tables import DelegationRow
from domain.approval.delegation import check_delegation
from domain.errors import Forbidden
from domain.principal import Action, Principal

router = APIRouter(prefix="/delegations", tags=["users"], route_class=TandemRoute)

_STAND_IN = "0198c5a2-91c4-7e6f-b0d3-52a1c97f6e34"
_DATES: dict[str, Any] = {
    "starts_at": "2027-07-05T00:00:00Z",
    "ends_at": "2027-07-19T00:00:00Z",
    "reason": "Summer holidays",
}


class DelegationState(StrEnum):
    """Whether somebody stands in by now."""

    UPCOMING = "upcoming"
    CURRENT = "current"
    OVER = "over"


class DelegationCreate(Input):
    """Somebody stands in while you are away, and is asked instead of you."""

    model_config = example_input({"to": _STAND_IN, **_DATES})

    to: UUID = Field(description="Who decides meanwhile: an active person of the same organisation.")
    starts_at: Instant | None = Field(default=None, description="Now where not given.")
    ends_at: Instant | None = Field(default=None, description="Until it is ended where not given.")
    reason: Reason | None = None
    user_id: UUID | None = Field(default=None, description="For administrators: whom this is for.")


class DelegationPublic(BaseModel):
    """Who is away, and who decides meanwhile."""

    model_config = example(
        {
            "id": "0198c5a3-2c0e-7f11-9a6b-7d1e0f2b3c44",
            "user": {"id": USER_ID, "name": "Dora Desk"},
            "to": {"id": _STAND_IN, "name": "Dirk Desk"},
            **_DATES,
            "state": "upcoming",
            "created_at": WHEN,
            "ended_at": None,
        }
    )

    id: UUID
    user: PersonRef
    to: PersonRef
    starts_at: datetime
    ends_at: datetime | None
    reason: str | None
    state: DelegationState
    created_at: datetime
    ended_at: datetime | None


@router.get("")
async def list_delegations(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    user_id: UUID | None = None,
    over: bool | None = None,
) -> Listing[DelegationPublic]:
    """Where you are away or stand in, the latest start first; administrators see those of their people."""
    now = datetime.now(UTC)
    async with database.read() as session:
        found = await delegations.page(session, principal, paging, user_id=user_id, over=over, now=now)
    return listing(request, response, found, lambda each: show(each, now))


@router.post("", status_code=201)
async def create_delegation(
    body: DelegationCreate, principal: PrincipalDep, minted: MintedDep, services: ServicesDep
) -> DelegationPublic:
    """Say who stands in while you are out of office."""
    now = datetime.now(UTC)
    return show(await delegate(services, principal, body, minted.resource_id, now), now)


@router.delete("/{delegation_id}", status_code=204)
async def end_delegation(delegation_id: UUID, principal: PrincipalDep, services: ServicesDep) -> None:
    """You are back: nobody stands in any more."""
    await end(services, principal, delegation_id)


async def delegate(
    services: Services, principal: Principal, body: DelegationCreate, the_id: UUID, now: datetime
) -> Named:
    """Keep a delegation if it is a good one; the same id again (a repeated request) answers what it made.

    Raises `InvalidInput` with a pointer, and `Forbidden` for who speaks for somebody else.
    """
    row = DelegationRow(
        id=the_id,
        user_id=body.user_id or principal.id,
        to_id=body.to,
        starts_at=body.starts_at or now,
        ends_at=body.ends_at,
        reason=body.reason,
        created_by=principal.id,
    )
    if row.user_id != principal.id and not speaks_for_others(principal):
        raise Forbidden("You say who stands in for yourself; for others, ask an administrator.")
    # An administrator of the vendor may speak for anybody; others do not learn who else there is.
    of = None if principal.may(Action.MANAGE_USERS) else [principal.organisation_id]
    async with services.database.transaction() as session:
        await people.settle_one_at_a_time(session)
        made = await delegations.find(session, row.id)
        if made is None:
            known = await directory.read(session, organisation_ids=of, now=now)
            check_delegation(directory.delegation_of(row), known, now)
            made = await delegations.add(session, row)
    await people_changed(services, [row.user_id, row.to_id])
    return made


async def end(services: Services, principal: Principal, delegation_id: UUID) -> None:
    """End a delegation from now on. Raises `NotFound`."""
    async with services.database.transaction() as session:
        ended = await delegations.end(session, principal, delegation_id, datetime.now(UTC))
    await people_changed(services, [ended.user_id, ended.to_id])


def speaks_for_others(principal: Principal) -> bool:
    """Whether somebody may say who stands in for other people of the organisation."""
    return principal.may(Action.MANAGE_USERS) or principal.may(Action.MANAGE_OWN_TEAM)


def show(named: Named, now: datetime) -> DelegationPublic:
    """A delegation as the API answers it."""
    row = named.row
    return DelegationPublic(
        **row.model_dump(include=set(DelegationPublic.model_fields) - {"user", "to", "state"}),
        user=PersonRef(id=row.user_id, name=named.user),
        to=PersonRef(id=row.to_id, name=named.to),
        state=_state(row, now),
    )


def _state(row: DelegationRow, now: datetime) -> DelegationState:
    if row.ended_at is not None or (row.ends_at is not None and row.ends_at <= now):
        return DelegationState.OVER
    return DelegationState.UPCOMING if row.starts_at > now else DelegationState.CURRENT
