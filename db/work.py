"""What waits for a person, over all deals and the requests on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import approval, pages
from db.pages import AnyRow, Page, PageRequest
from db.tables import ApprovalRow, ApprovalSeatRow, OpportunityRow, WorkItemRow
from db.tables.base import Instant
from domain.opportunity.work import WorkItem, WorkKind
from domain.principal import Principal, Side

Item = WorkItemRow
Seat = ApprovalSeatRow
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


def _items(principal: Principal, *, team: bool) -> Select[*tuple[Any, ...]]:
    """What deals wait for."""
    return select(
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
    ).where(_whose(principal, team=team))


def _decisions(principal: Principal, *, team: bool) -> Select[*tuple[Any, ...]]:
    """What requests on deals wait for: each request once, however many seats there are."""
    mine = col(Seat.user_id) == principal.id
    whose = and_(col(Seat.side) == principal.side.value, approval.visible(principal)) if team else mine
    own = literal(None if team else principal.id, type_=Uuid)
    return (
        select(
            col(ApprovalRow.opportunity_id),
            literal(WorkKind.APPROVAL.value),
            cast(col(ApprovalRow.id), String),
            col(ApprovalRow.title),
            col(Seat.side),
            case((col(Seat.side) == Side.PARTNER.value, col(ApprovalRow.partner_id))),
            own,
            literal(None, type_=String),
            true(),
            func.min(col(Seat.since), type_=Instant),
            func.min(col(Seat.due_at), type_=Instant),
        )
        .join(Seat, col(Seat.approval_id) == col(ApprovalRow.id))
        .where(whose)
        .group_by(col(ApprovalRow.id), col(Seat.side))
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
    item = union_all(_items(principal, team=team), _decisions(principal, team=team)).subquery("item")
    statement = (
        select(
            *item.c,
            col(OpportunityRow.version).label("opportunity_version"),
            col(OpportunityRow.title).label("opportunity"),
            col(OpportunityRow.customer),
            col(OpportunityRow.stage),
            col(OpportunityRow.owner),
        )
        .join(OpportunityRow, col(OpportunityRow.id) == item.c.opportunity_id)
        .order_by(
            func.coalesce(item.c.due_at, _NEVER, type_=Instant),
            item.c.opportunity_id,
            item.c.kind,
            item.c.key,
            item.c.side,
        )
    )
    found = await pages.fetch(session, statement, request, order=f"work:{team}:{principal.id}")
    return found.map(_waiting)


async def count(session: AsyncSession, principal: Principal) -> int:
    """How many things wait for the principal."""
    deals = select(func.count()).select_from(Item).where(_whose(principal, team=False)).scalar_subquery()
    requests = (
        select(func.count(func.distinct(col(Seat.approval_id))))
        .where(col(Seat.user_id) == principal.id)
        .scalar_subquery()
    )
    waiting: int = (await session.execute(select(deals + requests))).scalar_one()
    return waiting
