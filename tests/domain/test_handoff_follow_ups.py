"""After the acceptance: follow-ups with the customer are due, logged, missed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import (
    FollowUpDone,
    Forbidden,
    HandOffNotAccepted,
    InvalidInput,
    NotFound,
)
from domain.handoff.agenda import next_due
from domain.handoff.state import FollowUpState, Health
from domain.notice import NoticeKind
from tests.factories import a_playbook
from tests.handoffs import (
    FRIDAY,
    RITA,
    SUSI,
    HandOffGame,
    an_accepted_handoff,
    at,
    log,
)


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
