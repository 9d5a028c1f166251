"""Joint sign-off: the vendor must not dictate, and neither must the partner."""

from __future__ import annotations

import pytest

from domain.errors import AlreadySignedOff, Forbidden, NoSuchStage, NotFound, StageGateClosed
from domain.opportunity import commands as ask
from domain.opportunity.blockers import blockers, turn
from domain.principal import SYSTEM, Side
from tests.factories import (
    ASTER,
    BOREALIS,
    BOREALIS_SELLER,
    CYGNUS,
    CYGNUS_SELLER,
    DESK,
    DIRECTOR,
    LEAD,
    REP,
    SELLER,
    a_deal,
    a_playbook,
    a_stage,
)


def ready(**changes):
    """In the joint demonstration, with its task done."""
    return a_deal(at="joint-demo", **changes).complete("run-demo")


@pytest.mark.parametrize(("first", "second"), [(REP, SELLER), (SELLER, REP), (DIRECTOR, LEAD)])
def test_the_deal_moves_on_when_both_sides_have_agreed(first, second):
    deal = ready().ask(ask.Advance(), by=first)
    assert deal.deal.stage.key == "joint-demo"
    deal.ask(ask.Advance(), by=second)
    assert deal.deal.stage.key == "proposal"
    assert deal.last == "Joint demonstration → Joint proposal: both sides agreed."


def test_before_anybody_agreed_it_is_the_turn_of_both():
    deal = ready()
    assert deal.why == [
        "The vendor has not agreed yet that Joint demonstration is finished",
        "The partner has not agreed yet that Joint demonstration is finished",
    ]
    assert turn(deal.deal) is None


def test_after_one_side_agreed_it_is_the_turn_of_the_other():
    deal = ready().ask(ask.Advance(note="Went well"), by=REP)
    assert deal.last == "Rosa Rep agreed for the vendor that Joint demonstration is finished."
    [blocker] = blockers(deal.deal)
    assert (blocker.turn, blocker.who) == (Side.PARTNER, "Aster Integrators")
    assert turn(deal.deal) is Side.PARTNER


@pytest.mark.parametrize(
    ("one", "again", "other"),
    [(REP, DIRECTOR, "partner"), (SELLER, LEAD, "vendor")],
    ids=["vendor", "partner"],
)
def test_a_side_agrees_once_whoever_speaks_for_it(one, again, other):
    deal = ready().ask(ask.Advance(), by=one)
    with pytest.raises(AlreadySignedOff, match=f"Your side has agreed; the {other} has not yet"):
        deal.ask(ask.Advance(), by=again)


def test_nobody_agrees_before_the_required_tasks_are_closed():
    deal = a_deal(at="joint-demo")
    for by in (REP, SELLER):
        with pytest.raises(StageGateClosed, match="“Run demo” is open"):
            deal.ask(ask.Advance(), by=by)


def test_readers_and_outsiders_do_not_agree():
    deal = ready()
    with pytest.raises(Forbidden):
        deal.ask(ask.Advance(), by=DESK)
    with pytest.raises(NotFound):
        deal.ask(ask.Advance(), by=CYGNUS_SELLER)


def test_one_of_several_partners_speaks_for_them():
    deal = ready(partners=(ASTER, BOREALIS))
    assert blockers(deal.deal)[1].who == "Aster Integrators or Borealis Systems"
    more = ready(partners=(ASTER, BOREALIS, CYGNUS))
    assert blockers(more.deal)[1].who == "Aster Integrators, Borealis Systems or Cygnus Trade"
    deal.ask(ask.Advance(), by=BOREALIS_SELLER).ask(ask.Advance(), by=REP)
    assert deal.deal.stage.key == "proposal"


def test_reopening_a_required_task_takes_the_agreement_back():
    deal = ready().ask(ask.Advance(), by=SELLER).ask(ask.ReopenTask(key="run-demo"), by=REP)
    deal.complete("run-demo").ask(ask.Advance(), by=REP)
    assert deal.deal.stage.key == "joint-demo"
    deal.ask(ask.Advance(), by=SELLER)
    assert deal.deal.stage.key == "proposal"


@pytest.mark.parametrize("required", [True, False])
def test_a_new_task_that_the_stage_waits_for_takes_it_back_as_well(required):
    deal = ready().ask(ask.Advance(), by=SELLER)
    deal.ask(ask.AddTask(title="Show the interfaces", side="vendor", required=required)).complete("task-1")
    deal.ask(ask.Advance(), by=REP)
    assert deal.deal.stage.key == ("joint-demo" if required else "proposal")


def test_reopening_an_optional_task_does_not():
    deal = ready().ask(ask.AddTask(title="Send slides", side="vendor")).complete("task-1")
    deal.ask(ask.Advance(), by=SELLER).ask(ask.ReopenTask(key="task-1")).ask(ask.Advance(), by=REP)
    assert deal.deal.stage.key == "proposal"


def test_a_partner_that_leaves_takes_its_agreement_along():
    deal = ready(partners=(ASTER, BOREALIS)).ask(ask.Advance(), by=SELLER)
    deal.ask(ask.RemovePartner(partner_id=ASTER.id)).ask(ask.Advance(), by=REP)
    assert deal.deal.stage.key == "joint-demo"
    deal.ask(ask.Advance(), by=BOREALIS_SELLER)
    assert deal.deal.stage.key == "proposal"


def test_without_a_partner_the_vendor_is_told_to_add_one():
    deal = ready(partners=()).ask(ask.Advance(), by=REP)
    [blocker] = blockers(deal.deal)
    assert blocker.what == "Joint demonstration is left when both sides agree: add a partner first"
    assert (blocker.turn, blocker.who) == (Side.VENDOR, "Rosa Rep")


def test_the_last_stage_is_won_only_after_both_agreed():
    book = a_playbook(stages=[a_stage("sign", title="Signature", exit={"by": "sign_off"})])
    deal = a_deal(playbook=book).ask(ask.Advance(), by=REP)
    with pytest.raises(StageGateClosed, match="The partner has not agreed yet that Signature is finished"):
        deal.ask(ask.Win())
    deal.ask(ask.Advance(), by=SELLER)
    assert deal.blocked_by == ["ready_to_win"]
    with pytest.raises(NoSuchStage, match="win the deal, or lose it"):
        deal.ask(ask.Advance())
    assert deal.ask(ask.Win()).deal.in_handoff


def test_what_happens_by_itself_speaks_for_the_vendor_alone():
    assert ready().ask(ask.Advance(), by=SYSTEM).deal.stage.key == "joint-demo"
