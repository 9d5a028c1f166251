"""What the page of a deal offers, and to whom."""

from __future__ import annotations

import pytest

from api.web import deal_view
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
