"""Requests for approval as they are read: who sees them, and what of them, before they are made as well."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.deal_desk import (
    ASKED,
    DESK,
    FINANCE,
    OTHER,
    REP,
    SELLER,
    DealDesk,
    refused,
)
from tests.stack import ClientFor

pytestmark = pytest.mark.usefixtures("worker")


@pytest.mark.parametrize("path", ["", "?mine=true", f"/{UUID(int=7)}"])
async def test_strangers_see_nothing(client: Any, path: str):
    assert (await client.get(f"/api/v1/approvals{path}")).status_code == 401


async def test_a_request_says_all_that_it_takes_to_decide(desk: DealDesk):
    asked = await desk.asked("27.5")
    approval = await desk.read(asked)
    assert approval["state"] == "pending"
    assert approval["percent"] == "27.5"
    assert approval["title"] == "27.5 % on ERP rollout"
    assert approval["subject"]["kind"] == "discount"
    assert approval["requester"]["name"] == "Rep"
    assert approval["policy"]["key"] == "deal-desk"
    assert approval["facts"]["discount"]["standard"] == 15
    assert approval["facts"]["discount"]["beyond"] == 12.5
    assert approval["facts"]["margin"] == {"known": False, "cost": 0, "percent": 0, "below_cost": False}
    assert [step["key"] for step in approval["steps"]] == ["deal-desk", "finance"]
    first = approval["steps"][0]
    assert first["state"] == "open"
    assert first["rule"] == "More than the partner's standard discount"
    assert "Desk" in {each["name"] for each in first["approvers"]}
    assert first["due_at"] is not None
    assert approval["can"] == ["approve", "counter", "return", "reject", "delegate"]
    assert asked["can"] == ["recall"]


async def test_a_partner_sees_its_own_request_without_what_is_the_vendors(desk: DealDesk):
    approval = await desk.asked("27.5", SELLER)
    await desk.done(DESK, approval, "approve", comment="Our floor is 25 %.")
    seen = await desk.read(approval, SELLER)
    assert seen["percent"] == "27.5"
    assert [(step["title"], step["state"]) for step in seen["steps"]] == [("The vendor", "open")]
    assert seen["can"] == ["recall"]
    assert not {"margin", "elsewhere", "other_deals"} & set(seen["facts"])
    assert all(step["approvers"] == step["decisions"] == [] and step["rule"] == "" for step in seen["steps"])
    assert "floor" not in str(seen)


async def test_no_partner_learns_which_steps_the_vendor_takes(desk: DealDesk):
    approval = await desk.asked("27.5", SELLER)
    assert approval["waits_for"] == "The vendor"
    seller, deal = await desk.as_(SELLER), approval["subject"]["opportunity_id"]
    listed = (await seller.get("/api/v1/approvals", params={"opportunity_id": deal})).json()["items"]
    assert [each["waits_for"] for each in listed] == ["The vendor"]
    again = await seller.post(
        f"/api/v1/opportunities/{deal}/discounts", json={"percent": "20", "reason": "?"}
    )
    assert again.json()["detail"].startswith("27.5 % off waits for the vendor:")
    pages = [f"/api/v1/opportunities/{deal}{part}" for part in ("", "/blockers", "/discounts", "/timeline")]
    for at in (*pages, f"/opportunities/{deal}", "/approvals?scope=open", f"/approvals/{approval['id']}"):
        assert "finance" not in (await seller.get(at)).text.lower(), at


async def test_what_would_be_granted_follows_what_is_asked_for_by_now(desk: DealDesk):
    approval = await desk.asked("20")
    assert approval["terms"]["grant"].startswith("up to 20 %")
    await desk.done(DESK, approval, "return", comment="They ask for more, it seems.")
    again = await desk.done(REP, approval, "resubmit", percent="24", reason="They want more.")
    assert again["terms"]["grant"].startswith("up to 24 %, for at least 200,000.00 USD")
    await desk.done(DESK, approval, "counter", percent="18")
    taken = await desk.done(REP, approval, "accept")
    assert taken["terms"]["grant"].startswith("up to 18 %")


@pytest.mark.parametrize("verb", ["", "approve", "recall"])
async def test_the_request_of_another_partner_is_not_there(desk: DealDesk, as_: ClientFor, verb: str):
    approval = await desk.asked("20", SELLER)
    other = await as_(OTHER)
    address = f"/api/v1/approvals/{approval['id']}"
    answer = await (other.post(f"{address}/{verb}") if verb else other.get(address))
    refused(answer, 404, "not_found")
    listed = await other.get("/api/v1/approvals?limit=200")
    assert approval["id"] not in {each["id"] for each in listed.json()["items"]}


async def test_a_partner_does_not_see_what_the_vendor_asks_for_itself(desk: DealDesk, as_: ClientFor):
    approval = await desk.asked("20", REP)
    seller = await as_(SELLER)
    refused(await seller.get(f"/api/v1/approvals/{approval['id']}"), 404, "not_found")


async def test_lists_go_by_state_and_by_whom_they_wait_for(desk: DealDesk, as_: ClientFor):
    waiting, over = await desk.asked(), await desk.asked()
    await desk.done(DESK, over, "reject", comment="No.")
    mine = await ids(as_, DESK, "mine=true&limit=200")
    assert waiting["id"] in mine
    assert over["id"] not in mine
    rejected = await ids(as_, DESK, "state=rejected&limit=200")
    assert over["id"] in rejected
    assert waiting["id"] not in rejected
    deal = waiting["subject"]["opportunity_id"]
    assert await ids(as_, DESK, f"opportunity_id={deal}") == [waiting["id"]]
    assert waiting["id"] not in await ids(as_, FINANCE, "mine=true&limit=200")
    answer = await (await as_(DESK)).get("/api/v1/approvals?state=nonsense")
    assert answer.status_code == 422


async def ids(as_: ClientFor, who: str, query: str) -> list[str]:
    answer = await (await as_(who)).get(f"/api/v1/approvals?{query}")
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


async def test_the_list_of_what_waits_goes_by_the_time_left(desk: DealDesk, as_: ClientFor):
    await desk.asked()
    await desk.asked("27.5")
    answer = await (await as_(DESK)).get("/api/v1/approvals?mine=true&limit=200")
    due = [each["due_at"] for each in answer.json()["items"]]
    assert due == sorted(due)
    assert {each["your_step"] for each in answer.json()["items"]} >= {"Deal desk"}


async def test_a_preview_says_who_would_be_asked_and_keeps_nothing(desk: DealDesk, as_: ClientFor):
    deal = await desk.open()
    rep = await as_(REP)
    wish = {**ASKED, "opportunity_id": deal["id"], "percent": "45"}
    answer = await rep.post("/api/v1/approvals/preview", json=wish)
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert seen["state"] == "pending"
    assert [(step["key"], step["after"]) for step in seen["steps"]] == [
        ("deal-desk", []),
        ("finance", []),
        ("sales-director", ["deal-desk", "finance"]),
    ]
    assert all(step["approvers"] and step["rule"] for step in seen["steps"])
    assert await ids(as_, REP, f"opportunity_id={deal['id']}") == []
    small = await rep.post("/api/v1/approvals/preview", json={**wish, "percent": "15"})
    assert (small.json()["state"], small.json()["steps"]) == ("granted", [])


async def test_a_preview_of_somebody_elses_deal_is_not_there(desk: DealDesk, as_: ClientFor):
    deal = await desk.open()
    other = await as_(OTHER)
    answer = await other.post("/api/v1/approvals/preview", json={**ASKED, "opportunity_id": deal["id"]})
    refused(answer, 404, "not_found")


async def test_the_deal_says_who_holds_its_request_by_now(desk: DealDesk, as_: ClientFor):
    rep, deal = await as_(REP), await desk.open()
    approval = await desk.pending(deal, "45")

    async def holder() -> tuple[Any, Any]:
        discounts = await rep.get(f"/api/v1/opportunities/{deal['id']}/discounts")
        found = discounts.json()["items"][0]
        return found["waits_for"], found["due_at"]

    before, due_at = await holder()
    assert before == "Deal desk and Finance"
    assert due_at == (await desk.read(approval))["steps"][0]["due_at"]
    await desk.done(DESK, approval, "approve")
    assert (await holder())[0] == "Finance"
    await desk.done(FINANCE, approval, "approve")
    assert (await holder())[0] == "Sales director"
