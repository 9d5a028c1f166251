"""Moving a deal past the exit rule, with a reason; but not past an agreement."""

from __future__ import annotations

import pytest

from domain.errors import DealClosed, Forbidden, NoSuchStage, StageGateClosed
from domain.opportunity import commands as ask
from tests.factories import DESK, REP, SELLER, SUCCESS, a_deal, a_lost_deal, a_won_deal


def to(stage, reason="The customer is ahead of us."):
    return ask.Move(stage=stage, reason=reason)


def test_forward_with_a_reason_leaves_open_tasks_behind():
    deal = a_deal().ask(to("joint-demo"))
    assert deal.deal.stage_title == "Joint demonstration"
    assert deal.task("confirm-budget").left_behind
    assert deal.last == "Joint qualification → Joint demonstration: The customer is ahead of us."


def test_back_with_a_reason():
    deal = a_deal(at="commit").ask(to("qualify", "New budget owner"))
    assert deal.last == "Commit → Joint qualification: New budget owner."


def test_into_a_stage_that_leaves_by_itself_its_tasks_are_awaited_as_usual():
    deal = a_deal().ask(to("prepare")).complete("write-agenda", "invite-customer")
    assert deal.deal.stage.key == "joint-demo"


@pytest.mark.parametrize(
    ("stage", "sentence"),
    [
        ("moon", "has no stage “moon”. It has qualify, prepare, joint-demo, proposal and commit."),
        ("handoff", "has no stage “handoff”"),
        ("qualify", "The deal is in Joint qualification already"),
    ],
)
def test_nowhere_else(stage, sentence):
    with pytest.raises(NoSuchStage, match=sentence):
        a_deal().ask(to(stage))


@pytest.mark.parametrize("by", [SELLER, DESK, SUCCESS], ids=lambda by: by.name)
def test_only_the_vendors_sales_people_move_deals_past_the_playbook(by):
    with pytest.raises(Forbidden, match="Only the vendor's sales people move deals"):
        a_deal().ask(to("joint-demo"), by=by)


def test_the_vendor_does_not_jump_over_a_stage_that_both_sides_must_agree_on():
    with pytest.raises(StageGateClosed) as refusal:
        a_deal().ask(to("commit"))
    assert refusal.value.detail == (
        "Joint demonstration is left only when both sides agree. "
        "Still missing: Neither side has agreed yet that Joint demonstration is finished."
    )
    [blocker] = refusal.value.extra["blockers"]
    assert (blocker["code"], blocker["turn"], blocker["who"]) == ("sign_off_missing", None, "both sides")


def test_nor_out_of_it_and_hears_what_is_missing():
    deal = a_deal(at="joint-demo").complete("run-demo").ask(ask.Advance(), by=REP)
    with pytest.raises(StageGateClosed, match="The partner has not agreed yet") as refusal:
        deal.ask(to("proposal"))
    assert [blocker["code"] for blocker in refusal.value.extra["blockers"]] == ["sign_off_missing"]


def test_back_out_of_a_joint_stage_is_free_and_its_agreements_are_asked_again():
    deal = a_deal(at="joint-demo").complete("run-demo").ask(ask.Advance(), by=SELLER)
    deal.ask(to("prepare")).ask(to("joint-demo")).ask(ask.Advance(), by=REP)
    assert deal.deal.stage.key == "joint-demo"


def test_without_a_partner_there_is_nobody_to_agree_with():
    deal = a_deal(partners=()).ask(to("commit"))
    assert deal.deal.stage.key == "commit"


@pytest.mark.parametrize("make", [a_won_deal, a_lost_deal])
def test_a_deal_that_is_over_stays_where_it_is(make):
    with pytest.raises(DealClosed):
        make().ask(to("prepare"))
