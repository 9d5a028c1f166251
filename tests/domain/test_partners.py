"""Partners of a deal: who joins and leaves, whose tasks become whose, and who is nobody here."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import AlreadyOnDeal, Forbidden, InvalidInput, NotFound
from domain.opportunity import commands as ask
from domain.opportunity.decide_deal import MAX_PARTNERS
from domain.opportunity.state import TaskState
from tests.factories import (
    ASTER,
    BOREALIS,
    BOREALIS_SELLER,
    CYGNUS,
    DESK,
    LEAD,
    REP,
    SELLER,
    SUCCESS,
    a_deal,
    a_lost_deal,
    assignee,
    crowd,
)

JOIN, LEAVE = ask.AddPartner(partner=BOREALIS), ask.RemovePartner(partner_id=ASTER.id)


def test_a_partner_joins_with_its_role():
    deal = a_deal().ask(JOIN)
    assert [partner.name for partner in deal.deal.partners] == ["Aster Integrators", "Borealis Systems"]
    assert deal.last == "Rosa Rep added Borealis Systems as technology."


def test_it_takes_the_tasks_that_waited_for_such_a_partner():
    deal = a_deal(partners=()).ask(ask.AddPartner(partner=ASTER))
    assert deal.task("share-profile").partner_id == ASTER.id
    assert deal.open_keys == ["confirm-budget", "share-profile", "draw-org-chart"]


def test_a_second_one_of_the_role_gets_a_task_of_its_own():
    deal = a_deal().ask(ask.AddPartner(partner=CYGNUS))
    assert deal.task("share-profile.2").partner_id == CYGNUS.id
    assert deal.task("share-profile").partner_id == ASTER.id


def test_what_the_vendor_did_meanwhile_is_not_asked_again():
    deal = a_deal(partners=()).complete("share-profile").ask(ask.AddPartner(partner=ASTER))
    assert deal.open_keys == ["confirm-budget", "draw-org-chart"]


def test_a_partner_of_another_role_gets_no_task_of_this_one():
    assert a_deal().ask(JOIN).open_keys == a_deal().open_keys


def test_a_partner_that_leaves_leaves_its_tasks_to_the_others():
    deal = a_deal()
    lead = ask.AssignTask(key="share-profile", assignee=assignee(LEAD))
    deal.ask(lead, by=SELLER).ask(LEAVE)
    task = deal.task("share-profile")
    assert (task.is_open, task.partner_id, task.assignee) == (True, None, None)
    assert deal.last == "Rosa Rep removed Aster Integrators from the deal."


def both_resellers():
    """Aster and Cygnus, with a task of the same template each."""
    return a_deal(partners=(ASTER, CYGNUS))


def test_what_another_partner_has_to_do_as_well_is_left_behind():
    deal = both_resellers().later(hours=1).ask(LEAVE)
    task = deal.task("share-profile")
    assert (task.state, task.left_behind, task.closed_at) == (TaskState.WAIVED, True, deal.now)
    assert (task.closed_by, task.note) == ("Rosa Rep", "Left behind when Aster Integrators left the deal")
    assert deal.open_keys == ["confirm-budget", "share-profile.2", "draw-org-chart"]
    deal.complete("confirm-budget", "share-profile.2")
    assert deal.blocked_by == ["ready_to_advance"]


def test_what_another_partner_has_done_need_not_wait_either():
    deal = both_resellers().complete("share-profile.2").ask(LEAVE)
    assert deal.open_keys == ["confirm-budget", "draw-org-chart"]


def test_with_the_last_of_them_it_waits_for_another():
    deal = both_resellers().ask(LEAVE).ask(ask.RemovePartner(partner_id=CYGNUS.id))
    assert deal.task("share-profile").left_behind
    assert (deal.task("share-profile.2").is_open, deal.task("share-profile.2").partner_id) == (True, None)
    deal.ask(ask.AddPartner(partner=ASTER))
    assert deal.task("share-profile.2").partner_id == ASTER.id
    assert deal.task("share-profile").left_behind


def test_what_was_left_behind_comes_back_with_the_partner():
    deal = both_resellers().ask(LEAVE).later(days=1).ask(ask.AddPartner(partner=ASTER))
    task = deal.task("share-profile")
    assert (task.is_open, task.left_behind, task.partner_id) == (True, False, ASTER.id)
    assert (task.opened_at, task.due_at) == (deal.now, deal.now + timedelta(days=5))
    assert "share-profile.3" not in deal.deal.tasks


def test_what_was_left_behind_can_be_reopened_for_those_who_stay():
    deal = both_resellers().ask(LEAVE).ask(ask.ReopenTask(key="share-profile"), by=REP)
    task = deal.task("share-profile")
    assert (task.is_open, task.left_behind, task.partner_id) == (True, False, None)


def test_a_second_visit_does_not_ask_a_partner_that_left_while_others_have_the_same_task():
    deal = both_resellers().ask(ask.Move(stage="prepare", reason="Later")).ask(LEAVE)
    deal.ask(ask.Move(stage="qualify", reason="Now"))
    assert deal.open_keys == ["confirm-budget", "share-profile.2", "draw-org-chart"]


def test_ad_hoc_tasks_wait_for_another_partner():
    deal = both_resellers()
    deal.ask(ask.AddTask(title="Visit the plant", side="partner", partner_id=ASTER.id)).ask(LEAVE)
    assert (deal.task("task-1").is_open, deal.task("task-1").partner_id) == (True, None)


def test_a_partner_that_leaves_may_leave_the_gate_open():
    deal = a_deal(at="prepare", partners=(ASTER, CYGNUS))
    deal.complete("write-agenda", "invite-customer.2").ask(LEAVE)
    assert deal.deal.stage.key == "joint-demo"


def test_what_it_did_stays_done_and_comes_back_with_it():
    deal = a_deal().complete("share-profile").ask(LEAVE).ask(ask.AddPartner(partner=ASTER))
    assert deal.task("share-profile").closed_by == SELLER.name
    assert "share-profile.2" not in deal.deal.tasks


def test_what_it_did_can_be_done_again_by_those_who_stay():
    deal = a_deal().complete("share-profile").ask(LEAVE).ask(ask.ReopenTask(key="share-profile"))
    assert deal.task("share-profile").partner_id is None
    assert deal.complete("share-profile").task("share-profile").closed_by == REP.name


def test_from_then_on_the_deal_does_not_exist_for_it():
    deal = a_deal().ask(ask.AddNote(text="Hello"), by=SELLER).ask(LEAVE)
    with pytest.raises(NotFound, match="There is no such opportunity"):
        deal.ask(ask.AddNote(text="Hello?"), by=SELLER)


@pytest.mark.parametrize(
    "command",
    [ask.AddNote(text="Hi"), ask.CompleteTask(key="confirm-budget"), ask.Advance(), ask.Lose(reason="other")],
    ids=lambda command: command.kind,
)
def test_for_a_partner_that_is_not_on_the_deal_it_does_not_exist(command):
    for deal in (a_deal(), a_lost_deal()):
        with pytest.raises(NotFound, match="There is no such opportunity"):
            deal.ask(command, by=BOREALIS_SELLER, if_version=1)


@pytest.mark.parametrize("by", [SELLER, LEAD, DESK, SUCCESS], ids=lambda by: by.name)
@pytest.mark.parametrize("command", [JOIN, LEAVE], ids=["add", "remove"])
def test_only_the_vendors_sales_people_choose_partners(command, by):
    with pytest.raises(Forbidden, match="Only the vendor's sales people"):
        a_deal().ask(command, by=by)


def test_a_partner_joins_once():
    with pytest.raises(AlreadyOnDeal, match="Aster Integrators is on this deal already"):
        a_deal().ask(ask.AddPartner(partner=ASTER))


def test_only_a_partner_of_the_deal_leaves():
    with pytest.raises(NotFound, match="This partner is not on the deal"):
        a_deal().ask(ask.RemovePartner(partner_id=BOREALIS.id))


def test_a_deal_has_room_for_ten_partners():
    with pytest.raises(InvalidInput, match="at most 10 partners"):
        a_deal(partners=crowd(MAX_PARTNERS)).ask(JOIN)
