"""What the page of a playbook says of time: who is told while nobody acts, and what follows on winning."""

from __future__ import annotations

from api.web.playbook_words import after_winning_in_words, ladders_in_words
from domain.ladder import Clock, Ladders, Rung, Tell
from domain.playbook_handoff import AfterWinning, FollowUpTemplate, HandOffRung, HandOffTell, RenewalTemplate


def test_a_ladder_says_who_is_told_when_each_person_once():
    ladders = Ladders(
        task=(
            Rung(before="1d", tell=Tell.ASSIGNEE),
            Rung(after="2bh", tell=Tell.ASSIGNEE),
            Rung(after="3bd", tell=Tell.MANAGER),
        ),
        stage=(Rung(tell=Tell.OWNER),),
        stale=(Rung(tell=Tell.OTHER_SIDE),),
    )
    assert ladders_in_words(ladders, Clock(stale="10bd")) == [
        (
            "A task is due",
            "Whoever should act 1 day before and 2 working hours after; the manager 3 working days after.",
        ),
        ("A stage takes longer than planned", "The deal's owner at once."),
        ("A side is silent for 10 working days", "The other side at once."),
    ]


def test_without_rungs_nobody_is_told():
    assert ladders_in_words(Ladders(), Clock()) == []


def test_the_time_after_winning_is_told_in_its_order():
    plan = AfterWinning(
        accept_within="2bd",
        answer_within="1bd",
        ladder=(HandOffRung(after="1bd", tell=HandOffTell.RECEIVER),),
        follow_ups=(
            FollowUpTemplate(after="30d", title="Is everybody trained?"),
            FollowUpTemplate(after="60d", title="First results"),
        ),
        renewal=RenewalTemplate(before="90d"),
    )
    assert after_winning_in_words(plan) == [
        "Customer success accepts or returns it within 2 working days.",
        "While nobody does: the receiver 1 working day after.",
        "What is returned is answered within 1 working day.",
        "30 days after the acceptance: “Is everybody trained?”",
        "60 days after the acceptance: “First results”.",
        "The renewal opens 90 days before the contract ends.",
    ]


def test_a_hand_off_without_a_ladder_tells_nobody():
    assert not [each for each in after_winning_in_words(AfterWinning(ladder=())) if "While" in each]
