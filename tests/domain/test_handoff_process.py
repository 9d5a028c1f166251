"""The hand-off's process: who receives it, until when, who is told, follow-ups, the renewal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.approval.directory import Directory
from domain.calendar import Calendar
from domain.errors import (
    Forbidden,
    HandOffEnded,
    HandOffNotAccepted,
    InvalidInput,
    StaleVersion,
)
from domain.handoff import commands as ask
from domain.handoff import events as did
from domain.handoff.agenda import fall_due, next_due
from domain.handoff.news import news
from domain.handoff.rules import hear
from domain.handoff.state import Health, Progress
from domain.notice import NoticeKind
from domain.opportunity import commands as ask_deal
from domain.opportunity.draft import Outcome
from domain.playbook_handoff import HandOffTell
from domain.principal import SYSTEM, Role
from tests.approvals import without
from tests.factories import ASTER, NOW, REP, a_deal, a_won_deal
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
    at,
    candidate,
    log,
)


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
