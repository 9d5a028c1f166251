"""The hand-off to customer success: its tasks, its acceptance, its return."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.calendar import after
from domain.errors import DealClosed, Forbidden, HandOffNotReady, NoHandOff
from domain.opportunity import commands as ask
from domain.opportunity.agenda import agenda
from domain.opportunity.blockers import blockers, turn
from domain.opportunity.events import HandOffReturned
from domain.opportunity.stages import calendar_of
from domain.opportunity.state import HandOffState, Status
from domain.playbook import HandOffTemplate
from domain.principal import Side
from domain.span import parse_business
from tests.factories import (
    ADMIN,
    ASTER,
    DESK,
    DIRECTOR,
    LEAD,
    NOW,
    REP,
    SELLER,
    SUCCESS,
    a_deal,
    a_playbook,
    a_won_deal,
)


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
    asked, returned = blockers(deal.deal)
    assert asked.what == "“Supply what customer success asks for: Who is the admin there?” is open"
    assert returned.what == "Customer success returned the hand-off: Who is the admin there?"
    assert {asked.who, returned.who} == {"Rosa Rep"}
    assert (asked.task, deal.task("task-1").side, deal.task("task-1").required) == (
        "task-1",
        Side.VENDOR,
        True,
    )
    assert deal.task("task-1").help == "Who is the admin there?"


def test_after_a_return_the_sellers_clock_runs_again():
    deal = returned()
    due_at = after(calendar_of(deal.deal), NOW, parse_business("2bd"))
    assert deal.task("task-1").due_at == due_at
    assert due_at in [item.at for item in agenda(deal.deal) if item.key == "task-1"]


def test_the_playbook_says_how_long_the_seller_has_after_a_return():
    playbook = a_playbook(handoff=HandOffTemplate(answer_within="4h"))
    deal = a_won_deal(playbook=playbook).ask(ask.ReturnHandOff(comment="Who?", clocked=True), by=SUCCESS)
    assert deal.task("task-1").due_at == NOW + timedelta(hours=4)


def test_a_return_that_was_asked_before_there_was_a_clock_brings_no_deadline():
    command = ask.ReturnHandOff.model_validate({"kind": "return_handoff", "comment": "Who?"})
    assert ready().ask(command, by=SUCCESS).task("task-1").due_at is None


def returned(comment="Who is the admin there?"):
    return ready().ask(ask.ReturnHandOff(comment=comment, clocked=True), by=SUCCESS)


@pytest.mark.parametrize("how", [ask.CompleteTask(key="task-1"), ask.WaiveTask(key="task-1", reason="Known")])
def test_when_all_is_there_it_is_customer_successs_turn_again(how):
    deal = returned().later(days=1).ask(how, by=REP)
    assert (deal.deal.handoff.state, deal.deal.handoff.since) == (HandOffState.PENDING, deal.now)
    assert deal.last == (
        "Tandem offered the hand-off to customer success again: all that is required is there."
    )
    [blocker] = blockers(deal.deal)
    assert (blocker.code, blocker.since) == ("handoff_not_accepted", deal.now)
    assert blocker.who == "customer success"
    assert deal.ask(ask.AcceptHandOff(), by=SUCCESS).deal.status is Status.HANDED_OFF


def test_before_that_it_is_not_accepted():
    with pytest.raises(HandOffNotReady, match="“Supply what customer success asks for: Who is the admin"):
        returned().ask(ask.AcceptHandOff(), by=SUCCESS)


def test_returned_early_it_waits_for_every_required_task():
    deal = a_won_deal().ask(ask.ReturnHandOff(comment="Who?"), by=SUCCESS).complete("task-1")
    assert deal.deal.handoff.state is HandOffState.RETURNED
    assert deal.complete("plan-onboarding").deal.handoff.state is HandOffState.PENDING


def test_returned_it_is_the_vendors_turn_whatever_partners_have_to_do():
    deal = returned().ask(
        ask.AddTask(title="Call", side="partner", partner_id=ASTER.id, required=True), by=SELLER
    )
    assert turn(deal.deal) is Side.VENDOR


def test_what_is_asked_for_at_length_is_shortened_in_the_title_alone():
    comment = "Please\nsend  the contacts. " * 30
    task = returned(comment).task("task-1")
    assert task.title.startswith("Supply what customer success asks for: Please send the contacts. Please")
    assert len(task.title) <= 200
    assert task.title.endswith("…")
    assert task.help == comment


def test_returned_twice_both_are_asked_for():
    deal = returned().ask(ask.ReturnHandOff(comment="And the licences?"), by=SUCCESS).complete("task-1")
    assert deal.deal.handoff.state is HandOffState.RETURNED
    assert deal.complete("task-2").deal.handoff.state is HandOffState.PENDING


def test_a_return_of_an_earlier_version_brought_no_task():
    event = HandOffReturned.model_validate({"type": "handoff_returned", "comment": "Who?"})
    deal = ready().deal
    event.apply(deal, NOW, SUCCESS)
    assert deal.handoff.state is HandOffState.RETURNED
    assert blockers(deal)[0].what == "Customer success returned the hand-off: Who?"


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
