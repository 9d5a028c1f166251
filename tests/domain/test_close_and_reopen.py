"""Winning, losing, reopening, and what a closed deal still takes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import DealClosed, DealNotLost, Forbidden, StageGateClosed
from domain.opportunity import commands as ask
from domain.opportunity.agenda import agenda
from domain.opportunity.blockers import blockers
from domain.opportunity.state import LoseReason, Status
from domain.opportunity.work import work_items
from tests.factories import (
    ASTER,
    DESK,
    DIRECTOR,
    NOW,
    SELLER,
    SUCCESS,
    a_deal,
    a_lost_deal,
    a_playbook,
    a_stage,
    a_task,
    a_won_deal,
)


def a_handed_off_deal():
    return a_won_deal().complete("plan-onboarding").ask(ask.AcceptHandOff(), by=SUCCESS)


def test_winning_begins_the_hand_off():
    deal = a_deal(at="commit").complete("sign-contract").ask(ask.Win(note="Signed today"))
    assert deal.deal.status is Status.WON
    assert [entry.words for entry in deal.entries[-2:]] == [
        "Rosa Rep won the deal. Signed today",
        "Commit → Hand-off: the deal is won.",
    ]
    assert deal.open_keys == ["plan-onboarding", "share-contacts"]


def test_a_deal_is_won_from_its_last_stage_only():
    with pytest.raises(StageGateClosed, match=r"it is won from Commit\. Still missing: “Confirm b"):
        a_deal().ask(ask.Win())


def test_even_where_nothing_is_missing_in_an_earlier_stage():
    with pytest.raises(StageGateClosed, match=r"is in Joint qualification; it is won from Commit\.$"):
        a_deal().complete("confirm-budget", "share-profile").ask(ask.Win())


def test_a_deal_is_not_won_before_the_last_stage_is_finished():
    with pytest.raises(StageGateClosed, match=r"Commit is not finished\. Still missing: “Sign contract”"):
        a_deal(at="commit").ask(ask.Win())


def test_losing_keeps_reason_and_words():
    deal = a_deal().ask(ask.Lose(reason="no_budget", note="Until next year"))
    assert (deal.deal.status, deal.deal.lost.reason) == (Status.LOST, LoseReason.NO_BUDGET)
    assert deal.last == "Rosa Rep lost the deal: No budget. Until next year"


def test_a_won_deal_is_not_lost_any_more():
    with pytest.raises(DealClosed, match="is won and being handed off"):
        a_won_deal().ask(ask.Lose(reason="price"))


@pytest.mark.parametrize("by", [SELLER, DESK, SUCCESS], ids=lambda by: by.name)
@pytest.mark.parametrize(
    "command", [ask.Win(), ask.Lose(reason="price"), ask.Reopen()], ids=["win", "lose", "reopen"]
)
def test_only_the_vendors_sales_people_end_and_reopen_deals(command, by):
    with pytest.raises(Forbidden, match="Only the vendor's sales people"):
        a_deal().ask(command, by=by)


EVERYTHING = [
    ask.CompleteTask(key="confirm-budget"),
    ask.ReopenTask(key="confirm-budget"),
    ask.WaiveTask(key="confirm-budget", reason="done"),
    ask.AssignTask(key="confirm-budget", assignee=None),
    ask.AddTask(title="Call", side="vendor"),
    ask.AddPartner(partner=ASTER),
    ask.RemovePartner(partner_id=ASTER.id),
    ask.Advance(),
    ask.Move(stage="commit", reason="late"),
    ask.HoldDeal(reason="freeze"),
    ask.Resume(),
    ask.Change(title="New title"),
    ask.AddNote(text="Too late"),
    ask.LogCheckIn(note="Too late"),
    ask.Win(),
    ask.Lose(reason="price"),
    ask.AcceptHandOff(),
    ask.ReturnHandOff(comment="Nothing here"),
]


@pytest.mark.parametrize("make", [a_lost_deal, a_handed_off_deal])
@pytest.mark.parametrize("command", EVERYTHING, ids=lambda command: command.kind)
def test_a_closed_deal_takes_no_more_changes(make, command):
    deal = make()
    version = deal.deal.version
    with pytest.raises(DealClosed, match="takes no more changes"):
        deal.ask(command, by=DIRECTOR)
    assert deal.deal.version == version


def test_a_lost_deal_says_how_to_go_on():
    with pytest.raises(DealClosed, match="Reopen it first"):
        a_lost_deal().ask(ask.AddNote(text="Hello"))


@pytest.mark.parametrize("make", [a_lost_deal, a_handed_off_deal])
def test_a_closed_deal_waits_for_nothing(make):
    deal = make()
    assert (blockers(deal.deal), agenda(deal.deal), work_items(deal.deal)) == ([], [], [])
    version = deal.deal.version
    assert deal.later(days=1000).deal.version == version


def test_a_reopened_deal_goes_on_where_it_was_with_the_time_left():
    deal = a_deal().complete("share-profile").later(days=1).ask(ask.Lose(reason="timing"))
    deal.later(days=100).ask(ask.Reopen(reason="They called again"), by=DIRECTOR)
    assert deal.deal.status is Status.OPEN
    assert deal.last == "Dirk Director reopened the deal: They called again"
    assert deal.open_keys == ["confirm-budget", "draw-org-chart"]
    assert deal.task("confirm-budget").due_at == NOW + timedelta(days=103)


def test_reopening_needs_no_reason():
    assert a_lost_deal().ask(ask.Reopen()).last == "Rosa Rep reopened the deal."


def test_a_stage_without_tasks_does_not_begin_anew_when_its_deal_is_reopened():
    book = a_playbook(stages=[a_stage("first"), a_stage("second", a_task("work"))])
    deal = a_deal(playbook=book).later(days=2).ask(ask.Lose(reason="price")).ask(ask.Reopen())
    assert deal.deal.stage.entered_at == NOW
    assert deal.types == ["opportunity_opened", "stage_entered", "lost", "reopened"]


@pytest.mark.parametrize(
    ("make", "how"), [(a_deal, "open"), (a_won_deal, "won"), (a_handed_off_deal, "handed off")]
)
def test_only_lost_deals_are_reopened(make, how):
    with pytest.raises(DealNotLost, match=f"is {how}, not lost"):
        make().ask(ask.Reopen())
