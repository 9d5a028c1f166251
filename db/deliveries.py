"""Notices on their way by mail and chat: what waits for whom, in which message, and how it went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Update, and_, exists, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.notices import sees_deal
from db.pages import Page, PageRequest
from db.people import is_active
from db.tables import ApprovalSeatRow, Notice, NoticeDelivery, OpportunityRow, Organisation, User
from domain.errors import Conflict, NotFound
from domain.notice import DeliveryState, NoticeKind
from domain.notification.kinds import Channel
from domain.notification.preferences import Preferences, Timing, plan
from domain.notification.rounds import Batch, Round, Waiting

_ASKING = [kind.value for kind in NoticeKind if kind.asks]


@dataclass(frozen=True, slots=True)
class Item:
    """One notice of a message that is to be sent, and whether it still concerns its recipient."""

    notice: Notice
    concerns: bool


async def add(session: AsyncSession, rows: Sequence[NoticeDelivery]) -> None:
    """Let notices go out."""
    if rows:
        await session.execute(insert(NoticeDelivery).values([row.model_dump() for row in rows]))


async def expecting(session: AsyncSession, user_ids: Collection[UUID]) -> Sequence[UUID]:
    """Those of these people for whom something waits."""
    mine = col(NoticeDelivery.user_id).in_(user_ids)
    statement = select(col(NoticeDelivery.user_id)).where(mine, _is(DeliveryState.WAITING)).distinct()
    return (await session.execute(statement)).scalars().all()


async def overdue(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    """Everybody for whom something waits that should be on its way."""
    late = col(NoticeDelivery.due_at) <= now
    statement = select(col(NoticeDelivery.user_id)).where(late, _is(DeliveryState.WAITING)).distinct()
    return (await session.execute(statement)).scalars().all()


async def waiting(session: AsyncSession, user_id: UUID) -> list[Waiting]:
    """All that waits for somebody."""
    statement = (
        select(NoticeDelivery, col(Notice.kind))
        .join(Notice, col(Notice.id) == col(NoticeDelivery.notice_id))
        .where(col(NoticeDelivery.user_id) == user_id, _is(DeliveryState.WAITING))
        .order_by(col(NoticeDelivery.notice_id), col(NoticeDelivery.channel))
    )
    return [_waiting(row, kind) for row, kind in (await session.execute(statement)).all()]


def _waiting(row: NoticeDelivery, kind: str) -> Waiting:
    return Waiting(
        row.notice_id, Channel(row.channel), NoticeKind(kind), Timing(row.timing), row.due_at, row.batch_id
    )


async def keep(session: AsyncSession, looked: Round) -> None:
    """Keep what one look at what waits has led to."""
    if looked.dropped:
        await session.execute(_these(looked.dropped).values(state=DeliveryState.DROPPED))
    if looked.put_off and looked.until is not None:
        await session.execute(_these(looked.put_off).values(timing=Timing.TOGETHER, due_at=looked.until))
    for batch, members in looked.formed.items():
        await session.execute(_these(members).values(batch_id=batch.id))


def _these(members: Sequence[Waiting]) -> Update:
    """The rows of these; of one that got into a message meanwhile, nothing changes."""
    keys = [(each.notice_id, each.channel.value) for each in members]
    return update(NoticeDelivery).where(
        tuple_(col(NoticeDelivery.notice_id), col(NoticeDelivery.channel)).in_(keys),
        _is(DeliveryState.WAITING),
        col(NoticeDelivery.batch_id).is_(None),
    )


async def plan_anew(session: AsyncSession, user_id: UUID, preferences: Preferences, now: datetime) -> None:
    """Let what waits for somebody go out as they want it from now on."""
    for each in await waiting(session, user_id):
        planned = plan(preferences, each.kind, each.channel, now, late=each.timing is Timing.LATE)
        if planned is not None:  # what is not wanted any more is dropped when it would go out
            changed = {"timing": planned.timing, "due_at": planned.due_at}
            await session.execute(_these([each]).values(**changed))


async def batch(session: AsyncSession, of: Batch) -> list[Item]:
    """What is still to be sent in a message, the earliest first."""
    asked = exists().where(
        col(ApprovalSeatRow.approval_id) == col(Notice.approval_id),
        col(ApprovalSeatRow.step_key) == col(Notice.step_key),
        col(ApprovalSeatRow.user_id) == col(Notice.user_id),
    )
    unasked = or_(
        col(Notice.kind).not_in(_ASKING), col(Notice.approval_id).is_(None), col(Notice.step_key).is_(None)
    )
    concerns = and_(is_active(), sees_deal(), or_(unasked, asked))
    statement = (
        select(Notice, concerns.label("concerns"))
        .join(NoticeDelivery, col(NoticeDelivery.notice_id) == col(Notice.id))
        .join(User, col(User.id) == col(Notice.user_id))
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(_in(of), _is(DeliveryState.WAITING))
        .order_by(col(Notice.id))
    )
    return [Item(notice, concerns) for notice, concerns in (await session.execute(statement)).all()]


async def titles(session: AsyncSession, opportunity_ids: Collection[UUID]) -> dict[UUID, str]:
    """What deals are called; for mails to people who may see them."""
    statement = select(col(OpportunityRow.id), col(OpportunityRow.title))
    found = await session.execute(statement.where(col(OpportunityRow.id).in_(opportunity_ids)))
    return {row.id: row.title for row in found}


async def settle(
    session: AsyncSession,
    of: Batch,
    state: DeliveryState,
    *,
    only: Collection[UUID] | None = None,
    error: str | None = None,
    now: datetime | None = None,
) -> None:
    """Keep how a message went (or of it `only` what these notices are in); what was sent stays sent."""
    values: dict[str, Any] = {"state": state, "error": error}
    if state is DeliveryState.SENT:
        values |= {"sent_at": now, "attempts": col(NoticeDelivery.attempts) + 1}
    statement = update(NoticeDelivery).where(_in(of), _is(DeliveryState.WAITING)).values(**values)
    if only is not None:
        statement = statement.where(col(NoticeDelivery.notice_id).in_(only))
    await session.execute(statement)


async def failed_once(session: AsyncSession, of: Batch, error: str) -> None:
    """Keep that a message could not be sent this time."""
    tried = {"attempts": col(NoticeDelivery.attempts) + 1, "error": error}
    await session.execute(update(NoticeDelivery).where(_in(of), _is(DeliveryState.WAITING)).values(**tried))


async def of_notices(
    session: AsyncSession, notice_ids: Collection[UUID]
) -> dict[UUID, dict[Channel, NoticeDelivery]]:
    """How these notices went out, by channel."""
    found: dict[UUID, dict[Channel, NoticeDelivery]] = defaultdict(dict)
    statement = select(NoticeDelivery).where(col(NoticeDelivery.notice_id).in_(notice_ids))
    for row in (await session.execute(statement)).scalars():
        found[row.notice_id][Channel(row.channel)] = row
    return found


async def failed(session: AsyncSession, wanted: PageRequest) -> Page[tuple[Notice, User]]:
    """Every notice that could not be sent, newest first, with the person; for administrators."""
    unsent = exists().where(col(NoticeDelivery.notice_id) == col(Notice.id), _is(DeliveryState.FAILED))
    statement = (
        select(Notice, User)
        .join(User, col(User.id) == col(Notice.user_id))
        .where(unsent)
        .order_by(col(Notice.id).desc())
    )
    found = await pages.fetch(session, statement, wanted, order="unsent")
    return found.map(lambda row: (row[0], row[1]))


async def failed_count(session: AsyncSession) -> int:
    """How many notices could not be sent."""
    counted = func.count(col(NoticeDelivery.notice_id).distinct())
    return (await session.execute(select(counted).where(_is(DeliveryState.FAILED)))).scalar_one()


async def send_again(session: AsyncSession, notice_id: UUID) -> tuple[Notice, User]:
    """Let what could not be sent go out anew, with all else of the same message.

    Raises:
        NotFound: there is no such notice.
        Conflict: it is not one that could not be sent.
    """
    found = select(Notice, User).join(User, col(User.id) == col(Notice.user_id))
    row = (await session.execute(found.where(col(Notice.id) == notice_id))).one_or_none()
    if row is None:
        raise NotFound("There is no such notice.")
    of_this = select(col(NoticeDelivery.batch_id), col(NoticeDelivery.channel)).where(
        col(NoticeDelivery.notice_id) == notice_id, _is(DeliveryState.FAILED)
    )
    messages = tuple_(col(NoticeDelivery.batch_id), col(NoticeDelivery.channel)).in_(of_this)
    again = {"state": DeliveryState.WAITING, "attempts": 0, "error": None}
    statement = update(NoticeDelivery).where(messages, _is(DeliveryState.FAILED)).values(**again)
    sent = await session.execute(statement.returning(col(NoticeDelivery.notice_id)))
    if not sent.all():
        raise Conflict("Only what could not be sent is sent again; this one is not listed as such.")
    return row[0], row[1]


async def send_all_again(session: AsyncSession) -> set[UUID]:
    """Let all that could not be sent go out anew; answers for whom."""
    again = {"state": DeliveryState.WAITING, "attempts": 0, "error": None}
    statement = update(NoticeDelivery).where(_is(DeliveryState.FAILED)).values(**again)
    return set((await session.execute(statement.returning(col(NoticeDelivery.user_id)))).scalars())


def _is(state: DeliveryState) -> ColumnElement[bool]:
    return col(NoticeDelivery.state) == state.value


def _in(batch: Batch) -> ColumnElement[bool]:
    return and_(col(NoticeDelivery.batch_id) == batch.id, col(NoticeDelivery.channel) == batch.channel.value)
