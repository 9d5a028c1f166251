"""Secret addresses by which calendar programs read one's calendar: each person's own."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.fields import Input, ShortText
from api.idempotency import MintedDep
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep, Services, ServicesDep
from api.v1.schemas import WHEN, example, example_input
from db import calendar_feeds
from db.tables import CalendarFeed
from domain.principal import Principal
from runtime import tokens

router = APIRouter(prefix="/calendar-feeds", tags=["calendar"], route_class=TandemRoute)

_EXAMPLE = {
    "id": "0198c5a3-2b90-7e15-9c40-1d7e5f3a8b62",
    "name": "My phone",
    "hint": "cal_Qm3x",
    "created_at": WHEN,
    "last_read_at": None,
}


class CalendarFeedInput(Input):
    """An address for one place where you read your calendar."""

    model_config = example_input({"name": "My phone"})

    name: ShortText


class CalendarFeedOut(BaseModel):
    """A feed; `hint` is how the secret in its address begins. `last_read_at` is right to some minutes."""

    model_config = example(_EXAMPLE)

    id: UUID
    name: str
    hint: str
    created_at: datetime
    last_read_at: datetime | None


class CalendarFeedCreated(CalendarFeedOut):
    """A new feed with its address, which is shown this once."""

    model_config = example({**_EXAMPLE, "url": "https://tandem.example/calendar/feed/cal_Qm3xJ8….ics"})

    url: str


@router.get("")
async def list_feeds(
    request: Request, response: Response, principal: PrincipalDep, database: DatabaseDep, paging: PagingDep
) -> Listing[CalendarFeedOut]:
    """Your feeds that are not revoked, newest first."""
    async with database.read() as session:
        found = await calendar_feeds.page(session, principal, paging)
    return listing(request, response, found, show)


@router.post("", status_code=201)
async def create_feed(
    body: CalendarFeedInput,
    response: Response,
    principal: PrincipalDep,
    minted: MintedDep,
    services: ServicesDep,
) -> CalendarFeedCreated:
    """Make an address. Whoever has it reads your calendar: keep it, as nobody can show it again."""
    feed, url = await make(services, principal, minted.resource_id, body.name)
    response.headers["Cache-Control"] = "no-store"
    return CalendarFeedCreated(**dict(show(feed)), url=url)


async def make(
    services: Services, principal: Principal, feed_id: UUID, name: str
) -> tuple[CalendarFeed, str]:
    """A new feed and its address. Raises `Conflict` where there are many."""
    token = tokens.new_feed_token()
    feed = CalendarFeed(
        id=feed_id,
        user_id=principal.id,
        name=name,
        hint=tokens.hint(token),
        token_hash=tokens.digest(token),
    )
    async with services.database.transaction() as session:
        feed = await calendar_feeds.add(session, principal, feed)
    return feed, services.links.page(f"/calendar/feed/{token}.ics")


@router.delete("/{feed_id}", status_code=204)
async def revoke_feed(feed_id: UUID, principal: PrincipalDep, database: DatabaseDep) -> None:
    """Revoke an address: from now on it shows nothing."""
    async with database.transaction() as session:
        await calendar_feeds.revoke(session, principal, feed_id, datetime.now(UTC))


def show(feed: CalendarFeed) -> CalendarFeedOut:
    """A feed as the API answers it."""
    return CalendarFeedOut(**feed.model_dump(include=set(CalendarFeedOut.model_fields)))
