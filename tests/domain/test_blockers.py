"""Why a deal does not move, in words that a rep understands."""

from __future__ import annotations

from datetime import timedelta

from domain.opportunity import commands as ask
from domain.opportunity.blockers import blockers, turn
from domain.principal import Side
from tests.factories import (
    DIRECTOR,
    NOW,
    REP,
    a_deal,
    a_playbook,
    a_stage,
    a_task,
    a_won_deal,
    assignee,
)


def test_open_tasks_name_whose_turn_it_is_since_when_and_until_when():
    vendors, partners = blockers(a_deal().deal)
    assert (vendors.what, vendors.turn, vendors.who) == ("“Confirm budget” is open", Side.VENDOR, "Rosa Rep")
    assert (vendors.since, vendors.due_at) == (NOW, NOW + timedelta(days=3))
    assert (partners.what, partners.turn, partners.who) == (
        "“Share profile” is open",
        Side.PARTNER,
        "Aster Integrators",
    )


def test_an_assignee_is_named_before_the_side():
    deal = a_deal().ask(ask.AssignTask(key="confirm-budget", assignee=assignee(DIRECTOR)))
    assert blockers(deal.deal)[0].who == "Dirk Director"


def test_a_deal_without_an_owner_says_so():
    assert blockers(a_deal(owner=None).deal)[0].who == "the vendor's owner (nobody yet)"


def test_the_turn_is_of_one_side_or_of_both():
    deal = a_deal()
    assert turn(deal.deal) is None
    assert turn(deal.complete("share-profile").deal) is Side.VENDOR


def test_a_missing_partner_is_the_vendors_turn():
    book = a_playbook(stages=[a_stage("first", a_task("help-us", "partner"))])
    [blocker] = blockers(a_deal(playbook=book, partners=()).deal)
    assert blocker.what == "“Help us” is a partner's task: add a partner or do it yourself"
    assert (blocker.turn, blocker.who) == (Side.VENDOR, "Rosa Rep")


def test_a_finished_stage_is_waited_for_since_its_last_task():
    deal = a_deal().complete("share-profile").later(hours=5).complete("confirm-budget")
    [blocker] = blockers(deal.deal)
    assert (blocker.code, blocker.since) == ("ready_to_advance", deal.now)


def test_a_rule_shows_the_open_tasks_beside_it():
    book = a_playbook(stages=[a_stage("first", a_task("call"), exit={"by": "rule", "rule": "true"})])
    deal = a_deal(playbook=book)
    assert deal.blocked_by == ["task_open", "rule_not_met"]


def test_the_hand_off_waits_for_its_tasks_and_for_customer_success():
    deal = a_won_deal()
    assert deal.why == [
        "“Plan onboarding” is open",
        "Customer success has not accepted the hand-off yet",
    ]
    assert turn(deal.deal) is Side.VENDOR


def test_optional_tasks_keep_nothing():
    deal = a_deal().complete("confirm-budget", "share-profile")
    assert deal.task("draw-org-chart").is_open
    assert deal.ask(ask.Advance(), by=REP).deal.stage.key == "prepare"
