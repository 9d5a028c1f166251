"""Stages begin and end, and what the playbook says happens by itself then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.approval import rules
from domain.approval.state import ApprovalState
from domain.errors import Conflict, Forbidden, NotFound, StageGateClosed
from domain.notice import NoticeKind
from domain.opportunity import commands as ask
from domain.opportunity import events as did
from domain.opportunity import stage_approvals
from domain.opportunity.blockers import blockers
from domain.opportunity.draft import Outcome
from domain.opportunity.notices import messages
from domain.opportunity.rules import open_deal
from domain.opportunity.state import Opportunity, Status
from domain.opportunity.trigger_state import StageApprovalState, TriggerPlace, trigger_at
from domain.opportunity.triggers import (
    WebhookCall,
    answered,
    calls,
    fired,
    not_called,
    passed_over,
    to_fire,
)
from domain.playbook import Playbook
from domain.principal import SYSTEM, Role, Side
from domain.trigger import Moment, Trigger, TriggerKind, WebhookTemplate
from runtime.ids import new_id
from tests.factories import (
    ASTER,
    BOREALIS,
    DESK,
    NOW,
    REP,
    SELLER,
    Working,
    a_deal,
    a_playbook,
    a_stage,
    a_task,
    an_id,
    assignee,
    opening,
    person,
)

REVIEW = {"approval": {"title": "Solution review", "role": "sales_director", "due": "1d"}}


def book(*on_enter: dict[str, Any], on_leave: tuple[dict[str, Any], ...] = (), **more: Any) -> Playbook:
    """Three stages, the second of which has these triggers as it begins; the first as it is left."""
    return a_playbook(
        stages=[
            a_stage("talk", a_task("call"), on_leave=list(on_leave)),
            a_stage("show", a_task("demo"), on_enter=list(on_enter), **more),
            a_stage("close", a_task("sign")),
        ]
    )


def shown(*on_enter: dict[str, Any], **more: Any) -> Working:
    """A deal that has just entered the stage with these triggers."""
    leave = more.pop("on_leave", ())
    stage = more.pop("stage", {})
    return a_deal(playbook=book(*on_enter, on_leave=leave, **stage), at="show", **more)


def told(deal: Working) -> list[Any]:
    """What people are told by the triggers."""
    outcome = Outcome(opportunity=deal.deal, entries=tuple(deal.entries))
    return [each for each in messages(outcome) if each.kind is NoticeKind.TRIGGERED]


def back_and_again(deal: Working) -> Working:
    deal.later(hours=1).ask(ask.Move(stage="talk", reason="Not yet"))
    return deal.later(hours=1).ask(ask.Move(stage="show", reason="Now"))


def decided(deal: Working, state: ApprovalState, comment: str | None = None) -> Working:
    """The approval that was asked for last is decided."""
    asked = deal.deal.stage_approvals[-1].id
    outcome = stage_approvals.approval_ended(deal.deal, asked, state, comment, deal.now)
    deal.deal = outcome.opportunity
    deal.entries.extend(outcome.entries)
    return deal


# ---------------------------------------------------------------------- what a playbook may say


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        ({}, "write one of task, notify, approval, campaign and webhook"),
        (
            {"campaign": {"key": "a", "step": "b"}, "task": a_task("x")},
            "write one of task, notify, approval, campaign and webhook",
        ),
        (
            {"campaign": {"key": "a", "step": "b"}, "when_in_words": "always"},
            "when_in_words goes with a rule",
        ),
        ({"notify": {"to": "role", "words": "x"}}, "to: role needs a role"),
        ({"notify": {"to": "owner", "role": "finance", "words": "x"}}, "role goes with to: role"),
        ({"notify": {"to": "role", "role": "partner_seller", "words": "x"}}, "write to: partners"),
        ({"approval": {"title": "x"}}, "write either approvers or a role"),
        ({"approval": {"title": "x", "role": "partner_admin"}}, "the vendor's people approve"),
        ({"webhook": {"url": "file:///etc/passwd", "event": "x"}}, "URL scheme should be 'http' or 'https'"),
        ({"webhook": {"url": "https://a.example", "event": "Demo began"}}, "should match pattern"),
    ],
)
def test_a_trigger_does_one_thing_and_says_what_is_wrong(trigger: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        book(trigger)


def test_at_most_twenty_triggers_for_one_moment():
    step = {"campaign": {"key": "a", "step": "b"}}
    assert len(book(*[step] * 20).stages[1].on_enter) == 20
    with pytest.raises(ValidationError, match="at most 20"):
        book(*[step] * 21)


def test_the_key_of_a_triggered_task_is_used_once_in_a_playbook():
    with pytest.raises(ValidationError) as wrong:
        book({"task": a_task("demo")})
    (error,) = wrong.value.errors()
    assert error["loc"] == ("stages", 1, "on_enter", 0, "task", "key")


def test_winning_asks_for_no_approval():
    with pytest.raises(ValidationError, match="ask for it on_enter") as wrong:
        a_playbook(stages=[a_stage("only", a_task("call"), on_leave=[REVIEW])])
    assert wrong.value.errors()[0]["loc"] == ("stages", 0, "on_leave", 0, "approval")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://hooks.example/tandem", None),
        ("https://93.184.216.34/x", None),
        ("http://hooks.example/tandem", "over https"),
        ("https://user:secret@hooks.example", "a name or a password"),
        ("https://localhost/x", "inside a network"),
        ("https://localhost.:8443/x", "inside a network"),
        ("https://intranet/x", "inside a network"),
        ("https://crm.internal/x", "inside a network"),
        ("https://127.0.0.1/x", "inside a network"),
        ("https://127.1/x", "inside a network"),
        ("https://2130706433/x", "inside a network"),
        ("https://0x7f000001/x", "inside a network"),
        ("https://0177.0.0.1/x", "inside a network"),
        ("https://[::1]/x", "inside a network"),
        ("https://[::ffff:127.0.0.1]/x", "inside a network"),
        ("https://169.254.169.254/latest/meta-data", "inside a network"),
        ("https://10.0.0.7/x", "inside a network"),
    ],
)
def test_addresses_inside_a_network_are_seen_at_publishing(url: str, said: str | None):
    template = WebhookTemplate.model_validate({"url": url, "event": "x"})
    if said is None:
        assert template.unreachable is None
    else:
        assert template.unreachable is not None
        assert said in template.unreachable


@pytest.mark.parametrize(
    ("trigger", "what"),
    [
        ({"task": a_task("book-room")}, "the task “Book room” opens for the vendor"),
        ({"notify": {"to": "owner", "words": "Go"}}, "the deal's owner is told: “Go”"),
        (
            {"notify": {"to": "role", "role": "deal_desk", "words": "Go"}},
            "everybody in the role deal desk is told: “Go”",
        ),
        (REVIEW, "“Solution review” is asked for, of sales director"),
        (
            {"approval": {"title": "R", "approvers": [{"manager": True}, {"role": "finance"}]}},
            "“R” is asked for, of finance or the owner's manager",
        ),
        (
            {"approval": {"title": "R", "approvers": [{"person": "cfo@vendor.example"}]}},
            "“R” is asked for, of the approvers",
        ),
        ({"campaign": {"key": "c", "step": "s"}}, "the step s of the campaign c begins"),
        (
            {"webhook": {"url": "https://hooks.example/secret", "event": "x.y"}},
            "hooks.example is told of x.y",
        ),
    ],
)
def test_what_it_does_is_said_in_words_that_name_nobody(trigger: dict[str, Any], what: str):
    assert Trigger.model_validate_json(Trigger.model_validate(trigger).model_dump_json()).what == what


def test_a_partner_reads_of_tasks_and_of_what_it_is_told():
    playbook = book(
        REVIEW,
        {"task": a_task("book-room")},
        {"notify": {"to": "partners", "words": "Come"}},
        {"notify": {"to": "manager", "words": "Look"}},
        {"webhook": {"url": "https://hooks.example/secret", "event": "x"}},
    )
    assert playbook.as_read_by(Side.VENDOR) == playbook
    read = playbook.as_read_by(Side.PARTNER)
    assert [each.kind for each in read.stages[1].on_enter] == [TriggerKind.TASK, TriggerKind.NOTIFY]
    assert "secret" not in read.model_dump_json()


# ---------------------------------------------------------------------- tasks, words, campaigns


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


# ---------------------------------------------------------------------- approvals


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
