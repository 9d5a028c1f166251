"""What a deal puts into people's calendars."""

from __future__ import annotations

from datetime import timedelta

from domain.approval.state import ApprovalState
from domain.opportunity import commands as ask
from domain.opportunity.agenda import agenda
from domain.opportunity.planned import Planned, PlannedKind, planned
from domain.opportunity.state import CheckInFor
from domain.principal import Side
from tests.bargains import a_bargain
from tests.factories import (
    ASTER,
    CLOSE,
    NOW,
    SELLER,
    Working,
    a_deal,
    a_lost_deal,
    a_playbook,
    a_won_deal,
    assignee,
    person,
)


def listed(deal: Working) -> list[Planned]:
    return planned(deal.deal, agenda(deal.deal))


def plans(deal: Working) -> dict[str, Planned]:
    return {f"{item.kind.value}:{item.key}": item for item in listed(deal)}


def test_a_calendar_has_the_deadlines_that_people_plan_by_in_order():
    found = listed(a_deal())
    assert [item.at for item in found] == sorted(item.at for item in found)
    assert [item.title for item in found] == [
        "Confirm budget",
        "Share profile",
        "Check-in",
        "Joint qualification should be finished",
        "Expected close",
    ]


def test_what_the_clock_only_reminds_of_is_no_plan():
    clock = {"stale": "3w", "missed": "1bd", "close_near": "7d"}
    assert plans(a_deal(playbook=a_playbook(clock=clock))) == plans(a_deal())


def test_the_expected_close_is_the_same_day_in_every_zone():
    close = plans(a_deal())["expected_close:"]
    assert (close.day, close.side) == (CLOSE, None)
    assert plans(a_deal())["stage:qualify"].day is None


def test_a_task_is_its_sides_and_its_assignees():
    deal = a_deal().ask(ask.AssignTask(key="share-profile", assignee=assignee(SELLER)), by=SELLER)
    task = plans(deal)["task:share-profile"]
    assert (task.side, task.partner_id, task.assignee_id) == (Side.PARTNER, ASTER.id, SELLER.id)


def test_a_check_in_is_for_who_looks_after_it():
    who = CheckInFor(person=person(SELLER), side=Side.PARTNER, partner_id=ASTER.id)
    deal = a_deal().ask(ask.SetCadence(every="2w", who=who), by=SELLER)
    check_in = plans(deal)["check_in:"]
    assert (check_in.assignee_id, check_in.at) == (SELLER.id, NOW + timedelta(weeks=2))


def test_on_hold_there_is_only_its_end():
    until = NOW + timedelta(days=5)
    assert list(plans(a_deal().ask(ask.HoldDeal(reason="Freeze", until=until)))) == ["hold_ends:"]
    assert (
        plans(a_deal().ask(ask.HoldDeal(reason="Freeze", until=until)))["hold_ends:"].title == "The hold ends"
    )
    assert listed(a_deal().ask(ask.HoldDeal(reason="Freeze"))) == []


def test_a_closed_deal_plans_nothing_and_a_won_one_its_hand_off():
    assert listed(a_lost_deal()) == []
    assert set(plans(a_won_deal())) == {"task:plan-onboarding", "stage:handoff"}


def test_the_end_of_a_grant_is_the_vendors_to_know():
    deal = a_bargain()
    deal.want("20")
    deal.decided(ApprovalState.APPROVED)
    [grant] = [item for item in listed(deal) if item.kind is PlannedKind.GRANT]
    assert (grant.title, grant.side) == ("The grant of 20 % ends", Side.VENDOR)
