"""The hand-off's process: who receives it, until when, who is told, follow-ups, the renewal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.approval.directory import Directory
from domain.calendar import Calendar
from domain.errors import (
    FollowUpDone,
    Forbidden,
    HandOffEnded,
    HandOffNotAccepted,
    InvalidInput,
    NotFound,
    RenewalOpen,
    StaleVersion,
)
from domain.handoff import commands as ask
from domain.handoff import events as did
from domain.handoff.agenda import fall_due, next_due, renewal_is_due
from domain.handoff.news import news
from domain.handoff.renewal import opening, renewal_id, renewal_title
from domain.handoff.rules import hear, renewal_opened
from domain.handoff.state import EndReason, FollowUpState, Health, Progress
from domain.notice import NoticeKind
from domain.opportunity import commands as ask_deal
from domain.opportunity.draft import Outcome
from domain.playbook_handoff import HandOffTell
from domain.principal import SYSTEM, Role
from tests.approvals import without
from tests.factories import ASTER, NOW, REP, SELLER, a_deal, a_playbook, a_won_deal
from tests.handoffs import (
    CARL,
    DIANA,
    FRIDAY,
    OFFICE,
    RITA,
    SUSI,
    HandOffGame,
    a_handoff_playbook,
    an_accepted_handoff,
    candidate,
)


def at(day: int, hour: int, month: int = 3) -> datetime:
    return datetime(2027, month, day, hour, tzinfo=UTC)


def log(key: str | None = None, health: Health = Health.GOOD, **more: str) -> ask.LogFollowUp:
    return ask.LogFollowUp(key=key, health=health, note="All well.", **more)


def test_it_begins_when_the_deal_is_won_and_waits_for_the_sellers():
    game = HandOffGame()
    assert (game.process.progress, game.process.clock, game.process.due_at) == (
        Progress.PREPARING,
        None,
        None,
    )
    assert game.last == "The hand-off to customer success began."
    assert next_due(game.process) is None
    assert game.told == []


def test_a_deal_that_is_not_won_tells_nothing():
    deal = a_deal()
    assert news(None, Outcome(opportunity=deal.deal, entries=tuple(deal.entries))) is None


def test_when_it_is_complete_customer_success_has_business_time():
    game = HandOffGame().complete()
    assert game.process.progress is Progress.WAITING
    assert game.process.due_at == at(9, 15), "two business days, over the weekend"
    assert game.last == (
        "The hand-off is complete: customer success has until 9 March 2027, 15:00 UTC to accept or return it."
    )
    [told] = game.told
    assert (told.kind, told.roles, told.recipients) == (
        NoticeKind.HANDOFF_OFFERED,
        (Role.CUSTOMER_SUCCESS,),
        (),
    )
    assert [fact.value for fact in told.facts] == ["Acme", "Rosa Rep", "nobody yet"]


def test_a_hand_off_without_tasks_waits_from_the_first():
    book = a_handoff_playbook(tasks=[])
    assert HandOffGame(playbook=book).types == ["handoff_begun", "handoff_waits"]


def test_it_escalates_rung_by_rung_each_once():
    game = HandOffGame().ask(ask.Assign(to=candidate(SUSI)), by=DIANA).complete()
    game.told.clear()
    game.pass_time(timedelta(days=30))
    rang = [(entry.at, entry.event.tell) for entry in game.entries if entry.event.type == "handoff_reminded"]
    assert rang == [
        (at(8, 15), HandOffTell.RECEIVER),
        (at(9, 15), HandOffTell.CUSTOMER_SUCCESS),
        (at(10, 15), HandOffTell.MANAGER),
    ]
    assert [(each.kind, each.recipients, each.roles, each.managers_of) for each in game.told] == [
        (NoticeKind.HANDOFF_OFFERED, (SUSI.id,), (), ()),
        (NoticeKind.ESCALATED, (), (Role.CUSTOMER_SUCCESS,), ()),
        (NoticeKind.ESCALATED, (), (), (SUSI.id,)),
    ]
    assert [entry.words for entry in game.entries[-3:]] == [
        "Tandem reminded Susi Success that the hand-off waits to be accepted.",
        "Tandem told all of customer success that nobody has accepted the hand-off yet.",
        "Tandem told the receiver's manager that nobody has accepted the hand-off yet.",
    ]
    assert not any(each.late for each in game.told)


def test_every_rung_can_be_told_also_while_nobody_receives_it_and_nobody_owns_the_deal():
    ladder = [{"after": f"{hours}bh", "tell": tell.value} for hours, tell in enumerate(HandOffTell, start=1)]
    game = HandOffGame(playbook=a_handoff_playbook(ladder=ladder), owner=None).complete()
    game.told.clear()
    game.pass_time(timedelta(days=7))
    director = (Role.SALES_DIRECTOR,)
    assert [each.roles for each in game.told] == [
        (Role.CUSTOMER_SUCCESS,),
        (Role.CUSTOMER_SUCCESS,),
        director,
        director,
        director,
    ]
    assert all(tell.label for tell in HandOffTell)


def test_acceptance_stops_the_ladder():
    game = HandOffGame().complete().pass_time(at(8, 16)).accept()
    game.told.clear()
    game.pass_time(timedelta(days=20))
    assert game.told == []


def test_what_fell_due_while_no_worker_ran_is_told_late():
    game = HandOffGame().complete()
    game.told.clear()
    game.now = at(20, 9)
    game._keep(fall_due(game.process, game.now))
    assert [each.late for each in game.told] == [True, True, True]


def test_returned_the_clock_stands_and_begins_anew_when_it_is_answered():
    game = HandOffGame().complete().pass_time(at(8, 16))
    game.told.clear()
    game.return_()
    assert (game.process.progress, game.process.note, game.process.clock) == (
        Progress.RETURNED,
        "Who is the admin?",
        None,
    )
    assert game.last == ("The hand-off waits for Rosa Rep again: its time for being accepted stands still.")
    [told] = game.told
    assert (told.kind, told.recipients, told.partners) == (
        NoticeKind.HANDOFF_RETURNED,
        (REP.id,),
        (ASTER.id,),
    )
    assert told.words == "Susi Success returned the hand-off: Who is the admin?"
    game.pass_time(timedelta(days=9))
    assert game.types[-1] == "handoff_sellers_awaited"
    game.complete()
    assert game.process.progress is Progress.WAITING
    assert not any(each.done for each in game.process.clock.rungs), "the ladder begins anew"


def test_returned_twice_with_something_else():
    game = HandOffGame().complete().return_().return_(comment="And the licences?")
    assert game.process.note == "And the licences?"
    assert [each.kind for each in game.told].count(NoticeKind.HANDOFF_RETURNED) == 2


def test_returned_before_it_is_complete_and_nobody_owns_the_deal():
    game = HandOffGame(owner=None).return_()
    assert game.last.startswith("The hand-off waits for the vendor again")
    assert game.told[-1].roles == (Role.SALES_DIRECTOR,)


def test_a_required_task_that_is_reopened_stops_the_clock():
    game = HandOffGame().complete().ask_deal(ask_deal.ReopenTask(key="plan-onboarding"))
    assert (game.process.progress, game.process.clock) == (Progress.PREPARING, None)
    assert game.told[-1].kind is NoticeKind.HANDOFF_OFFERED, "that is nobody's answer"


def test_new_facts_of_the_deal_are_kept_and_are_no_news():
    game = HandOffGame()
    before = len(game.entries)
    game.ask_deal(ask_deal.Change(title="ERP rollout, phase 1"))
    assert game.process.facts.title == "ERP rollout, phase 1"
    assert len(game.entries) == before


def test_news_that_were_heard_before_change_nothing():
    game = HandOffGame().complete()
    first = news(None, Outcome(opportunity=game.deal, entries=()))
    assert first is not None
    assert hear(game.process, first, game.now).entries == ()
    assert first.by.is_system


def test_taken_assigned_and_given_back():
    game = HandOffGame().complete().ask(ask.Assign(to=candidate(SUSI)))
    assert game.process.receiver.id == SUSI.id
    assert game.last == "Susi Success took the hand-off."
    game.ask(ask.Assign(to=candidate(CARL)))
    assert game.last == "Susi Success gave the hand-off to Carl Care."
    assert game.told[-1].recipients == (CARL.id,)
    game.ask(ask.Assign(to=None), by=CARL)
    assert game.last == "Carl Care gave the hand-off back to all of customer success."
    assert game.told[-1].roles == (Role.CUSTOMER_SUCCESS,)
    assert len(game.ask(ask.Assign(to=None)).entries) == len(game.entries)


def test_given_back_before_it_is_complete_nobody_is_told():
    game = HandOffGame().ask(ask.Assign(to=candidate(SUSI))).ask(ask.Assign(to=None))
    assert game.told == [], "nor who takes it herself"


def test_another_receiver_has_another_working_time_and_is_not_told_twice():
    tokyo = CARL.model_copy(update={"calendar": Calendar(zone="Asia/Tokyo")})
    office = replace(OFFICE, people=(DIANA, SUSI, tokyo, RITA))
    game = HandOffGame(directory=office).ask(ask.Assign(to=candidate(SUSI))).complete()
    game.pass_time(at(8, 16)).ask(ask.Assign(to=candidate(tokyo)))
    assert game.process.due_at == at(9, 8), "Tokyo's office closes at eight, in UTC"
    assert [each.done for each in game.process.clock.rungs] == [True, False, False]
    assert game.last == "Now Carl Care has until 9 March 2027, 08:00 UTC to accept the hand-off."


def test_only_customer_success_receives_and_assigns():
    game = HandOffGame()
    with pytest.raises(InvalidInput, match="Rita Rep does not work in customer success"):
        game.ask(ask.Assign(to=candidate(RITA)))
    with pytest.raises(Forbidden, match="Customer success says who receives"):
        game.ask(ask.Assign(to=candidate(SUSI)), by=RITA)


def test_whoever_leaves_receives_nothing_any_more():
    game = HandOffGame().ask(ask.Assign(to=candidate(SUSI))).complete()
    game.people_change(without(OFFICE, SUSI))
    assert game.process.receiver is None
    assert game.last == (
        "Susi Success can receive the hand-off no more: it waits for all of customer success."
    )
    assert game.told[-1].roles == (Role.CUSTOMER_SUCCESS,)


def test_people_who_do_not_matter_change_nothing():
    game = HandOffGame().ask(ask.Assign(to=candidate(SUSI)))
    before = len(game.entries)
    game.people_change(without(OFFICE, CARL))
    assert len(game.entries) == before


def test_where_nobody_works_in_customer_success_office_hours_count():
    game = HandOffGame(directory=Directory()).complete()
    assert game.process.due_at == at(9, 15)


def test_whoever_accepts_receives_it_where_nobody_did():
    game = HandOffGame().complete().accept(CARL)
    assert game.process.receiver.id == CARL.id
    assert game.process.accepted_by.id == CARL.id
    assert game.told[-1].kind is NoticeKind.HANDOFF_ACCEPTED
    assert game.told[-1].words == "Carl Care accepted the hand-off. Welcome."


def test_a_director_accepts_for_customer_success_and_does_not_look_after_the_customer():
    game = HandOffGame().complete().accept(DIANA)
    assert (game.process.receiver, game.process.accepted_by.name) == (None, "Diana Director")


def test_follow_ups_at_thirty_sixty_and_ninety_days():
    game = an_accepted_handoff()
    assert [each.due_at - FRIDAY for each in game.process.follow_ups] == [
        timedelta(days=days) for days in (30, 60, 90)
    ]
    assert game.last == ("Follow-ups with the customer are planned: 4 April 2027, 4 May 2027, 3 June 2027.")
    assert game.process.receiver.id == SUSI.id


def test_without_follow_ups_in_the_playbook():
    game = an_accepted_handoff(playbook=a_playbook())
    assert game.last == "No follow-ups with the customer are planned: the playbook names none."
    assert next_due(game.process) is None


def test_a_follow_up_is_due_then_missed_and_then_the_manager_hears():
    game = an_accepted_handoff()
    game.told.clear()
    game.pass_time(at(6, 9, 4))
    assert game.process.follow_ups[0].state is FollowUpState.DUE
    assert game.process.due_at == game.process.follow_ups[0].due_at
    game.pass_time(at(20, 9, 4))
    first = game.process.follow_ups[0]
    assert (first.state, first.told) == (FollowUpState.MISSED, True)
    assert [(each.kind, each.recipients, each.managers_of) for each in game.told] == [
        (NoticeKind.FOLLOW_UP_DUE, (SUSI.id,), ()),
        (NoticeKind.FOLLOW_UP_DUE, (SUSI.id,), ()),
        (NoticeKind.ESCALATED, (), (SUSI.id,)),
    ]
    assert [entry.words for entry in game.entries[-3:]] == [
        "The follow-up “Is everybody trained?” was due on 4 April 2027, 15:00 UTC.",
        "The follow-up “Is everybody trained?” was missed: it was due on 4 April 2027, 15:00 UTC.",
        "Tandem told the manager that the follow-up “Is everybody trained?” was missed.",
    ]


def test_a_logged_follow_up_is_not_missed():
    game = an_accepted_handoff().pass_time(at(5, 9, 4))
    game.ask(log("follow-up-1", Health.AT_RISK, next_step="Train the night shift"))
    assert game.last == (
        "Susi Success logged “Is everybody trained?”. Health: at risk. All well. "
        "Next step: Train the night shift"
    )
    game.pass_time(at(20, 9, 4))
    first = game.process.follow_up("follow-up-1")
    assert (first.state, first.health, first.done_by.name) == (
        FollowUpState.DONE,
        Health.AT_RISK,
        "Susi Success",
    )
    assert game.process.health is Health.AT_RISK
    assert game.ask(log("follow-up-2")).process.health is Health.GOOD
    assert game.entries[-1].internal


def test_a_follow_up_that_nobody_had_planned():
    game = an_accepted_handoff().ask(log(health=Health.BAD))
    extra = game.process.follow_up("follow-up-4")
    assert (extra.extra, extra.state, extra.title) == (True, FollowUpState.DONE, "Check-in with the customer")


def test_a_follow_up_is_refused():
    with pytest.raises(HandOffNotAccepted, match="is not accepted yet"):
        HandOffGame().ask(log())
    game = an_accepted_handoff().ask(log("follow-up-1"))
    with pytest.raises(FollowUpDone, match="“Is everybody trained\\?” is logged already"):
        game.ask(log("follow-up-1"))
    with pytest.raises(NotFound, match="no follow-up “follow-up-9”"):
        game.ask(log("follow-up-9"))
    with pytest.raises(Forbidden, match="Customer success follows up"):
        game.ask(log(), by=RITA)
    for _ in range(97):
        game.ask(log())
    with pytest.raises(InvalidInput, match="at most 100 follow-ups"):
        game.ask(log())


@pytest.mark.parametrize("by", [SUSI, RITA], ids=lambda each: each.name)
def test_the_contracts_end_sets_when_the_renewal_opens(by):
    game = an_accepted_handoff().ask(ask.SetContract(ends=date(2028, 3, 31)), by=by)
    assert game.process.renewal_at == datetime(2028, 1, 1, tzinfo=UTC)
    assert game.last == f"{by.name} noted that the contract ends on 31 March 2028."
    assert len(game.ask(ask.SetContract(ends=date(2028, 3, 31))).entries) == len(game.entries)
    game.ask(ask.SetContract(ends=None))
    assert game.process.renewal_at is None
    assert game.last == "Susi Success took back the end of the contract: no renewal opens by itself."


@pytest.mark.parametrize("ends", [date(2027, 3, 4), date(2040, 1, 1)])
def test_a_contracts_end_that_cannot_be(ends):
    with pytest.raises(InvalidInput, match="give a day in the next ten years") as refusal:
        an_accepted_handoff().ask(ask.SetContract(ends=ends))
    assert refusal.value.extra["errors"][0]["pointer"] == "/contract_ends"


def test_a_stranger_does_not_set_the_contracts_end():
    stranger = RITA.model_copy(update={"roles": (Role.FINANCE,)})
    with pytest.raises(Forbidden, match="say when the contract ends"):
        HandOffGame().ask(ask.SetContract(ends=None), by=stranger)


def test_given_when_the_deal_is_won():
    game = HandOffGame(contract_ends=date(2028, 3, 31))
    assert game.last == ("The hand-off to customer success began. The contract ends on 31 March 2028.")
    assert game.process.renewal_at == datetime(2028, 1, 1, tzinfo=UTC)


def test_the_deal_keeps_what_was_given_when_it_was_won():
    won = a_won_deal()
    assert won.deal.contract_ends is None
    with pytest.raises(InvalidInput, match="The contract would end on 1 January 1999"):
        _last_stage().ask(ask_deal.Win(contract_ends=date(1999, 1, 1)))
    deal = _last_stage().ask(ask_deal.Win(contract_ends=date(2028, 3, 31)))
    assert deal.deal.contract_ends == date(2028, 3, 31)


def _last_stage():
    """A deal that is ready to be won."""
    deal = a_deal(at=a_playbook().stages[-1].key)
    for task in deal.deal.stage_tasks():
        if task.is_open:
            deal.complete(task.key)
    for who in (REP, SELLER):
        if deal.blocked_by == ["sign_off_missing"] or "sign_off_missing" in deal.blocked_by:
            deal.ask(ask_deal.Advance(), by=who)
    return deal


def test_the_renewal_opens_once_and_the_hand_off_is_done():
    game = an_accepted_handoff(contract_ends=date(2028, 3, 31))
    for number in (1, 2, 3):
        game.ask(log(f"follow-up-{number}"))
    game.told.clear()
    game.pass_time(timedelta(days=400))
    assert game.types[-2:] == ["renewal_opened", "handoff_ended"]
    assert (game.process.progress, game.process.ended.reason) == (Progress.ENDED, EndReason.RENEWAL_OPENED)
    opened = game.entries[-2]
    assert opened.words == ("Tandem opened “ERP rollout (renewal 2028)”: the contract ends on 31 March 2028.")
    assert opened.at == datetime(2028, 1, 1, tzinfo=UTC)
    [told] = game.told
    assert (told.kind, told.recipients, told.partners) == (
        NoticeKind.RENEWAL_OPENED,
        (REP.id, SUSI.id),
        (ASTER.id,),
    )
    assert renewal_opened(game.process, game.deal.id, "again", game.now).entries == ()
    assert game.process.renewal_at is None
    assert next_due(game.process) is None


def test_nothing_is_renewed_before_somebody_received_the_customer():
    game = HandOffGame(contract_ends=date(2027, 4, 1)).complete().pass_time(timedelta(hours=1))
    assert game.process.renewal is None
    due = next_due(game.process)
    assert due is None or due > game.now
    game.accept()
    game.told.clear()
    game.pass_time(timedelta(hours=1))
    assert [each.kind for each in game.told] == [NoticeKind.RENEWAL_OPENED]
    assert game.process.is_open, "three follow-ups are planned"


def test_a_hand_off_that_began_before_renewals_waited_goes_on_as_it_began():
    game = HandOffGame(contract_ends=date(2027, 4, 1)).complete()
    game.process.renews_once_accepted = False
    game.told.clear()
    game.pass_time(timedelta(hours=1))
    assert [each.kind for each in game.told] == [NoticeKind.RENEWAL_OPENED]
    assert game.process.is_open, "nobody has accepted it yet"


def test_a_short_contract_ends_when_the_last_follow_up_is_held_or_given_up():
    game = an_accepted_handoff(contract_ends=date(2027, 4, 1)).pass_time(timedelta(hours=1))
    assert game.process.renewal is not None
    game.ask(log("follow-up-1")).ask(log("follow-up-2"))
    assert game.process.is_open
    game.pass_time(timedelta(days=120))
    assert not game.process.is_open
    assert game.types[-2:] == ["follow_up_escalated", "handoff_ended"]


def test_once_the_renewal_is_open_the_contract_is_its_own():
    game = an_accepted_handoff(contract_ends=date(2027, 4, 1)).pass_time(timedelta(hours=1))
    with pytest.raises(RenewalOpen, match="“ERP rollout \\(renewal 2027\\)” is open already"):
        game.ask(ask.SetContract(ends=None))


def test_the_renewal_takes_over_what_there_is():
    game = an_accepted_handoff(contract_ends=date(2028, 3, 31))
    book = a_playbook()
    command = opening(game.process, game.deal, book, game.deal.owner, [ASTER.id])
    assert (command.parent_id, command.account_id, command.amount) == (
        game.deal.id,
        game.deal.account_id,
        game.deal.amount,
    )
    assert (command.title, command.expected_close) == ("ERP rollout (renewal 2028)", date(2028, 3, 31))
    assert [each.id for each in command.partners] == [ASTER.id]
    assert opening(game.process, game.deal, book, None, []).partners == ()
    renewed = a_deal(parent_id=game.deal.id)
    assert renewed.deal.parent_id == game.deal.id
    assert renewed.entries[0].words == ("Rosa Rep opened “ERP rollout” for Acme, which renews another deal.")


def test_its_id_is_the_same_however_often_one_tries_and_in_the_order_of_time():
    game = an_accepted_handoff(contract_ends=date(2028, 3, 31))
    number = renewal_id(game.process)
    assert number == renewal_id(game.process.model_copy(update={"version": 99}))
    assert (number.version, number.variant) == (7, "specified in RFC 4122")
    assert number.int >> 80 == int(game.process.renewal_at.timestamp() * 1000)


def test_without_a_contracts_end_there_is_nothing_to_renew():
    game = an_accepted_handoff()
    assert not renewal_is_due(game.process, NOW + timedelta(days=4000))
    with pytest.raises(ValueError, match="no renewal"):
        renewal_id(game.process)
    with pytest.raises(ValueError, match="nothing to renew"):
        opening(game.process, game.deal, a_playbook(), None, [])


def test_a_renewal_of_a_renewal_is_not_called_so_twice():
    assert renewal_title("ERP (renewal 2028)", date(2029, 3, 31)) == "ERP (renewal 2029)"
    assert len(renewal_title("x" * 200, date(2029, 3, 31))) <= 200


def test_customer_success_closes_it_with_a_reason():
    game = an_accepted_handoff(contract_ends=date(2028, 3, 31))
    game.ask(ask.Close(reason="customer_left", note="They were bought."))
    assert game.last == "Susi Success closed the hand-off: customer left. They were bought."
    assert (next_due(game.process), fall_due(game.process, NOW).entries) == (None, ())
    with pytest.raises(HandOffEnded, match="has ended: customer left, Susi Success, 5 March 2027"):
        game.ask(log())
    with pytest.raises(HandOffEnded):
        game.ask(ask.SetContract(ends=None))
    assert game.process.due_at is None


def test_it_is_not_closed_before_it_is_accepted_nor_by_others():
    with pytest.raises(HandOffNotAccepted):
        HandOffGame().ask(ask.Close(reason="other", note="x"))
    with pytest.raises(Forbidden, match="Customer success closes"):
        an_accepted_handoff().ask(ask.Close(reason="other", note="x"), by=RITA)


def test_a_command_that_had_another_version_in_mind():
    with pytest.raises(StaleVersion, match="it is at version"):
        HandOffGame().ask(ask.Assign(to=None), if_version=99)


def test_progress_and_health_have_words():
    assert [each.label for each in Progress][1] == "Waits for acceptance"
    assert [each.label for each in Health] == ["Good", "At risk", "Bad"]


def test_a_task_that_asks_for_an_answer_is_not_done_without_one():
    book = a_handoff_playbook(
        tasks=[{"key": "promises", "title": "What was promised?", "side": "vendor", "answer": True}]
    )
    won = a_won_deal(playbook=book)
    with pytest.raises(InvalidInput, match="“What was promised\\?” asks for an answer") as refusal:
        won.ask(ask_deal.CompleteTask(key="promises"))
    assert refusal.value.extra["errors"][0]["pointer"] == "/note"
    won.ask(ask_deal.CompleteTask(key="promises", note="Go-live in June."))
    assert won.task("promises").note == "Go-live in June."


def test_nobody_accepted_it_where_tandem_did():
    game = HandOffGame().complete()
    heard = news(None, Outcome(opportunity=game.accept().deal, entries=()))
    assert heard is not None
    before = HandOffGame().complete().process
    after = hear(before, heard, game.now).process
    assert (after.progress, after.accepted_by, after.receiver) == (Progress.ACCEPTED, None, None)


def test_a_reminder_that_comes_when_no_clock_runs_changes_nothing():
    process = HandOffGame().process
    due = FRIDAY + timedelta(days=1)
    did.Reminded(rung=0, tell=HandOffTell.RECEIVER, due_at=due, rung_at=due).apply(process, due, SYSTEM)
    assert process.clock is None
