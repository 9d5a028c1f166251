"""The feed: everything that happens on the deals that the principal sees, page by page or live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep, authenticate, authenticate_again
from api.route import StrictRoute, TandemRoute
from api.services import ServicesDep
from api.v1.timelines import EventOut
from db import notices, timeline
from db.pages import Page
from db.timeline import Place, Told
from domain.errors import InvalidCursor, Unauthenticated
from domain.principal import Principal

router = APIRouter(prefix="/events", tags=["events"], route_class=TandemRoute)
streams = APIRouter(prefix="/events", tags=["events"], route_class=StrictRoute)

STREAM_SECONDS = 300.0
"""A stream ends after this long; the reader comes back with Last-Event-ID, and is asked who it is again."""
LOOK_AGAIN_SECONDS = (0.1, 0.3, 1.0)
"""After a wake-up: an event is told once no older transaction is under way, which is soon, but not now."""
QUIET_SECONDS = 30.0
BATCH = 200


def _place(text: str | None, pointer: str) -> Place | None:
    if text is None:
        return None
    place = Place.parse(text)
    if place is None:
        raise InvalidCursor(
            "This is no place in the feed; take the id of an event, or start without one.", pointer=pointer
        )
    return place


@router.get("")
async def list_events(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    services: ServicesDep,
    paging: PagingDep,
) -> Listing[EventOut]:
    """Every event the principal may see, the oldest first. `cursor` takes the `id` of any event."""
    after = _place(paging.cursor, "/cursor")
    async with services.database.read() as session:
        found = await timeline.feed(session, principal, after, paging.limit)
    more = str(found[-1].place) if len(found) == paging.limit else None
    page: Page[Told] = Page(found, more)
    return listing(request, response, page, EventOut.of)


async def _beginning(
    last_event_id: Annotated[str | None, Header(description="Go on after this event.")] = None,
    after: Annotated[str | None, Query(max_length=40, description="The same, for a first call.")] = None,
) -> Place | None:
    """Dependency: where a stream begins. Refused before it starts: a stream can say no 422 any more."""
    if last_event_id is not None:
        return _place(last_event_id, "/last-event-id")
    return _place(after, "/after")


@streams.get("/stream", response_class=EventSourceResponse)
async def stream_events(
    request: Request,
    _principal: PrincipalDep,
    services: ServicesDep,
    place: Annotated[Place | None, Depends(_beginning)],
) -> AsyncIterator[ServerSentEvent]:
    """Events as they happen, from now on, or from after `Last-Event-ID`.

    `timeline` is what happened; `notices` says how many notices you have not read, when that changes.
    """
    ends = asyncio.get_running_loop().time() + STREAM_SECONDS
    yield ServerSentEvent(comment="listening", retry=1000)
    async for told in _follow(request, services, place, ends):
        if isinstance(told, Told):
            yield ServerSentEvent(data=EventOut.of(told), event="timeline", id=str(told.place))
        else:
            yield ServerSentEvent(data={"unread": told}, event="notices")


async def _follow(
    request: Request, services: ServicesDep, place: Place | None, ends: float
) -> AsyncIterator[Told | int]:
    """What the principal may see, until `ends`, or we stop, or its key or session is not valid any more.

    Beside it, how many notices it has not read, each time that this has become another number.
    """
    clock = asyncio.get_running_loop().time
    principal = await authenticate(request)
    if place is None:
        async with services.database.read() as session:
            place = await timeline.now(session)
    again = list(LOOK_AGAIN_SECONDS)
    told_before, unread = services.watch.told, await _unread(services, principal)
    while clock() < ends and not services.watch.released:
        seen, told_by_now = services.watch.wakes, services.watch.told
        async with services.database.read() as session:
            found = await timeline.feed(session, principal, place, BATCH)
        try:
            principal = await authenticate_again(request) if found else principal
        except Unauthenticated:
            return
        if told_by_now != told_before:
            told_before, before, unread = told_by_now, unread, await _unread(services, principal)
            if unread != before:
                yield unread
        for told in found:
            if services.watch.released:
                return
            place = told.place
            yield told
        if len(found) == BATCH:
            continue
        if await services.watch.wait(seen, again.pop(0) if again else QUIET_SECONDS):
            again = list(LOOK_AGAIN_SECONDS)


async def _unread(services: ServicesDep, principal: Principal) -> int:
    async with services.database.read() as session:
        return await notices.unread_count(session, principal)
