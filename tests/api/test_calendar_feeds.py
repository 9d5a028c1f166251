"""Calendar feeds: read by programs that know the address, and by nobody when it is revoked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from icalendar import Calendar, Event
from sqlalchemy import select
from sqlmodel import col

from db.session import Database
from db.tables import CalendarFeed
from domain.playbook import Playbook
from tests.calendars import CLOSE, Diary
from tests.stack import ClientFor, People, Person

pytestmark = pytest.mark.usefixtures("worker")

FEEDS = "/api/v1/calendar-feeds"


@pytest.fixture
def diary(as_: ClientFor, people: People, playbook: Playbook) -> Diary:
    return Diary(as_, people, playbook)


async def a_feed(diary: Diary, who: Person, name: str = "My phone") -> Any:
    client = await diary.client(who)
    answer = await client.post(FEEDS, json={"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()


def path(feed: Any) -> str:
    found = re.fullmatch(r"https?://[^/]+(/calendar/feed/cal_[\w-]{43}\.ics)", feed["url"])
    assert found, feed["url"]
    return found[1]


async def events(client: httpx.AsyncClient, feed: Any) -> dict[str, Event]:
    """The events of a feed by title, read as a calendar program reads them."""
    answer = await client.get(path(feed))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return {str(event["summary"]): event for event in Calendar.from_ical(answer.content).events}


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient):
    for answer in (
        await client.get(FEEDS),
        await client.post(FEEDS, json={"name": "phone"}),
        await client.delete(f"{FEEDS}/{uuid4()}"),
    ):
        assert answer.status_code == 401


async def test_nobody_sees_or_revokes_the_feeds_of_others(diary: Diary):
    seller = await diary.seller()
    feed = await a_feed(diary, seller)
    for other in (await diary.seller("borealis"), await diary.seller(), await diary.rep()):
        client = await diary.client(other)
        assert (await client.get(FEEDS)).json()["items"] == []
        assert (await client.delete(f"{FEEDS}/{feed['id']}")).status_code == 404
    admin = await diary.as_("admin@vendor.example")
    assert (await admin.delete(f"{FEEDS}/{feed['id']}")).status_code == 404


async def test_a_feed_shows_what_is_due_for_its_person(diary: Diary, client: httpx.AsyncClient):
    rep = await diary.rep()
    deal = await diary.open(rep, "In my phone")
    feed = await a_feed(diary, rep)
    found = await events(client, feed)
    assert set(found) == {
        "Check-in: In my phone",
        "Confirm budget: In my phone",
        "Joint qualification should be finished: In my phone",
        "Expected close: In my phone",
    }
    check_in = found["Check-in: In my phone"]
    assert check_in.uid == f"check-in-{deal['id']}"
    assert check_in.sequence == deal["version"]
    assert check_in.start == datetime.fromisoformat(deal["next_check_in_at"]).replace(microsecond=0)
    close = found["Expected close: In my phone"]
    assert close.start == CLOSE
    assert close["url"].endswith(f"/opportunities/{deal['id']}")
    assert not isinstance(found["Confirm budget: In my phone"].start, datetime)


async def test_an_event_that_moves_keeps_its_name_and_says_that_it_changed(
    diary: Diary, client: httpx.AsyncClient
):
    rep = await diary.rep()
    deal = await diary.open(rep, "Moved")
    feed = await a_feed(diary, rep)
    before = (await events(client, feed))["Check-in: Moved"]
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    changed = await diary.do(rep, deal, "check-ins", note="Talked.", next_at=later.isoformat())
    after = (await events(client, feed))["Check-in: Moved"]
    assert after.uid == before.uid
    assert after.sequence == changed["version"] > before.sequence
    assert after.LAST_MODIFIED >= before.LAST_MODIFIED
    assert after.start == later


async def test_who_has_it_already_is_told_so(diary: Diary, client: httpx.AsyncClient):
    rep = await diary.rep()
    deal = await diary.open(rep, "Same again")
    at = path(await a_feed(diary, rep))
    first = await client.get(at)
    assert first.headers["cache-control"] == "private, no-cache"
    again = await client.get(at, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get(at, headers={"If-None-Match": "nonsense"})).status_code == 200
    assert (await client.head(at)).status_code == 200
    await diary.do(rep, deal, "tasks/confirm-budget/complete")
    changed = await client.get(at, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert b"Confirm budget" not in changed.content


async def test_a_partners_feed_holds_nothing_of_deals_that_it_may_no_longer_see(
    diary: Diary, client: httpx.AsyncClient
):
    rep, seller, stranger = await diary.rep(), await diary.seller(), await diary.seller("borealis")
    deal = await diary.open(rep, "Ours for a while")
    feed, other = await a_feed(diary, seller), await a_feed(diary, stranger)
    assert "Share profile: Ours for a while" in await events(client, feed)
    assert "Confirm budget: Ours for a while" not in await events(client, feed)
    assert not any("Ours for a while" in title for title in await events(client, other))
    vendor = await diary.client(rep)
    await vendor.delete(f"/api/v1/opportunities/{deal['id']}/partners/{diary.people.aster.id}")
    assert not any("Ours for a while" in title for title in await events(client, feed))


async def test_a_revoked_feed_is_gone(diary: Diary, client: httpx.AsyncClient):
    rep = await diary.rep()
    feed, other = await a_feed(diary, rep), await a_feed(diary, rep, "Desk")
    mine = await diary.client(rep)
    assert (await mine.delete(f"{FEEDS}/{feed['id']}")).status_code == 204
    assert (await client.get(path(feed))).status_code == 404
    assert (await client.get(path(other))).status_code == 200
    assert (await mine.delete(f"{FEEDS}/{feed['id']}")).status_code == 404
    assert [item["name"] for item in (await mine.get(FEEDS)).json()["items"]] == ["Desk"]


async def test_who_is_let_go_has_no_calendar_any_more_not_even_when_back(
    diary: Diary, client: httpx.AsyncClient
):
    rep = await diary.rep()
    feed = await a_feed(diary, rep)
    admin = await diary.as_("admin@vendor.example")
    for active in (False, True):
        changed = await admin.patch(f"/api/v1/users/{rep.id}", json={"active": active})
        assert changed.status_code == 200, changed.text
        assert (await client.get(path(feed))).status_code == 404


async def test_what_is_no_feed_is_not_found(client: httpx.AsyncClient):
    for name in ("cal_x.ics", "cal_" + "A" * 43, "cal_" + "A" * 43 + ".ics", "x" * 300 + ".ics", "%00.ics"):
        assert (await client.get(f"/calendar/feed/{name}")).status_code == 404, name


async def test_the_secret_is_shown_once_and_kept_as_a_hash(diary: Diary, database: Database):
    rep = await diary.rep()
    client = await diary.client(rep)
    once = {"Idempotency-Key": str(uuid4())}
    first = await client.post(FEEDS, json={"name": "Phone"}, headers=once)
    again = await client.post(FEEDS, json={"name": "Phone"}, headers=once)
    assert first.headers["cache-control"] == "no-store"
    assert first.json() == again.json()
    token = path(first.json()).rpartition("/")[2].removesuffix(".ics")
    assert token not in (await client.get(FEEDS)).text
    async with database.read() as session:
        row = (
            await session.execute(select(CalendarFeed).where(col(CalendarFeed.user_id) == rep.id))
        ).scalar_one()
    assert token.encode() not in row.token_hash
    assert token.startswith(row.hint)


async def test_a_reading_is_noted(diary: Diary, client: httpx.AsyncClient):
    rep = await diary.rep()
    feed = await a_feed(diary, rep)
    assert feed["last_read_at"] is None
    await client.get(path(feed))
    mine = await diary.client(rep)
    assert (await mine.get(FEEDS)).json()["items"][0]["last_read_at"] is not None


async def test_nobody_has_feeds_without_end(diary: Diary):
    rep = await diary.rep()
    client = await diary.client(rep)
    for n in range(20):
        await a_feed(diary, rep, f"Place {n}")
    answer = await client.post(FEEDS, json={"name": "One more"})
    assert answer.status_code == 409
    assert "revoke one" in answer.json()["detail"]


async def test_the_page_makes_shows_and_revokes_addresses(diary: Diary, client: httpx.AsyncClient):
    rep = await diary.rep()
    page = await diary.client(rep)
    assert "No address yet" in (await page.get("/calendar/feeds")).text
    form = {"_key": uuid4().hex, "name": "My phone"}
    made = await page.post("/calendar/feeds", data=form)
    assert made.headers["cache-control"] == "no-store"
    found = re.search(r'value="https?://[^/]+(/calendar/feed/[^"]+)"', made.text)
    assert found
    assert (await client.get(found[1])).status_code == 200
    twice = await page.post("/calendar/feeds", data=form)
    assert twice.text.count("Revoke: My phone") == 1
    listed = (await page.get("/calendar/feeds")).text
    assert "cal_" in listed
    assert found[1] not in listed
    feed_id = (await page.get(FEEDS)).json()["items"][0]["id"]
    for _ in range(2):
        answer = await page.post(f"/calendar/feeds/{feed_id}/revoke", data={"_key": uuid4().hex})
        assert answer.headers["location"] == "/calendar/feeds"
    refused = await page.post("/calendar/feeds", data={"_key": uuid4().hex, "name": " "})
    assert refused.status_code == 422
