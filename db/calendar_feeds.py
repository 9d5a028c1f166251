"""Calendar feeds: found by the hash of their secret, listed for the person whose calendar they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.pages import Page, PageRequest
from db.people import PRINCIPAL_COLUMNS, is_active, principal_of
from db.session import Reader
from db.tables import CalendarFeed, Organisation, User
from domain.errors import Conflict, NotFound
from domain.principal import Principal

MOST = 20
"""Feeds that one person may have: one for each place where the calendar is read, and some to spare."""


@dataclass(frozen=True, slots=True)
class FeedReader:
    """Whose calendar a feed shows, in which time zone, and when it was read last."""

    principal: Principal
    time_zone: str
    feed_id: UUID
    last_read_at: datetime | None


_FIND = (
    select(
        *PRINCIPAL_COLUMNS,
        col(User.time_zone),
        col(CalendarFeed.id).label("feed_id"),
        col(CalendarFeed.last_read_at),
    )
    .select_from(CalendarFeed)
    .join(User, col(User.id) == col(CalendarFeed.user_id))
    .join(Organisation, col(Organisation.id) == col(User.organisation_id))
    .where(
        col(CalendarFeed.token_hash) == bindparam("token_hash"),
        col(CalendarFeed.revoked_at).is_(None),
        is_active(),
    )
)


async def find(reader: Reader, token_hash: bytes) -> FeedReader | None:
    """Whose feed it is; None when unknown, revoked, or of somebody who is no longer active."""
    row = (await reader.execute(_FIND, {"token_hash": token_hash})).one_or_none()
    return FeedReader(principal_of(row), row.time_zone, row.feed_id, row.last_read_at) if row else None


async def touch(session: AsyncSession, feed_id: UUID, now: datetime) -> None:
    """Note that the feed was read."""
    await session.execute(
        update(CalendarFeed).where(col(CalendarFeed.id) == feed_id).values(last_read_at=now)
    )


def _own(principal: Principal) -> tuple[ColumnElement[bool], ...]:
    """A person sees and revokes her own feeds only."""
    return col(CalendarFeed.user_id) == principal.id, col(CalendarFeed.revoked_at).is_(None)


async def page(session: AsyncSession, principal: Principal, wanted: PageRequest) -> Page[CalendarFeed]:
    """The principal's feeds that are not revoked, newest first."""
    statement = select(CalendarFeed).where(*_own(principal)).order_by(col(CalendarFeed.id).desc())
    found = await pages.fetch(session, statement, wanted, order="calendar-feeds")
    return found.map(lambda row: row[0])


async def add(session: AsyncSession, principal: Principal, feed: CalendarFeed) -> CalendarFeed:
    """Keep a new feed. The same id again (a repeated request) replaces the secret.

    Raises `Conflict` for somebody who has a great many already.
    """
    others = select(func.count()).where(*_own(principal), col(CalendarFeed.id) != feed.id)
    if (await session.execute(others)).scalar_one() >= MOST:
        raise Conflict(f"You have {MOST} calendar addresses already; revoke one that you no longer use.")
    statement = (
        insert(CalendarFeed)
        .values(**feed.model_dump())
        .on_conflict_do_update(
            index_elements=[col(CalendarFeed.id)],
            set_={"token_hash": feed.token_hash, "hint": feed.hint},
            where=col(CalendarFeed.user_id) == principal.id,
        )
        .returning(CalendarFeed)
    )
    return (await session.execute(statement)).scalar_one()


async def revoke(session: AsyncSession, principal: Principal, feed_id: UUID, now: datetime) -> None:
    """Make an address show nothing any more. Raises `NotFound` for another person's, or a revoked one."""
    statement = (
        update(CalendarFeed)
        .where(*_own(principal), col(CalendarFeed.id) == feed_id)
        .values(revoked_at=now)
        .returning(col(CalendarFeed.id))
    )
    if (await session.execute(statement)).one_or_none() is None:
        raise NotFound("You have no such calendar address; it may be revoked already.")


async def revoke_all(session: AsyncSession, user_id: UUID, now: datetime) -> None:
    """Make all addresses of a person show nothing from now on."""
    theirs = col(CalendarFeed.user_id) == user_id, col(CalendarFeed.revoked_at).is_(None)
    await session.execute(update(CalendarFeed).where(*theirs).values(revoked_at=now))
