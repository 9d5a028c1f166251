"""Requests for approval over HTTP, on the real stack: every command, who may not, and every race."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from api.app import create_app
from runtime.settings import Settings
from tests.deal_desk import (
    DESK,
    DESK2,
    DIRECTOR,
    FINANCE,
    REP,
    SELLER,
    DealDesk,
    refused,
)
from tests.decisions import a_case
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")


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
        case = await a_case(app.state.services, temporal, people, lasts=timedelta(seconds=10))
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
