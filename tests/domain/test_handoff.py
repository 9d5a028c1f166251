"""The hand-off to customer success: its tasks, its acceptance, its return."""

from __future__ import annotations

import pytest

from domain.errors import DealClosed, Forbidden, HandOffNotReady, NoHandOff
from domain.opportunity import commands as ask
from domain.opportunity.blockers import blockers
from domain.opportunity.state import HandOffState, Status
from tests.factories import ADMIN, DESK, DIRECTOR, LEAD, REP, SELLER, SUCCESS, a_deal, a_won_deal


def ready():
    return a_won_deal().complete("plan-onboarding")


@pytest.mark.parametrize("by", [SUCCESS, DIRECTOR, ADMIN], ids=lambda by: by.name)
def test_customer_success_accepts_and_the_deal_is_handed_off(by):
    deal = ready().ask(ask.AcceptHandOff(comment="Thank you all"), by=by)
    assert (deal.deal.status, deal.deal.handoff.state) == (Status.HANDED_OFF, HandOffState.ACCEPTED)
    assert deal.last == f"{by.name} accepted the hand-off. Thank you all"


def test_it_is_not_accepted_before_its_required_tasks_are_done():
    with pytest.raises(HandOffNotReady) as refusal:
        a_won_deal().ask(ask.AcceptHandOff(), by=SUCCESS)
    assert refusal.value.detail == "The hand-off is not complete: “Plan onboarding” is open."
    assert refusal.value.extra["blockers"][0]["task"] == "plan-onboarding"


def test_it_is_returned_with_what_is_missing():
    deal = ready().ask(ask.ReturnHandOff(comment="Who is the admin there?"), by=SUCCESS)
    assert deal.last == "Susi Success returned the hand-off: Who is the admin there?"
    [blocker] = blockers(deal.deal)
    assert blocker.what == "Customer success returned the hand-off: Who is the admin there?"
    assert blocker.who == "Rosa Rep"
    assert deal.ask(ask.AcceptHandOff(), by=SUCCESS).deal.status is Status.HANDED_OFF


def test_until_then_it_waits_for_customer_success():
    [blocker] = blockers(ready().deal)
    assert (blocker.code, blocker.who) == ("handoff_not_accepted", "customer success")


@pytest.mark.parametrize("by", [REP, DESK, SELLER, LEAD], ids=lambda by: by.name)
@pytest.mark.parametrize("command", [ask.AcceptHandOff(), ask.ReturnHandOff(comment="no")])
def test_nobody_else_answers_for_customer_success(command, by):
    with pytest.raises(Forbidden, match="Customer success"):
        ready().ask(command, by=by)


@pytest.mark.parametrize("command", [ask.AcceptHandOff(), ask.ReturnHandOff(comment="no")])
def test_there_is_no_hand_off_before_the_deal_is_won(command):
    with pytest.raises(NoHandOff, match="“ERP rollout” is open: win it first"):
        a_deal().ask(command, by=SUCCESS)


def test_both_sides_work_its_tasks():
    deal = a_won_deal().ask(ask.CompleteTask(key="plan-onboarding"), by=SUCCESS)
    deal.ask(ask.CompleteTask(key="share-contacts"), by=SELLER)
    assert deal.open_keys == []


@pytest.mark.parametrize("command", [ask.Advance(), ask.Win(), ask.LogCheckIn(note="All well")])
def test_selling_is_over(command):
    with pytest.raises(DealClosed, match="is won and being handed off"):
        ready().ask(command)


def test_its_deadlines_fall_due():
    deal = a_won_deal().later(days=15)
    assert [entry.words for entry in deal.entries[-2:]] == [
        "“Plan onboarding” was due on 8 March 2027, 09:00 UTC.",
        "Hand-off was due on 15 March 2027, 09:00 UTC.",
    ]
