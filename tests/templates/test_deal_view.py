"""What the page of a deal offers, and to whom."""

from __future__ import annotations

from typing import Any

import pytest

from api.web import deal_view
from api.web.playbook_words import triggers_in_words
from domain.opportunity import commands as ask
from domain.opportunity.state import LoseReason
from domain.playbook import Stage
from domain.principal import Actor
from tests.factories import (
    ASTER,
    BOREALIS,
    BOREALIS_SELLER,
    DESK,
    REP,
    SELLER,
    a_deal,
    a_lost_deal,
    a_playbook,
    a_stage,
    a_task,
    principal,
)

WAITING = a_playbook(
    stages=[
        a_stage(
            "meet",
            a_task("ours"),
            a_task("for-a-distributor", "partner", partner_role="distributor"),
            a_task("for-a-referrer", "partner", partner_role="referral"),
            a_task("for-technology", "partner", partner_role="technology"),
        )
    ]
)


def offered(by: Actor, *partners: object) -> set[str]:
    deal = a_deal(playbook=WAITING, partners=partners).deal
    lanes = deal_view.lanes(deal, principal(by), "Vendor Inc.")
    return {key for lane in lanes for group in lane.groups for key in group.may_work}


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        (REP, {"ours", "for-a-distributor", "for-a-referrer"}),
        (BOREALIS_SELLER, {"for-technology"}),
        (SELLER, set()),
        (DESK, set()),
    ],
)
def test_a_task_is_offered_to_whom_the_deal_would_let_do_it(by: Actor, keys: set[str]) -> None:
    assert offered(by, ASTER, BOREALIS) == keys


def test_nothing_is_offered_while_the_deal_is_closed() -> None:
    lanes = deal_view.lanes(a_lost_deal(playbook=WAITING).deal, principal(REP), "Vendor Inc.")
    assert not any(group.may_work for lane in lanes for group in lane.groups)


def test_an_empty_lane_says_what_to_do_only_where_something_can_be_done() -> None:
    deal = a_deal(at="commit")
    deal.deal.tasks.clear()
    assert [lane.empty for lane in deal_view.lanes(deal.deal, principal(REP), "Northwind")] == [
        "Add one from Actions, if something is missing.",
        "No partner has a task in this stage.",
    ]
    deal.ask(ask.Lose(reason=LoseReason.PRICE))
    assert {lane.empty for lane in deal_view.lanes(deal.deal, principal(REP), "Northwind")} == {
        "None was open in the stage in which the deal ended."
    }


@pytest.mark.parametrize(
    ("trigger", "says"),
    [
        (
            {"notify": {"to": "partners", "words": "Propose two dates."}},
            "the deal's partners are told: “Propose two dates.”",
        ),
        (
            {"task": {"key": "call", "title": "Call", "side": "vendor"}, "when": "deal.amount > 5.0"},
            "the task “Call” opens for the vendor, if deal.amount > 5.0.",
        ),
        (
            {
                "task": {"key": "call", "title": "Call", "side": "vendor"},
                "when": "deal.amount > 5.0",
                "when_in_words": "The deal is large.",
            },
            "the task “Call” opens for the vendor, if the deal is large.",
        ),
    ],
)
def test_what_happens_by_itself_is_a_sentence(trigger: dict[str, Any], says: str) -> None:
    stage = Stage.model_validate(
        {"key": "meet", "title": "Meet", "phase": "prospect", "probability": 10, "on_enter": [trigger]}
    )
    assert triggers_in_words(stage) == [("When this stage begins", says)]
