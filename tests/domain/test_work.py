"""What waits for whom: a deal's part of people's lists of work."""

from __future__ import annotations

from datetime import timedelta

from domain.opportunity import commands as ask
from domain.opportunity.state import CheckInFor
from domain.opportunity.work import WorkKind, work_items
from domain.principal import Role, Side
from tests.factories import (
    ASTER,
    BOREALIS,
    BOREALIS_SELLER,
    DIRECTOR,
    NOW,
    REP,
    SUCCESS,
    a_deal,
    a_won_deal,
    assignee,
    person,
)


def listed(deal, kind):
    return [item for item in work_items(deal.deal) if item.kind is kind]


def test_every_open_task_is_on_somebodys_list():
    items = {item.key: item for item in listed(a_deal(), WorkKind.TASK)}
    assert list(items) == ["confirm-budget", "share-profile", "draw-org-chart"]
    assert (items["share-profile"].side, items["share-profile"].partner_id) == (Side.PARTNER, ASTER.id)
    assert items["confirm-budget"].due_at == NOW + timedelta(days=3)
    assert not items["draw-org-chart"].required


def test_an_assigned_task_is_for_its_assignee():
    command = ask.AssignTask(key="confirm-budget", assignee=assignee(DIRECTOR))
    assert listed(a_deal().ask(command), WorkKind.TASK)[0].assignee_id == DIRECTOR.id


def test_a_partners_task_without_a_partner_is_on_the_vendors_list():
    item = listed(a_deal(partners=()), WorkKind.TASK)[1]
    assert (item.key, item.side, item.partner_id) == ("share-profile", Side.VENDOR, None)


def test_a_deal_that_nobody_owns_is_the_sales_directors_to_give_away():
    items = listed(a_deal(owner=None), WorkKind.TASK)
    assert [item.role for item in items] == [Role.SALES_DIRECTOR, None, Role.SALES_DIRECTOR]


def test_each_side_that_has_not_agreed_is_asked_to():
    deal = a_deal(at="joint-demo", partners=(ASTER, BOREALIS)).complete("run-demo")
    assert [item.partner_id for item in listed(deal, WorkKind.SIGN_OFF)] == [None, ASTER.id, BOREALIS.id]
    deal.ask(ask.Advance(), by=REP)
    assert [item.partner_id for item in listed(deal, WorkKind.SIGN_OFF)] == [ASTER.id, BOREALIS.id]


def test_without_a_partner_nobody_is_asked_to_agree_for_it():
    deal = a_deal(at="joint-demo", partners=()).complete("run-demo")
    assert [item.side for item in listed(deal, WorkKind.SIGN_OFF)] == [Side.VENDOR]


def test_a_finished_stage_waits_for_the_vendor_to_move_on():
    [item] = listed(a_deal().complete("confirm-budget", "share-profile"), WorkKind.ADVANCE)
    assert item.title == "Joint qualification is finished: move the deal on to Preparation"


def test_both_sides_are_asked_to_check_in():
    deal = a_deal().ask(ask.LogCheckIn(note="All well"))
    items = listed(deal, WorkKind.CHECK_IN)
    assert [(item.side, item.since) for item in items] == [(Side.VENDOR, NOW), (Side.PARTNER, NOW)]


def test_a_check_in_says_with_whom():
    titles = [item.title for item in listed(a_deal(partners=(ASTER, BOREALIS)), WorkKind.CHECK_IN)]
    assert titles == [
        "Check in with Aster Integrators and Borealis Systems",
        *["Check in with the vendor"] * 2,
    ]
    assert [item.title for item in listed(a_deal(partners=()), WorkKind.CHECK_IN)] == ["Check in with Acme"]


def test_who_looks_after_the_check_ins_is_asked_alone():
    deal = a_deal(partners=(ASTER, BOREALIS))
    for actor, partner in ((DIRECTOR, None), (BOREALIS_SELLER, BOREALIS.id)):
        assert actor.side is not None
        who = CheckInFor(person=person(actor), side=actor.side, partner_id=partner)
        [item] = listed(deal.ask(ask.SetCadence(every="1w", who=who)), WorkKind.CHECK_IN)
        assert (item.side, item.partner_id, item.assignee_id) == (actor.side, partner, actor.id)


def test_the_hand_off_waits_for_customer_success_and_returned_for_the_owner():
    deal = a_won_deal().complete("plan-onboarding")
    [item] = listed(deal, WorkKind.HANDOFF)
    assert (item.title, item.role) == ("Accept the hand-off", Role.CUSTOMER_SUCCESS)
    deal.ask(ask.ReturnHandOff(comment="Who?"), by=SUCCESS)
    assert listed(deal, WorkKind.HANDOFF) == []
    item = listed(deal, WorkKind.TASK)[-1]
    assert (item.title, item.side, item.role, item.required) == (
        "Supply what customer success asks for: Who?",
        Side.VENDOR,
        None,
        True,
    )
    assert listed(deal.complete(item.key), WorkKind.HANDOFF)[0].since == deal.now


def test_on_hold_nobody_has_to_do_anything():
    assert work_items(a_deal().ask(ask.HoldDeal(reason="freeze")).deal) == []
