"""Partners: the organisations that the vendor sells with."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.edits import updated
from db.pages import Page, PageRequest
from db.session import violated
from db.tables import Organisation, OrganisationKind
from domain.errors import AlreadyExists, NotFound
from domain.principal import Principal


def visible_partners(principal: Principal) -> ColumnElement[bool]:
    """The vendor sees every partner; a partner sees itself."""
    is_partner = col(Organisation.kind) == OrganisationKind.PARTNER
    if principal.partner_id is None:
        return is_partner
    return and_(is_partner, col(Organisation.id) == principal.partner_id)


async def page(
    session: AsyncSession,
    principal: Principal,
    wanted: PageRequest,
    *,
    q: str | None = None,
    tier: str | None = None,
    status: str | None = None,
    sort: str = "name",
) -> Page[Organisation]:
    """The partners that the principal may see, by name where `sort` says nothing else."""
    statement = (
        select(Organisation)
        .where(visible_partners(principal))
        .order_by(*pages.ordering(sort, col(Organisation.name), col(Organisation.id)))
    )
    if q:
        statement = statement.where(col(Organisation.name).icontains(q, autoescape=True))
    if tier is not None:
        statement = statement.where(col(Organisation.tier) == tier)
    if status is not None:
        statement = statement.where(col(Organisation.status) == status)
    found = await pages.fetch(session, statement, wanted, order=f"partners:{sort}")
    return found.map(lambda row: row[0])


async def get(session: AsyncSession, principal: Principal, partner_id: UUID) -> Organisation:
    """One partner. Raises `NotFound`, also for a partner whom the principal does not see."""
    statement = select(Organisation).where(visible_partners(principal), col(Organisation.id) == partner_id)
    partner = (await session.execute(statement)).scalar_one_or_none()
    if partner is None:
        raise NotFound("There is no such partner.")
    return partner


async def vendor(session: AsyncSession) -> Organisation | None:
    """The vendor's own organisation; None before anything is set up."""
    statement = select(Organisation).where(col(Organisation.kind) == OrganisationKind.VENDOR)
    return (await session.execute(statement)).scalar_one_or_none()


async def active_ids(session: AsyncSession, partner_ids: Collection[UUID]) -> set[UUID]:
    """Those of these partners that the vendor still works with."""
    statement = select(col(Organisation.id)).where(
        col(Organisation.id).in_(partner_ids), col(Organisation.status) == "active"
    )
    return set((await session.execute(statement)).scalars())


async def organisation(session: AsyncSession, organisation_id: UUID) -> Organisation | None:
    """Any organisation by its id; for rules that compare organisations, never to answer a request."""
    return await session.get(Organisation, organisation_id)


async def add(session: AsyncSession, partner: Organisation) -> Organisation:
    """Keep a new organisation. The same id again (a repeated request) changes nothing.

    Raises `AlreadyExists` when the external id is taken.
    """
    # Updating the id to itself changes nothing, and makes RETURNING answer the row that is there.
    statement = insert(Organisation).values(**partner.model_dump())
    statement = statement.on_conflict_do_update(
        index_elements=[col(Organisation.id)], set_={"id": statement.excluded.id}
    )
    try:
        return (await session.execute(statement.returning(Organisation))).scalar_one()
    except IntegrityError as error:
        raise _taken(error) from error


async def change(
    session: AsyncSession, partner: Organisation, changes: dict[str, Any], now: datetime
) -> Organisation:
    """Change a partner that was read before. Raises `StaleVersion` and `AlreadyExists`."""
    try:
        return await updated(session, partner, changes, now)
    except IntegrityError as error:
        raise _taken(error) from error


def _taken(error: IntegrityError) -> Exception:
    if violated(error) == "uq_organisation_external":
        return AlreadyExists("A partner with this external id is there already.")
    return error
