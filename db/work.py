"""What waits for a person, over all deals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.pages import AnyRow, Page, PageRequest
from db.tables import OpportunityRow, WorkItemRow
from db.tables.base import Instant
from domain.opportunity.work import WorkItem
from domain.principal import Principal, Side

Item = WorkItemRow
_NEVER = literal(datetime(9999, 12, 31, tzinfo=UTC), Instant)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits, on which deal."""

    item: WorkItem
    opportunity_id: UUID
    opportunity_version: int
    opportunity: str
    customer: str
    stage: str
    owner: str | None


def _whose(principal: Principal, *, team: bool) -> ColumnElement[bool]:
    """Mine, or with `team` everything that waits for my side of the deals I see."""
    if principal.side is Side.PARTNER:
        ours = col(Item.partner_id) == principal.organisation_id
        if team:
            return ours
        return and_(ours, or_(col(Item.assignee_id).is_(None), col(Item.assignee_id) == principal.id))
    vendors = col(Item.side) == Side.VENDOR.value
    if team:
        return vendors
    roles = sorted(principal.roles)
    unassigned = col(Item.assignee_id).is_(None)
    return and_(
        vendors,
        or_(
            col(Item.assignee_id) == principal.id,
            and_(unassigned, col(Item.role).in_(roles)),
            and_(unassigned, col(Item.role).is_(None), col(Item.owner_id) == principal.id),
        ),
    )


_COLUMNS: tuple[Any, ...] = (
    col(Item.opportunity_id),
    col(Item.kind),
    col(Item.key),
    col(Item.title),
    col(Item.side),
    col(Item.partner_id),
    col(Item.assignee_id),
    col(Item.role),
    col(Item.required),
    col(Item.since),
    col(Item.due_at),
    col(OpportunityRow.version).label("opportunity_version"),
    col(OpportunityRow.title).label("opportunity"),
    col(OpportunityRow.customer),
    col(OpportunityRow.stage),
    col(OpportunityRow.owner),
)


def _waiting(row: AnyRow) -> Waiting:
    return Waiting(
        item=WorkItem(
            kind=row.kind,
            key=row.key,
            title=row.title,
            side=row.side,
            partner_id=row.partner_id,
            assignee_id=row.assignee_id,
            role=row.role,
            required=row.required,
            since=row.since,
            due_at=row.due_at,
        ),
        opportunity_id=row.opportunity_id,
        opportunity_version=row.opportunity_version,
        opportunity=row.opportunity,
        customer=row.customer,
        stage=row.stage,
        owner=row.owner,
    )


async def page(
    session: AsyncSession, principal: Principal, request: PageRequest, *, team: bool = False
) -> Page[Waiting]:
    """What waits, the earliest deadline first, what has none last."""
    statement = (
        select(*_COLUMNS)
        .join(OpportunityRow, col(OpportunityRow.id) == col(Item.opportunity_id))
        .where(_whose(principal, team=team))
        .order_by(
            func.coalesce(col(Item.due_at), _NEVER, type_=Instant),
            col(Item.opportunity_id),
            col(Item.kind),
            col(Item.key),
        )
    )
    found = await pages.fetch(session, statement, request, order=f"work:{team}:{principal.id}")
    return found.map(_waiting)


async def count(session: AsyncSession, principal: Principal) -> int:
    """How many things wait for the principal."""
    statement = select(func.count()).select_from(Item).where(_whose(principal, team=False))
    return (await session.execute(statement)).scalar_one()
