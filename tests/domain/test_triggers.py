"""Stages begin and end, and what the playbook says happens by itself then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.errors import StageGateClosed
from domain.opportunity import commands as ask
from domain.opportunity import events as did
from domain.opportunity.draft import Outcome
from domain.opportunity.rules import open_deal
from domain.opportunity.state import Opportunity, Status
from domain.opportunity.trigger_state import TriggerPlace, trigger_at
from domain.opportunity.triggers import (
    WebhookCall,
    answered,
    calls,
    fired,
    not_called,
    passed_over,
    to_fire,
)
from domain.principal import Role
from domain.trigger import Moment
from runtime.ids import new_id
from tests.factories import (
    ASTER,
    BOREALIS,
    DESK,
    NOW,
    REP,
    Working,
    a_deal,
    a_playbook,
    a_stage,
    a_task,
    assignee,
    opening,
    person,
)
from tests.triggers import REVIEW, back_and_again, book, shown, told


def test_a_task_opens_in_the_stage_that_is_entered():
    deal = shown(
        {"task": a_task("book-room", due="1d")}, on_leave=({"task": a_task("send-notes", required=False)},)
    )
    assert deal.deal.stage.key == "show"
    assert deal.task("book-room").due_at == NOW + timedelta(days=1)
    assert deal.task("send-notes").stage == "show"
    assert deal.open_keys == ["demo", "send-notes", "book-room"]
    deal.complete("demo")
    with pytest.raises(StageGateClosed, match="“Book room” is open"):
        deal.ask(ask.Advance())
    fires = [entry.words for entry in deal.entries if isinstance(entry.event, did.TriggerFired)]
    assert fires == [
        "Talk ended: the task “Send notes” opens for the vendor.",
        "Show began: the task “Book room” opens for the vendor.",
    ]


def test_every_partner_that_suits_has_its_own():
    deal = shown(
        {"task": a_task("bring-engineer", "partner")},
        {"task": a_task("bring-licence", "partner", partner_role="reseller")},
        partners=(ASTER, BOREALIS),
    )
    owners = {key: deal.task(key).partner_id for key in deal.open_keys if key.startswith("bring")}
    assert owners == {
        "bring-engineer": ASTER.id,
        "bring-engineer.2": BOREALIS.id,
        "bring-licence": ASTER.id,
    }


def test_entering_again_fires_again_but_doubles_nothing_that_is_open():
    deal = back_and_again(shown({"task": a_task("book-room", due="1d")}))
    assert deal.open_keys == ["demo", "book-room"]
    assert deal.task("book-room").due_at == deal.now + timedelta(days=1)
    assert deal.types.count("trigger_fired") == 2
    deal.complete("book-room")
    assert back_and_again(deal).open_keys == ["demo", "book-room.2"]


def test_a_task_that_still_waits_for_a_partner_is_not_doubled():
    deal = shown({"task": a_task("bring-engineer", "partner")}, partners=())
    assert deal.task("bring-engineer").partner_id is None
    assert "bring-engineer.2" not in back_and_again(deal).deal.tasks


def test_a_rule_is_asked_about_the_deal_as_the_stage_begins():
    deal = shown(
        {"when": "deal.amount > 1000000.0", "task": a_task("ask-the-board")},
        {"when": "stage.key == 'show'", "task": a_task("book-room")},
        {"when": "!('book-room' in tasks)", "when_in_words": "No room.", "task": a_task("find-room")},
        on_leave=({"when": "stage.key == 'talk'", "task": a_task("send-notes")},),
    )
    assert deal.open_keys == ["demo", "send-notes", "book-room", "find-room"]
    assert deal.entries[-2].words == "Show began: the task “Find room” opens for the vendor (rule: No room)."


def test_a_campaign_is_an_event_for_whoever_runs_campaigns():
    deal = shown({"campaign": {"key": "demo-guests", "step": "invite", "words": "All who came."}})
    event = deal.entries[-1].event
    assert isinstance(event, did.CampaignStepStarted)
    assert (event.campaign, event.step) == ("demo-guests", "invite")
    assert deal.last == "The step invite of the campaign demo-guests began: All who came."
    assert shown({"campaign": {"key": "a", "step": "b"}}).last == "The step b of the campaign a began."


@pytest.mark.parametrize(
    ("to", "owner", "who"),
    [
        ("owner", REP, {"recipients": (REP.id,)}),
        ("owner", None, {"roles": (Role.SALES_DIRECTOR,)}),
        ("manager", REP, {"managers_of": (REP.id,)}),
        ("manager", None, {"roles": (Role.SALES_DIRECTOR,)}),
        ("partners", REP, {"partners": (ASTER.id,)}),
        ("role", REP, {"roles": (Role.FINANCE,)}),
        ("assignees", REP, {"recipients": (REP.id,)}),
    ],
)
def test_who_is_told(to: str, owner: Any, who: dict[str, Any]):
    notify = {"to": to, "words": "Look here.", **({"role": "finance"} if to == "role" else {})}
    deal = shown({"notify": notify}, owner=person(owner) if owner else None)
    (message,) = told(deal)
    audience = message.model_dump(include={"recipients", "managers_of", "partners", "roles"})
    assert {name: value for name, value in audience.items() if value} == who
    assert message.words == "Look here."


def test_whoever_has_a_task_is_told_and_a_deal_without_partners_tells_none():
    notify = {"notify": {"to": "assignees", "words": "Look."}}
    deal = shown(notify)
    deal.ask(ask.AssignTask(key="demo", assignee=assignee(DESK)))
    assert told(back_and_again(deal))[-1].recipients == (DESK.id,)
    assert told(shown({"notify": {"to": "partners", "words": "Look."}}, partners=())) == []


# ---------------------------------------------------------------------- once, and when not


def test_the_first_stage_fires_as_the_deal_is_opened():
    playbook = a_playbook(stages=[a_stage("only", a_task("call"), on_enter=[{"task": a_task("greet")}])])
    assert a_deal(playbook=playbook).open_keys == ["call", "greet"]


def test_a_deal_taken_over_has_begun_its_stage_elsewhere():
    automatic = {"exit": {"by": "sign_off", "advance": "automatic"}}
    playbook = a_playbook(
        stages=[
            a_stage("talk", a_task("call", required=False), on_enter=[REVIEW]),
            a_stage("show", on_enter=[REVIEW], on_leave=[{"task": a_task("send-notes")}], **automatic),
        ]
    )
    deal = Working(open_deal(opening(playbook=playbook, opened_at=NOW - timedelta(days=9)), NOW, REP))
    assert deal.deal.stage_approvals == ()
    assert deal.types == ["opportunity_opened", "stage_entered"]


def test_what_is_passed_over_moves_on_all_the_same():
    deal = a_deal(playbook=book(REVIEW))
    place = TriggerPlace(stage="show", moment=Moment.ENTER, number=0)
    deal.deal.firing = (place,)
    outcome = passed_over(deal.deal, NOW)
    assert outcome.opportunity.firing == ()
    assert outcome.entries == ()
    assert deal.deal.firing == (place,)


def test_a_lost_deal_that_goes_on_fires_nothing_but_history_that_begins_here_does():
    deal = shown(REVIEW)
    fires = deal.types.count("trigger_fired")
    deal.ask(ask.Lose(reason="price")).ask(ask.Reopen())
    assert deal.types.count("trigger_fired") == fires
    lost = ask.Closing(status=Status.LOST, at=NOW - timedelta(days=1))
    long_ago = NOW - timedelta(days=9)
    history = Working(
        open_deal(opening(playbook=book(REVIEW), stage="show", closing=lost, opened_at=long_ago), NOW, REP)
    )
    assert "trigger_fired" not in history.types
    assert "trigger_fired" in history.ask(ask.Reopen()).types


def test_a_stage_is_not_left_before_its_triggers_have_fired():
    """With tasks done on an earlier visit the gate would be open at once."""
    playbook = a_playbook(
        stages=[
            a_stage(
                "talk",
                a_task("call"),
                exit={"by": "tasks", "advance": "automatic"},
            ),
            a_stage(
                "show",
                a_task("demo"),
                exit={"by": "tasks", "advance": "automatic"},
                on_enter=[{"task": a_task("book-room")}],
            ),
            a_stage("close", a_task("sign")),
        ]
    )
    deal = a_deal(playbook=playbook)
    deal.complete("call", "book-room", "demo")
    assert deal.deal.stage.key == "close"
    deal.ask(ask.Move(stage="talk", reason="Again")).ask(ask.ReopenTask(key="call"))
    deal.complete("call")
    assert deal.deal.stage.key == "show"
    assert deal.open_keys == ["book-room.2"]


def test_places_that_a_playbook_does_not_have_fire_nothing():
    deal = a_deal(playbook=book(REVIEW)).deal
    for place in (
        TriggerPlace(stage="nowhere", moment=Moment.ENTER, number=0),
        TriggerPlace(stage="show", moment=Moment.LEAVE, number=3),
    ):
        assert trigger_at(deal.playbook, place) is None
        deal.firing = (place,)
        question = to_fire(deal)
        assert question is not None
        answers = answered(question, lambda *_: True, new_id)
        assert fired(deal, answers, NOW).entries == ()
    assert to_fire(a_deal().deal) is None


# ---------------------------------------------------------------------- webhooks


def call_of(deal: Working) -> WebhookCall:
    (call,) = calls(Outcome(opportunity=deal.deal, entries=tuple(deal.entries)))
    return call


def test_a_program_is_told_ids_stage_and_status_and_no_names():
    hook = {"webhook": {"url": "https://hooks.example/secret", "event": "demo.began"}}
    deal = shown(REVIEW, hook)
    call = call_of(deal)
    assert call.id == f"{deal.deal.id}-{deal.entries[-1].sequence}"
    assert (call.url, call.event, call.at) == ("https://hooks.example/secret", "demo.began", NOW)
    assert call.data == {
        "opportunity_id": str(deal.deal.id),
        "sequence": deal.deal.version,
        "status": "open",
        "stage": "show",
        "moment": "entered",
        "playbook": {"key": "joint-software", "version": 1},
        "partner_ids": [str(ASTER.id)],
    }
    left = call_of(shown(on_leave=(hook,)))
    assert (left.data["stage"], left.data["moment"]) == ("talk", "left")


def test_what_could_not_be_told_stands_in_the_timeline():
    deal = shown({"webhook": {"url": "https://hooks.example/secret", "event": "demo.began"}})
    (entry,) = not_called(deal.deal, call_of(deal), "it answered 503", NOW).entries
    assert entry.words == "hooks.example could not be told of demo.began: it answered 503."
    assert "secret" not in entry.model_dump_json()
    assert entry.event.internal


def test_a_deal_from_before_triggers_is_read():
    written = a_deal().deal.model_dump(mode="json", exclude={"firing", "stage_approvals"})
    for stage in written["playbook"]["stages"]:
        del stage["on_enter"], stage["on_leave"]
    assert Opportunity.model_validate(written) == a_deal().deal
