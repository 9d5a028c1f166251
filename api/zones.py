"""Days and instants in a person's own time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from db import people
from db.session import Database
from domain.calendar import UTC_ZONE, zones
from domain.principal import Principal


def zone_named(name: str) -> ZoneInfo:
    """A person's time zone; UTC where it is no longer known."""
    return ZoneInfo(name if name in zones() else UTC_ZONE)


def begins(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which a day begins there."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def begins_there(day: date, zone: ZoneInfo) -> datetime:
    """The same instant, by the clock of that zone."""
    return begins(day, zone).astimezone(zone)


async def zone_of(database: Database, principal: Principal) -> ZoneInfo:
    """The principal's own time zone."""
    async with database.read() as session:
        user, _ = await people.get(session, principal, principal.id)
    return zone_named(user.time_zone)
