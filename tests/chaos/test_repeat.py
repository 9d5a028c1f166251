"""Requests whose answer never came: the same request again is answered, and is still one change."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from db.session import Database
from db.tables import IdempotentRequest
from domain.playbook import Playbook
from runtime.ids import new_id
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")


async def a_deal(rep: httpx.AsyncClient, people: People, playbook: Playbook) -> str:
    body = {
        "title": "ERP rollout",
        "customer": {"name": "Acme"},
        "playbook": playbook.key,
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    answer = await rep.post("/api/v1/opportunities", json=body)
    assert answer.status_code == 201, answer.text
    return f"/api/v1/opportunities/{answer.json()['id']}"


async def forget_the_answer(database: Database, key: str) -> None:
    """What an API leaves that dies after the change and before its answer: a key that is claimed."""
    unanswered = {"status": None, "headers": None, "body": None}
    claimed = update(IdempotentRequest).where(col(IdempotentRequest.key) == key).values(**unanswered)
    async with database.transaction() as session:
        await session.execute(claimed)


async def test_the_command_that_closed_the_deal(
    as_: ClientFor, people: People, playbook: Playbook, database: Database
):
    rep, key = await as_("rep@vendor.example"), str(new_id())
    deal = await a_deal(rep, people, playbook)

    async def lose() -> httpx.Response:
        return await rep.post(f"{deal}/lose", json={"reason": "price"}, headers={"Idempotency-Key": key})

    first = await lose()
    await forget_the_answer(database, key)
    again = await lose()
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert again.json()["version"] == first.json()["version"]
    other = await rep.post(f"{deal}/lose", json={"reason": "price"})
    assert (other.status_code, other.json()["code"]) == (409, "deal_closed")


async def test_the_command_that_had_a_version_in_mind(
    as_: ClientFor, people: People, playbook: Playbook, database: Database
):
    rep, key = await as_("rep@vendor.example"), str(new_id())
    deal = await a_deal(rep, people, playbook)
    version = (await rep.get(deal)).headers["ETag"]

    async def note(**headers: str) -> httpx.Response:
        text = {"text": "The board meets on Monday."}
        return await rep.post(f"{deal}/notes", json=text, headers={"If-Match": version, **headers})

    first = await note(**{"Idempotency-Key": key})
    await forget_the_answer(database, key)
    again = await note(**{"Idempotency-Key": key})
    assert first.is_success
    assert again.is_success, again.text
    assert (await note()).status_code == 412
    story: Any = (await rep.get(f"{deal}/timeline")).json()["items"]
    assert [event["type"] for event in story].count("note_added") == 1


async def test_a_version_in_mind_and_a_deal_that_was_closed_since(
    as_: ClientFor, people: People, playbook: Playbook, database: Database
):
    rep, key = await as_("rep@vendor.example"), str(new_id())
    deal = await a_deal(rep, people, playbook)
    headers = {"If-Match": (await rep.get(deal)).headers["ETag"], "Idempotency-Key": key}
    assert (await rep.post(f"{deal}/notes", json={"text": "Once."}, headers=headers)).is_success
    await forget_the_answer(database, key)
    lost = await rep.post(f"{deal}/lose", json={"reason": "price"})
    again = await rep.post(f"{deal}/notes", json={"text": "Once."}, headers=headers)
    assert again.is_success, again.text
    assert again.json()["version"] == lost.json()["version"]


async def test_the_opening(as_: ClientFor, people: People, playbook: Playbook, database: Database):
    rep, key = await as_("rep@vendor.example"), str(new_id())
    body = {"title": "Once", "customer": {"name": "Acme"}, "playbook": playbook.key}

    async def open_it() -> httpx.Response:
        return await rep.post("/api/v1/opportunities", json=body, headers={"Idempotency-Key": key})

    first = await open_it()
    await forget_the_answer(database, key)
    again = await open_it()
    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert first.json()["id"] == again.json()["id"]


async def test_eight_who_lose_a_deal_at_once_lose_it_once(as_: ClientFor, people: People, playbook: Playbook):
    rep = await as_("rep@vendor.example")
    deal = await a_deal(rep, people, playbook)
    answers = await asyncio.gather(*(rep.post(f"{deal}/lose", json={"reason": "timing"}) for _ in range(8)))
    told = sorted((answer.status_code, answer.json().get("code", "done")) for answer in answers)
    assert told == [(200, "done"), *[(409, "deal_closed")] * 7]
