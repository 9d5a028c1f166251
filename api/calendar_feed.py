"""Somebody's calendar as a file that calendar programs read again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.zones import begins_there, zone_named
from db import agenda, calendar_feeds
from db.agenda import Due, Wanted
from db.calendar_feeds import FeedReader
from db.pages import PageRequest
from db.session import Database
from domain.errors import NotFound
from domain.opportunity.planned import PlannedKind
from runtime import ics, tokens
from runtime.links import Links

REFRESH = timedelta(hours=1)
"""How often calendars are asked to come again; most come when they like."""
BEFORE, AHEAD = timedelta(days=60), timedelta(days=400)
"""What is overdue for longer, or is due later, a feed leaves out."""
LONGEST_NAME = 100
"""A file's name that is longer is none of ours."""
MOST = 2000
"""Events of one feed; some calendars refuse larger ones."""
TOUCH_AFTER = timedelta(minutes=5)
"""How stale the last reading must be before it is written again."""


async def read(database: Database, links: Links, token: str, now: datetime) -> bytes:
    """What is due for the person whose feed it is, and whom she is by now.

    Raises:
        NotFound: it is unknown, was revoked, or its person is no longer active.
    """
    async with database.connection() as connection:
        reader = await calendar_feeds.find(connection, tokens.digest(token))
    if reader is None:
        raise NotFound("There is no such calendar; its address may be revoked. Make a new one in Tandem.")
    zone = zone_named(reader.time_zone)
    today = now.astimezone(zone).date()
    wanted = Wanted(begins_there(today - BEFORE, zone), begins_there(today + AHEAD, zone))
    async with database.read() as session:
        found = await agenda.page(session, reader.principal, wanted, PageRequest(MOST))
    await _touch(database, reader, now)
    name = f"Tandem · {reader.principal.name}"
    return ics.feed(name, entries(found.items, zone, links), refresh=REFRESH)


async def _touch(database: Database, reader: FeedReader, now: datetime) -> None:
    if reader.last_read_at is None or now - reader.last_read_at > TOUCH_AFTER:
        async with database.single() as session:
            await calendar_feeds.touch(session, reader.feed_id, now)


def tag(file: bytes) -> str:
    """The entity tag of a file: the same for the same content."""
    return f'"{hashlib.sha256(file).hexdigest()[:32]}"'


def entries(found: Iterable[Due], zone: ZoneInfo, links: Links) -> list[ics.Entry]:
    """What is due as events: a check-in takes its time, the rest stands on its day."""
    return [
        ics.Entry(
            uid=uid(due),
            title=f"{due.item.title}: {due.opportunity}",
            begins=_begins(due, zone),
            changed=due.changed_at,
            sequence=due.opportunity_version,
            details=_details(due, zone),
            url=links.page(path(due)),
        )
        for due in found
    ]


def uid(due: Due) -> str:
    """The same for as long as the thing is, also when it is moved; a mail about a check-in has the same."""
    names = (due.item.kind.value.replace("_", "-"), str(due.opportunity_id), due.item.key)
    return "-".join(name for name in names if name)


def path(due: Due) -> str:
    """The page on which it is done."""
    if due.item.kind is PlannedKind.DECISION:
        return f"/approvals/{due.item.key}"
    if due.item.kind in (PlannedKind.FOLLOW_UP, PlannedKind.ACCEPTANCE):
        return f"/handoffs/{due.opportunity_id}"
    return f"/opportunities/{due.opportunity_id}"


def _begins(due: Due, zone: ZoneInfo) -> datetime | date:
    if due.item.kind is PlannedKind.CHECK_IN:
        return due.item.at
    return due.item.day or due.item.at.astimezone(zone).date()


def _details(due: Due, zone: ZoneInfo) -> str:
    at = due.item.at.astimezone(zone)
    timed = due.item.day is None and due.item.kind is not PlannedKind.CHECK_IN
    by = f"\nDue by {at:%H:%M} ({zone.key})" if timed else ""
    return f"{due.customer}{by}"
