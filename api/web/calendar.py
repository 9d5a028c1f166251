"""The calendar: a month or a day of what falls due, and the addresses by which it is read elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response

from api import calendar_feed, etag
from api.calendar_feed import tag
from api.principal import PrincipalDep
from api.services import DatabaseDep, Services, ServicesDep
from api.v1.calendar_feeds import CalendarFeedInput, make
from api.web import calendar_view
from api.web.calendar_view import KINDS, next_month
from api.web.forms import FormDep, Refusal, WebRoute, claimed, form_page, parse
from api.web.lists import Cursor
from api.web.rendering import go, page
from api.zones import begins_there, zone_of
from db import agenda, calendar_feeds
from db.agenda import Wanted, Whose
from db.pages import PageRequest
from db.session import Database
from domain.errors import InvalidInput, NotFound, TandemError
from domain.opportunity.planned import PlannedKind
from domain.principal import Principal, Side
from runtime import ics

router = APIRouter(prefix="/calendar", include_in_schema=False, route_class=WebRoute)
files = APIRouter(prefix="/calendar/feed", include_in_schema=False)
"""The feeds: without a session, for programs that know the secret address."""

PER_DAY = 4
"""Things that a day shows in the month; the rest are on the day's own page."""
PER_PAGE = 100
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_DAY = re.compile(r"20\d\d-\d\d-\d\d")
_WHOSE = {Whose.ME: "For me", Whose.TEAM: "My team", Whose.ALL: "The whole vendor"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says: whose calendar, and of which kinds (none named is all)."""

    whose: Whose
    kinds: tuple[PlannedKind, ...]

    def query(self, **more: str) -> str:
        """The address of another part of the same calendar."""
        named = [("whose", self.whose.value)] if self.whose is not Whose.ME else []
        kinds = [("kind", kind.value) for kind in self.kinds]
        return f"/calendar?{urlencode([*more.items(), *named, *kinds])}".rstrip("?")


async def _asked(
    principal: PrincipalDep,
    whose: Annotated[str, Query(max_length=10)] = "",
    kind: Annotated[list[str] | None, Query(max_length=60)] = None,
) -> Asked:
    known = {each.value: each for each in Whose}
    found = known.get(whose, Whose.ME)
    if principal.side is Side.PARTNER and found is Whose.TEAM:
        found = Whose.ALL
    kinds = [each for each in KINDS if kind and each.value in kind]
    return Asked(found, tuple(kinds))


AskedDep = Annotated[Asked, Depends(_asked)]


@router.get("")
async def read(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    asked: AskedDep,
    month: Annotated[str, Query(max_length=10)] = "",
    day: Annotated[str, Query(max_length=10)] = "",
    cursor: Cursor = None,
) -> Response:
    """A month; or a day, with all that is on it. Addresses that name neither show this month."""
    now = datetime.now(UTC)
    zone = await zone_of(database, principal)
    today = now.astimezone(zone).date()
    if (chosen := _day_of(day)) is not None:
        return await _one_day(request, principal, database, asked, _At(chosen, today, zone, now), cursor)
    parts = _MONTH.fullmatch(month)
    first = date(int(parts[1]), int(parts[2]), 1) if parts else today.replace(day=1)
    return await _month(request, principal, database, asked, _At(first, today, zone, now))


@dataclass(frozen=True, slots=True)
class _At:
    """Which day or month is looked at, from when and where."""

    day: date
    today: date
    zone: ZoneInfo
    now: datetime


def _day_of(text: str) -> date | None:
    """The day that an address names; None for none, and for what is no day."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _wanted(asked: Asked, at: _At, first: date, last: date) -> Wanted:
    end = begins_there(last + timedelta(days=1), at.zone)
    return Wanted(begins_there(first, at.zone), end, asked.whose, asked.kinds)


async def _month(
    request: Request, principal: Principal, database: Database, asked: Asked, at: _At
) -> Response:
    first, last = calendar_view.span(at.day)
    midnights = [begins_there(first + timedelta(days=n), at.zone) for n in range((last - first).days + 2)]
    async with database.read() as session:
        wanted = _wanted(asked, at, first, last)
        found = await agenda.days(session, principal, wanted, midnights, PER_DAY)
    weeks = calendar_view.weeks(at.day, found, at.zone, at.now)
    inside = [day for week in weeks for day in week if day.inside]
    return page(
        request,
        "calendar/index.html",
        principal=principal,
        section="calendar",
        at=at,
        asked=asked,
        weeks=weeks,
        total=sum(day.total for day in inside),
        whose=_choices(principal, asked, month=f"{at.day:%Y-%m}"),
        kinds=KINDS,
        before=asked.query(month=f"{next_month(at.day, -1):%Y-%m}"),
        after=asked.query(month=f"{next_month(at.day, 1):%Y-%m}"),
        now_url=asked.query(),
    )


async def _one_day(
    request: Request, principal: Principal, database: Database, asked: Asked, at: _At, cursor: str | None
) -> Response:
    async with database.read() as session:
        wanted = _wanted(asked, at, at.day, at.day)
        found = await agenda.page(session, principal, wanted, PageRequest(PER_PAGE, cursor))
    this = at.day.isoformat()
    more = asked.query(day=this, cursor=found.next_cursor) if found.next_cursor else None
    return page(
        request,
        "calendar/day.html",
        principal=principal,
        section="calendar",
        at=at,
        asked=asked,
        items=[calendar_view.shown(due, at.zone, at.now) for due in found.items],
        whose=_choices(principal, asked, day=this),
        kinds=KINDS,
        before=asked.query(day=(at.day - timedelta(days=1)).isoformat()),
        after=asked.query(day=(at.day + timedelta(days=1)).isoformat()),
        now_url=asked.query(day=at.today.isoformat()),
        month_url=asked.query(month=f"{at.day:%Y-%m}"),
        more_url=more,
    )


def _choices(principal: Principal, asked: Asked, **place: str) -> list[tuple[str, str, bool]]:
    """Whose calendar may be looked at: its address, its name, and whether it is this one."""
    ours = [Whose.ME, Whose.TEAM, Whose.ALL] if principal.side is Side.VENDOR else [Whose.ME, Whose.ALL]
    names = (
        _WHOSE if principal.side is Side.VENDOR else _WHOSE | {Whose.ALL: f"All of {principal.organisation}"}
    )
    return [(Asked(each, asked.kinds).query(**place), names[each], each is asked.whose) for each in ours]


@router.get("/feeds")
async def read_feeds(request: Request, principal: PrincipalDep, services: ServicesDep) -> Response:
    """The addresses by which other programs read the calendar."""
    return await _feeds(request, principal, services)


@router.post("/feeds")
async def make_feed(
    request: Request, principal: PrincipalDep, services: ServicesDep, form: FormDep
) -> Response:
    """Make an address, and show it this once."""
    try:
        body = parse(CalendarFeedInput, form.given("name"))
        minted = await claimed(services.database, principal, form)
        feed, url = await make(services, principal, minted.resource_id, body.name)
    except TandemError as error:
        return await _feeds(request, principal, services, refusal=Refusal.of(error), typed=form.values)
    response = await _feeds(request, principal, services, made=(feed.name, url))
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/feeds/{feed_id}/revoke")
async def revoke_feed(
    feed_id: UUID, request: Request, principal: PrincipalDep, database: DatabaseDep
) -> Response:
    """From now on the address shows nothing."""
    try:
        async with database.transaction() as session:
            await calendar_feeds.revoke(session, principal, feed_id, datetime.now(UTC))
    except NotFound as gone:
        return go(request, "/calendar/feeds", gone.detail, "info")
    return go(request, "/calendar/feeds", "Revoked: the address shows nothing any more.")


async def _feeds(
    request: Request,
    principal: Principal,
    services: Services,
    *,
    made: tuple[str, str] | None = None,
    refusal: Refusal | None = None,
    typed: object = None,
) -> Response:
    async with services.database.read() as session:
        found = await calendar_feeds.page(session, principal, PageRequest(calendar_feeds.MOST))
    values = typed if isinstance(typed, dict) else {}
    return form_page(
        request,
        "calendar/feeds.html",
        values,
        refusal,
        principal=principal,
        section="calendar",
        feeds=found.items,
        made=made,
    )


@files.get("/{name}")
async def feed(name: str, request: Request, services: ServicesDep) -> Response:
    """Somebody's calendar, for a program that knows its address."""
    token = name.removesuffix(".ics")
    if token == name or len(name) > calendar_feed.LONGEST_NAME:
        raise NotFound("There is no such calendar.")
    file = await calendar_feed.read(services.database, services.links, token, datetime.now(UTC))
    headers = {"ETag": tag(file), "Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}
    response = Response(file, media_type=ics.CONTENT_TYPE, headers=headers)
    try:
        return etag.unless_known(request, response)
    except InvalidInput:  # a program that quotes it otherwise still reads its calendar
        return response
