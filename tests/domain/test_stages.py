"""Stages: how they begin and end, which tasks open, what is left behind, what a second visit finds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import Forbidden, NoSuchStage, StageGateClosed
from domain.opportunity import commands as ask
from domain.opportunity.events_stage import RuleJudged
from domain.opportunity.rules import rule_to_judge
from domain.opportunity.state import TaskState
from domain.playbook import Exit, ExitBy, Phase
from domain.principal import SYSTEM
from tests.factories import (
    ASTER,
    BOREALIS,
    CYGNUS,
    DESK,
    NOW,
    REP,
    SELLER,
    SUCCESS,
    a_deal,
    a_playbook,
    a_stage,
    a_task,
    a_won_deal,
)


def test_the_first_stage_opens_its_tasks_with_their_deadlines():
    deal = a_deal()
    assert deal.open_keys == ["confirm-budget", "share-profile", "draw-org-chart"]
    assert deal.task("confirm-budget").due_at == NOW + timedelta(days=3)
    assert deal.task("draw-org-chart").due_at is None
    assert deal.deal.stage.due_at == NOW + timedelta(weeks=2)
    assert deal.deal.next_check_in_at == NOW + timedelta(weeks=1)
    assert deal.last == "Joint qualification began: the deal was opened."


def test_a_person_moves_the_deal_on_when_the_required_tasks_are_closed():
    deal = a_deal().complete("confirm-budget", "share-profile")
    assert deal.why == ["Joint qualification is finished: move the deal on to Preparation"]
    deal.ask(ask.Advance(note="Good customer"), by=REP)
    assert deal.deal.stage_title == "Preparation"
    assert deal.last == "Joint qualification → Preparation: all required tasks are closed."


def test_what_was_optional_and_open_is_left_behind():
    deal = a_deal(at="prepare")
    task = deal.task("draw-org-chart")
    assert (task.state, task.left_behind, task.note) == (
        TaskState.WAIVED,
        True,
        "Left behind when Preparation began",
    )
    assert deal.open_keys == ["write-agenda", "invite-customer"]


def test_an_unfinished_stage_says_what_is_missing():
    deal = a_deal().complete("confirm-budget")
    with pytest.raises(StageGateClosed) as refusal:
        deal.ask(ask.Advance())
    assert refusal.value.detail == (
        "Joint qualification is not finished. Still missing: “Share profile” is open."
    )
    [missing] = refusal.value.extra["blockers"]
    assert (missing["turn"], missing["who"]) == ("partner", "Aster Integrators")


@pytest.mark.parametrize(("by", "why"), [(SELLER, "The vendor moves"), (DESK, "role"), (SUCCESS, "role")])
def test_others_do_not_move_the_deal_on(by, why):
    deal = a_deal().complete("confirm-budget", "share-profile")
    with pytest.raises(Forbidden, match=why):
        deal.ask(ask.Advance(), by=by)


def test_a_stage_that_advances_by_itself_goes_with_the_last_required_task():
    deal = a_deal(at="prepare").complete("write-agenda", "invite-customer")
    assert deal.deal.stage.key == "joint-demo"
    assert deal.entries[-1].by.name == "Tandem"
    assert deal.last == "Preparation → Joint demonstration: all required tasks are closed."


def test_waiving_the_last_required_task_moves_on_as_well():
    deal = a_deal(at="prepare").complete("write-agenda")
    deal.ask(ask.WaiveTask(key="invite-customer", reason="They know"))
    assert deal.deal.stage.key == "joint-demo"


def test_the_last_stage_is_left_by_winning():
    deal = a_deal(at="commit").complete("sign-contract")
    assert deal.why == ["Commit is finished: win the deal, or lose it"]
    with pytest.raises(NoSuchStage, match="Commit is the last stage: win the deal, or lose it"):
        deal.ask(ask.Advance())


# ---------------------------------------------------------------------------- rules


def test_a_rule_opens_the_gate_and_the_timeline_says_which():
    deal = a_deal(at="proposal")
    assert rule_to_judge(deal.deal) == "deal.amount > 0.0"
    deal.judge(met=True)
    assert deal.deal.stage.key == "commit"
    assert [entry.words for entry in deal.entries[-2:]] == [
        "The rule to leave the stage is met: deal.amount > 0.0",
        "Joint proposal → Commit: the rule is met (deal.amount > 0.0).",
    ]


def test_the_timeline_says_a_rule_in_the_words_that_the_playbook_has_for_it():
    gate = Exit(by=ExitBy.RULE, rule="deal.amount > 0.0", rule_in_words="The amount is known.")
    assert gate.asks == "The amount is known"
    told = RuleJudged(stage="proposal", rule="deal.amount > 0.0", asks=gate.asks, met=False)
    assert told.words(SYSTEM) == "The rule to leave the stage is not met: The amount is known"


def test_before_it_was_asked_a_rule_counts_as_not_met_so_a_first_no_is_no_news():
    deal = a_deal(at="proposal")
    version = deal.deal.version
    assert deal.judge(met=False).deal.version == version
    assert deal.blocked_by == ["rule_not_met"]
    assert deal.judge(met=True).deal.stage.key == "commit"


def test_where_somebody_moved_the_deal_a_first_no_ends_its_stay():
    deal = back(a_deal(at="commit"), "proposal").judge(met=False)
    assert deal.last == "The rule to leave the stage is not met: deal.amount > 0.0"
    assert deal.judge(met=True).deal.stage.key == "commit"


def test_a_rule_that_is_not_met_is_a_blocker_for_both_sides():
    deal = a_deal(at="proposal").judge(met=False)
    assert deal.blocked_by == ["rule_not_met"]
    with pytest.raises(StageGateClosed, match="The rule to leave Joint proposal is not met"):
        deal.ask(ask.Advance())


def test_the_same_answer_twice_is_no_news():
    stages = [a_stage("first", exit={"by": "rule", "rule": "deal.amount > 5.0"}), a_stage("second")]
    deal = a_deal(playbook=a_playbook(stages=stages))
    for met in (True, False):
        version = deal.judge(met=met).deal.version
        assert deal.last == f"The rule to leave the stage is {'met' if met else 'not met'}: deal.amount > 5.0"
        assert deal.judge(met=met).deal.version == version


def test_where_there_is_no_rule_an_answer_changes_nothing():
    deal = a_deal()
    assert rule_to_judge(deal.deal) is None
    assert deal.judge(met=True).deal.version == 2


def test_on_hold_no_rule_is_asked():
    deal = a_deal(at="proposal").ask(ask.HoldDeal(reason="budget freeze"))
    assert rule_to_judge(deal.deal) is None


def test_a_met_rule_with_a_person_waits_for_the_person():
    book = a_playbook(
        stages=[a_stage("first", exit={"by": "rule", "rule": "deal.amount > 5.0"}), a_stage("second")]
    )
    deal = a_deal(playbook=book).judge(met=True)
    assert deal.blocked_by == ["ready_to_advance"]
    assert deal.ask(ask.Advance()).deal.stage.key == "second"


# ---------------------------------------------------------------------------- whose tasks


def test_a_partners_task_opens_once_for_each_partner_that_it_is_for():
    book = a_playbook(
        stages=[
            a_stage("first", a_task("all", "partner"), a_task("sell", "partner", partner_role="reseller"))
        ]
    )
    deal = a_deal(playbook=book, partners=(ASTER, BOREALIS, CYGNUS))
    assert {key: task.partner_id for key, task in deal.deal.tasks.items()} == {
        "all": ASTER.id,
        "all.2": BOREALIS.id,
        "all.3": CYGNUS.id,
        "sell": ASTER.id,
        "sell.2": CYGNUS.id,
    }


def test_a_task_for_a_role_that_nobody_has_waits():
    deal = a_deal(partners=(BOREALIS,))
    assert deal.task("share-profile").partner_id is None
    assert "“Share profile” is a partner's task: add a partner (reseller) or do it yourself" in deal.why


# ---------------------------------------------------------------------------- a second visit


def back(deal, to, why="The customer changed the plan."):
    return deal.ask(ask.Move(stage=to, reason=why))


def test_a_second_visit_keeps_what_was_done_and_opens_what_was_left_behind():
    deal = a_deal(at="joint-demo").later(days=1)
    back(deal, "qualify")
    assert deal.open_keys == ["draw-org-chart"]
    assert deal.task("confirm-budget").state is TaskState.DONE
    assert deal.task("draw-org-chart").opened_at == deal.now
    assert deal.task("run-demo").left_behind


def test_an_ad_hoc_task_that_was_left_behind_opens_again_without_a_deadline():
    deal = a_deal()
    due = NOW + timedelta(days=1)
    deal.ask(ask.AddTask(title="Call the CIO", side="vendor", due_at=due))
    deal.complete("confirm-budget", "share-profile").ask(ask.Advance())
    assert deal.task("task-1").left_behind
    back(deal, "qualify")
    assert deal.task("task-1").is_open
    assert deal.task("task-1").due_at is None


def test_a_stage_that_leaves_by_itself_stays_when_somebody_moved_the_deal_back_to_it():
    deal = back(a_deal(at="joint-demo"), "prepare")
    assert deal.deal.stage.key == "prepare"
    assert deal.blocked_by == ["ready_to_advance"]
    deal.ask(ask.AddNote(text="Writing a new agenda"))
    assert deal.deal.stage.key == "prepare"
    deal.ask(ask.ReopenTask(key="write-agenda")).complete("write-agenda")
    assert deal.deal.stage.key == "joint-demo"


def test_a_person_moves_on_from_a_stage_that_was_gone_back_to():
    deal = back(a_deal(at="joint-demo"), "prepare").ask(ask.Advance())
    assert deal.deal.stage.key == "joint-demo"


def test_a_met_rule_does_not_undo_moving_back_to_its_stage():
    deal = back(a_deal(at="commit"), "proposal").judge(met=True)
    assert deal.deal.stage.key == "proposal"
    deal.judge(met=False).judge(met=True)
    assert deal.deal.stage.key == "commit"


def test_a_task_of_a_partner_that_left_waits_for_another_on_the_second_visit():
    deal = a_deal()
    back(deal, "joint-demo")
    deal.ask(ask.RemovePartner(partner_id=ASTER.id))
    back(deal, "qualify")
    assert deal.task("share-profile").partner_id is None
    deal.complete("share-profile")
    assert deal.task("share-profile").closed_by == REP.name


def test_a_partner_that_came_meanwhile_takes_the_waiting_task_on_the_second_visit():
    deal = a_deal(partners=())
    back(deal, "joint-demo")
    deal.ask(ask.AddPartner(partner=CYGNUS))
    back(deal, "qualify")
    assert deal.task("share-profile").partner_id == CYGNUS.id
    assert "share-profile.2" not in deal.deal.tasks


def test_what_the_vendor_did_for_a_missing_partner_is_not_asked_again():
    deal = a_deal(partners=()).complete("confirm-budget", "share-profile").ask(ask.Advance())
    deal.ask(ask.AddPartner(partner=ASTER))
    back(deal, "qualify")
    assert deal.open_keys == ["draw-org-chart"]


def test_what_a_partner_did_before_it_left_is_not_asked_again():
    deal = a_deal(at="joint-demo").ask(ask.RemovePartner(partner_id=ASTER.id))
    back(deal, "qualify")
    assert deal.open_keys == ["draw-org-chart"]


def test_a_new_partner_gets_its_own_task_on_the_second_visit():
    deal = a_deal(at="joint-demo").ask(ask.AddPartner(partner=CYGNUS))
    back(deal, "qualify")
    assert deal.task("share-profile.2").partner_id == CYGNUS.id
    assert deal.task("share-profile").state is TaskState.DONE


def test_phase_and_probability_follow_the_stage():
    deal = a_deal(at="joint-demo")
    assert (deal.deal.phase, deal.deal.probability) == (Phase.TECHNICAL_VALIDATION, 40)
    won = a_won_deal().deal
    assert (won.phase, won.probability, won.stage_title) == (Phase.LAUNCHED, 100, "Hand-off")
    assert a_deal().ask(ask.Lose(reason="price")).deal.probability == 0
