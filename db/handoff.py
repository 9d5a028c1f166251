"""Hand-offs in PostgreSQL: recorded by their workflow, read through the principal's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import opportunity as opportunities
from db import pages
from db.pages import AnyRow, Page, PageRequest
from db.recording import Child, First, Recorder, actor_columns, forget_abandoned, forget_other
from db.session import Reader
from db.tables import FollowUpRow, HandOffRow, OpportunityPartnerRow, OpportunityRow
from db.tables.base import Instant
from domain.handoff.agenda import next_due
from domain.handoff.draft import HandOffEntry, HandOffOutcome
from domain.handoff.state import HandOffProcess, Health, Progress
from domain.principal import Principal

_RECORDER = Recorder(HandOffRow, "handoff_id", Child(FollowUpRow, ("key",)))
_NEVER = literal(datetime(9999, 12, 31, tzinfo=UTC), Instant)


class Sort(StrEnum):
    """The orders of the list."""

    DUE = "due"
    """What customer success is awaited for, the least time left first."""
    RENEWAL = "renewal"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Listed:
    """A hand-off as lists show it."""

    opportunity_id: UUID
    opportunity: str
    customer: str
    owner: str | None
    partners: list[str]
    version: int
    progress: Progress
    since: datetime
    receiver_id: UUID | None
    receiver: str | None
    due_at: datetime | None
    accepted_at: datetime | None
    health: Health | None
    contract_ends: date | None
    renewal_at: datetime | None
    renewal_id: UUID | None
    follow_up: str | None
    """The follow-up that is awaited, or comes next."""
    follow_up_at: datetime | None
    follow_up_awaited: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which hand-offs a list shows; all of what is given has to be so."""

    progress: Sequence[Progress] = ()
    receiver_id: UUID | None = None
    unassigned: bool = False
    awaited: bool = False
    """Only where a follow-up should have been by now."""
    renewal_before: date | None = None
    sort: Sort = Sort.DUE

    @property
    def name(self) -> str:
        """What tells this list from others, for its cursors."""
        return (
            f"handoffs:{','.join(self.progress)}:{self.receiver_id}:{self.unassigned}:{self.awaited}:"
            f"{self.renewal_before}:{self.sort}"
        )


async def record_new(session: Reader, outcome: HandOffOutcome) -> bool:
    """`record` in a single statement, for what is new; False when something was there in its place."""
    process = outcome.process
    rows = {
        "timeline": [_timeline_row(entry) for entry in outcome.entries],
        "handoff": [_row(process)],
        "follow_up": _follow_up_rows(process),
    }
    return await _RECORDER.write(session, rows, [process.facts.id])


async def record(session: AsyncSession, outcome: HandOffOutcome) -> None:
    """Write the events and the read model that they led to; the same again changes nothing."""
    firsts = [First(entry.handoff_id, entry.sequence, entry.at) for entry in outcome.entries[:1]]
    if not await record_new(session, outcome) and await forget_abandoned(session, firsts):
        await record_new(session, outcome)


def _timeline_row(entry: HandOffEntry) -> dict[str, Any]:
    return {
        "stream_id": entry.handoff_id,
        "opportunity_id": entry.opportunity_id,
        "sequence": entry.sequence,
        "at": entry.at,
        "type": entry.event.type,
        **actor_columns(entry.by),
        "internal": entry.internal,
        "partner_id": None,
        "words": entry.words,
        "data": entry.event.model_dump(mode="json", exclude={"type"}),
    }


def _row(process: HandOffProcess) -> dict[str, Any]:
    return {
        "id": process.id,
        "version": process.version,
        "opportunity_id": process.facts.id,
        "progress": process.progress,
        "open": process.is_open,
        "since": process.since,
        "receiver_id": process.receiver.id if process.receiver else None,
        "receiver": process.receiver.name if process.receiver else None,
        "due_at": process.due_at,
        "next_due_at": next_due(process),
        "accepted_at": process.accepted_at,
        "health": process.health,
        "contract_ends": process.contract_ends,
        "renewal_at": process.renewal_at if process.is_open else None,
        "renewal_id": process.renewal.opportunity_id if process.renewal else None,
        "state_json": process.model_dump(mode="json"),
        "created_at": process.created_at,
        "updated_at": process.updated_at,
    }


def _follow_up_rows(process: HandOffProcess) -> list[dict[str, Any]]:
    return [
        {
            "handoff_id": process.id,
            "key": each.key,
            "opportunity_id": process.facts.id,
            "receiver_id": process.receiver.id if process.receiver else None,
            "title": each.title,
            "state": each.state,
            "awaited": process.is_open and each.state.is_awaited,
            "due_at": each.due_at,
            "health": each.health,
            "done_at": each.done_at,
        }
        for each in process.follow_ups
    ]


def visible(principal: Principal) -> ColumnElement[bool]:
    """The vendor's people see every hand-off; a partner's those of the deals that they are on."""
    if principal.partner_id is None:
        return true()
    return exists().where(
        col(OpportunityPartnerRow.opportunity_id) == col(HandOffRow.opportunity_id),
        col(OpportunityPartnerRow.partner_id) == principal.partner_id,
    )


async def find(session: Reader, principal: Principal, opportunity_id: UUID) -> HandOffProcess | None:
    """A deal's hand-off as it was last recorded; None where there is none, or not for the principal."""
    statement = select(col(HandOffRow.state_json)).where(
        col(HandOffRow.opportunity_id) == opportunity_id, visible(principal)
    )
    state = (await session.execute(statement)).scalar_one_or_none()
    return HandOffProcess.model_validate(state) if state is not None else None


async def as_recorded(session: AsyncSession, opportunity_id: UUID) -> HandOffProcess | None:
    """A deal's hand-off, whoever asks; for processes, never for a request."""
    statement = select(col(HandOffRow.state_json)).where(col(HandOffRow.opportunity_id) == opportunity_id)
    state = (await session.execute(statement)).scalar_one_or_none()
    return HandOffProcess.model_validate(state) if state is not None else None


async def parent_of(session: AsyncSession, principal: Principal, parent_id: UUID) -> tuple[UUID, str] | None:
    """The deal that another one renews, by id and title, where the principal takes part in it."""
    statement = select(col(OpportunityRow.id), col(OpportunityRow.title)).where(
        col(OpportunityRow.id) == parent_id, opportunities.visible(principal)
    )
    row = (await session.execute(statement)).one_or_none()
    return (row.id, row.title) if row is not None else None


def _next_follow_up() -> Any:
    """The follow-up that is awaited longest, or else comes next."""
    return (
        select(
            func.jsonb_build_object(
                "title",
                col(FollowUpRow.title),
                "due_at",
                col(FollowUpRow.due_at),
                "awaited",
                col(FollowUpRow.awaited),
            )
        )
        .where(
            col(FollowUpRow.handoff_id) == col(HandOffRow.id),
            col(FollowUpRow.done_at).is_(None),
            col(HandOffRow.open),
        )
        .order_by(col(FollowUpRow.due_at), col(FollowUpRow.key))
        .limit(1)
        .correlate(HandOffRow)
        .scalar_subquery()
        .label("following")
    )


def _partners() -> Any:
    return (
        select(func.array_agg(col(OpportunityPartnerRow.name)))
        .where(col(OpportunityPartnerRow.opportunity_id) == col(HandOffRow.opportunity_id))
        .correlate(HandOffRow)
        .scalar_subquery()
        .label("partners")
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.progress:
        found.append(col(HandOffRow.progress).in_([each.value for each in wanted.progress]))
    if wanted.receiver_id is not None:
        found.append(col(HandOffRow.receiver_id) == wanted.receiver_id)
    if wanted.unassigned:
        found.append(col(HandOffRow.receiver_id).is_(None))
    if wanted.awaited:
        found.append(
            exists().where(col(FollowUpRow.handoff_id) == col(HandOffRow.id), col(FollowUpRow.awaited))
        )
    if wanted.renewal_before is not None:
        found.append(col(HandOffRow.renewal_at) < datetime.combine(wanted.renewal_before, time(), UTC))
    return found


def _order(sort: Sort) -> list[Any]:
    match sort:
        case Sort.DUE:
            first = case(
                (col(HandOffRow.progress) == Progress.ENDED.value, _NEVER),
                else_=func.coalesce(col(HandOffRow.due_at), _NEVER, type_=Instant),
            )
            return [func.coalesce(first, _NEVER, type_=Instant), col(HandOffRow.id)]
        case Sort.RENEWAL:
            return [func.coalesce(col(HandOffRow.renewal_at), _NEVER, type_=Instant), col(HandOffRow.id)]
        case _:
            return [col(HandOffRow.created_at).desc(), col(HandOffRow.id).desc()]


async def page(
    session: AsyncSession, principal: Principal, request: PageRequest, wanted: Wanted
) -> Page[Listed]:
    """The hand-offs that the principal may see; a partner is told nothing of the customer's health."""
    statement = (
        select(
            HandOffRow,
            col(OpportunityRow.title).label("opportunity"),
            col(OpportunityRow.customer),
            col(OpportunityRow.owner),
            _partners(),
            _next_follow_up(),
        )
        .join(OpportunityRow, col(OpportunityRow.id) == col(HandOffRow.opportunity_id))
        .where(visible(principal), *_conditions(wanted))
        .order_by(*_order(wanted.sort))
    )
    found = await pages.fetch(session, statement, request, order=f"{wanted.name}:{principal.id}")
    return found.map(lambda row: _listed(row, inside=principal.partner_id is None))


def _listed(row: AnyRow, *, inside: bool) -> Listed:
    each: HandOffRow = row[0]
    following = row.following if inside else None
    return Listed(
        opportunity_id=each.opportunity_id,
        opportunity=row.opportunity,
        customer=row.customer,
        owner=row.owner,
        partners=list(row.partners or ()),
        version=each.version,
        progress=Progress(each.progress),
        since=each.since,
        receiver_id=each.receiver_id,
        receiver=each.receiver,
        due_at=each.due_at if inside or each.progress == Progress.WAITING else None,
        accepted_at=each.accepted_at,
        health=Health(each.health) if each.health and inside else None,
        contract_ends=each.contract_ends,
        renewal_at=each.renewal_at,
        renewal_id=each.renewal_id,
        follow_up=following["title"] if following else None,
        follow_up_at=datetime.fromisoformat(following["due_at"]) if following else None,
        follow_up_awaited=bool(following and following["awaited"]),
    )


async def waiting_count(session: AsyncSession, principal: Principal) -> int:
    """How many hand-offs wait to be accepted by the principal, or by whoever takes them."""
    mine = or_(col(HandOffRow.receiver_id) == principal.id, col(HandOffRow.receiver_id).is_(None))
    statement = select(func.count()).where(and_(col(HandOffRow.progress) == Progress.WAITING.value, mine))
    return (await session.execute(statement)).scalar_one()


async def received_by(session: AsyncSession, person_ids: Sequence[UUID]) -> list[UUID]:
    """The deals whose open hand-off one of these people receives."""
    statement = select(col(HandOffRow.opportunity_id)).where(
        col(HandOffRow.receiver_id).in_(person_ids), col(HandOffRow.open)
    )
    return list((await session.execute(statement)).scalars())


async def open_ids(session: AsyncSession) -> set[UUID]:
    """The deals whose hand-off is open by its row: each of them has a running workflow."""
    statement = select(col(HandOffRow.opportunity_id)).where(col(HandOffRow.open))
    return set((await session.execute(statement)).scalars())


async def restore(session: AsyncSession, outcome: HandOffOutcome) -> None:
    """Make a hand-off's rows what its workflow says; events that are missing, or others in their place."""
    await session.execute(delete(HandOffRow).where(col(HandOffRow.id) == outcome.process.id))
    for entry in outcome.entries:
        await forget_other(session, First(entry.handoff_id, entry.sequence, entry.at))
    await record(session, outcome)
