"""Links in mails, and the people that mails go to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.people import PRINCIPAL_COLUMNS, is_active, principal_of
from db.tables import ApprovalSeatRow, MailLink, Organisation, User
from domain.principal import Principal


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who is active, and the zone (IANA) in which they read a clock."""

    principal: Principal
    time_zone: str


async def addressee(session: AsyncSession, user_id: UUID) -> Addressee | None:
    """The person as they are now; None when they, or their organisation, no longer take part."""
    statement = (
        select(*PRINCIPAL_COLUMNS, col(User.time_zone))
        .select_from(User)
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(col(User.id) == user_id, is_active())
    )
    row = (await session.execute(statement)).one_or_none()
    return Addressee(principal_of(row), row.time_zone) if row is not None else None


async def is_asked(session: AsyncSession, user_id: UUID, approval_id: UUID, step_key: str) -> bool:
    """Whether a step waits for somebody's decision now."""
    seat = exists().where(
        col(ApprovalSeatRow.approval_id) == approval_id,
        col(ApprovalSeatRow.step_key) == step_key,
        col(ApprovalSeatRow.user_id) == user_id,
    )
    return bool((await session.execute(select(seat))).scalar_one())


async def keep(session: AsyncSession, link: MailLink) -> UUID:
    """Keep a notice's link. A mail that is sent again carries the link that is there already."""
    statement = insert(MailLink).values(**link.model_dump())
    kept = statement.on_conflict_do_update(
        index_elements=[col(MailLink.notice_id)], set_={"expires_at": statement.excluded.expires_at}
    )
    return (await session.execute(kept.returning(col(MailLink.id)))).scalar_one()


async def find(session: AsyncSession, link_id: UUID) -> MailLink | None:
    """The link; None when it is not there, or no longer."""
    return (await session.execute(select(MailLink).where(col(MailLink.id) == link_id))).scalar_one_or_none()


async def use(session: AsyncSession, link_id: UUID, what_for: str, now: datetime) -> None:
    """Note what a link was used for: it does nothing from now on."""
    unused = (col(MailLink.id) == link_id, col(MailLink.used_at).is_(None))
    await session.execute(update(MailLink).where(*unused).values(used_at=now, used_for=what_for))
