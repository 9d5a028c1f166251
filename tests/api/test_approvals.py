"""Requests for approval over HTTP, on the real stack: who sees them, every command, and every race."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from temporalio.client import Client

from api.app import create_app
from db.session import Database
from runtime.settings import Settings
from tests.deal_desk import ASKED, DealDesk, a_desk
from tests.decisions import a_case
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")

REP, DESK, DESK2 = "rep@vendor.example", "desk@vendor.example", "desk2@vendor.example"
FINANCE, DIRECTOR = "finance@vendor.example", "director@vendor.example"
SELLER, OTHER = "seller@aster.example", "seller@borealis.example"


@pytest_asyncio.fixture(scope="session")
async def desk(as_: ClientFor, database: Database, people: People) -> DealDesk:
    return await a_desk(as_, database, people)


def refused(answer: Any, status: int, code: str) -> str:
    """The sentence of a refusal."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    detail: str = answer.json()["detail"]
    return detail


# Who sees what -----------------------------------------------------------------------------


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


# Every command -----------------------------------------------------------------------------


async def test_who_has_to_agree_agrees_and_the_deal_has_its_grant(desk: DealDesk):
    deal = await desk.open()
    approval = await desk.pending(deal, "27.5")
    first = await desk.done(DESK, approval, "approve", comment="Fine for us.")
    assert first["state"] == "pending"
    assert [step["state"] for step in first["steps"]] == ["approved", "open"]
    assert first["steps"][0]["decisions"][0]["comment"] == "Fine for us."
    last = await desk.done(FINANCE, approval, "approve")
    assert last["state"] == "approved"
    assert last["can"] == []
    granted = await desk.until_deal(deal, lambda found: found["discount"]["granted_percent"] == "27.5")
    assert granted["discount"]["pending_approval_id"] is None
    assert "up to 27.5 %, for at least 200,000.00 USD" in granted["discount"]["envelope"]


async def test_one_no_ends_it(desk: DealDesk):
    deal = await desk.open()
    approval = await desk.pending(deal, "27.5")
    after = await desk.done(FINANCE, approval, "reject", comment="The margin does not allow it.")
    assert after["state"] == "rejected"
    assert after["ended"]["by"]["name"] == "Finance"
    assert after["ended"]["comment"] == "The margin does not allow it."
    found = await desk.until_deal(deal, lambda found: found["discount"]["pending_approval_id"] is None)
    assert found["discount"]["granted_percent"] is None


async def test_a_returned_request_is_amended_and_decided_anew(desk: DealDesk):
    approval = await desk.asked("27.5")
    returned = await desk.done(DESK, approval, "return", comment="Which price did they offer?")
    assert returned["state"] == "returned"
    assert returned["returned"]["comment"] == "Which price did they offer?"
    assert (await desk.read(approval, REP))["can"] == ["resubmit", "recall"]
    again = await desk.done(REP, approval, "resubmit", percent="20", comment="190,000, in writing.")
    assert again["state"] == "pending"
    assert again["percent"] == "20"
    assert [(each["number"], each["percent"], each["state"]) for each in again["rounds"]] == [
        (1, "27.5", "returned")
    ]
    assert [step["key"] for step in again["steps"]] == ["deal-desk"]
    assert (await desk.done(DESK, approval, "approve"))["state"] == "approved"


async def test_an_offer_is_taken_and_counts_as_the_approval_of_who_made_it(desk: DealDesk):
    deal = await desk.open()
    approval = await desk.pending(deal, "20")
    offered = await desk.done(DESK, approval, "counter", percent="18", comment="This much.")
    assert offered["state"] == "countered"
    assert offered["counter"]["percent"] == "18"
    assert (await desk.read(approval, REP))["can"] == ["accept", "resubmit", "recall"]
    taken = await desk.done(REP, approval, "accept")
    assert taken["state"] == "approved"
    await desk.until_deal(deal, lambda found: found["discount"]["granted_percent"] == "18")


async def test_the_requester_takes_it_back(desk: DealDesk):
    approval = await desk.asked()
    assert (await desk.done(REP, approval, "recall", comment="Not needed."))["state"] == "recalled"


async def test_a_colleague_decides_in_ones_place(desk: DealDesk, people: People):
    approval = await desk.asked("27.5")
    to = await people.of("success@vendor.example")
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    after = await desk.done(FINANCE, approval, "delegate", to=str(to.id), until=until)
    seat = next(each for each in after["steps"][1]["approvers"] if each["id"] == str(to.id))
    assert seat["stands_in_for"]["name"] == "Finance"
    refused(await desk.give(FINANCE, approval, "approve"), 403, "not_an_approver")
    decided = await desk.done("success@vendor.example", approval, "approve")
    assert decided["steps"][1]["decisions"][0]["stands_in_for"]["name"] == "Finance"


# Who may not, and what does not fit ----------------------------------------------------------


async def test_four_eyes(desk: DealDesk, as_: ClientFor):
    """Not even a director who asked decides on it, and nobody for whom it was asked."""
    approval = await desk.asked("45", DIRECTOR)
    assert "second pair of eyes" in refused(
        await desk.give(DIRECTOR, approval, "approve"), 403, "own_request"
    )
    assert DIRECTOR not in str(approval["steps"])
    for step in (await desk.read(approval))["steps"]:
        assert desk.people.known[DIRECTOR].id not in {each["id"] for each in step["approvers"]}


@pytest.mark.parametrize("who", ["rep2@vendor.example", FINANCE, "success@vendor.example"])
async def test_only_who_is_asked_decides(desk: DealDesk, who: str):
    approval = await desk.asked("20")
    assert "Desk" in refused(await desk.give(who, approval, "approve"), 403, "not_an_approver")


@pytest.mark.parametrize("verb", ["accept", "resubmit", "recall"])
async def test_only_the_requester_answers(desk: DealDesk, verb: str):
    approval = await desk.asked()
    assert (await desk.give(DESK, approval, verb)).status_code in (403, 409)
    assert (await desk.read(approval))["state"] == "pending"


@pytest.mark.parametrize(
    ("verb", "body", "pointer"),
    [
        ("reject", {}, "/comment"),
        ("reject", {"comment": " "}, "/comment"),
        ("return", {}, "/comment"),
        ("counter", {}, "/percent"),
        ("counter", {"percent": "0"}, "/percent"),
        ("counter", {"percent": "-5"}, "/percent"),
        ("counter", {"percent": "20"}, "/percent"),
        ("counter", {"percent": "25"}, "/percent"),
        ("counter", {"percent": "100"}, "/percent"),
        ("counter", {"percent": "17.123"}, "/percent"),
        ("delegate", {"to": str(uuid4())}, "/to"),
        ("approve", {"commment": "typo"}, "/commment"),
    ],
)
async def test_what_does_not_fit_is_refused_by_name(desk: DealDesk, verb: str, body: Any, pointer: str):
    approval = await desk.asked("20")
    answer = await desk.give(DESK, approval, verb, **body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await desk.read(approval))["state"] == "pending"


async def test_a_partner_cannot_be_given_a_decision(desk: DealDesk, people: People):
    approval = await desk.asked()
    for email in (SELLER, DESK, REP):
        to = await people.of(email)
        answer = await desk.give(DESK, approval, "delegate", to=str(to.id))
        refused(answer, 422, "invalid_input")


# Races ---------------------------------------------------------------------------------------


async def test_of_two_who_decide_at_once_one_does(desk: DealDesk):
    approval = await desk.asked("20")
    answers = await asyncio.gather(
        desk.give(DESK, approval, "approve"), desk.give(DESK2, approval, "reject", comment="No.")
    )
    assert sorted(each.status_code for each in answers) == [200, 409]
    late = next(each for each in answers if each.status_code == 409)
    refused(late, 409, "approval_closed")
    after = await desk.read(approval)
    assert len(after["steps"][0]["decisions"]) == 1


async def test_nobody_decides_twice(desk: DealDesk):
    approval = await desk.asked("27.5")
    await desk.done(DESK, approval, "approve")
    refused(await desk.give(DESK, approval, "reject", comment="After all."), 409, "already_decided")


@pytest.mark.parametrize("verb", ["approve", "recall"])
async def test_what_has_ended_takes_no_command(desk: DealDesk, verb: str):
    approval = await desk.asked()
    await desk.done(REP, approval, "recall")
    said = refused(
        await desk.give(DESK if verb == "approve" else REP, approval, verb), 409, "approval_closed"
    )
    assert "recalled already by Rep" in said


async def test_a_lost_deal_takes_its_request_along(desk: DealDesk, as_: ClientFor):
    deal = await desk.open()
    approval = await desk.pending(deal)
    rep = await as_(REP)
    await rep.post(f"/api/v1/opportunities/{deal['id']}/lose", json={"reason": "price"})
    after = await desk.until(approval, lambda found: found["state"] == "recalled")
    assert after["ended"]["by"]["id"] is None
    refused(await desk.give(DESK, approval, "approve"), 409, "approval_closed")


async def test_what_nobody_decided_in_time_takes_no_decision(
    desk: DealDesk, settings: Settings, temporal: Client, people: People, as_: ClientFor
):
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        case = await a_case(app.state.services, temporal, people, lasts=timedelta(seconds=2))
    expired = await desk.until({"id": str(case.id)}, lambda found: found["state"] == "expired")
    assert expired["can"] == []
    people.known[case.desk.email] = case.desk
    refused(await desk.give(case.desk.email, expired, "approve"), 409, "approval_closed")


async def test_the_same_request_again_is_one_decision(desk: DealDesk):
    approval = await desk.asked("27.5")
    key = {"Idempotency-Key": str(uuid4())}
    first = await desk.give(DESK, approval, "approve", headers=key, comment="Once.")
    again = await desk.give(DESK, approval, "approve", headers=key, comment="Once.")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    other = await desk.give(DESK, approval, "approve", headers=key, comment="Twice.")
    refused(other, 422, "idempotency_key_reused")
    assert len((await desk.read(approval))["steps"][0]["decisions"]) == 1


async def test_who_has_read_an_older_version_decides_nothing(desk: DealDesk, as_: ClientFor):
    approval = await desk.asked("27.5")
    answer = await (await as_(FINANCE)).get(f"/api/v1/approvals/{approval['id']}")
    read = answer.headers["etag"]
    assert read == f'"{approval["version"]}"'
    await desk.done(DESK, approval, "approve")
    late = await desk.give(FINANCE, approval, "approve", headers={"If-Match": read})
    refused(late, 412, "stale_version")
    current = {"If-Match": f'"{(await desk.read(approval))["version"]}"'}
    assert (await desk.give(FINANCE, approval, "approve", headers=current)).status_code == 200


# Before anything is submitted ------------------------------------------------------------------


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
