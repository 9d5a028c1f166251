"""The people that approvals can ask, with their calendars and who stands in for whom, as one snapshot."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.pages import AnyRow
from db.tables import DelegationRow, Organisation, OrganisationKind, User
from db.tables.base import utc_now
from domain.approval.directory import Delegation, Directory, PersonEntry
from domain.calendar import OFFICE_HOURS, UTC_ZONE, Calendar, pinned, zones
from domain.errors import NotFound
from domain.principal import Role, Side
from runtime.holidays import NoHolidays, public_holidays

log = structlog.get_logger(__name__)

Hours = tuple[tuple[str, tuple[str, ...]], ...]

YEARS_KEPT = 3
"""Years whose holidays a deal keeps: the one in which it was opened, and the next."""


async def read(
    session: AsyncSession,
    *,
    organisation_ids: Collection[UUID] | None = None,
    now: datetime | None = None,
) -> Directory:
    """Everybody (or the people of these organisations), and the delegations that are not over.

    Calendars know the public holidays of this year and the next, as seen from
    `now`. What it reads is settled: no clock runs and no library is asked later.
    """
    now = now or utc_now()
    people = (
        select(User, col(Organisation.kind), col(Organisation.status))
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .order_by(col(User.name), col(User.id))
    )
    delegations = (
        select(DelegationRow)
        .where(
            col(DelegationRow.ended_at).is_(None),
            or_(col(DelegationRow.ends_at).is_(None), col(DelegationRow.ends_at) > now),
        )
        .order_by(col(DelegationRow.starts_at), col(DelegationRow.id))
    )
    if organisation_ids is not None:
        people = people.where(col(User.organisation_id).in_(organisation_ids))
        delegations = delegations.join(User, col(User.id) == col(DelegationRow.user_id)).where(
            col(User.organisation_id).in_(organisation_ids)
        )
    years = tuple(sorted({(now - timedelta(days=1)).year, now.year, now.year + 1}))
    return Directory(
        people=tuple(_person(row, years) for row in await session.execute(people)),
        delegations=tuple(delegation_of(row) for row in (await session.execute(delegations)).scalars()),
    )


def delegation_of(row: DelegationRow) -> Delegation:
    """A kept delegation as the domain knows it."""
    return Delegation(user_id=row.user_id, to_id=row.to_id, starts_at=row.starts_at, ends_at=row.ends_at)


def _person(row: AnyRow, years: tuple[int, ...]) -> PersonEntry:
    user: User = row[0]
    return PersonEntry(
        id=user.id,
        name=user.name,
        email=user.email,
        roles=tuple(Role(role) for role in user.roles),
        active=user.active and row.status == "active",
        manager_id=user.manager_id,
        calendar=calendar_of(user, years),
        organisation_id=user.organisation_id,
        side=Side.VENDOR if row.kind == OrganisationKind.VENDOR else Side.PARTNER,
    )


def calendar_of(user: User, years: tuple[int, ...]) -> Calendar:
    """When a person works, with the public holidays of these years."""
    return _calendar(_Place.of(user), years)


async def working_calendar(session: AsyncSession, user_id: UUID, today: date) -> Calendar:
    """The calendar of somebody's deals, to be kept: known from this year to the end of the year after next.

    Where the library knows the holidays of fewer years, it is known until the end of those.
    Raises `NotFound` for nobody.
    """
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such person.")
    return _kept(_Place.of(user), today.year)


class _Place(NamedTuple):
    """Where and when somebody works, as a key to what was reckoned before."""

    zone: str
    country: str | None
    region: str | None
    hours: Hours

    @classmethod
    def of(cls, user: User) -> _Place:
        hours: Any = user.working_hours or OFFICE_HOURS
        written = tuple((day, tuple(each)) for day, each in hours.items())
        return cls(user.time_zone, user.country, user.region, written)


@lru_cache(maxsize=256)
def _kept(place: _Place, year: int) -> Calendar:
    calendar = _calendar(place, tuple(range(year, year + YEARS_KEPT)))
    last = max((day.year for day in calendar.holidays), default=year + YEARS_KEPT - 1)
    return pinned(calendar, date(year, 1, 1), date(last, 12, 31))


@lru_cache(maxsize=4096)
def _calendar(place: _Place, years: tuple[int, ...]) -> Calendar:
    """One calendar for all who work by it. Holidays and zones that are no longer known are logged."""
    zone, country, region, hours = place
    if zone not in zones():
        log.warning("directory.no_zone", zone=zone)
        zone = UTC_ZONE
    try:
        days = public_holidays(country, region, years) if country is not None else ()
    except NoHolidays as unknown:
        log.warning("directory.no_holidays", country=country, region=region, why=str(unknown))
        days = ()
    return Calendar.model_validate({"zone": zone, "hours": dict(hours), "holidays": days})
