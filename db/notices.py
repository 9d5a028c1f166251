"""What people were told: written once for each cause, and listed for whom it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Text,
    and_,
    cast,
    delete,
    exists,
    false,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col

from db import pages
from db.pages import Page, PageRequest
from db.people import is_active
from db.tables import (
    Notice,
    NoticeDelivery,
    OpportunityPartnerRow,
    OpportunityRow,
    Organisation,
    OrganisationKind,
    User,
)
from domain.errors import NotFound
from domain.notice import DeliveryState, Message
from domain.principal import GRANTS, Action, Principal, Role

KEPT = timedelta(days=180)
"""How long a notice is kept."""
MOST_COUNTED = 99
"""Beyond so many unread notices nobody wants to know how many there are."""
CHANNEL = "tandem_notice"
"""Where PostgreSQL says that somebody's notices have changed."""
_WORKING = [role for role, granted in GRANTS.items() if Action.WORK_TASKS in granted]
"""The roles of who works on deals."""


async def write(session: AsyncSession, written: Sequence[Notice]) -> set[UUID]:
    """Keep notices; who was told of the same cause before is not told again. Answers which are new."""
    if not written:
        return set()
    statement = (
        insert(Notice)
        .values([notice.model_dump() for notice in written])
        .on_conflict_do_nothing(index_elements=[col(Notice.user_id), col(Notice.cause)])
        .returning(col(Notice.id))
    )
    new = set((await session.execute(statement)).scalars())
    if new:
        await _ring(session)
    return new


async def _ring(session: AsyncSession) -> None:
    """Let every API process hear that somebody's count of unread notices has changed."""
    await session.execute(select(func.pg_notify(CHANNEL, "")))


async def recipients(session: AsyncSession, message: Message) -> Sequence[UUID]:
    """Whom a message is for, as they are now: who is active, and may see the deal.

    For a manager who is not there the sales directors stand in. What concerns a deal and would reach
    nobody goes to the deal's owner, or else to the sales directors; a question to decide on does not.
    """
    led, alone = await _managers(session, message.managers_of)
    named = or_(
        col(User.id).in_([*message.recipients, *led]),
        and_(col(User.id).not_in(alone), _is_director()) if alone else false(),
        and_(col(Organisation.id).in_(message.partners), _has_role(_WORKING)),
        and_(col(Organisation.kind) == OrganisationKind.VENDOR, _has_role(message.roles)),
    )
    seen = sees(message.opportunity_id) if message.opportunity_id is not None else true()
    found = await _active(session, and_(named, seen))
    for_somebody = message.recipients or message.managers_of or message.partners or message.roles
    if found or not for_somebody or message.opportunity_id is None or message.step_key is not None:
        return found
    owner = select(col(OpportunityRow.owner_id)).where(col(OpportunityRow.id) == message.opportunity_id)
    another = col(User.id).not_in(message.managers_of)
    return await _active(session, and_(another, col(User.id).in_(owner))) or await _active(
        session, and_(another, _is_director())
    )


async def _active(session: AsyncSession, wanted: ColumnElement[bool]) -> Sequence[UUID]:
    """Those of the people for whom it is true who are active, in the order of their ids."""
    statement = (
        select(col(User.id))
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(wanted, is_active())
        .order_by(col(User.id))
    )
    return (await session.execute(statement)).scalars().all()


async def _managers(session: AsyncSession, of: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    """The active managers of these people, and those of them who have none."""
    if not of:
        return set(), set()
    person = aliased(User)
    statement = (
        select(col(person.id), col(User.id))
        .join(User, col(User.id) == col(person.manager_id))
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(col(person.id).in_(of), is_active())
    )
    led = {row[0]: row[1] for row in await session.execute(statement)}
    return set(led.values()), set(of) - set(led)


def _is_director() -> ColumnElement[bool]:
    return and_(col(Organisation.kind) == OrganisationKind.VENDOR, _has_role([Role.SALES_DIRECTOR]))


def _has_role(roles: Sequence[Role]) -> ColumnElement[bool]:
    has: ColumnElement[bool] = cast(col(User.roles), ARRAY(Text)).overlap([role.value for role in roles])
    return has


def sees(opportunity_id: UUID | Mapped[UUID | None]) -> ColumnElement[bool]:
    """Whether a person may see a deal, within a statement over `User` and `Organisation`."""
    takes_part = exists().where(
        col(OpportunityPartnerRow.opportunity_id) == opportunity_id,
        col(OpportunityPartnerRow.partner_id) == col(Organisation.id),
    )
    return or_(col(Organisation.kind) == OrganisationKind.VENDOR, takes_part)


def sees_deal() -> ColumnElement[bool]:
    """Whether a person may see what a notice is about; about no deal, everybody may."""
    return or_(col(Notice.opportunity_id).is_(None), sees(col(Notice.opportunity_id)))


def _own(principal: Principal) -> ColumnElement[bool]:
    """What the principal was told; a partner only as long as it takes part in the deal."""
    mine = and_(col(Notice.user_id) == principal.id, col(Notice.in_app))
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


def unread_by_session() -> ScalarSelect[int]:
    """How many notices a person has not read, within a statement over `User` and `Organisation`."""
    unread = and_(col(Notice.user_id) == col(User.id), _is_unread(), sees_deal())
    return (
        select(func.count()).select_from(Notice).where(unread).correlate(User, Organisation).scalar_subquery()
    )


def _is_unread() -> ColumnElement[bool]:
    return and_(col(Notice.read_at).is_(None), col(Notice.in_app))


async def unread_count(session: AsyncSession, principal: Principal) -> int:
    """How many notices the principal has not read; never more than `MOST_COUNTED`."""
    unread = select(col(Notice.id)).where(_own(principal), _is_unread())
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
    await _ring(session)
    return notice


async def mark_all_read(session: AsyncSession, principal: Principal, now: datetime) -> None:
    """Mark as read all that the principal has been told up to now."""
    unread = and_(_own(principal), col(Notice.read_at).is_(None), col(Notice.created_at) <= now)
    await session.execute(update(Notice).where(unread).values(read_at=now))
    await _ring(session)


async def purge(session: AsyncSession, now: datetime) -> None:
    """Forget what has had its time, with its links. What could not be sent stays until somebody looks."""
    unsent = exists().where(
        col(NoticeDelivery.notice_id) == col(Notice.id),
        col(NoticeDelivery.state).in_((DeliveryState.WAITING.value, DeliveryState.FAILED.value)),
    )
    over = and_(col(Notice.created_at) < now - KEPT, ~unsent)
    await session.execute(delete(Notice).where(over))
