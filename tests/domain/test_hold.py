"""Hold and resume: the clocks stop, and go on with the time that was left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import DealClosed, DealNotOnHold, DealOnHold, Forbidden, InvalidInput
from domain.opportunity import commands as ask
from domain.opportunity.agenda import agenda
from domain.opportunity.blockers import blockers
from domain.opportunity.clock import fall_due
from domain.opportunity.state import Status
from tests.factories import DESK, NOW, REP, SELLER, SUCCESS, a_deal, a_lost_deal, a_won_deal

FREEZE = ask.HoldDeal(reason="budget freeze")


def test_on_hold_the_deal_says_why_and_since_when():
    deal = a_deal().later(hours=1).ask(FREEZE)
    [blocker] = blockers(deal.deal)
    assert deal.deal.status is Status.ON_HOLD
    assert blocker.what == "The deal is on hold: budget freeze"
    assert blocker.since == deal.now
    assert deal.last == "Rosa Rep put the deal on hold: budget freeze"


def test_the_end_of_a_hold_is_on_the_agenda():
    until = NOW + timedelta(days=3)
    held = a_deal().ask(ask.HoldDeal(reason="freeze", until=until))
    assert [(item.what, item.at) for item in agenda(held.deal)] == [("The hold", until)]


def test_nothing_falls_due_on_hold():
    deal = a_deal().ask(FREEZE)
    version = deal.deal.version
    assert agenda(deal.deal) == []
    assert deal.later(days=300).deal.version == version


def test_after_a_hold_every_clock_has_the_time_left_that_it_had():
    deal = a_deal().later(days=1).ask(FREEZE).later(days=40).ask(ask.Resume())
    assert deal.last == "Rosa Rep resumed the deal."
    later = timedelta(days=40)
    assert deal.task("confirm-budget").due_at == NOW + timedelta(days=3) + later
    assert deal.deal.stage.due_at == NOW + timedelta(weeks=2) + later
    assert deal.deal.next_check_in_at == NOW + timedelta(weeks=1) + later
    assert deal.deal.hold is None


def test_what_was_late_before_the_hold_stays_late_and_is_not_announced_again():
    deal = a_deal().later(days=4)
    assert deal.last == "“Confirm budget” was due on 4 March 2027, 09:00 UTC."
    deal.ask(FREEZE).later(days=10).ask(ask.Resume())
    version = deal.deal.version
    assert deal.task("confirm-budget").due_at == NOW + timedelta(days=3)
    assert deal.later(minutes=1).deal.version == version


def test_a_hold_with_an_end_ends_by_itself():
    until = NOW + timedelta(days=30)
    deal = a_deal().ask(ask.HoldDeal(reason="new fiscal year", until=until))
    assert deal.why == ["The deal is on hold until 31 March 2027: new fiscal year"]
    assert deal.last == "Rosa Rep put the deal on hold until 31 March 2027: new fiscal year"
    deal.later(days=30)
    assert deal.deal.status is Status.OPEN
    assert deal.last == "The hold ended and the deal goes on."


@pytest.mark.parametrize(("on_time", "left"), [(True, timedelta(days=1)), (False, timedelta(days=3))])
def test_a_hold_that_ended_unnoticed_ended_all_the_same(on_time: bool, left: timedelta):
    """No worker ran for two days: the clocks run since the hold's end, not since it was noticed."""
    until = NOW + timedelta(days=30)
    deal = a_deal().ask(ask.HoldDeal(reason="new fiscal year", until=until))
    noticed = until + timedelta(days=2)
    outcome = fall_due(deal.deal, noticed, holds_end_on_time=on_time)
    assert outcome.opportunity.tasks["confirm-budget"].due_at == noticed + left
    [pause] = outcome.opportunity.pauses
    assert pause.until == (until if on_time else noticed)
    assert fall_due(outcome.opportunity, noticed).entries == ()


@pytest.mark.parametrize(
    ("until", "sentence"),
    [(NOW, "would be in the past"), (NOW.replace(year=9999), "more than ten years away")],
)
def test_a_hold_ends_at_a_time_that_will_come(until, sentence):
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        a_deal().ask(ask.HoldDeal(reason="freeze", until=until))
    assert refusal.value.extra["errors"][0]["pointer"] == "/until"


@pytest.mark.parametrize("by", [SELLER, DESK, SUCCESS], ids=lambda by: by.name)
@pytest.mark.parametrize("command", [FREEZE, ask.Resume()], ids=["hold", "resume"])
def test_only_the_vendors_sales_people_stop_the_clocks(command, by):
    with pytest.raises(Forbidden, match="Only the vendor's sales people"):
        a_deal().ask(command, by=by)


def test_a_deal_on_hold_is_not_put_on_hold_again():
    with pytest.raises(DealOnHold):
        a_deal().ask(FREEZE).ask(FREEZE, by=REP)


def test_only_a_deal_on_hold_is_resumed():
    with pytest.raises(DealNotOnHold, match="“ERP rollout” is not on hold"):
        a_deal().ask(ask.Resume())


@pytest.mark.parametrize("make", [a_won_deal, a_lost_deal])
def test_a_deal_that_is_over_is_not_put_on_hold(make):
    with pytest.raises(DealClosed):
        make().ask(FREEZE)


def test_a_note_and_a_change_are_possible_on_hold():
    deal = a_deal().ask(FREEZE).ask(ask.AddNote(text="Called them"), by=SELLER)
    deal.ask(ask.Change(title="ERP, next year"))
    assert deal.deal.title == "ERP, next year"


def test_a_deal_lost_on_hold_and_reopened_has_the_time_left_that_it_had():
    deal = a_deal().later(days=1).ask(FREEZE).later(days=5).ask(ask.Lose(reason="timing"))
    assert deal.deal.hold is None
    deal.later(days=50).ask(ask.Reopen())
    assert deal.task("confirm-budget").due_at == deal.now + timedelta(days=2)
