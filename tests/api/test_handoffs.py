"""Hand-offs over HTTP: receiver, follow-ups, the contract's end, lists; and who is told what of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from db.session import Database
from tests.handoffs import publish_a_short_sale
from tests.patience import PATIENCE
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")

COMMANDS: dict[str, dict[str, Any]] = {
    "assign": {"user_id": None},
    "follow-ups": {"health": "good", "note": "All well."},
    "contract": {"contract_ends": None},
    "close": {"reason": "other", "note": "x"},
    "accept": {},
    "return": {"comment": "Who?"},
}


@pytest_asyncio.fixture(scope="session")
async def short(database: Database) -> str:
    return await publish_a_short_sale(database)


@dataclass
class Won:
    """A won deal, and who works on it."""

    at: str
    id: str
    rep: httpx.AsyncClient
    success: httpx.AsyncClient

    async def do(self, who: httpx.AsyncClient, what: str, status: int = 200, **body: Any) -> Any:
        answer = await who.post(f"{self.at}/{what}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def handoff(self, who: httpx.AsyncClient | None = None) -> Any:
        answer = await (who or self.success).get(f"{self.at}/handoff")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def until(self, progress: str) -> Any:
        """The hand-off, once it stands like that: it hears of its deal a moment later."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.handoff()
                if found["progress"] == progress:
                    return found
                await asyncio.sleep(0.05)

    async def complete(self) -> Any:
        await self.do(self.rep, "tasks/promises/complete", note="Go-live in June.")
        return await self.until("waiting")

    async def accept(self) -> Any:
        await self.do(self.success, "handoff/accept", comment="Welcome.")
        return await self.until("accepted")


@pytest_asyncio.fixture
async def won(as_: ClientFor, people: People, short: str) -> Won:
    rep = await as_("rep@vendor.example")
    body = {
        "title": "ERP rollout",
        "customer": {"name": "Acme"},
        "amount": {"amount": "250000.00", "currency": "USD"},
        "playbook": short,
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    deal = (await rep.post("/api/v1/opportunities", json=body)).json()
    won = Won(f"/api/v1/opportunities/{deal['id']}", deal["id"], rep, await as_("success@vendor.example"))
    await won.do(rep, "tasks/call/complete")
    await won.do(rep, "win", contract_ends=(datetime.now(UTC) + timedelta(days=365)).date().isoformat())
    await won.until("preparing")
    return won


async def test_from_the_signature_to_a_follow_up(won: Won, people: People):
    found = await won.handoff()
    assert (found["state"], found["receiver"], found["due_at"]) == ("pending", None, None)
    refused = await won.do(won.rep, "tasks/promises/complete", status=422)
    assert refused["errors"][0]["pointer"] == "/note"
    found = await won.complete()
    assert found["due_at"] is not None
    assert [task["note"] for task in found["tasks"] if task["key"] == "promises"] == ["Go-live in June."]
    success = await people.of("success@vendor.example")
    found = await won.do(won.success, "handoff/assign", user_id=str(success.id))
    assert found["receiver"]["id"] == str(success.id)
    found = await won.accept()
    assert (found["state"], len(found["follow_ups"])) == ("accepted", 2)
    assert found["renewal"]["opens_at"].endswith("T00:00:00Z")
    found = await won.do(
        won.success, "handoff/follow-ups", status=201, key="follow-up-1", health="at_risk", note="Slow."
    )
    assert found["health"] == "at_risk"
    again = await won.do(
        won.success, "handoff/follow-ups", status=409, key="follow-up-1", health="good", note="x"
    )
    assert again["code"] == "follow_up_done"
    listed = (await won.success.get(f"{won.at}/handoff/follow-ups")).json()["items"]
    assert [each["state"] for each in listed] == ["done", "planned"]


async def test_the_contracts_end_and_its_end(won: Won):
    await won.complete()
    early = await won.do(won.success, "handoff/close", status=409, reason="other", note="x")
    assert early["code"] == "handoff_not_accepted"
    await won.accept()
    past = await won.do(won.rep, "handoff/contract", status=422, contract_ends="1999-01-01")
    assert past["errors"][0]["pointer"] == "/contract_ends"
    found = await won.do(won.rep, "handoff/contract", contract_ends=None)
    assert found["renewal"]["opens_at"] is None
    found = await won.do(won.success, "handoff/close", reason="customer_left", note="Bought.")
    assert (found["progress"], found["ended"]["reason"]) == ("ended", "customer_left")
    closed = await won.do(won.success, "handoff/contract", status=409, contract_ends=None)
    assert closed["code"] == "handoff_ended"


async def renewed(won: Won) -> Any:
    """The renewal, once it is open and recorded."""
    async with asyncio.timeout(PATIENCE):
        while True:
            opened = (await won.handoff())["renewal"]["opportunity_id"]
            answer = await won.rep.get(f"/api/v1/opportunities/{opened}")
            if answer.status_code == 200:
                return answer.json()
            await asyncio.sleep(0.05)


async def test_a_contract_that_ends_soon_is_renewed_at_once(won: Won):
    await won.complete()
    await won.accept()
    ends = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    await won.do(won.success, "handoff/contract", contract_ends=ends)
    deal = await renewed(won)
    assert (deal["parent_id"], deal["expected_close"], deal["status"]) == (won.id, ends, "open")
    assert deal["amount"] == {"amount": "250000.00", "currency": "USD"}
    assert [partner["name"] for partner in deal["partners"]] == ["Aster Integrators"]


async def test_a_receiver_is_somebody_of_customer_success(won: Won, people: People):
    rep = await people.of("rep@vendor.example")
    refused = await won.do(won.success, "handoff/assign", status=422, user_id=str(rep.id))
    assert refused["errors"][0]["pointer"] == "/user_id"
    unknown = await won.do(won.success, "handoff/assign", status=422, user_id=won.id)
    assert unknown["errors"][0]["pointer"] == "/user_id"
    forbidden = await won.do(won.rep, "handoff/assign", status=403, user_id=None)
    assert forbidden["detail"] == "Customer success says who receives a hand-off."


async def test_its_etag_guards_both_the_process_and_the_deal(won: Won, people: People):
    await won.complete()
    read = await won.success.get(f"{won.at}/handoff")
    tag = read.headers["etag"]
    known = await won.success.get(f"{won.at}/handoff", headers={"If-None-Match": tag})
    assert known.status_code == 304
    success = await people.of("success@vendor.example")
    await won.do(won.success, "handoff/assign", user_id=str(success.id))
    stale = await won.success.post(
        f"{won.at}/handoff/assign", json={"user_id": None}, headers={"If-Match": tag}
    )
    assert stale.status_code == 412
    accepted = await won.success.post(f"{won.at}/handoff/accept", headers={"If-Match": tag})
    assert accepted.status_code == 200, "the deal has not changed"


async def test_the_same_request_twice_is_one_change(won: Won):
    await won.complete()
    await won.accept()
    headers = {"Idempotency-Key": f"follow-up-{won.id}"}
    body = {"health": "good", "note": "All well."}
    first = await won.success.post(f"{won.at}/handoff/follow-ups", json=body, headers=headers)
    again = await won.success.post(f"{won.at}/handoff/follow-ups", json=body, headers=headers)
    assert (first.status_code, again.json()) == (201, first.json())
    assert len((await won.handoff())["follow_ups"]) == 3


async def test_a_partner_of_the_deal_is_told_how_far_it_is_and_nothing_of_the_customer(
    won: Won, as_: ClientFor
):
    seller = await as_("seller@aster.example")
    await won.complete()
    await won.accept()
    await won.do(won.success, "handoff/follow-ups", status=201, health="bad", note="They complain.")
    found = await won.handoff(seller)
    assert (found["progress"], found["health"], found["follow_ups"]) == ("accepted", None, [])
    listed = (await seller.get("/api/v1/handoffs", params={"sort": "latest"})).json()["items"]
    mine = next(each for each in listed if each["opportunity_id"] == won.id)
    assert (mine["health"], mine["follow_up"]) == (None, None)
    told = (await seller.get(f"{won.at}/timeline", params={"limit": 200})).json()["items"]
    types = {each["type"] for each in told}
    assert "handoff_waits" in types
    assert "follow_up_logged" not in types
    assert all(each["approval_id"] is None for each in told)


@pytest.mark.parametrize("what", COMMANDS)
async def test_a_partner_gives_it_no_command(won: Won, as_: ClientFor, what: str):
    seller = await as_("seller@aster.example")
    await won.do(seller, f"handoff/{what}", status=403, **COMMANDS[what])


@pytest.mark.parametrize("what", COMMANDS)
async def test_for_another_partner_it_does_not_exist(won: Won, as_: ClientFor, what: str):
    other = await as_("seller@borealis.example")
    await won.do(other, f"handoff/{what}", status=404, **COMMANDS[what])
    assert (await other.get(f"{won.at}/handoff")).status_code == 404
    assert (await other.get(f"{won.at}/handoff/follow-ups")).status_code == 404
    listed = (await other.get("/api/v1/handoffs")).json()["items"]
    assert won.id not in {each["opportunity_id"] for each in listed}


async def test_anonymous(won: Won, client: httpx.AsyncClient):
    for what, body in COMMANDS.items():
        assert (await client.post(f"{won.at}/handoff/{what}", json=body)).status_code == 401
    assert (await client.get(f"{won.at}/handoff")).status_code == 401
    assert (await client.get("/api/v1/handoffs")).status_code == 401


async def test_the_list_and_my_work(won: Won, people: People):
    await won.complete()
    success = await people.of("success@vendor.example")
    await won.do(won.success, "handoff/assign", user_id=str(success.id))
    mine = (await won.success.get("/api/v1/handoffs", params={"progress": "waiting", "mine": True})).json()[
        "items"
    ]
    assert won.id in {each["opportunity_id"] for each in mine}
    nobodys = (await won.success.get("/api/v1/handoffs", params={"unassigned": True})).json()["items"]
    assert won.id not in {each["opportunity_id"] for each in nobodys}
    work = (await won.success.get("/api/v1/work", params={"limit": 200})).json()["items"]
    [item] = [each for each in work if each["opportunity"]["id"] == won.id and each["kind"] == "handoff"]
    assert (item["key"], item["assignee_id"]) == ("accept", str(success.id))
    assert item["due_at"] == (await won.handoff())["due_at"]
    planned = (await won.success.get("/api/v1/calendar", params={"kind": "acceptance"})).json()["items"]
    assert won.id in {each["opportunity"]["id"] for each in planned}
    soon = (datetime.now(UTC) + timedelta(days=400)).date().isoformat()
    renewals = await won.success.get(
        "/api/v1/handoffs", params={"renewal_before": soon, "sort": "renewal", "awaited": False}
    )
    assert won.id in {each["opportunity_id"] for each in renewals.json()["items"]}
    none = await won.success.get("/api/v1/handoffs", params={"awaited": True})
    assert won.id not in {each["opportunity_id"] for each in none.json()["items"]}


async def test_before_it_is_won_there_is_none(as_: ClientFor, people: People, short: str):
    rep = await as_("rep@vendor.example")
    body = {"title": "Early", "customer": {"name": "Acme"}, "playbook": short}
    deal = (await rep.post("/api/v1/opportunities", json=body)).json()
    answer = await rep.post(
        f"/api/v1/opportunities/{deal['id']}/handoff/contract", json={"contract_ends": None}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "no_handoff")
