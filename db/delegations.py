"""Delegations: who is out of office, and who decides meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from db import pages
from db.pages import AnyRow, Page, PageRequest
from db.tables import DelegationRow, User
from domain.errors import NotFound
from domain.principal import Action, Principal

_Away = aliased(User, name="away")
_To = aliased(User, name="stand_in")


@dataclass(frozen=True, slots=True)
class Named:
    """A delegation with the names of the two people, and the time zone of the one who is away."""

    row: DelegationRow
    user: str
    to: str
    time_zone: str


def visible(principal: Principal) -> ColumnElement[bool]:
    """One's own, on either side; and those of everybody for whom the principal may speak."""
    return or_(_spoken_for(principal), col(DelegationRow.to_id) == principal.id)


def _spoken_for(principal: Principal) -> ColumnElement[bool]:
    """The people of whom the principal may say who stands in: herself; administrators, their people."""
    if principal.may(Action.MANAGE_USERS):
        return true()
    if principal.may(Action.MANAGE_OWN_TEAM):
        return col(_Away.organisation_id) == principal.organisation_id
    return col(_Away.id) == principal.id


def is_over(now: datetime) -> ColumnElement[bool]:
    """It holds no more, and never will again."""
    return or_(
        col(DelegationRow.ended_at).is_not(None),
        func.coalesce(col(DelegationRow.ends_at) <= now, false()),
    )


def _named() -> Select[DelegationRow, str, str, str]:
    return (
        select(DelegationRow, col(_Away.name), col(_To.name), col(_Away.time_zone))
        .join(_Away, col(_Away.id) == col(DelegationRow.user_id))
        .join(_To, col(_To.id) == col(DelegationRow.to_id))
    )


async def page(
    session: AsyncSession,
    principal: Principal,
    wanted: PageRequest,
    *,
    user_id: UUID | None = None,
    over: bool | None = None,
    now: datetime,
) -> Page[Named]:
    """The delegations that the principal may see, the latest start first; `user_id`: those of one person."""
    statement = (
        _named()
        .where(visible(principal))
        .order_by(col(DelegationRow.starts_at).desc(), col(DelegationRow.id).desc())
    )
    if user_id is not None:
        statement = statement.where(col(DelegationRow.user_id) == user_id)
    if over is not None:
        statement = statement.where(is_over(now) if over else ~is_over(now))
    found = await pages.fetch(session, statement, wanted, order="delegations")
    return found.map(_of)


async def find(session: AsyncSession, delegation_id: UUID) -> Named | None:
    """One delegation, whosoever it is: what a repeated request has made before."""
    row = (await session.execute(_named().where(col(DelegationRow.id) == delegation_id))).one_or_none()
    return _of(row) if row is not None else None


async def add(session: AsyncSession, delegation: DelegationRow) -> Named:
    """Keep a new delegation that was checked (`domain.approval.delegation`)."""
    await session.execute(insert(DelegationRow).values(**delegation.model_dump()))
    statement = _named().where(col(DelegationRow.id) == delegation.id)
    return _of((await session.execute(statement)).one())


async def end(
    session: AsyncSession, principal: Principal, delegation_id: UUID, now: datetime
) -> DelegationRow:
    """End a delegation of one's own, or as administrator anybody's, from now on.

    Raises `NotFound` for one of somebody else, and for one that is over.
    """
    theirs = select(col(_Away.id)).where(_spoken_for(principal), col(_Away.id) == col(DelegationRow.user_id))
    statement = (
        update(DelegationRow)
        .where(col(DelegationRow.id) == delegation_id, ~is_over(now), theirs.exists())
        .values(ended_at=now)
        .returning(DelegationRow)
    )
    ended = (await session.execute(statement)).scalar_one_or_none()
    if ended is None:
        raise NotFound("You have no such delegation; it may be over already.")
    return ended


def _of(row: AnyRow) -> Named:
    return Named(*row)
