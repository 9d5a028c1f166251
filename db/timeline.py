"""Reading the timeline: of one deal, and of all that a principal may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, Text, cast, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.pages import AnyRow, Page, PageRequest
from db.tables import OpportunityPartnerRow, OpportunityRow, TimelineRow
from domain.principal import Principal

Event = TimelineRow


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the feed: after everything up to this event."""

    transaction: int
    position: int

    def __str__(self) -> str:
        return f"{self.transaction}-{self.position}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """The place as `str` wrote it; None for anything else."""
        transaction, _, position = text.partition("-")
        plain = transaction.isascii() and transaction.isdigit() and position.isascii() and position.isdigit()
        if not plain or max(len(transaction), len(position)) > 18:  # noqa: PLR2004 -- digits of a bigint
            return None
        return cls(int(transaction), int(position))


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is told: on which deal, who, when, what in words and as data.

    `stream_id` is whose event it is, and whose the sequence: the deal's id, or that of a request on it
    (`approval_id` then, too) or of its hand-off.
    """

    place: Place
    opportunity_id: UUID
    stream_id: UUID
    approval_id: UUID | None
    opportunity: str
    sequence: int
    at: datetime
    type: str
    actor_id: UUID | None
    actor: str
    actor_side: str | None
    actor_organisation: str | None
    internal: bool
    words: str
    data: dict[str, Any]


_COLUMNS: tuple[Any, ...] = (
    col(Event.transaction),
    col(Event.position),
    col(Event.stream_id),
    col(Event.opportunity_id),
    col(OpportunityRow.title).label("opportunity"),
    col(Event.sequence),
    col(Event.at),
    col(Event.type),
    col(Event.actor_id),
    col(Event.actor),
    col(Event.actor_side),
    col(Event.actor_organisation),
    col(Event.internal),
    col(Event.words),
    col(Event.data),
)
# By which rule somebody decided, for whom, and until when that one is away, is the vendor's own; so is which
# steps a request takes, which would tell costs and margins.
_FOR_PARTNERS: tuple[Any, ...] = (
    *_COLUMNS[:-1],
    col(Event.data).op("-")("decision").op("-")("steps").label("data"),
)


def _is_of_approval(row: AnyRow) -> bool:
    """Whether it happened to a request on the deal, not to the deal itself or its hand-off."""
    return bool(row.stream_id != row.opportunity_id and row.type.startswith("approval_"))


def _told(row: AnyRow) -> Told:
    return Told(
        place=Place(row.transaction, row.position),
        opportunity_id=row.opportunity_id,
        stream_id=row.stream_id,
        approval_id=row.stream_id if _is_of_approval(row) else None,
        opportunity=row.opportunity,
        sequence=row.sequence,
        at=row.at,
        type=row.type,
        actor_id=row.actor_id,
        actor=row.actor,
        actor_side=row.actor_side,
        actor_organisation=row.actor_organisation,
        internal=row.internal,
        words=row.words,
        data=row.data,
    )


def _events(principal: Principal) -> Select[*tuple[Any, ...]]:
    """The events of the deals that the principal sees, and of the requests on them.

    A partner reads neither what is the vendor's own, nor what is for another partner.
    """
    columns = _COLUMNS if principal.partner_id is None else _FOR_PARTNERS
    statement = select(*columns).join(OpportunityRow, col(OpportunityRow.id) == col(Event.opportunity_id))
    if principal.partner_id is None:
        return statement
    return statement.where(
        ~col(Event.internal),
        or_(col(Event.partner_id).is_(None), col(Event.partner_id) == principal.partner_id),
        exists().where(
            col(OpportunityPartnerRow.opportunity_id) == col(Event.opportunity_id),
            col(OpportunityPartnerRow.partner_id) == principal.partner_id,
        ),
    )


async def of_opportunity(
    session: AsyncSession,
    principal: Principal,
    opportunity_id: UUID,
    request: PageRequest,
    *,
    types: tuple[str, ...] = (),
) -> Page[Told]:
    """A deal's story, the latest first; of some types only, where given."""
    statement = _events(principal).where(col(Event.opportunity_id) == opportunity_id)
    if types:
        statement = statement.where(col(Event.type).in_(types))
    return await _latest_first(session, statement, request, f"{opportunity_id}:{','.join(types)}")


async def of_approval(
    session: AsyncSession, principal: Principal, approval_id: UUID, request: PageRequest
) -> Page[Told]:
    """What happened to one request, the latest first."""
    statement = _events(principal).where(col(Event.stream_id) == approval_id)
    return await _latest_first(session, statement, request, str(approval_id))


async def _latest_first(
    session: AsyncSession, statement: Select[*tuple[Any, ...]], request: PageRequest, of: str
) -> Page[Told]:
    ordered = statement.order_by(
        col(Event.at).desc(), col(Event.stream_id).desc(), col(Event.sequence).desc()
    )
    found = await pages.fetch(session, ordered, request, order=f"timeline:{of}")
    return found.map(_told)


def _settled() -> Any:
    """The oldest transaction that may still be running: events from it on are not told yet."""
    return cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)


async def feed(session: AsyncSession, principal: Principal, after: Place | None, limit: int) -> list[Told]:
    """Every event that the principal may see, oldest first, none skipped and none twice."""
    statement = (
        _events(principal)
        .where(col(Event.transaction) < _settled())
        .order_by(col(Event.transaction), col(Event.position))
        .limit(limit)
    )
    if after is not None:
        place = tuple_(col(Event.transaction), col(Event.position))
        statement = statement.where(place > (after.transaction, after.position))
    return [_told(row) for row in await session.execute(statement)]


async def now(session: AsyncSession) -> Place:
    """The end of the feed: only what is recorded from here on comes after it."""
    statement = (
        select(col(Event.transaction), col(Event.position))
        .where(col(Event.transaction) < _settled())
        .order_by(col(Event.transaction).desc(), col(Event.position).desc())
        .limit(1)
    )
    row = (await session.execute(statement)).one_or_none()
    return Place(row.transaction, row.position) if row else Place(0, 0)
