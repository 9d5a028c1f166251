"""How people want to be told, and their chats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.edits import updated
from db.tables import NotificationPreference, User
from domain.calendar import UTC_ZONE, zones
from domain.errors import NotFound
from domain.notice import NoticeKind
from domain.notification.kinds import Channel, Mode
from domain.notification.preferences import Preferences

_KINDS, _CHANNELS, _MODES = frozenset(NoticeKind), frozenset(Channel), frozenset(Mode)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody has chosen, and the secret address of their chat, where they gave one."""

    preferences: Preferences
    chat_address: str | None = field(default=None, repr=False)


async def of(session: AsyncSession, user_ids: Sequence[UUID]) -> dict[UUID, Wanted]:
    """What these people have chosen."""
    statement = (
        select(col(User.id), col(User.time_zone), NotificationPreference)
        .outerjoin(NotificationPreference, col(NotificationPreference.id) == col(User.id))
        .where(col(User.id).in_(user_ids))
    )
    rows = (await session.execute(statement)).all()
    return {the_id: wanted(row or NotificationPreference(id=the_id), zone) for the_id, zone, row in rows}


def wanted(row: NotificationPreference, zone: str) -> Wanted:
    """What a row says; of a kind, channel or zone that is not known any more, nothing."""
    quiet = {"starts": row.quiet_starts, "ends": row.quiet_ends} if row.quiet_starts else None
    preferences = Preferences.model_validate(
        {
            "zone": zone if zone in zones() else UTC_ZONE,
            "choices": _known(row.choices),
            "digest_at": row.digest_at,
            "quiet": quiet,
        }
    )
    return Wanted(preferences, row.chat_address)


def _known(choices: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {
        kind: {channel: mode for channel, mode in modes.items() if channel in _CHANNELS and mode in _MODES}
        for kind, modes in choices.items()
        if kind in _KINDS
    }


async def get(
    session: AsyncSession, user_id: UUID, *, for_change: bool = False
) -> tuple[NotificationPreference, Wanted]:
    """One person's row, locked `for_change`; who has none yet gets that of somebody who chose nothing.

    Raises:
        NotFound: there is no such person.
    """
    if for_change:
        fresh = insert(NotificationPreference).values(**NotificationPreference(id=user_id).model_dump())
        await session.execute(fresh.on_conflict_do_nothing())
    statement = (
        select(col(User.time_zone), NotificationPreference)
        .outerjoin(NotificationPreference, col(NotificationPreference.id) == col(User.id))
        .where(col(User.id) == user_id)
    )
    if for_change:
        statement = statement.with_for_update(of=User)
    found = (await session.execute(statement)).one_or_none()
    if found is None:
        raise NotFound("There is no such person.")
    row = found[1] or NotificationPreference(id=user_id)
    return row, wanted(row, found[0])


async def change(
    session: AsyncSession, row: NotificationPreference, preferences: Preferences, now: datetime, **more: Any
) -> NotificationPreference:
    """Keep what somebody wants from now on; the version rises where that is news."""
    kept = preferences.model_dump(mode="json", include={"choices"})
    quiet = preferences.quiet
    values = {
        "choices": kept["choices"],
        "digest_at": f"{preferences.digest_at:%H:%M}",
        "quiet_starts": f"{quiet.starts:%H:%M}" if quiet else None,
        "quiet_ends": f"{quiet.ends:%H:%M}" if quiet else None,
        **more,
    }
    return await updated(session, row, values, now)
