"""What people were told: written once for each cause, listed for whom it is, and the mails still to send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.pages import Page, PageRequest
from db.people import is_active
from db.tables import Notice, OpportunityPartnerRow, Organisation, OrganisationKind, User
from domain.errors import Conflict, NotFound
from domain.notice import MailState
from domain.principal import Principal

KEPT = timedelta(days=180)
"""How long a notice is kept."""
MOST_COUNTED = 99
"""Beyond so many unread notices nobody wants to know how many there are."""


async def write(session: AsyncSession, written: Sequence[Notice]) -> int:
    """Keep notices; who was told of the same cause before is not told again. Answers how many are new."""
    if not written:
        return 0
    statement = (
        insert(Notice)
        .values([notice.model_dump() for notice in written])
        .on_conflict_do_nothing(index_elements=[col(Notice.user_id), col(Notice.cause)])
        .returning(col(Notice.id))
    )
    return len((await session.execute(statement)).all())


async def may_be_told(
    session: AsyncSession, user_ids: Sequence[UUID], opportunity_id: UUID | None
) -> Sequence[UUID]:
    """Those of these people who are active, and may see the deal."""
    statement = (
        select(col(User.id))
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(col(User.id).in_(user_ids), is_active())
    )
    if opportunity_id is not None:
        takes_part = exists().where(
            col(OpportunityPartnerRow.opportunity_id) == opportunity_id,
            col(OpportunityPartnerRow.partner_id) == col(Organisation.id),
        )
        statement = statement.where(or_(col(Organisation.kind) == OrganisationKind.VENDOR, takes_part))
    return (await session.execute(statement)).scalars().all()


def _own(principal: Principal) -> ColumnElement[bool]:
    """What the principal was told; a partner only as long as it takes part in the deal."""
    mine = col(Notice.user_id) == principal.id
    if principal.partner_id is None:
        return mine
    takes_part = exists().where(
        col(OpportunityPartnerRow.opportunity_id) == col(Notice.opportunity_id),
        col(OpportunityPartnerRow.partner_id) == principal.partner_id,
    )
    return and_(mine, or_(col(Notice.opportunity_id).is_(None), takes_part))


async def page(
    session: AsyncSession, principal: Principal, wanted: PageRequest, *, unread: bool = False
) -> Page[Notice]:
    """What the principal was told, newest first."""
    still = col(Notice.read_at).is_(None) if unread else true()
    statement = select(Notice).where(_own(principal), still).order_by(col(Notice.id).desc())
    found = await pages.fetch(session, statement, wanted, order=f"notices:{principal.id}:{unread}")
    return found.map(lambda row: row[0])


def _unsent() -> Select[Notice, User]:
    return (
        select(Notice, User)
        .join(User, col(User.id) == col(Notice.user_id))
        .where(col(Notice.mail_state) == MailState.FAILED)
    )


async def failed(session: AsyncSession, wanted: PageRequest) -> Page[tuple[Notice, User]]:
    """Every notice whose mail could not be sent, newest first, with the person; for administrators."""
    found = await pages.fetch(session, _unsent().order_by(col(Notice.id).desc()), wanted, order="unsent")
    return found.map(lambda row: (row[0], row[1]))


def unread_by_session() -> ScalarSelect[int]:
    """How many notices a person has not read, within a statement over `User` and `Organisation`."""
    takes_part = exists().where(
        col(OpportunityPartnerRow.opportunity_id) == col(Notice.opportunity_id),
        col(OpportunityPartnerRow.partner_id) == col(Organisation.id),
    )
    sees = or_(
        col(Organisation.kind) == OrganisationKind.VENDOR, col(Notice.opportunity_id).is_(None), takes_part
    )
    unread = and_(col(Notice.user_id) == col(User.id), col(Notice.read_at).is_(None), sees)
    return (
        select(func.count()).select_from(Notice).where(unread).correlate(User, Organisation).scalar_subquery()
    )


async def failed_count(session: AsyncSession) -> int:
    """How many mails could not be sent."""
    statement = select(func.count()).select_from(Notice).where(col(Notice.mail_state) == MailState.FAILED)
    return (await session.execute(statement)).scalar_one()


async def unread_count(session: AsyncSession, principal: Principal) -> int:
    """How many notices the principal has not read; never more than `MOST_COUNTED`."""
    unread = select(col(Notice.id)).where(_own(principal), col(Notice.read_at).is_(None))
    few = unread.limit(MOST_COUNTED).subquery()
    return (await session.execute(select(func.count()).select_from(few))).scalar_one()


async def mark_read(session: AsyncSession, principal: Principal, notice_id: UUID, now: datetime) -> Notice:
    """Mark one as read; again changes nothing. Raises `NotFound` for somebody else's."""
    statement = (
        update(Notice)
        .where(_own(principal), col(Notice.id) == notice_id)
        .values(read_at=func.coalesce(col(Notice.read_at), now))
        .returning(Notice)
    )
    notice = (await session.execute(statement)).scalar_one_or_none()
    if notice is None:
        raise NotFound("You have no such notice.")
    return notice


async def mark_all_read(session: AsyncSession, principal: Principal, now: datetime) -> None:
    """Mark as read all that the principal has been told up to now."""
    unread = and_(_own(principal), col(Notice.read_at).is_(None), col(Notice.created_at) <= now)
    await session.execute(update(Notice).where(unread).values(read_at=now))


async def claim(session: AsyncSession, now: datetime, lease: timedelta, most: int) -> Sequence[Notice]:
    """Take some mails that are to be sent now, for as long as `lease`: after it another worker may."""
    due = (
        select(col(Notice.id))
        .where(col(Notice.mail_state) == MailState.WAITING, col(Notice.mail_next_at) <= now)
        .order_by(col(Notice.mail_next_at))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(Notice)
        .where(col(Notice.id).in_(due.scalar_subquery()))
        .values(mail_next_at=now + lease, mail_attempts=col(Notice.mail_attempts) + 1)
        .returning(Notice)
    )
    return (await session.execute(statement)).scalars().all()


async def settle(
    session: AsyncSession,
    notice: Notice,
    state: MailState,
    *,
    error: str | None = None,
    mailed_at: datetime | None = None,
    next_at: datetime | None = None,
) -> None:
    """Keep how sending went. Of a notice that another worker has taken meanwhile only a success counts."""
    statement = update(Notice).where(col(Notice.id) == notice.id)
    if state is not MailState.SENT:
        statement = statement.where(col(Notice.mail_attempts) == notice.mail_attempts)
    values = {"mail_state": state, "mail_error": error, "mailed_at": mailed_at, "mail_next_at": next_at}
    await session.execute(statement.values(**values))


async def send_again(session: AsyncSession, notice_id: UUID, now: datetime) -> tuple[Notice, User]:
    """Let a mail that could not be sent be sent anew.

    Raises:
        NotFound: there is no such notice.
        Conflict: its mail is not one that could not be sent.
    """
    found = select(Notice, User).join(User, col(User.id) == col(Notice.user_id))
    row = (await session.execute(found.where(col(Notice.id) == notice_id).with_for_update())).one_or_none()
    if row is None:
        raise NotFound("There is no such notice.")
    notice: Notice = row[0]
    if notice.mail_state != MailState.FAILED:
        raise Conflict("Only a mail that could not be sent is sent again; this one is not listed as such.")
    notice.mail_state, notice.mail_attempts, notice.mail_next_at = MailState.WAITING, 0, now
    await session.flush()
    return notice, row[1]


async def purge(session: AsyncSession, now: datetime) -> None:
    """Forget what has had its time, with its links. What could not be mailed stays until somebody looks."""
    over = and_(
        col(Notice.created_at) < now - KEPT,
        col(Notice.mail_state).not_in((MailState.WAITING, MailState.FAILED)),
    )
    await session.execute(delete(Notice).where(over))
