"""Tasks: who may complete, reopen, waive, assign and add them, and what that leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from domain.errors import DealOnHold, Forbidden, InvalidInput, NotFound, TaskClosed, TaskOpen
from domain.opportunity import commands as ask
from domain.opportunity.decide_tasks import MAX_TASKS
from domain.opportunity.guards import MAX_TEXT
from domain.opportunity.state import TaskState
from domain.principal import SYSTEM
from tests.factories import (
    ASTER,
    BOREALIS,
    BOREALIS_SELLER,
    CYGNUS,
    CYGNUS_SELLER,
    DESK,
    DIRECTOR,
    FINANCE,
    LEAD,
    NOW,
    REP,
    SELLER,
    SUCCESS,
    a_deal,
    a_won_deal,
    assignee,
    person,
)

VENDORS, PARTNERS = "confirm-budget", "share-profile"


@pytest.mark.parametrize(
    ("by", "key"),
    [(REP, VENDORS), (DIRECTOR, VENDORS), (SUCCESS, VENDORS), (SELLER, PARTNERS), (LEAD, PARTNERS)],
    ids=lambda value: getattr(value, "name", value),
)
def test_each_side_completes_its_own_tasks(by, key):
    deal = a_deal().ask(ask.CompleteTask(key=key, note="Signed by the CFO"), by=by)
    task = deal.task(key)
    assert (task.state, task.closed_by, task.closed_at, task.note) == (
        TaskState.DONE,
        by.name,
        NOW,
        "Signed by the CFO",
    )
    assert deal.last == f"{by.name} completed “{task.title}”."


@pytest.mark.parametrize(
    ("by", "key", "sentence"),
    [
        (REP, PARTNERS, "“Share profile” is Aster Integrators' task."),
        (SELLER, VENDORS, "“Confirm budget” is the vendor's task."),
        (BOREALIS_SELLER, PARTNERS, "“Share profile” is Aster Integrators' task."),
        (DESK, VENDORS, "Your role does not work on tasks."),
        (FINANCE, VENDORS, "Your role does not work on tasks."),
    ],
    ids=lambda value: getattr(value, "name", value),
)
@pytest.mark.parametrize("command", [ask.CompleteTask, ask.ReopenTask, ask.AssignTask])
def test_nobody_touches_the_tasks_of_another_side(command, by, key, sentence):
    deal = a_deal(partners=(ASTER, BOREALIS))
    more = {"assignee": None} if command is ask.AssignTask else {}
    with pytest.raises(Forbidden) as refusal:
        deal.ask(command(key=key, **more), by=by)
    assert refusal.value.detail == sentence


def test_a_partners_task_without_a_partner_can_be_done_by_the_vendor():
    deal = a_deal(partners=()).ask(ask.CompleteTask(key=PARTNERS), by=REP)
    assert deal.task(PARTNERS).closed_by == REP.name


@pytest.mark.parametrize(
    ("by", "sentence"),
    [
        (REP, None),
        (CYGNUS_SELLER, None),
        (BOREALIS_SELLER, "“Share profile” waits for a partner as reseller; meanwhile the vendor may do it."),
    ],
    ids=["vendor", "reseller", "technology"],
)
def test_a_waiting_task_with_a_role_is_for_the_vendor_and_for_partners_with_that_role(by, sentence):
    deal = a_deal(partners=(ASTER, BOREALIS, CYGNUS)).complete("share-profile")
    deal.ask(ask.RemovePartner(partner_id=ASTER.id)).ask(ask.ReopenTask(key=PARTNERS), by=REP)
    assert deal.task(PARTNERS).partner_id is None
    done = ask.CompleteTask(key=PARTNERS)
    if sentence is None:
        assert not deal.ask(done, by=by).task(PARTNERS).is_open
    else:
        with pytest.raises(Forbidden) as refusal:
            deal.ask(done, by=by)
        assert refusal.value.detail == sentence


def test_a_waiting_task_for_no_certain_role_is_for_anybody_on_the_deal():
    deal = a_deal(partners=(ASTER, BOREALIS))
    deal.ask(ask.AddTask(title="Visit", side="partner", partner_id=ASTER.id))
    deal.ask(ask.RemovePartner(partner_id=ASTER.id)).ask(ask.CompleteTask(key="task-1"), by=BOREALIS_SELLER)
    assert deal.task("task-1").closed_by == BOREALIS_SELLER.name


def test_two_people_completing_the_same_task_is_refused_with_who_was_first():
    deal = a_deal().ask(ask.CompleteTask(key=VENDORS), by=REP).later(minutes=5)
    with pytest.raises(TaskClosed) as refusal:
        deal.ask(ask.CompleteTask(key=VENDORS), by=DIRECTOR)
    assert refusal.value.detail == "“Confirm budget” is done already: Rosa Rep at 09:00 UTC on 1 March 2027."


def test_a_task_that_does_not_exist_is_not_found():
    with pytest.raises(NotFound, match="no task “make-coffee”"):
        a_deal().ask(ask.CompleteTask(key="make-coffee"))


def test_a_task_of_another_stage_is_closed():
    deal = a_deal(at="joint-demo")
    with pytest.raises(TaskClosed, match="belongs to Joint qualification, and the deal is in Joint demonstr"):
        deal.ask(ask.ReopenTask(key=VENDORS))


def test_after_winning_no_advice_is_given_that_cannot_be_followed():
    with pytest.raises(TaskClosed) as refusal:
        a_won_deal().ask(ask.ReopenTask(key="sign-contract"))
    assert refusal.value.detail == "“Sign contract” belongs to Commit, and the deal is in Hand-off."


def test_on_hold_no_task_is_worked():
    deal = a_deal().ask(ask.HoldDeal(reason="budget freeze"))
    with pytest.raises(DealOnHold, match=r"on hold: budget freeze\. Resume it first"):
        deal.ask(ask.CompleteTask(key=VENDORS))


def test_a_reopened_task_forgets_that_it_was_done_but_not_whose_it_is():
    deal = a_deal().ask(assign(VENDORS, DIRECTOR))
    deal.ask(ask.CompleteTask(key=VENDORS, note="yes")).ask(ask.ReopenTask(key=VENDORS))
    task = deal.task(VENDORS)
    assert (task.state, task.closed_by, task.closed_at, task.note) == (TaskState.OPEN, None, None, None)
    assert task.assignee == person(DIRECTOR)
    assert deal.last == "Rosa Rep reopened “Confirm budget”."


def test_only_a_closed_task_can_be_reopened():
    with pytest.raises(TaskOpen, match="“Confirm budget” is open"):
        a_deal().ask(ask.ReopenTask(key=VENDORS))


# ---------------------------------------------------------------------------- waive


@pytest.mark.parametrize("key", [VENDORS, PARTNERS])
def test_those_whom_the_playbook_names_waive_on_either_side_with_a_reason(key):
    deal = a_deal().ask(ask.WaiveTask(key=key, reason="Known customer"), by=REP)
    assert (deal.task(key).state, deal.task(key).note) == (TaskState.WAIVED, "Known customer")
    assert deal.last == f"Rosa Rep waived “{deal.task(key).title}”: Known customer"


@pytest.mark.parametrize("by", [SELLER, LEAD, SUCCESS], ids=lambda by: by.name)
def test_others_do_not_waive_and_hear_who_may(by):
    with pytest.raises(Forbidden) as refusal:
        a_deal().ask(ask.WaiveTask(key=VENDORS, reason="Too much work"), by=by)
    assert refusal.value.detail == "“Confirm budget” can be waived by: sales rep, sales director or admin."


def test_a_task_names_its_own_waivers():
    deal = a_deal(at="commit")
    with pytest.raises(Forbidden, match=r"can be waived by: sales director\."):
        deal.ask(ask.WaiveTask(key="sign-contract", reason="Handshake"), by=REP)
    deal.ask(ask.WaiveTask(key="sign-contract", reason="Order by mail"), by=DIRECTOR)
    assert deal.blocked_by == ["ready_to_win"]


def test_readers_do_not_waive():
    with pytest.raises(Forbidden, match="does not work on tasks"):
        a_deal().ask(ask.WaiveTask(key=VENDORS, reason="why not"), by=DESK)


def test_a_closed_task_is_not_waived():
    deal = a_deal().complete(VENDORS)
    with pytest.raises(TaskClosed, match="is done already"):
        deal.ask(ask.WaiveTask(key=VENDORS, reason="why not"))


# ---------------------------------------------------------------------------- assign


def assign(key, to):
    return ask.AssignTask(key=key, assignee=assignee(to))


def test_a_task_is_assigned_and_given_back():
    deal = a_deal().ask(assign(VENDORS, DIRECTOR))
    assert deal.last == "Rosa Rep assigned “Confirm budget” to Dirk Director."
    deal.ask(ask.AssignTask(key=VENDORS, assignee=None))
    assert deal.task(VENDORS).assignee is None
    assert deal.last == "Rosa Rep assigned “Confirm budget” to nobody."


def test_a_partner_assigns_within_its_own_company():
    deal = a_deal().ask(assign(PARTNERS, LEAD), by=SELLER)
    assert deal.task(PARTNERS).assignee == person(LEAD)


def test_a_partners_task_without_a_partner_is_given_to_the_vendors_people():
    deal = a_deal(partners=()).ask(assign(PARTNERS, REP))
    assert deal.task(PARTNERS).assignee == person(REP)


@pytest.mark.parametrize(
    ("partners", "key", "to", "by", "sentence"),
    [
        (
            (ASTER,),
            VENDORS,
            SELLER,
            REP,
            "“Confirm budget” is a task of the vendor's side; Astrid Seller is on the other.",
        ),
        (
            (ASTER,),
            PARTNERS,
            REP,
            SELLER,
            "“Share profile” is a task of the partner's side; Rosa Rep is on the other.",
        ),
        (
            (ASTER, BOREALIS),
            PARTNERS,
            BOREALIS_SELLER,
            SELLER,
            "“Share profile” is Aster Integrators' task; Boris Seller is with another partner.",
        ),
        ((), PARTNERS, BOREALIS_SELLER, REP, "Boris Seller's company is not on the deal."),
        (
            (BOREALIS,),
            PARTNERS,
            BOREALIS_SELLER,
            REP,
            "“Share profile” is for a partner as reseller; Boris Seller's company has another role.",
        ),
    ],
)
def test_a_task_is_given_to_somebody_whom_it_is_for(partners, key, to, by, sentence):
    deal = a_deal(partners=partners)
    with pytest.raises(InvalidInput) as refusal:
        deal.ask(assign(key, to), by=by)
    assert refusal.value.detail == sentence
    assert refusal.value.extra["errors"][0]["pointer"] == "/user_id"


def test_a_new_task_is_given_to_somebody_by_the_same_rules():
    theirs = {"title": "Visit", "side": "partner", "partner_id": ASTER.id}
    deal = a_deal(partners=(ASTER, BOREALIS))
    deal.ask(ask.AddTask(**theirs, assignee=assignee(LEAD)), by=SELLER)
    assert deal.task("task-1").assignee == person(LEAD)
    for to in (REP, BOREALIS_SELLER, CYGNUS_SELLER):
        with pytest.raises(InvalidInput) as refusal:
            deal.ask(ask.AddTask(**theirs, assignee=assignee(to)), by=SELLER)
        assert refusal.value.extra["errors"][0]["pointer"] == "/assignee_id"


@pytest.mark.parametrize(
    ("recorded", "command"),
    [
        (
            {"kind": "assign_task", "assignee_side": "partner", "assignee_partner_id": str(ASTER.id)},
            ask.AssignTask(key=PARTNERS, assignee=assignee(LEAD)),
        ),
        (
            {"kind": "add_task", "title": "Visit", "side": "partner", "partner_id": str(ASTER.id)},
            ask.AddTask(title="Visit", side="partner", partner_id=ASTER.id, assignee=assignee(LEAD)),
        ),
    ],
    ids=["assign", "add"],
)
def test_commands_of_earlier_versions_are_understood(recorded, command):
    named = {"assignee": person(LEAD).model_dump(mode="json")}
    keyed = {"key": PARTNERS} if recorded["kind"] == "assign_task" else {}
    assert type(command).model_validate({**recorded, **named, **keyed}) == command
    nobody = type(command).model_validate({**recorded, **keyed, "assignee": None})
    assert nobody == command.model_copy(update={"assignee": None})


def test_a_command_is_never_taken_from_something_else():
    for command in (ask.AssignTask, ask.AddTask):
        with pytest.raises(ValidationError, match="valid dictionary"):
            command.model_validate("call them")


def test_a_closed_task_is_not_assigned():
    with pytest.raises(TaskClosed):
        a_deal().complete(VENDORS).ask(assign(VENDORS, DIRECTOR))


# ---------------------------------------------------------------------------- add


def test_an_ad_hoc_task_joins_the_current_stage():
    due = NOW + timedelta(days=2)
    deal = a_deal().ask(ask.AddTask(title="Call the CIO", side="vendor", required=True, due_at=due))
    task = deal.task("task-1")
    assert (task.title, task.stage, task.template, task.due_at) == ("Call the CIO", "qualify", None, due)
    assert "“Call the CIO” is open" in deal.why
    assert deal.last == "Rosa Rep added the task “Call the CIO” for the vendor."


def test_ad_hoc_tasks_are_numbered_as_they_come():
    deal = a_deal()
    for _ in range(3):
        deal.ask(ask.AddTask(title="Call again", side="vendor"))
    assert deal.open_keys[-3:] == ["task-1", "task-2", "task-3"]


def test_a_partner_adds_tasks_for_itself_and_for_the_vendor():
    deal = a_deal(partners=(ASTER, BOREALIS))
    deal.ask(ask.AddTask(title="Ask the architect", side="vendor"), by=SELLER)
    deal.ask(ask.AddTask(title="Visit the plant", side="partner", partner_id=ASTER.id), by=SELLER)
    assert deal.task("task-2").partner_id == ASTER.id
    with pytest.raises(Forbidden, match="your own side and for the vendor"):
        deal.ask(ask.AddTask(title="Work", side="partner", partner_id=BOREALIS.id), by=SELLER)


@pytest.mark.parametrize(
    ("task", "error", "sentence"),
    [
        ({"side": "partner"}, InvalidInput, "Say which partner"),
        ({"side": "partner", "partner_id": BOREALIS.id}, NotFound, "not on the deal"),
        ({"side": "vendor", "partner_id": ASTER.id}, InvalidInput, "has no partner"),
        ({"side": "vendor", "due_at": NOW}, InvalidInput, "would be in the past"),
        ({"side": "vendor", "due_at": NOW.replace(year=9999)}, InvalidInput, "more than ten years away"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(task, error, sentence):
    with pytest.raises(error, match=sentence):
        a_deal().ask(ask.AddTask(title="Call", **task))


def test_readers_add_no_tasks():
    with pytest.raises(Forbidden):
        a_deal().ask(ask.AddTask(title="Check the margin", side="vendor"), by=DESK)


def test_a_deal_has_room_for_two_hundred_tasks():
    deal = a_deal()
    while len(deal.deal.tasks) < MAX_TASKS:
        deal.ask(ask.AddTask(title="One more", side="vendor"))
    with pytest.raises(InvalidInput, match="at most 200 tasks"):
        deal.ask(ask.AddTask(title="One too many", side="vendor"))


def test_a_deal_stays_small_enough_to_travel_and_may_still_go_on():
    deal, words = a_deal(), "🚀" * 5000
    while sum(len(task.help or "") for task in deal.deal.tasks.values()) <= MAX_TEXT - len(words):
        deal.ask(ask.AddTask(title="One more", side="vendor", help=words))
    with pytest.raises(InvalidInput, match="no more text"):
        deal.ask(ask.AddTask(title="One too many", side="vendor", help=words))
    with pytest.raises(InvalidInput, match="no more text"):
        deal.ask(ask.CompleteTask(key=VENDORS, note=words))
    deal.complete(VENDORS)
    assert len(deal.deal.model_dump_json().encode()) < 1_500_000


def test_what_happens_by_itself_may_touch_any_task():
    deal = a_deal().ask(ask.CompleteTask(key=PARTNERS), by=SYSTEM)
    deal.ask(ask.WaiveTask(key=VENDORS, reason="Known from the CRM"), by=SYSTEM)
    assert deal.last == "Tandem waived “Confirm budget”: Known from the CRM"
