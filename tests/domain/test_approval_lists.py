"""Whom a request concerns: lists of work, what people are told, what they see and may do."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.approval import commands as ask
from domain.approval.draft import ApprovalOutcome
from domain.approval.notices import messages
from domain.approval.verbs import seats_of, verbs
from domain.approval.view import as_seen
from domain.approval.work import awaited, seats, waits_for
from domain.notice import NoticeKind
from domain.principal import Principal, Role, Side
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
    away,
    without,
)


def test_who_is_waited_for_is_in_their_lists():
    game = Game().submit()
    assert {(each.step_key, each.user_id) for each in seats(game.approval)} == {
        ("desk", DORA.id),
        ("desk", DIRK.id),
        ("desk", DINA.id),
        ("finance", FRED.id),
    }
    assert waits_for(game.approval) == "Desk and Finance"
    game.ask(BACK, DORA)
    assert [(each.step_key, each.user_id, each.side) for each in seats(game.approval)] == [
        ("requester", RITA.id, Side.VENDOR)
    ]
    game.ask(ask.Recall(), RITA)
    assert (seats(game.approval), waits_for(game.approval)) == ([], None)


def test_what_a_clock_says_long_after_its_time_is_late():
    def told(game: Game) -> set[tuple[NoticeKind, bool]]:
        outcome = ApprovalOutcome(approval=game.approval, entries=tuple(game.entries))
        return {(message.kind, message.late) for message in messages(outcome)}

    game = Game().submit(DESK).pass_time(timedelta(days=10))
    assert told(game) == {
        (NoticeKind.DECISION_WANTED, False),
        (NoticeKind.DECISION_REMINDER, False),
        (NoticeKind.DECISION_ESCALATED, False),
    }
    game = Game().submit(DESK)
    game.now += timedelta(days=7)
    assert told(game.pass_time(timedelta())) == {
        (NoticeKind.DECISION_WANTED, False),
        (NoticeKind.DECISION_REMINDER, True),
        (NoticeKind.DECISION_ESCALATED, True),
    }
    game.now += timedelta(days=30)
    assert (NoticeKind.EXPIRED, True) in told(game.pass_time(timedelta()))


def test_who_is_awaited_is_who_sits_and_who_is_stood_in_for():
    game = Game(directory=away(OFFICE, FRED, DINA, since=MONDAY)).submit(DESK, FINANCE)
    assert awaited(game.approval) == {DORA.id, DIRK.id, DINA.id, FRED.id}
    game.ask(BACK, DORA)
    assert awaited(game.approval) == awaited(None) == frozenset()


def test_a_partners_request_that_came_back_is_the_partners_work():
    subject = {"title": "ERP rollout", "partner_id": SAM.organisation_id}
    asked_for = {"id": SAM.id, "name": SAM.name}
    game = Game().submit(DESK, subject=subject, asked_for=asked_for).ask(LESS, DORA)
    assert [(each.step, each.side) for each in seats(game.approval)] == [
        ("Take the offer, or not", Side.VENDOR),
        ("Take the offer, or not", Side.PARTNER),
    ]


def told(game: Game) -> list[tuple[NoticeKind, set[UUID]]]:
    outcome = ApprovalOutcome(approval=game.approval, entries=tuple(game.entries))
    return [(each.kind, set(each.recipients)) for each in messages(outcome)]


def test_people_are_told_what_others_did_and_not_what_they_did_themselves():
    game = Game().submit(DESK).pass_time(timedelta(hours=9))
    desk = {DORA.id, DIRK.id, DINA.id}
    assert told(game) == [
        (NoticeKind.DECISION_WANTED, desk),
        (NoticeKind.DECISION_REMINDER, desk),
        (NoticeKind.DECISION_ESCALATED, {DIANA.id}),
    ]
    game.entries.clear()
    game.people_change(without(OFFICE, DINA)).ask(ask.Recall(), RITA)
    assert told(game) == [(NoticeKind.RECALLED, {*desk, DIANA.id} - {DINA.id})]


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (ask.Approve(), NoticeKind.APPROVED),
        (NO, NoticeKind.REJECTED),
        (BACK, NoticeKind.RETURNED),
        (LESS, NoticeKind.COUNTERED),
    ],
)
def test_the_requester_is_told_the_answer(command: ask.Command, kind: NoticeKind):
    game = Game().submit(DESK)
    game.entries.clear()
    game.ask(command, DORA)
    assert told(game) == [(kind, {RITA.id})]


def test_when_nobody_decided_everybody_is_told():
    for game, kind in (
        (Game().submit(FINANCE).withdraw(), NoticeKind.RECALLED),
        (Game().submit(FINANCE, expires_at=MONDAY + timedelta(hours=1)), NoticeKind.EXPIRED),
    ):
        game.entries.clear() if kind is NoticeKind.EXPIRED else None
        game.pass_time(timedelta(hours=1))
        assert told(game)[-1] == (kind, {RITA.id, FRED.id})


def test_a_message_holds_what_one_needs_to_know_and_nothing_internal():
    facts = {"margin": {"percent": 3}}
    game = Game().submit(FINANCE, facts=facts, internal_facts=("margin",)).ask(LESS, FRED)
    wanted, offered = messages(ApprovalOutcome(approval=game.approval, entries=tuple(game.entries)))
    assert (wanted.title, wanted.step_key, wanted.approval_id) == (
        "27.5 % on ERP rollout",
        "finance",
        game.approval.id,
    )
    assert [(each.name, each.value) for each in offered.facts] == [
        ("Asked by", "Rita Rep"),
        ("Asked for", "27.5 %"),
        ("Offered", "20 %"),
        ("Reason", "A competitor offers less."),
    ]
    bare = Game().submit(DESK, percent=None, reason=None)
    message = messages(ApprovalOutcome(approval=bare.approval, entries=tuple(bare.entries)))[0]
    assert [each.name for each in message.facts] == ["Asked by"]
    assert "margin" not in wanted.model_dump_json() + offered.model_dump_json()


def reader(*roles: Role, side: Side = Side.VENDOR, of: UUID = RITA.id) -> Principal:
    return Principal(
        id=of,
        name="Reader",
        email="reader@vendor.example",
        side=side,
        organisation_id=SAM.organisation_id,
        organisation="Somewhere",
        roles=frozenset(roles),
    )


def test_everybody_sees_as_much_as_concerns_them():
    facts = {"margin": {"percent": 3}, "deal": {}}
    game = Game().submit(FINANCE, facts=facts, internal_facts=("margin",)).ask(BACK, FRED)
    game.ask(ask.Resubmit(), RITA)
    approval = game.approval
    assert as_seen(approval, reader(Role.ADMIN)) is approval
    assert as_seen(approval, reader(Role.CUSTOMER_SUCCESS, of=FRED.id)) is approval, "who decides or did"
    assert as_seen(approval, reader(Role.SALES_REP)).facts == {"deal": {}}
    theirs = as_seen(approval, reader(Role.PARTNER_SELLER, side=Side.PARTNER))
    for steps in (theirs.steps, theirs.rounds[0].steps):
        assert [(step.title, step.rule, step.approvers, step.decisions) for step in steps] == [
            ("The vendor", "", (), ())
        ]
    assert [theirs.steps[0].state.value, theirs.rounds[0].steps[0].state.value] == ["open", "skipped"]
    assert approval.steps[0].approvers, "what was read stays as it was"


def test_a_partner_who_took_an_offer_reads_that_the_vendor_made_it():
    game = Game().submit(DESK).ask(LESS, DORA).ask(ask.Accept(), RITA)
    theirs = as_seen(game.approval, reader(Role.PARTNER_SELLER, side=Side.PARTNER))
    assert (theirs.took_offer, theirs.ended_by) == (True, "the vendor"), "a partner sees no steps"


def may(game: Game, of: UUID, *roles: Role) -> list[str]:
    return [each.value for each in verbs(game.approval, reader(*roles, of=of))]


def test_people_are_offered_what_they_may_do():
    game = Game().submit(DESK)
    assert may(game, DORA.id) == ["approve", "counter", "return", "reject", "delegate"]
    assert may(game, RITA.id) == ["recall"]
    assert may(game, FRED.id, Role.ADMIN) == []
    assert [each.key for each in seats_of(game.approval, reader(of=DORA.id))] == ["desk"]
    assert seats_of(game.approval, reader(of=DORA.id, side=Side.PARTNER)) == []
    game.ask(LESS, DORA)
    assert (may(game, RITA.id), may(game, DIRK.id)) == (["accept", "resubmit", "recall"], [])
    game.ask(ask.Resubmit(), RITA).ask(BACK, DORA)
    assert may(game, RITA.id) == ["resubmit", "recall"]
    game.ask(ask.Recall(), RITA)
    assert may(game, RITA.id) == []


def test_what_has_no_percent_is_offered_no_counter_offer():
    assert "counter" not in may(Game().submit(DESK, percent=None), DORA.id)
