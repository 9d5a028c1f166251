"""The people that approvals can ask, with their calendars and who stands in for whom, as one snapshot."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.pages import AnyRow
from db.session import Reader
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
_PEOPLE = (
    select(
        col(User.id),
        col(User.name),
        col(User.email),
        col(User.roles),
        col(User.active),
        col(User.manager_id),
        col(User.organisation_id),
        col(User.time_zone),
        col(User.country),
        col(User.region),
        col(User.working_hours),
        col(Organisation.kind),
        col(Organisation.status),
    )
    .join(Organisation, col(Organisation.id) == col(User.organisation_id))
    .order_by(col(User.name), col(User.id))
)


def _above() -> Select[UUID]:
    """The id of `below`, and those of all who are above."""
    columns = col(User.id), col(User.manager_id)
    first = select(*columns).where(col(User.id) == bindparam("below")).cte("above", recursive=True)
    all_of_them = first.union(select(*columns).join(first, col(User.id) == first.c.manager_id))
    return select(all_of_them.c.id)


def _goes_on(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    ends = col(DelegationRow.ends_at)
    return and_(col(DelegationRow.ended_at).is_(None), or_(ends.is_(None), ends > now))


def _away() -> ScalarSelect[Any]:
    """Somebody's delegations that are not over at `now`, by their beginning."""
    names = ("user_id", "to_id", "starts_at", "ends_at")
    said = func.jsonb_build_object(*(each for name in names for each in (name, getattr(DelegationRow, name))))
    in_order = aggregate_order_by(said, col(DelegationRow.starts_at), col(DelegationRow.id))
    return (
        select(func.jsonb_agg(in_order))
        .where(col(DelegationRow.user_id) == col(User.id), _goes_on(bindparam("now")))
        .scalar_subquery()
    )


# Made once: every decision on a request asks it.
_WANTED = _PEOPLE.add_columns(_away().label("away")).where(
    col(Organisation.kind) == OrganisationKind.VENDOR,
    or_(
        cast(col(User.roles), ARRAY(Text)).overlap(bindparam("roles", type_=ARRAY(Text))),
        func.lower(col(User.email)) == any_(bindparam("emails", type_=ARRAY(Text))),
        col(User.id) == any_(bindparam("ids", type_=ARRAY(Uuid))),
        col(User.id).in_(_above()),
    ),
)


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


async def of_vendor(reader: Reader, wanted: Named, now: datetime) -> Directory:
    """The same of the vendor's people, with no more of them than decide on who is asked.

    Those who are named, whoever stands in for them, and who manages the requester: so it takes as long
    where the vendor is large as where it is small.
    """
    people: dict[UUID, PersonEntry] = {}
    delegations: list[Delegation] = []
    while True:
        rows = (await reader.execute(_WANTED, {**_names(wanted), "now": now})).all()
        found = [row for row in rows if row.id not in people]
        people |= {row.id: _person(row, _years(now)) for row in found}
        new = [Delegation.model_validate(each) for row in found for each in row.away or ()]
        delegations += new
        if not (missing := {each.to_id for each in new} - people.keys()):
            return Directory(people=tuple(people.values()), delegations=tuple(delegations))
        wanted = Named(ids=frozenset(missing))


def _names(wanted: Named) -> dict[str, Any]:
    return {
        "roles": sorted(wanted.roles),
        "emails": sorted(wanted.emails),
        "ids": sorted(wanted.ids),
        "below": wanted.below,
    }


async def _people(session: AsyncSession, which: ColumnElement[bool], now: datetime) -> list[PersonEntry]:
    """These people by name, with calendars that know the holidays around `now`."""
    return [_person(row, _years(now)) for row in await session.execute(_PEOPLE.where(which))]


def _years(now: datetime) -> tuple[int, ...]:
    return tuple(sorted({(now - timedelta(days=1)).year, now.year, now.year + 1}))


async def _delegations(
    session: AsyncSession, which: Select[DelegationRow], now: datetime
) -> list[Delegation]:
    """Those of these delegations that are not over, by their beginning."""
    in_order = which.where(_goes_on(now)).order_by(col(DelegationRow.starts_at), col(DelegationRow.id))
    return [delegation_of(row) for row in (await session.execute(in_order)).scalars()]


def delegation_of(row: DelegationRow) -> Delegation:
    """A kept delegation as the domain knows it."""
    return Delegation(user_id=row.user_id, to_id=row.to_id, starts_at=row.starts_at, ends_at=row.ends_at)


def _person(row: AnyRow, years: tuple[int, ...]) -> PersonEntry:
    return PersonEntry(
        id=row.id,
        name=row.name,
        email=row.email,
        roles=tuple(Role(role) for role in row.roles),
        active=row.active and row.status == "active",
        manager_id=row.manager_id,
        calendar=_calendar(_Place.of(row), years),
        organisation_id=row.organisation_id,
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
    def of(cls, user: User | AnyRow) -> _Place:
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
