"""Calendars: what falls due between two instants, over all deals and the requests on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    Select,
    String,
    Subquery,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import approval, opportunity, pages
from db.pages import AnyRow, Page, PageRequest
from db.tables import (
    AgendaItemRow,
    ApprovalRow,
    ApprovalSeatRow,
    FollowUpRow,
    HandOffRow,
    OpportunityPartnerRow,
    OpportunityRow,
    User,
)
from db.tables.base import Instant
from domain.handoff.state import Progress
from domain.opportunity.planned import Planned, PlannedKind
from domain.playbook import HANDOFF
from domain.principal import Principal, Role, Side

Item = AgendaItemRow
Seat = ApprovalSeatRow
_DAY = timedelta(days=1)


class Whose(StrEnum):
    """Whose calendar: the principal's own, her team's, or her whole side's."""

    ME = "me"
    TEAM = "team"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a calendar: from the beginning of a day to that of another, in the reader's zone."""

    start: datetime
    end: datetime
    whose: Whose = Whose.ME
    kinds: Collection[PlannedKind] = ()
    """None named is all of them."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something that falls due, on which deal. `changed_at` is when that deal was last changed."""

    item: Planned
    opportunity_id: UUID
    opportunity_version: int
    opportunity: str
    customer: str
    owner: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class DueOnDay:
    """A day of a calendar: the first things on it, and how many there are in all."""

    items: list[Due]
    total: int


def _team(principal: Principal) -> Select[*tuple[Any, ...]]:
    """The principal, everybody below her, and those who have the same manager."""
    below = select(col(User.id)).where(col(User.id) == principal.id).cte("below", recursive=True)
    below = below.union(select(col(User.id)).join(below, col(User.manager_id) == below.c.id))
    manager = select(col(User.manager_id)).where(col(User.id) == principal.id).scalar_subquery()
    return select(col(User.id)).where(
        or_(col(User.id).in_(select(below.c.id)), col(User.manager_id) == manager)
    )


def _of_partner(principal: Principal, whose: Whose) -> ColumnElement[bool]:
    """A partner's own tasks, and the dates of the deal; nothing that others have to do."""
    ours = and_(
        or_(col(Item.side).is_(None), col(Item.side) == Side.PARTNER.value),
        or_(col(Item.partner_id) == principal.organisation_id, col(Item.side).is_(None)),
    )
    if whose is not Whose.ME:
        return ours
    return and_(ours, or_(col(Item.assignee_id).is_(None), col(Item.assignee_id) == principal.id))


def _of_vendor(principal: Principal, whose: Whose, team: Select[Any]) -> ColumnElement[bool]:
    """What the people have to do themselves, and the dates of the deals that they own."""
    if whose is Whose.ALL:
        return true()
    free = and_(
        col(Item.assignee_id).is_(None),
        or_(col(Item.side).is_(None), col(Item.side) == Side.VENDOR.value),
    )
    if whose is Whose.TEAM:
        return or_(col(Item.assignee_id).in_(team), and_(free, col(Item.owner_id).in_(team)))
    unowned = col(Item.owner_id).is_(None) if Role.SALES_DIRECTOR in principal.roles else false()
    hand_off = and_(col(Item.kind) == PlannedKind.STAGE.value, col(Item.key) == HANDOFF)
    received = hand_off if Role.CUSTOMER_SUCCESS in principal.roles else false()
    owned = and_(free, or_(col(Item.owner_id) == principal.id, unowned))
    return or_(col(Item.assignee_id) == principal.id, owned, received)


def _items(principal: Principal, whose: Whose, team: Select[Any]) -> Select[*tuple[Any, ...]]:
    """What falls due on deals."""
    vendors = principal.side is Side.VENDOR
    theirs = _of_vendor(principal, whose, team) if vendors else _of_partner(principal, whose)
    return select(
        col(Item.opportunity_id),
        col(Item.kind),
        col(Item.key),
        col(Item.title),
        col(Item.at),
        col(Item.day),
        col(Item.side),
        col(Item.partner_id),
        col(Item.assignee_id),
    ).where(theirs)


def _decisions(principal: Principal, whose: Whose, team: Select[Any]) -> Select[*tuple[Any, ...]]:
    """Requests that somebody has to decide on: each once, however many are asked."""
    asked = {
        Whose.ME: col(Seat.user_id) == principal.id,
        Whose.TEAM: col(Seat.user_id).in_(team),
        Whose.ALL: col(Seat.side) == principal.side.value,
    }
    own = literal(principal.id if whose is Whose.ME else None, type_=Uuid)
    return (
        select(
            col(ApprovalRow.opportunity_id),
            literal(PlannedKind.DECISION.value),
            cast(col(ApprovalRow.id), String),
            col(ApprovalRow.title),
            func.min(col(Seat.due_at), type_=Instant),
            literal(None, type_=Date),
            col(Seat.side),
            case((col(Seat.side) == Side.PARTNER.value, col(ApprovalRow.partner_id))),
            own,
        )
        .join(Seat, col(Seat.approval_id) == col(ApprovalRow.id))
        .where(asked[whose], col(Seat.due_at).is_not(None), approval.visible(principal))
        .group_by(col(ApprovalRow.id), col(Seat.side))
    )


def _follow_ups(principal: Principal, whose: Whose, team: Select[Any]) -> Select[*tuple[Any, ...]]:
    """Customers to be asked how they are after their hand-off; that is the vendor's, no partner is told."""
    mine = col(FollowUpRow.receiver_id) == principal.id
    if Role.CUSTOMER_SUCCESS in principal.roles:
        mine = or_(mine, col(FollowUpRow.receiver_id).is_(None))
    asked = {Whose.ME: mine, Whose.TEAM: col(FollowUpRow.receiver_id).in_(team), Whose.ALL: true()}
    return (
        select(
            col(FollowUpRow.opportunity_id),
            literal(PlannedKind.FOLLOW_UP.value),
            col(FollowUpRow.key),
            col(FollowUpRow.title),
            col(FollowUpRow.due_at),
            literal(None, type_=Date),
            literal(Side.VENDOR.value),
            literal(None, type_=Uuid),
            col(FollowUpRow.receiver_id),
        )
        .join(HandOffRow, col(HandOffRow.id) == col(FollowUpRow.handoff_id))
        .where(
            asked[whose] if principal.side is Side.VENDOR else false(),
            col(HandOffRow.open),
            col(FollowUpRow.done_at).is_(None),
        )
    )


def _acceptances(principal: Principal, whose: Whose, team: Select[Any]) -> Select[*tuple[Any, ...]]:
    """Hand-offs that wait to be accepted, by who receives them or else by all of customer success."""
    mine = col(HandOffRow.receiver_id) == principal.id
    if Role.CUSTOMER_SUCCESS in principal.roles:
        mine = or_(mine, col(HandOffRow.receiver_id).is_(None))
    asked = {Whose.ME: mine, Whose.TEAM: col(HandOffRow.receiver_id).in_(team), Whose.ALL: true()}
    return select(
        col(HandOffRow.opportunity_id),
        literal(PlannedKind.ACCEPTANCE.value),
        literal("accept"),
        literal("Accept the hand-off"),
        col(HandOffRow.due_at),
        literal(None, type_=Date),
        literal(Side.VENDOR.value),
        literal(None, type_=Uuid),
        col(HandOffRow.receiver_id),
    ).where(
        asked[whose] if principal.side is Side.VENDOR else false(),
        col(HandOffRow.progress) == Progress.WAITING.value,
        col(HandOffRow.due_at).is_not(None),
    )


def _due(principal: Principal, wanted: Wanted) -> Subquery:
    """All of it in these bounds, not yet told by deal."""
    team = _team(principal)
    parts = (of(principal, wanted.whose, team) for of in (_items, _decisions, _follow_ups, _acceptances))
    every = union_all(*parts).subquery()
    # A day is the same in every zone, so its instant may lie a day off.
    due = select(every).where(every.c.at >= wanted.start - _DAY, every.c.at < wanted.end + _DAY)
    if wanted.kinds:
        due = due.where(every.c.kind.in_(sorted(kind.value for kind in wanted.kinds)))
    return due.subquery()


def _within(due: Subquery, wanted: Wanted) -> ColumnElement[bool]:
    first, last = wanted.start.date(), (wanted.end - timedelta(microseconds=1)).date()
    on_day = and_(due.c.day.is_not(None), due.c.day >= first, due.c.day <= last)
    return or_(on_day, and_(due.c.day.is_(None), due.c.at >= wanted.start, due.c.at < wanted.end))


def _seen(due: Subquery, principal: Principal) -> ColumnElement[bool]:
    """On a deal that the principal takes part in; `opportunity.visible`, without the deal's own row."""
    if principal.partner_id is None:
        return true()
    return exists().where(
        col(OpportunityPartnerRow.opportunity_id) == due.c.opportunity_id,
        col(OpportunityPartnerRow.partner_id) == principal.partner_id,
    )


def _on_deals(due: Any, principal: Principal) -> Select[*tuple[Any, ...]]:
    """With the deals, where the principal takes part in them."""
    return (
        select(
            due,
            col(OpportunityRow.version),
            col(OpportunityRow.title).label("opportunity"),
            col(OpportunityRow.customer),
            col(OpportunityRow.owner),
            col(OpportunityRow.updated_at),
        )
        .join(OpportunityRow, col(OpportunityRow.id) == due.c.opportunity_id)
        .where(opportunity.visible(principal))
    )


async def page(
    session: AsyncSession, principal: Principal, wanted: Wanted, request: PageRequest
) -> Page[Due]:
    """What falls due in these bounds, the earliest first."""
    due = _due(principal, wanted)
    statement = (
        _on_deals(due, principal)
        .where(_within(due, wanted))
        .order_by(due.c.at, due.c.opportunity_id, due.c.kind, due.c.key)
    )
    found = await pages.fetch(session, statement, request, order=f"calendar:{wanted.whose}:{principal.id}")
    return found.map(_shown)


async def days(
    session: AsyncSession, principal: Principal, wanted: Wanted, midnights: Sequence[datetime], most: int
) -> dict[date, DueOnDay]:
    """Day by day, with at most so many things each; days on which nothing falls due are left out.

    `midnights` is when each day begins, in the reader's zone, with the end of the last one;
    a day is as long as its zone has it, also when the clock is changed.
    """
    due = _due(principal, wanted)
    first = midnights[0].date()
    begins = bindparam("midnights", list(midnights), type_=ARRAY(Instant))
    by_time = func.width_bucket(due.c.at, begins)
    place = case((due.c.day.is_(None), by_time), else_=due.c.day - literal(first, Date) + 1)
    placed = select(due, place.label("place")).where(_seen(due, principal)).subquery()
    order = (placed.c.at, placed.c.opportunity_id, placed.c.kind, placed.c.key)
    counted = (
        select(
            placed,
            func.row_number().over(partition_by=placed.c.place, order_by=order).label("number"),
            func.count().over(partition_by=placed.c.place).label("total"),
        )
        .where(placed.c.place.between(1, len(midnights) - 1))
        .subquery()
    )
    # What a day shows is told by its deal; what it only counts is not.
    numbered = select(counted).where(counted.c.number <= most).subquery()
    statement = _on_deals(numbered, principal).order_by(numbered.c.place, numbered.c.number)
    found: dict[date, DueOnDay] = {}
    for row in await session.execute(statement):
        day = found.setdefault(first + (row.place - 1) * _DAY, DueOnDay([], row.total))
        day.items.append(_shown(row))
    return found


def _shown(row: AnyRow) -> Due:
    return Due(
        item=Planned(
            kind=PlannedKind(row.kind),
            key=row.key,
            title=row.title,
            at=row.at,
            day=row.day,
            side=Side(row.side) if row.side else None,
            partner_id=row.partner_id,
            assignee_id=row.assignee_id,
        ),
        opportunity_id=row.opportunity_id,
        opportunity_version=row.version,
        opportunity=row.opportunity,
        customer=row.customer,
        owner=row.owner,
        changed_at=row.updated_at,
    )
