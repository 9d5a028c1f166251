"""The feed: every event once, in order, only of one's own deals."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from domain.playbook import Playbook
from tests.patience import PATIENCE
from tests.stack import ClientFor, People


async def end_of_feed(client: httpx.AsyncClient) -> str:
    """The place of the last event that this client sees by now; many tests leave theirs here."""
    wanted: dict[str, str | int] = {"limit": 200, "cursor": "0-0"}
    while items := (await client.get("/api/v1/events", params=wanted)).json()["items"]:
        wanted["cursor"] = items[-1]["id"]
    return str(wanted["cursor"])


async def test_the_feed_goes_on_after_any_event(
    as_: ClientFor, people: People, playbook: Playbook, worker: None
) -> None:
    rep, seller = await as_("rep@vendor.example"), await as_("seller@aster.example")
    stranger = await as_("seller@borealis.example")
    cursor = await end_of_feed(seller)
    body = {
        "title": "On the feed",
        "customer": {"name": f"Customer {uuid4()}"},
        "playbook": playbook.key,
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    deal = (await rep.post("/api/v1/opportunities", json=body)).json()["id"]
    for number in range(3):
        await rep.post(f"/api/v1/opportunities/{deal}/notes", json={"text": f"Note {number}"})

    told: list[Any] = []
    async with asyncio.timeout(PATIENCE):
        while len(told) < 5:  # what others are still writing holds up the feed
            page = (await seller.get("/api/v1/events", params={"limit": 2, "cursor": cursor})).json()
            told += [event for event in page["items"] if event["opportunity_id"] == deal]
            cursor = page["next_cursor"] or [cursor, *(event["id"] for event in page["items"])][-1]
    assert [event["sequence"] for event in told] == [1, 2, 3, 4, 5]
    after = (await seller.get("/api/v1/events", params={"cursor": told[2]["id"]})).json()["items"]
    assert [event["id"] for event in after if event["opportunity_id"] == deal] == [
        event["id"] for event in told[3:]
    ]
    theirs = (await stranger.get("/api/v1/events", params={"limit": 200})).json()["items"]
    assert all(event["opportunity_id"] != deal for event in theirs)


async def test_a_place_that_nobody_gave_out_is_refused(as_: ClientFor) -> None:
    answer = await (await as_("rep@vendor.example")).get("/api/v1/events", params={"cursor": "yesterday"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def test_a_stream_ends_with_the_key_that_opened_it(
    as_: ClientFor, address: str, people: People, playbook: Playbook, worker: None
) -> None:
    rep = await as_("rep@vendor.example")
    key = (await rep.post("/api/v1/keys", json={"name": "listener"})).json()
    body = {"title": "Not for revoked keys", "customer": {"name": f"Customer {uuid4()}"}}
    bearer = {"Authorization": f"Bearer {key['token']}"}
    async with (
        asyncio.timeout(PATIENCE),
        httpx.AsyncClient(base_url=address, headers=bearer, timeout=30) as listener,
        listener.stream("GET", "/api/v1/events/stream") as stream,
    ):
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith(":")
        assert (await rep.delete(f"/api/v1/keys/{key['id']}")).status_code == 204
        opened = await rep.post("/api/v1/opportunities", json={**body, "playbook": playbook.key})
        assert opened.status_code == 201
        told = "".join([line async for line in lines])
    assert opened.json()["id"] not in told
