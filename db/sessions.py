"""Signed-in browsers: found by the hash of their cookie, with the person behind them in the same query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import approval, notices, work
from db.people import PRINCIPAL_COLUMNS, is_active, principal_of
from db.session import Reader
from db.tables import Organisation, User, UserSession
from domain.principal import Principal


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A valid session, who it belongs to, and what every page of theirs says in its navigation.

    `counts` has how many `notices` are not read, how many `approvals` wait for the person, and how much
    of what waits for them is `overdue` (at most `work.MANY`).
    """

    principal: Principal
    last_used_at: datetime
    expires_at: datetime
    counts: dict[str, int]


# Made once: every page begins with it.
_FIND = (
    select(
        *PRINCIPAL_COLUMNS,
        col(UserSession.last_used_at),
        col(UserSession.expires_at),
        notices.unread_by_session().label("unread"),
        approval.waiting_by_session().label("waiting"),
    )
    .select_from(UserSession)
    .join(User, col(User.id) == col(UserSession.user_id))
    .join(Organisation, col(Organisation.id) == col(User.organisation_id))
    .where(
        col(UserSession.token_hash) == bindparam("token_hash"),
        col(UserSession.expires_at) > bindparam("now"),
        is_active(),
    )
)


async def find(reader: Reader, token_hash: bytes, now: datetime) -> SignedIn | None:
    """The person whose browser this is; None when unknown, expired, signed out or no longer active."""
    row = (await reader.execute(_FIND, {"token_hash": token_hash, "now": now})).one_or_none()
    if row is None:
        return None
    principal = principal_of(row)
    late = await work.overdue(reader, principal, now)
    counts = {"notices": row.unread, "approvals": row.waiting, "overdue": late}
    return SignedIn(principal, row.last_used_at, row.expires_at, counts)


async def add(
    session: AsyncSession, token_hash: bytes, user_id: UUID, now: datetime, expires_at: datetime
) -> None:
    """Remember a browser that has just signed in."""
    session.add(
        UserSession(
            token_hash=token_hash, user_id=user_id, created_at=now, last_used_at=now, expires_at=expires_at
        )
    )


async def touch(session: AsyncSession, token_hash: bytes, now: datetime, expires_at: datetime) -> None:
    """Slide the session's end."""
    await session.execute(
        update(UserSession)
        .where(col(UserSession.token_hash) == token_hash)
        .values(last_used_at=now, expires_at=expires_at)
    )


async def remove(session: AsyncSession, token_hash: bytes) -> None:
    """Sign one browser out."""
    await session.execute(delete(UserSession).where(col(UserSession.token_hash) == token_hash))


async def remove_all(session: AsyncSession, user_id: UUID, *, but: bytes | None = None) -> None:
    """Sign a person out everywhere, `but` for the session with this hash."""
    theirs = delete(UserSession).where(col(UserSession.user_id) == user_id)
    await session.execute(theirs if but is None else theirs.where(col(UserSession.token_hash) != but))


async def purge(session: AsyncSession, now: datetime) -> None:
    """Forget the sessions that have ended."""
    await session.execute(delete(UserSession).where(col(UserSession.expires_at) <= now))
