"""Discounts over HTTP, on the real stack: asked for, granted, refused; and the ways around are closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from db import playbooks, policies
from db.session import Database
from domain.playbook import PlaybookDefinition
from ops.policies import shipped_policies
from runtime.policies import parse_policy
from tests.discounted import Desk
from tests.factories import a_playbook, a_stage, a_task
from tests.patience import PATIENCE
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")

BOOK = "discounted"
STAGES = [
    a_stage("quote", a_task("send-quote", required=False), exit={"by": "tasks", "discount": "settled"}),
    a_stage("commit", phase="committed", probability=90),
]


Opened = Callable[..., Awaitable[Desk]]


@pytest_asyncio.fixture(scope="session")
async def rules(database: Database) -> None:
    """The policy that ships under another key, and a playbook that follows it."""
    shipped = shipped_policies()[0].read_text().replace("key: standard\n", f"key: {BOOK}\n")
    book = a_playbook(key=BOOK, discount_policy=BOOK, stages=STAGES).model_dump(exclude={"version"})
    now = datetime.now(UTC)
    async with database.transaction() as session:
        await policies.publish(session, parse_policy(shipped), by=None, now=now)
        await playbooks.publish(session, PlaybookDefinition.model_validate(book), by=None, now=now)


@pytest_asyncio.fixture
async def opened(as_: ClientFor, people: People, rules: None) -> AsyncIterator[Opened]:
    async def open_(**changes: Any) -> Desk:
        rep = await as_("rep@vendor.example")
        body = {
            "title": "ERP rollout",
            "customer": {"name": f"Acme {uuid4()}"},
            "amount": {"amount": "250000.00", "currency": "USD"},
            "playbook": BOOK,
            "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
        }
        answer = await rep.post("/api/v1/opportunities", json={**body, **changes})
        assert answer.status_code == 201, answer.text
        return Desk(
            rep=rep,
            seller=await as_("seller@aster.example"),
            desk=await as_("desk@vendor.example"),
            finance=await as_("finance@vendor.example"),
            director=await as_("director@vendor.example"),
            people=people,
            at=f"/api/v1/opportunities/{answer.json()['id']}",
        )

    yield open_


@pytest_asyncio.fixture
async def deal(opened: Opened) -> Desk:
    return await opened()


async def test_a_deal_says_what_its_partner_may_give_by_itself(deal: Desk) -> None:
    block = (await deal.deal())["discount"]
    assert block["standard_percent"] == "15"
    assert block["granted_percent"] is None
    assert block["pending_approval_id"] is None


async def test_the_standard_of_the_tier_is_granted_at_once(deal: Desk) -> None:
    asked = await deal.asked("15", deal.seller)
    assert (asked["state"], asked["approval_id"]) == ("granted", None)
    assert asked["envelope"]["max_percent"] == "15"
    block = (await deal.deal())["discount"]
    assert block["granted_percent"] == "15"


async def test_what_is_beyond_waits_for_the_deal_desk_and_is_granted_by_it(deal: Desk) -> None:
    asked = await deal.asked("20")
    assert asked["state"] == "pending"
    assert (await deal.deal())["discount"]["pending_approval_id"] == asked["approval_id"]
    approval = (await deal.desk.get(f"/api/v1/approvals/{asked['approval_id']}")).json()
    assert [step["key"] for step in approval["steps"]] == ["deal-desk"]
    await deal.approve(deal.desk, asked["approval_id"])
    granted = await deal.until(lambda found: found["state"] == "granted")
    assert granted["envelope"]["min_amount"] == {"amount": "200000.00", "currency": "USD"}
    assert granted["envelope"]["until"] is not None
    block = (await deal.deal())["discount"]
    assert (block["granted_percent"], block["pending_approval_id"]) == ("20", None)


@pytest.mark.parametrize(
    ("percent", "steps"),
    [
        ("20", ["deal-desk"]),
        ("25", ["deal-desk"]),
        ("25.01", ["deal-desk", "finance"]),
        ("40", ["deal-desk", "finance"]),
        ("40.01", ["deal-desk", "finance", "sales-director"]),
    ],
)
async def test_the_policy_says_who_is_asked(deal: Desk, percent: str, steps: list[str]) -> None:
    body = {"percent": percent, "reason": "A strategic account."}
    seen = await deal.rep.post(f"{deal.at}/discounts/preview", json=body)
    assert seen.status_code == 200, seen.text
    assert [step["key"] for step in seen.json()["steps"]] == steps
    assert (await deal.rep.get(f"{deal.at}/discounts")).json()["items"] == []


async def test_much_given_away_needs_finance(opened: Opened) -> None:
    deal = await opened(amount={"amount": "2000000.00", "currency": "USD"})
    seen = await deal.rep.post(f"{deal.at}/discounts/preview", json={"percent": "16", "reason": "Big."})
    assert [step["key"] for step in seen.json()["steps"]] == ["deal-desk", "finance"]


async def test_a_partner_cannot_find_out_by_previews_what_only_the_vendor_knows(opened: Opened) -> None:
    """Which steps are asked because of costs, or of the customer's other deals, is not foretold to it."""
    customer = {"name": f"Acme {uuid4()}"}
    large = await opened(customer=customer, amount={"amount": "2000000.00", "currency": "USD"})
    await large.asked("16")
    deal = await opened(customer=customer)
    for who, steps in ((deal.rep, ["deal-desk", "finance"]), (deal.seller, ["deal-desk"])):
        seen = await who.post(f"{deal.at}/discounts/preview", json={"percent": "16", "reason": "Big."})
        assert [step["key"] for step in seen.json()["steps"]] == steps
        assert seen.json()["state"] == "pending"


@pytest.mark.parametrize("percent", ["0", "-1", "100", "100.0000001", "27.555", "NaN", "", "many", "1e1"])
async def test_no_such_percentage(deal: Desk, percent: str) -> None:
    answer = await deal.ask(percent)
    assert answer.status_code == 422, answer.text
    problem = answer.json()["errors"][0]
    assert problem["pointer"] == "/percent"
    assert len(problem["detail"]) > 10
    assert (await deal.rep.get(f"{deal.at}/discounts")).json()["items"] == []


async def test_one_request_at_a_time(deal: Desk) -> None:
    first = await deal.asked("20")
    refused = await deal.ask("19")
    assert (refused.status_code, refused.json()["code"]) == (409, "discount_pending")
    assert refused.json()["approval_id"] == first["approval_id"]


async def test_several_at_once_are_one(deal: Desk) -> None:
    answers = await asyncio.gather(*(deal.ask("20") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


async def test_the_same_request_again_is_the_same_discount(deal: Desk) -> None:
    body = {"percent": "20", "reason": "A strategic account."}
    headers = {"Idempotency-Key": str(uuid4())}
    answers = [await deal.rep.post(f"{deal.at}/discounts", json=body, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()


async def test_who_only_reads_asks_for_nothing(deal: Desk) -> None:
    assert (await deal.ask("20", deal.desk)).status_code == 403


async def test_another_partner_sees_no_discounts(deal: Desk, as_: ClientFor) -> None:
    borealis = await as_("seller@borealis.example")
    assert (await deal.ask("5", borealis)).status_code == 404
    assert (await borealis.get(f"{deal.at}/discounts")).status_code == 404


async def test_a_partner_of_the_deal_sees_its_own_only(deal: Desk, as_: ClientFor) -> None:
    added = {"partner_id": str(deal.people.borealis.id), "role": "technology"}
    await deal.rep.post(f"{deal.at}/partners", json=added)
    await deal.asked("15", deal.seller)
    borealis = await as_("seller@borealis.example")
    assert (await borealis.get(f"{deal.at}/discounts")).json()["items"] == []
    told = (await borealis.get(f"{deal.at}/timeline")).text
    assert "15 %" not in told
    assert (await deal.deal(borealis))["discount"]["granted_percent"] is None


async def test_an_amount_in_a_currency_without_a_rate_is_refused(opened: Opened) -> None:
    deal = await opened(amount={"amount": "250000.00", "currency": "XPF"})
    refused = await deal.ask("20")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_exchange_rate")


async def test_a_stage_that_says_so_waits_until_it_is_decided(deal: Desk) -> None:
    asked = await deal.asked("20")
    refused = await deal.advance()
    assert (refused.status_code, refused.json()["code"]) == (409, "discount_pending")
    blocker = (await deal.blockers())["discount_pending"]
    assert "Deal desk" in blocker["who"]
    assert blocker["due_at"] is not None
    await deal.approve(deal.desk, asked["approval_id"])
    await deal.until(lambda found: found["state"] == "granted")
    assert (await deal.advance()).json()["stage"]["key"] == "commit"


async def test_a_deal_is_not_won_while_a_discount_is_pending(deal: Desk) -> None:
    assert (await deal.advance()).status_code == 200
    await deal.asked("20")
    refused = await deal.rep.post(f"{deal.at}/win")
    assert (refused.status_code, refused.json()["code"]) == (409, "discount_pending")


async def test_nobody_moves_a_deal_past_it(deal: Desk) -> None:
    await deal.asked("20")
    moved = await deal.rep.post(f"{deal.at}/move", json={"stage": "commit", "reason": "No time."})
    assert (moved.status_code, moved.json()["code"]) == (409, "discount_pending")


async def test_what_is_rejected_leaves_the_deal_without(deal: Desk) -> None:
    asked = await deal.asked("20")
    body = {"comment": "The margin is too thin."}
    await deal.desk.post(f"/api/v1/approvals/{asked['approval_id']}/reject", json=body)
    refused = await deal.until(lambda found: found["state"] == "rejected")
    assert refused["note"] == "The margin is too thin."
    assert (await deal.deal())["discount"]["granted_percent"] is None
    assert (await deal.advance()).status_code == 200


async def test_a_counter_offer_that_is_taken_is_granted(deal: Desk) -> None:
    asked = await deal.asked("24")
    at = f"/api/v1/approvals/{asked['approval_id']}"
    assert (await deal.desk.post(f"{at}/counter", json={"percent": "18"})).status_code == 200
    await deal.until(lambda found: found["state"] == "countered")
    assert (await deal.rep.post(f"{at}/accept", json={})).status_code == 200
    granted = await deal.until(lambda found: found["state"] == "granted")
    assert (granted["percent"], granted["asked_percent"]) == ("18", "24")
    assert granted["envelope"]["max_percent"] == "18"


async def test_what_is_back_waits_for_who_asked_whoever_reads_it(deal: Desk) -> None:
    asked = await deal.asked("24", deal.seller)
    at = f"/api/v1/approvals/{asked['approval_id']}"
    assert (await deal.desk.post(f"{at}/counter", json={"percent": "18"})).status_code == 200
    await deal.until(lambda found: found["state"] == "countered")
    for reader in (deal.rep, deal.seller):
        found = (await reader.get(f"{deal.at}/discounts")).json()["items"][0]
        assert (found["offered"], found["waits_for"], found["due_at"]) == ("18", "Seller", None)
        blocker = (await deal.blockers(reader))["discount_pending"]
        assert (blocker["who"], blocker["turn"], blocker["due_at"]) == ("Seller", "partner", None)
    again = {"percent": "22", "reason": "They came down."}
    assert (await deal.seller.post(f"{at}/resubmit", json=again)).status_code == 200
    found = await deal.until(lambda found: found["state"] == "pending")
    assert (found["offered"], found["percent"]) == (None, "22")
    assert found["due_at"] is not None
    for reader, who in ((deal.rep, "Deal desk ("), (deal.seller, "the vendor")):
        blocker = (await deal.blockers(reader))["discount_pending"]
        assert blocker["who"].startswith(who)
        assert blocker["turn"] == "vendor"
    told = (await deal.seller.get(f"{deal.at}/discounts")).json()["items"][0]
    assert told["waits_for"] == "the vendor"


async def test_who_asked_and_in_whose_name_may_answer_from_the_deal(deal: Desk) -> None:
    asked = await deal.asked("24", deal.director)
    await deal.desk.post(f"/api/v1/approvals/{asked['approval_id']}/counter", json={"percent": "18"})
    await deal.until(lambda found: found["state"] == "countered")
    for reader, answers in ((deal.director, True), (deal.rep, True), (deal.desk, False)):
        page = (await reader.get(deal.at.removeprefix("/api/v1"))).text
        assert "18 % is offered instead" in page
        assert ("Answer on the request" in page) is answers


async def test_a_change_inside_the_grant_needs_nobody(deal: Desk) -> None:
    await deal.granted("20")
    await deal.change(amount={"amount": "210000.00", "currency": "USD"})
    assert (await deal.deal())["discount"]["outside"] == []
    again = await deal.asked("20")
    assert again["state"] == "granted"
    assert again["envelope"]["min_amount"]["amount"] == "200000.00", "asking again moves no bound"
    assert (await deal.advance()).status_code == 200


async def test_an_amount_edited_after_the_approval_is_asked_about(deal: Desk) -> None:
    await deal.granted("20")
    await deal.change(amount={"amount": "150000.00", "currency": "USD"})
    assert (await deal.deal())["discount"]["outside"] != []
    refused = await deal.advance()
    assert (refused.status_code, refused.json()["code"]) == (409, "discount_outside_grant")
    assert "discount_outside_grant" in await deal.blockers()
    asked = await deal.asked("20")
    assert asked["state"] == "pending"
    await deal.approve(deal.desk, asked["approval_id"])
    await deal.until(lambda found: found["state"] == "granted")
    assert (await deal.advance()).status_code == 200


async def test_an_amount_that_grows_beyond_a_step_asks_that_step_alone(deal: Desk) -> None:
    await deal.granted("20")
    await deal.change(amount={"amount": "2000000.00", "currency": "USD"})
    assert "more approval" in (await deal.deal())["discount"]["outside"][0]
    asked = await deal.asked("20")
    approval = (await deal.desk.get(f"/api/v1/approvals/{asked['approval_id']}")).json()
    assert [step["key"] for step in approval["steps"]] == ["finance"]


async def test_slices_ask_for_the_total(deal: Desk) -> None:
    await deal.asked("15")
    asked = await deal.asked("16")
    assert asked["state"] == "pending"


async def test_a_partner_that_left_takes_the_grant_along(deal: Desk) -> None:
    await deal.granted("20")
    aster = str(deal.people.aster.id)
    await deal.rep.delete(f"{deal.at}/partners/{aster}")
    await deal.rep.post(f"{deal.at}/partners", json={"partner_id": aster, "role": "reseller"})
    assert (await deal.latest())["state"] == "lapsed"
    refused = await deal.advance()
    assert (refused.status_code, refused.json()["code"]) == (409, "discount_outside_grant")
    assert (await deal.asked("20"))["state"] == "pending"


async def test_a_partner_that_left_takes_its_request_along(deal: Desk) -> None:
    asked = await deal.asked("20", deal.seller)
    await deal.rep.delete(f"{deal.at}/partners/{deal.people.aster.id}")
    assert (await deal.latest())["state"] == "dropped"
    await _recalled(deal, asked["approval_id"])


async def test_a_deal_that_is_lost_withdraws_its_request(deal: Desk) -> None:
    asked = await deal.asked("20")
    assert (await deal.rep.post(f"{deal.at}/lose", json={"reason": "price"})).status_code == 200
    await _recalled(deal, asked["approval_id"])
    late = await deal.desk.post(f"/api/v1/approvals/{asked['approval_id']}/approve", json={})
    assert late.status_code == 409


async def _recalled(deal: Desk, approval_id: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            approval = (await deal.desk.get(f"/api/v1/approvals/{approval_id}")).json()
            if approval["state"] == "recalled":
                return
            await asyncio.sleep(0.02)


async def test_a_copy_of_the_deal_is_seen_by_who_decides(opened: Opened) -> None:
    customer = {"name": f"Twice {uuid4()}"}
    first = await opened(customer=customer, amount={"amount": "1000000.00", "currency": "USD"})
    await first.granted("20")
    copy = await opened(customer=customer, amount={"amount": "1000000.00", "currency": "USD"})
    asked = await copy.asked("20")
    approval = (await copy.desk.get(f"/api/v1/approvals/{asked['approval_id']}")).json()
    assert [step["key"] for step in approval["steps"]] == ["deal-desk", "finance"], "together it is too much"
    other = approval["facts"]["other_deals"][0]
    assert (other["title"], other["percent"], other["state"]) == ("ERP rollout", "20", "granted")


async def test_a_grant_that_nobody_wants_any_more_is_given_up_and_never_instead_of_asking_again(
    deal: Desk,
) -> None:
    granted = await deal.granted("20")
    drop = f"{deal.at}/discounts/{granted['id']}/drop"
    await deal.change(amount={"amount": "1000.00", "currency": "USD"})
    refused = await deal.rep.post(drop, json={"reason": "Full price."})
    assert refused.status_code == 409, refused.text
    assert "up to 15 % needs nobody" in refused.json()["detail"]
    assert (await deal.advance()).status_code == 409
    await deal.change(amount={"amount": "250000.00", "currency": "USD"})
    dropped = await deal.rep.post(drop, json={"reason": "Full price."})
    assert dropped.status_code == 200, dropped.text
    assert dropped.json()["discount"]["outside"] == []
    assert (await deal.advance()).status_code == 200
