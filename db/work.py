"""What waits for a person, over all deals, the requests on them, and the customers handed over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
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
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import approval, pages
from db.pages import AnyRow, Page, PageRequest
from db.session import Reader
from db.tables import ApprovalRow, ApprovalSeatRow, FollowUpRow, HandOffRow, OpportunityRow, User, WorkItemRow
from db.tables.base import Instant
from domain.handoff.state import Progress
from domain.opportunity.state import Status, TaskState
from domain.opportunity.work import WorkItem, WorkKind
from domain.principal import Principal, Role, Side

Item = WorkItemRow
Seat = ApprovalSeatRow
SOON = timedelta(days=30)
"""How long before it is due a follow-up stands on somebody's list."""
MANY = 99
"""How far is counted where a page says in passing how much there is."""
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


def _me(principal: Principal) -> ColumnElement[UUID]:
    """Named, so that a statement that was put together for one serves others like them (`_overdue`)."""
    return bindparam("me", principal.id, type_=Uuid)


def _whose(principal: Principal, *, team: bool) -> ColumnElement[bool]:
    """Mine, or with `team` everything that waits for my side of the deals I see."""
    if principal.side is Side.PARTNER:
        ours = col(Item.partner_id) == bindparam("partner", principal.organisation_id, type_=Uuid)
        if team:
            return ours
        return and_(ours, or_(col(Item.assignee_id).is_(None), col(Item.assignee_id) == _me(principal)))
    vendors = col(Item.side) == Side.VENDOR.value
    if team:
        return vendors
    roles: BindParameter[Any] = bindparam("roles", sorted(principal.roles), expanding=True)
    unassigned = col(Item.assignee_id).is_(None)
    return and_(
        vendors,
        or_(
            col(Item.assignee_id) == _me(principal),
            and_(unassigned, col(Item.role).in_(roles)),
            and_(unassigned, col(Item.role).is_(None), col(Item.owner_id) == _me(principal)),
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
    ).where(_whose(principal, team=team), _not_said_by_the_handoff())


def _not_said_by_the_handoff() -> ColumnElement[bool]:
    """A hand-off that is a process of its own says itself who is to accept it, and until when."""
    return or_(
        col(Item.kind) != WorkKind.HANDOFF.value,
        ~exists().where(col(HandOffRow.opportunity_id) == col(Item.opportunity_id)),
    )


def _handoffs(principal: Principal, *, team: bool) -> Select[*tuple[Any, ...]]:
    """Hand-offs to be accepted: by who receives them, or else by customer success."""
    receiver = col(HandOffRow.receiver_id)
    mine = receiver == _me(principal)
    if Role.CUSTOMER_SUCCESS in principal.roles:
        mine = or_(mine, receiver.is_(None))
    whose = mine if not team else true()
    return select(
        col(HandOffRow.opportunity_id),
        literal(WorkKind.HANDOFF.value),
        literal("accept"),
        literal("Accept the hand-off"),
        literal(Side.VENDOR.value),
        literal(None, type_=Uuid),
        receiver,
        literal(Role.CUSTOMER_SUCCESS.value),
        true(),
        col(HandOffRow.since),
        col(HandOffRow.due_at),
    ).where(
        whose if principal.side is Side.VENDOR else false(),
        col(HandOffRow.progress) == Progress.WAITING.value,
    )


def _decisions(principal: Principal, *, team: bool) -> Select[*tuple[Any, ...]]:
    """What requests on deals wait for: each request once, however many seats there are."""
    mine = col(Seat.user_id) == _me(principal)
    whose = and_(col(Seat.side) == principal.side.value, approval.visible(principal)) if team else mine
    own = literal(None, type_=Uuid) if team else _me(principal)
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


def _follow_ups(principal: Principal, *, team: bool) -> Select[*tuple[Any, ...]]:
    """Customers to be asked how they are, now or soon; that is the vendor's, and no partner is told."""
    mine = col(FollowUpRow.receiver_id) == _me(principal)
    if Role.CUSTOMER_SUCCESS in principal.roles:
        mine = or_(mine, col(FollowUpRow.receiver_id).is_(None))
    whose = mine if not team else true()
    return (
        select(
            col(FollowUpRow.opportunity_id),
            literal(WorkKind.FOLLOW_UP.value),
            col(FollowUpRow.key),
            col(FollowUpRow.title),
            literal(Side.VENDOR.value),
            literal(None, type_=Uuid),
            col(FollowUpRow.receiver_id),
            literal(Role.CUSTOMER_SUCCESS.value),
            true(),
            col(HandOffRow.accepted_at),
            col(FollowUpRow.due_at),
        )
        .join(HandOffRow, col(HandOffRow.id) == col(FollowUpRow.handoff_id))
        .where(
            whose if principal.side is Side.VENDOR else false(),
            col(HandOffRow.open),
            col(FollowUpRow.done_at).is_(None),
            col(FollowUpRow.due_at) < func.now() + SOON,
        )
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


def _every(principal: Principal, *, team: bool) -> Subquery:
    parts = (of(principal, team=team) for of in (_items, _decisions, _handoffs, _follow_ups))
    return union_all(*parts).subquery("item")


async def page(
    session: AsyncSession, principal: Principal, request: PageRequest, *, team: bool = False
) -> Page[Waiting]:
    """What waits, the earliest deadline first, what has none last."""
    item = _every(principal, team=team)
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


class Group(StrEnum):
    """How a list of work is divided: what is urgent first, and the rest by what it is."""

    OVERDUE = "overdue"
    TODAY = "today"
    WEEK = "week"
    CHECK_INS = "check_ins"
    FOLLOW_UPS = "follow_ups"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Until:
    """When it is, when the reader's day ends, and when the week from now does."""

    now: datetime
    day: datetime
    week: datetime

    def group(self, item: WorkItem) -> Group:
        """Where something stands in the list."""
        due = item.due_at
        if due is not None and due < self.day:
            return Group.OVERDUE if due < self.now else Group.TODAY
        if item.kind in _GROUPS:
            return _GROUPS[item.kind]
        return Group.WEEK if due is not None and due < self.week else Group.LATER


async def deals_given_to(session: AsyncSession, person_id: UUID) -> list[UUID]:
    """The open deals on which somebody has a task of their own, or looks after the check-ins."""
    return [row.deal for row in await session.execute(_given(lambda person: person == person_id))]


async def given_to_the_gone(session: AsyncSession) -> list[tuple[UUID, UUID]]:
    """The same for everybody who has left: each deal, and the person who has something to do on it still."""
    gone = select(col(User.id)).where(col(User.active).is_(False))
    found = await session.execute(_given(lambda person: person.in_(gone)))
    return [(row.deal, row.person) for row in found]


def _given(whose: Callable[[ColumnElement[UUID]], ColumnElement[bool]]) -> CompoundSelect[Any]:
    """Open deals and the people who have something of their own to do there, of those whom `whose` lets pass.

    A deal on hold waits for nobody, so that only its state says whose it is.
    """
    state: Any = col(OpportunityRow.state)
    tasks = func.jsonb_array_elements(state["tasks"], type_=JSONB)
    task: Any = tasks.column_valued("task", joins_implicitly=True)
    held = col(OpportunityRow.status) == Status.ON_HOLD.value
    deal: Any = col(OpportunityRow.id)
    listed: Any = col(Item.assignee_id)
    does = cast(task["assignee"]["id"].astext, Uuid)
    looks_after = cast(state["cadence"]["who"]["person"]["id"].astext, Uuid)
    return union(
        select(col(Item.opportunity_id).label("deal"), listed.label("person")).where(whose(listed)),
        select(deal, does).where(held, task["state"].astext == TaskState.OPEN.value, whose(does)),
        select(deal, looks_after).where(held, whose(looks_after)),
    )


async def overdue(reader: Reader, principal: Principal, now: datetime) -> int:
    """How much of what waits for the principal is overdue, counted up to `MANY`: every page says it."""
    kind = (principal.side, Role.CUSTOMER_SUCCESS in principal.roles)
    if (statement := _LATE.get(kind)) is None:
        statement = _LATE[kind] = _overdue(principal)
    who = {"me": principal.id, "partner": principal.organisation_id, "roles": sorted(principal.roles)}
    found: int = (await reader.execute(statement, who | {"now": now})).scalar_one()
    return found


_LATE: dict[tuple[Side, bool], Select[*tuple[Any, ...]]] = {}
"""What `overdue` asks, for each kind of reader: to put it together takes longer than to ask it."""


def _overdue(principal: Principal) -> Select[*tuple[Any, ...]]:
    item = _every(principal, team=False)
    late = select(literal(1)).where(item.c.due_at < bindparam("now", type_=Instant)).limit(MANY).subquery()
    return select(func.count()).select_from(late)


_GROUPS = {WorkKind.CHECK_IN: Group.CHECK_INS, WorkKind.FOLLOW_UP: Group.FOLLOW_UPS}


async def tally(
    session: AsyncSession, principal: Principal, until: Until, *, team: bool = False
) -> dict[Group, int]:
    """How many things wait, by group; over all of the list, not a page of it."""
    item = _every(principal, team=team)
    due = item.c.due_at
    group = case(
        (due < until.now, Group.OVERDUE.value),
        (due < until.day, Group.TODAY.value),
        *((item.c.kind == kind.value, found.value) for kind, found in _GROUPS.items()),
        (due < until.week, Group.WEEK.value),
        else_=Group.LATER.value,
    )
    statement = select(group.label("found"), func.count()).select_from(item).group_by("found")
    return {Group(found): count for found, count in await session.execute(statement)}
