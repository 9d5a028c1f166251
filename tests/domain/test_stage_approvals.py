"""A stage that waits for an approval: the yes, the no, and what becomes of it when the deal moves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.approval import rules
from domain.approval.state import ApprovalState
from domain.errors import Conflict, Forbidden, NotFound, StageGateClosed
from domain.opportunity import commands as ask
from domain.opportunity import stage_approvals
from domain.opportunity.blockers import blockers
from domain.opportunity.trigger_state import StageApprovalState
from domain.principal import SYSTEM, Side
from tests.factories import (
    NOW,
    REP,
    SELLER,
    an_id,
    person,
)
from tests.triggers import REVIEW, book, decided, shown


def test_a_stage_waits_for_its_approval():
    deal = shown(REVIEW).complete("demo")
    (blocker,) = blockers(deal.deal)
    assert blocker.code == "approval_pending"
    assert (blocker.who, blocker.turn) == ("sales director", Side.VENDOR)
    assert blocker.due_at == NOW + timedelta(days=1)
    with pytest.raises(StageGateClosed, match="“Solution review” waits for approval"):
        deal.ask(ask.Advance())
    decided(deal, ApprovalState.APPROVED)
    assert deal.last == "“Solution review” was approved."
    assert deal.ask(ask.Advance()).deal.stage.key == "close"


def test_a_stage_that_moves_by_itself_goes_on_with_the_yes():
    deal = shown(REVIEW, stage={"exit": {"by": "tasks", "advance": "automatic"}}).complete("demo")
    assert deal.deal.stage.key == "show"
    assert decided(deal, ApprovalState.APPROVED).deal.stage.key == "close"


@pytest.mark.parametrize(
    ("state", "code", "said"),
    [
        (ApprovalState.REJECTED, "approval_missing", "was rejected: ask for it again"),
        (ApprovalState.RECALLED, "approval_missing", "was taken back"),
        (ApprovalState.EXPIRED, "approval_missing", "was not decided on in time"),
        (ApprovalState.RETURNED, "approval_pending", "came back with a question"),
        (ApprovalState.COUNTERED, "approval_pending", "came back with a question"),
    ],
)
def test_without_a_yes_the_owner_is_told_what_to_do(state: ApprovalState, code: str, said: str):
    deal = decided(shown(REVIEW).complete("demo"), state, "Too thin.")
    (blocker,) = blockers(deal.deal)
    assert blocker.code == code
    assert said in blocker.what
    assert blocker.who == REP.name
    assert deal.last.endswith(": Too thin.")


def test_what_is_known_or_not_waited_for_is_no_news():
    deal = shown(REVIEW)
    for approval_id in (deal.deal.stage_approvals[0].id, an_id(77)):
        again = stage_approvals.approval_ended(deal.deal, approval_id, ApprovalState.PENDING, None, NOW)
        assert again.entries == ()
    decided(deal, ApprovalState.RETURNED)
    assert decided(deal, ApprovalState.PENDING).last == "“Solution review” waits for approval again."


def test_after_a_no_it_is_asked_again_as_another_request():
    deal = decided(shown(REVIEW).complete("demo"), ApprovalState.REJECTED)
    first = deal.deal.stage_approvals[0].id
    deal.ask(ask.AskStageApproval(approval_id=first, id=an_id(51)))
    assert [each.id for each in deal.deal.stage_approvals] == [an_id(51)]
    assert deal.blocked_by == ["approval_pending"]
    assert deal.last == "Rosa Rep asked again for “Solution review”, of sales director."
    with pytest.raises(Conflict, match="is being decided on, by sales director"):
        deal.ask(ask.AskStageApproval(approval_id=an_id(51), id=an_id(52)))
    with pytest.raises(NotFound):
        deal.ask(ask.AskStageApproval(approval_id=first, id=an_id(52)))
    decided(deal, ApprovalState.EXPIRED)
    with pytest.raises(Conflict, match="asked for already"):
        deal.ask(ask.AskStageApproval(approval_id=an_id(51), id=an_id(51)))
    with pytest.raises(Forbidden):
        deal.ask(ask.AskStageApproval(approval_id=an_id(51), id=an_id(53)), by=SELLER)


def test_what_came_back_and_is_asked_anew_is_withdrawn():
    deal = decided(shown(REVIEW), ApprovalState.RETURNED)
    before = deal.deal
    deal.ask(ask.AskStageApproval(approval_id=before.stage_approvals[0].id, id=an_id(51)))
    ((gone, why),) = stage_approvals.no_longer_wanted(before, deal.deal)
    assert gone == before.stage_approvals[0].id
    assert why.endswith(".")
    assert [each.id for each in stage_approvals.newly_asked(before, deal.deal)] == [an_id(51)]


def test_moving_away_withdraws_it_and_coming_back_asks_anew():
    deal = shown(REVIEW)
    before = deal.deal
    deal.later(hours=1).ask(ask.Move(stage="close", reason="They signed"))
    assert deal.deal.stage_approvals[0].state is StageApprovalState.WITHDRAWN
    assert deal.last == "“Solution review” is needed no more: its stage was left."
    ((gone, why),) = stage_approvals.no_longer_wanted(before, deal.deal)
    assert (gone, why) == (
        before.stage_approvals[0].id,
        "Nobody needs it any more: its stage was left.",
    )
    assert deal.blocked_by == ["task_open"]
    deal.later(hours=1).ask(ask.Move(stage="show", reason="Not quite"))
    assert [each.state for each in deal.deal.stage_approvals] == [StageApprovalState.PENDING]
    assert deal.deal.stage_approvals[0].id != gone


def test_a_lost_deal_withdraws_it_and_a_reopened_one_has_to_ask_again():
    deal = shown(REVIEW).complete("demo").ask(ask.Lose(reason="price"))
    assert deal.last == "“Solution review” is needed no more: the deal is lost."
    deal.ask(ask.Reopen())
    assert deal.blocked_by == ["approval_missing"]
    assert "before the deal was closed" in deal.why[0]
    assert stage_approvals.no_longer_wanted(None, deal.deal) == []
    waits = shown(REVIEW).deal
    assert stage_approvals.no_longer_wanted(waits, waits) == []
    assert stage_approvals.waiting(deal.deal) == []


def test_an_approval_asked_on_leaving_holds_the_stage_entered():
    deal = shown(on_leave=(REVIEW,)).complete("demo")
    assert deal.blocked_by == ["approval_pending"]
    assert deal.deal.stage_approvals[0].stage == "show"


def test_what_the_approvers_are_asked():
    review = {"approval": {"title": "Review", "approvers": [{"manager": True}], "words": "Is it sound?"}}
    deal = shown(review).deal
    (approval,) = stage_approvals.newly_asked(None, deal)
    submit = stage_approvals.submission(deal, approval)
    assert submit is not None
    assert (submit.subject.kind, submit.subject.title) == ("stage", "Review: ERP rollout")
    assert submit.subject.opportunity_id == deal.id
    assert [step.approvers[0].manager for step in submit.steps] == [True]
    assert submit.reason == "Is it sound?"
    assert submit.facts["deal"]["amount"] == 250000.0
    assert submit.expires_at == NOW + timedelta(days=30)
    by = stage_approvals.requester(deal)
    assert (by.id, by.side) == (REP.id, Side.VENDOR)
    nobodys = shown(REVIEW, owner=None).deal
    assert stage_approvals.requester(nobodys) == SYSTEM
    asked = stage_approvals.submission(nobodys, nobodys.stage_approvals[0])
    assert asked is not None
    assert asked.reason == "The playbook asks for it before Show is left."
    other = nobodys.model_copy(update={"playbook": book()})
    assert stage_approvals.submission(other, nobodys.stage_approvals[0]) is None
    assert stage_approvals.waiting(nobodys) == [nobodys.stage_approvals[0].id]


@pytest.mark.parametrize("owner", [person(REP), None], ids=["owned", "nobody's"])
def test_whoever_owns_the_deal_its_approvals_are_internal_and_no_later_owner_decides(owner: Any):
    deal = shown(REVIEW, owner=owner).deal
    submit = stage_approvals.submission(deal, deal.stage_approvals[0])
    assert submit is not None
    asked = rules.submit(submit, NOW, stage_approvals.requester(deal))
    assert asked.approval.is_internal
    assert all(entry.internal for entry in asked.entries)
    resolving = rules.to_resolve(asked.approval, NOW)
    assert resolving is not None
    assert resolving.owned == deal.id
