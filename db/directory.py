"""The people that approvals can ask, with their calendars and who stands in for whom, as one snapshot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, Text, and_, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.pages import AnyRow
from db.tables import DelegationRow, Organisation, OrganisationKind, User
from db.tables.base import utc_now
from domain.approval.directory import Delegation, Directory, PersonEntry
from domain.approval.naming import Named
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
    which: ColumnElement[bool] = true()
    delegations = select(DelegationRow)
    if organisation_ids is not None:
        which = col(User.organisation_id).in_(organisation_ids)
        delegations = delegations.join(User, col(User.id) == col(DelegationRow.user_id)).where(which)
    return Directory(
        people=tuple(await _people(session, which, now)),
        delegations=tuple(await _delegations(session, delegations, now)),
    )


async def of_vendor(session: AsyncSession, wanted: Named, now: datetime) -> Directory:
    """The same of the vendor's people, with no more of them than decide on who is asked.

    Those who are named, whoever stands in for them, and who manages the requester: so it takes as long
    where the vendor is large as where it is small.
    """
    people: dict[UUID, PersonEntry] = {}
    delegations: list[Delegation] = []
    more = _named(wanted)
    while found := [each for each in await _people(session, _vendors(more), now) if each.id not in people]:
        people |= {each.id: each for each in found}
        new = await _delegations(session, select(DelegationRow).where(_of([each.id for each in found])), now)
        delegations += new
        if not (missing := {each.to_id for each in new} - people.keys()):
            break
        more = col(User.id).in_(missing)
    return Directory(people=tuple(people.values()), delegations=tuple(delegations))


def _of(user_ids: Sequence[UUID]) -> ColumnElement[bool]:
    return col(DelegationRow.user_id).in_(user_ids)


def _vendors(which: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(col(Organisation.kind) == OrganisationKind.VENDOR, which)


def _named(wanted: Named) -> ColumnElement[bool]:
    has: ColumnElement[bool] = cast(col(User.roles), ARRAY(Text)).overlap(sorted(wanted.roles))
    ways = [has]
    if wanted.emails:
        ways.append(func.lower(col(User.email)).in_(wanted.emails))
    if wanted.ids:
        ways.append(col(User.id).in_(wanted.ids))
    if wanted.below is not None:
        ways.append(col(User.id).in_(_above(wanted.below)))
    return or_(*ways)


def _above(user_id: UUID) -> Select[UUID]:
    """Somebody's id, and those of all who are above."""
    columns = col(User.id), col(User.manager_id)
    first = select(*columns).where(col(User.id) == user_id).cte("above", recursive=True)
    all_of_them = first.union(select(*columns).join(first, col(User.id) == first.c.manager_id))
    return select(all_of_them.c.id)


async def _people(session: AsyncSession, which: ColumnElement[bool], now: datetime) -> list[PersonEntry]:
    """These people by name, with calendars that know the holidays around `now`."""
    statement = (
        select(User, col(Organisation.kind), col(Organisation.status))
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(which)
        .order_by(col(User.name), col(User.id))
    )
    years = tuple(sorted({(now - timedelta(days=1)).year, now.year, now.year + 1}))
    return [_person(row, years) for row in await session.execute(statement)]


async def _delegations(
    session: AsyncSession, which: Select[DelegationRow], now: datetime
) -> list[Delegation]:
    """Those of these delegations that are not over, by their beginning."""
    ends = col(DelegationRow.ends_at)
    statement = which.where(col(DelegationRow.ended_at).is_(None), or_(ends.is_(None), ends > now))
    in_order = statement.order_by(col(DelegationRow.starts_at), col(DelegationRow.id))
    return [delegation_of(row) for row in (await session.execute(in_order)).scalars()]


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
