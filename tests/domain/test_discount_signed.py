"""Winning the deal is no way around its grant: what was signed stays within it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.approval.state import ApprovalState
from domain.errors import DiscountOutsideGrant
from domain.opportunity import commands as ask
from domain.opportunity.state import Status
from tests.bargains import Bargain, a_bargain, money
from tests.factories import a_playbook, a_stage, a_task

ONE_STAGE = a_playbook(stages=[a_stage("commit", a_task("sign", required=False), phase="committed")])


def won() -> Bargain:
    deal = a_bargain(playbook=ONE_STAGE)
    deal.granted("20")
    deal.ask(ask.Win())
    assert deal.deal.status is Status.WON
    return deal


@pytest.mark.parametrize("amount", [money("199999.99"), None])
def test_a_won_deal_does_not_shrink_below_what_was_granted(amount: object) -> None:
    deal = won()
    with pytest.raises(DiscountOutsideGrant, match="was won with a discount"):
        deal.change(amount=amount)


def test_a_won_deal_changes_within_its_grant_also_when_that_has_ended() -> None:
    deal = won()
    deal.now += timedelta(days=200)
    deal.change(amount=money("200000.00"))
    assert deal.deal.amount == money("200000.00")


def test_what_was_given_at_once_binds_nobody_after_the_signature() -> None:
    deal = a_bargain(playbook=ONE_STAGE)
    deal.want("10")
    deal.ask(ask.Win())
    deal.change(amount=money("1000.00"))
    assert deal.deal.amount == money("1000.00")


def test_what_is_decided_on_hold_counts_when_the_hold_ends_by_itself() -> None:
    stages = [
        a_stage(
            "quote", a_task("quote"), exit={"by": "tasks", "advance": "automatic", "discount": "settled"}
        ),
        a_stage("commit", phase="committed"),
    ]
    deal = a_bargain(playbook=a_playbook(stages=stages))
    deal.want("20")
    deal.ask(ask.CompleteTask(key="quote"))
    deal.ask(ask.HoldDeal(reason="Budget.", until=deal.now + timedelta(days=2)))
    deal.decided(ApprovalState.APPROVED)
    assert deal.deal.stage.key == "quote"
    deal.later(days=3)
    assert deal.deal.stage.key == "commit"
