"""What people say on a request and what follows: each command, each refusal, each end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.approval import commands as ask
from domain.approval.decide_requests import MAX_ROUNDS
from domain.approval.draft import ApprovalOutcome
from domain.approval.resolve import Judged, Resolution
from domain.approval.rules import as_read, decide, needs_judging, resolved, submit, to_resolve
from domain.approval.state import Approval, ApprovalState, Channel, StepState, Verdict
from domain.approval.work import waits_for
from domain.errors import (
    AlreadyDecided,
    ApprovalClosed,
    ApprovalNotPending,
    ApprovalNotReturned,
    InvalidInput,
    NoCounterOffer,
    NotAnApprover,
    NotFound,
    NotTheRequester,
    OwnRequest,
    StaleVersion,
    TandemError,
)
from tests.approvals import (
    BACK,
    DESK,
    DIANA,
    DINA,
    DIRK,
    DORA,
    FINANCE,
    FRED,
    LESS,
    MONDAY,
    NO,
    OFFICE,
    RITA,
    SAM,
    Game,
    actor,
    step,
    submission,
    without,
)


def test_desk_and_finance_agree_in_any_order_then_the_director():
    for first, second in ((DORA, FRED), (FRED, DORA)):
        game = Game().submit().approve(first)
        assert game.step("director").state is StepState.WAITING
        game.approve(second)
        assert game.asked("director") == ["Diana"]
        game.approve(DIANA, comment="For the reference.")
        assert game.state is ApprovalState.APPROVED
        assert game.approval.ended.by.name == "Diana Director"
        assert game.approval.ended.comment == "For the reference."


def test_one_of_several_is_enough():
    game = Game().submit(DESK).approve(DIRK)
    assert game.state is ApprovalState.APPROVED
    assert game.words[-2:] == ["Dirk Desk approved (Desk).", "27.5 % on ERP rollout was approved."]


def test_all_means_all():
    game = Game().submit(step(needs="all")).approve(DORA, DIRK)
    assert (game.state, game.asked()) == (ApprovalState.PENDING, ["Dina"])
    assert game.approve(DINA).state is ApprovalState.APPROVED


def test_two_of_three_agree_whatever_the_third_says():
    game = Game().submit(step(needs=2)).ask(NO, DIRK)
    assert game.state is ApprovalState.PENDING
    assert game.words[-1] == "Dirk Desk is against it (Desk). “Too much.”"
    assert game.approve(DORA, DINA).state is ApprovalState.APPROVED


def test_where_two_of_three_cannot_agree_any_more_it_is_rejected():
    game = Game().submit(step(needs=2)).ask(NO, DIRK).ask(NO, DORA)
    assert game.state is ApprovalState.REJECTED


def test_one_no_where_one_or_all_are_wanted_is_the_end():
    for needs in ("one", "all", 1):
        game = Game().submit(step(needs=needs), FINANCE).ask(NO, DORA)
        assert game.state is ApprovalState.REJECTED
        assert game.words[-1] == "Dora Desk rejected 27.5 % on ERP rollout. “Too much.”"
        assert [each.state for each in game.approval.steps] == [StepState.REJECTED, StepState.SKIPPED]
        assert game.step().decisions[0].verdict is Verdict.REJECT


def test_who_sits_on_two_steps_decides_on_both_at_once_or_on_a_named_one():
    both = (DESK, step("second", {"role": "deal_desk"}))
    assert Game().submit(*both).approve(DORA).state is ApprovalState.APPROVED
    game = Game().submit(*both).approve(DORA, step="second")
    assert [each.state for each in game.approval.steps] == [StepState.OPEN, StepState.APPROVED]
    with pytest.raises(AlreadyDecided):
        game.approve(DORA, step="second")
    assert game.approve(DORA).state is ApprovalState.APPROVED


def test_a_no_on_two_steps_is_said_on_the_one_where_it_ends_the_request():
    game = Game().submit(step("many", needs=2), step("one")).ask(NO, DORA)
    assert game.state is ApprovalState.REJECTED
    assert [bool(each.decisions) for each in game.approval.steps] == [False, True]


def test_nobody_decides_twice():
    game = Game().submit(step(needs="all"), FINANCE).approve(DORA)
    for again in (ask.Approve(), NO, BACK, LESS):
        with pytest.raises(AlreadyDecided, match=r"on Desk already: approve, at 09:00 UTC on 2 November"):
            game.ask(again, DORA)


@pytest.mark.parametrize("command", [ask.Approve(), NO, BACK, LESS])
def test_four_eyes(command: ask.Command):
    with pytest.raises(OwnRequest):
        Game().submit(DESK, by=DORA).ask(command, DORA)


def test_somebody_else_is_asked():
    with pytest.raises(NotAnApprover, match="It waits for Dora Desk, Dirk Desk or Dina Desk"):
        Game().submit(DESK).approve(FRED)
    with pytest.raises(NotAnApprover, match=r"You are not asked to decide here\."):
        Game().submit().approve(DIANA)


def test_a_step_that_is_not_there():
    with pytest.raises(NotFound, match="has no step “legal”"):
        Game().submit(DESK).approve(DORA, step="legal")


def test_a_decision_says_how_it_came():
    game = Game().submit(DESK)
    request = ask.Request(command=ask.Approve(comment="Fine."), by=actor(DORA), channel=Channel.MAIL)
    outcome = decide(game.approval, request, game.now)
    assert outcome.entries[0].words == "Dora Desk approved by mail (Desk). “Fine.”"
    assert game.state is ApprovalState.PENDING, "what was decided on stays as it was"


def test_returned_amended_and_submitted_again():
    game = Game().submit(DESK, FINANCE).approve(FRED).ask(BACK, DORA)
    assert (game.state, game.approval.returned.comment) == (ApprovalState.RETURNED, BACK.comment)
    assert waits_for(game.approval) == "Rita Rep"
    game.now += timedelta(days=2)
    game.ask(ask.Resubmit(percent="24", reason="It is Contoso.", comment="Here you are."), RITA)
    assert (game.state, game.approval.percent, game.approval.reason) == (
        ApprovalState.PENDING,
        ask.Resubmit(percent="24").percent,
        "It is Contoso.",
    )
    assert game.asked("finance") == ["Fred"], "everybody decides anew"
    before = game.approval.rounds[0]
    assert (before.number, str(before.percent), before.state) == (1, "27.5", ApprovalState.RETURNED)
    assert [len(each.decisions) for each in before.steps] == [1, 1]
    assert game.approval.expires_at == game.now + timedelta(days=30)
    assert game.approve(DORA, FRED).state is ApprovalState.APPROVED
    assert game.words[-1] == "24 % on ERP rollout was approved."


def test_amended_so_that_nobody_has_to_agree_it_is_approved():
    game = Game().submit(DESK).ask(BACK, DORA)
    game.ask(ask.Resubmit(percent="5"), RITA, Judged(facts={"small": True}, fired=()))
    assert (game.state, game.approval.facts) == (ApprovalState.APPROVED, {"small": True})


def test_what_is_being_decided_is_not_submitted_again():
    with pytest.raises(ApprovalNotReturned):
        Game().submit(DESK).ask(ask.Resubmit(), RITA)


def test_nothing_goes_round_for_ever():
    game = Game().submit(DESK)
    for _ in range(MAX_ROUNDS - 1):
        game.ask(BACK, DORA).ask(ask.Resubmit(), RITA)
    with pytest.raises(InvalidInput, match="submitted 20 times"):
        game.ask(BACK, DORA).ask(ask.Resubmit(), RITA)


def test_a_counter_offer_taken_counts_as_the_approval_of_who_made_it():
    game = Game().submit(DESK).ask(LESS, DORA)
    assert game.state is ApprovalState.COUNTERED
    assert (str(game.approval.counter.percent), game.approval.counter.by.name) == ("20", "Dora Desk")
    assert game.words[-1].startswith("Dora Desk would grant 20 % instead of 27.5 % on ERP rollout.")
    game.ask(ask.Accept(comment="Deal."), RITA)
    assert (game.state, str(game.approval.percent)) == (ApprovalState.APPROVED, "20")
    assert game.words[-2:] == [
        "Rita Rep takes 20 % on ERP rollout. “Deal.”",
        "20 % on ERP rollout was approved.",
    ]
    assert (game.approval.took_offer, game.approval.ended_by) == (True, "Dora Desk"), "Rita asked"


def test_who_rejects_or_takes_back_ends_it():
    assert Game().submit(DESK).approval.ended_by is None
    assert Game().submit(DESK).approve(DORA).approval.ended_by == "Dora Desk"
    assert Game().submit(DESK).ask(ask.Reject(comment="No."), DORA).approval.ended_by == "Dora Desk"
    assert Game().submit(DESK).ask(ask.Recall(), RITA).approval.ended_by == "Rita Rep"


def test_the_others_still_decide_on_what_was_taken_with_fresh_clocks():
    game = Game().submit(step(needs=2), FINANCE).approve(FRED).ask(LESS, DORA)
    game.now += timedelta(days=1)
    game.ask(ask.Accept(), RITA)
    assert (game.state, game.asked()) == (ApprovalState.PENDING, ["Dirk", "Dina"])
    assert game.step().due_at == game.now.replace(hour=17)
    assert game.step("finance").state is StepState.APPROVED
    assert game.approve(DINA).state is ApprovalState.APPROVED


def test_steps_that_less_does_not_need_fall_away_and_new_facts_may_need_new_ones():
    steps = (DESK, FINANCE, step("legal", {"role": "admin"}))
    game = Game().submit(*steps, fired=("desk", "finance")).ask(LESS, DORA)
    game.ask(ask.Accept(), RITA, Judged(facts={}, fired=("desk", "legal")))
    assert game.step("finance").state is StepState.NOT_NEEDED
    assert game.asked("legal") == ["Ada"]


def test_a_counter_offer_may_be_answered_with_another_request():
    game = Game().submit(DESK).ask(LESS, DORA).ask(ask.Resubmit(percent="23"), RITA)
    assert (game.state, game.approval.counter) == (ApprovalState.PENDING, None)
    assert str(game.approval.rounds[0].counter.percent) == "20"
    assert game.asked() == ["Dora", "Dirk", "Dina"]


@pytest.mark.parametrize("percent", ["27.5", "30", "0"])
def test_a_counter_offer_is_less_than_asked_for_and_more_than_nothing(percent: str):
    with pytest.raises(InvalidInput, match=r"more than 0 % and less than the 27\.5 % asked for"):
        Game().submit(DESK).ask(ask.Counter(percent=percent), DORA)


def test_what_has_no_percent_takes_no_counter_offer():
    game = Game().submit(DESK, percent=None)
    assert game.words[0].startswith("Rita Rep asked for ERP rollout: ")
    with pytest.raises(InvalidInput, match="has no percent"):
        game.ask(LESS, DORA)


def test_only_an_offer_can_be_taken():
    with pytest.raises(NoCounterOffer):
        Game().submit(DESK).ask(ask.Accept(), RITA)


@pytest.mark.parametrize("command", [ask.Accept(), ask.Resubmit(), ask.Recall()])
def test_what_the_requester_does_nobody_else_does(command: ask.Command):
    with pytest.raises(NotTheRequester, match="Only Rita Rep"):
        Game().submit(DESK).ask(command, DORA)


def test_in_whose_name_it_is_asked_may_take_it_back_as_well():
    game = Game().submit(DESK, asked_for={"id": SAM.id, "name": SAM.name})
    assert game.ask(ask.Recall(), SAM).state is ApprovalState.RECALLED


@pytest.mark.parametrize("command", [ask.Approve(), NO, LESS, BACK])
@pytest.mark.parametrize("before", [BACK, LESS])
def test_while_the_requester_is_awaited_nobody_decides(before: ask.Command, command: ask.Command):
    with pytest.raises(ApprovalNotPending, match="Rita Rep is awaited"):
        Game().submit(DESK).ask(before, DORA).ask(command, DIRK)


@pytest.mark.parametrize("before", [None, BACK, LESS])
def test_recall_always_ends_it(before: ask.Command | None):
    game = Game().submit(DESK)
    if before is not None:
        game.ask(before, DORA)
    game.ask(ask.Recall(comment="Not needed."), RITA)
    assert game.state is ApprovalState.RECALLED
    assert game.words[-1] == "Rita Rep took back the request for 27.5 % on ERP rollout. “Not needed.”"


def test_the_deal_withdraws_what_it_needs_no_more_and_only_that():
    game = Game().submit(DESK).withdraw()
    assert (game.state, game.approval.ended.by.is_system) == (ApprovalState.RECALLED, True)
    assert game.words[-1] == "The request for 27.5 % on ERP rollout was withdrawn. The deal was lost."
    version = game.approval.version
    assert game.withdraw().approval.version == version


def ended_games() -> dict[str, Game]:
    return {
        "approved": Game().submit(DESK).approve(DORA),
        "rejected": Game().submit(DESK).ask(NO, DORA),
        "recalled": Game().submit(DESK).ask(ask.Recall(), RITA),
        "expired": Game().submit(DESK).pass_time(timedelta(days=31)),
    }


@pytest.mark.parametrize("end", ["approved", "rejected", "recalled", "expired"])
def test_after_the_end_nothing_is_taken_and_it_is_said_what_ended_it(end: str):
    commands: list[ask.Command] = [ask.Approve(), NO, BACK, LESS, ask.Accept(), ask.Resubmit(), ask.Recall()]
    for command in commands:
        for who in (DORA, DIRK, RITA):
            with pytest.raises(ApprovalClosed, match=f"was {end} already by ") as refused:
                ended_games()[end].ask(command, who)
            assert refused.value.extra == {"state": end}


def test_who_else_is_asked_does_not_outdate_what_somebody_read():
    game = Game().submit(DESK)
    read, wanted = game.approval, ask.Request(command=ask.Approve(), by=actor(DORA), if_version=2)
    assert read.version == 2
    now = game.people_change(without(OFFICE, DIRK)).approval
    assert as_read(wanted, read, now).if_version == now.version == 3
    for other in (None, 1):
        older = wanted.model_copy(update={"if_version": other})
        assert as_read(older, read, now).if_version == other


def test_another_version_in_mind():
    game = Game().submit(DESK)
    request = ask.Request(command=ask.Approve(), by=actor(DORA), if_version=1)
    with pytest.raises(StaleVersion) as refused:
        decide(game.approval, request, game.now)
    assert refused.value.extra == {"version": 2}
    decide(game.approval, request.model_copy(update={"if_version": 2}), game.now)


@pytest.mark.parametrize(
    "wrong",
    [{"fired": ()}, {"fired": ("desk", "legal")}, {"expires_at": MONDAY}],
)
def test_what_cannot_be_asked(wrong: dict[str, Any]):
    with pytest.raises(InvalidInput):
        submit(submission(**wrong), MONDAY, actor(RITA))


def test_an_answer_about_a_step_that_is_not_there_any_more_changes_nothing():
    game = Game().submit(DESK)
    wants = to_resolve(game.approval, game.now, again=True)
    assert wants is not None
    stray = Resolution.model_validate(
        {"steps": [{"key": "gone", "approvers": [], "level": 0, "wanted": 1, "enough": False}]}
    )
    assert resolved(game.approval, stray, game.now).entries == ()
    foreign = game.approval.model_copy(update={"templates": ()})
    assert to_resolve(foreign, game.now, again=True) is None


def test_a_request_survives_being_written_down():
    for game in (*ended_games().values(), Game().submit().approve(DORA), Game().submit(DESK).ask(LESS, DORA)):
        assert Approval.model_validate_json(game.approval.model_dump_json()) == game.approval
        outcome = ApprovalOutcome(approval=game.approval, entries=tuple(game.entries))
        again = ApprovalOutcome.model_validate_json(outcome.model_dump_json())
        assert [each.words for each in again.entries] == game.words


def test_only_what_asks_for_another_percent_is_judged_anew():
    assert [needs_judging(each) for each in (ask.Accept(), ask.Resubmit(), ask.Approve(), NO)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_request_is_due_when_its_first_open_step_is():
    game = Game().submit(DESK, step("finance", {"role": "finance"}, due="2bh"))
    assert game.approval.due_at == MONDAY + timedelta(hours=2)
    assert game.approve(FRED).approval.due_at == MONDAY + timedelta(hours=8)
    assert game.ask(BACK, DORA).approval.due_at is None
    assert game.state.label == "Returned"


def test_refusals_have_codes_that_callers_may_rely_on():
    wanted: dict[type[TandemError], tuple[str, int]] = {
        ApprovalClosed: ("approval_closed", 409),
        ApprovalNotPending: ("approval_not_pending", 409),
        ApprovalNotReturned: ("approval_not_returned", 409),
        AlreadyDecided: ("already_decided", 409),
        NoCounterOffer: ("no_counter_offer", 409),
        NotAnApprover: ("not_an_approver", 403),
        NotTheRequester: ("not_the_requester", 403),
        OwnRequest: ("own_request", 403),
    }
    assert {kind: (kind.code, kind.status) for kind in wanted} == wanted


def test_what_approvers_say_to_each_other_is_not_the_answer_to_the_requester() -> None:
    game = Game().submit()
    game.approve(DORA, comment="It leaves us 4 %.")
    game.approve(FRED)
    game.now += timedelta(minutes=1)
    game.approve(DIANA)
    assert game.state is ApprovalState.APPROVED
    assert game.approval.ended is not None
    assert game.approval.ended.comment is None
