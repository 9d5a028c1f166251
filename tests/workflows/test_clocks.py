"""Time passes, and the deal says what falls due: on a server whose clock is ours."""

from __future__ import annotations

from datetime import timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from domain.notice import NoticeKind
from domain.opportunity import commands as ask
from domain.opportunity.rules import open_deal
from domain.opportunity.state import Status
from domain.principal import Side
from tests.factories import REP, a_playbook, a_stage, a_task, opening
from tests.workflows.play import Played, at
from workflows.messages import Start, workflow_id
from workflows.opportunity import OpportunityWorkflow

STARTED = EventType.EVENT_TYPE_TIMER_STARTED
CANCELED = EventType.EVENT_TYPE_TIMER_CANCELED
FIRED = EventType.EVENT_TYPE_TIMER_FIRED


async def test_a_month_passes_and_each_deadline_is_said_once(server: WorkflowEnvironment, deal: Played):
    closes = (await at(server, days=20)).date()
    await deal.open(expected_close=closes)
    await server.sleep(timedelta(days=30))
    await deal.until_said("expected close")
    said = [words.partition(" was due")[0] for words in await deal.words() if " was due" in words]
    assert said == [
        "“Confirm budget”",
        "“Share profile”",
        "A check-in with Aster Integrators",
        "Joint qualification",
        "The expected close",
    ]
    assert [await deal.count(kind) for kind in (STARTED, FIRED, CANCELED)] == [5, 5, 0]


async def test_when_all_is_said_no_timer_is_left(server: WorkflowEnvironment, deal: Played):
    book = a_playbook(stages=[a_stage("only", a_task("call", due="1d"))])
    await deal.open(playbook=book, expected_close=None)
    await server.sleep(timedelta(days=1, seconds=1))
    await deal.until_said("“Call” was due")
    before = await deal.count()
    await server.sleep(timedelta(days=400))
    assert await deal.count() == before


async def test_a_task_that_is_done_in_time_is_not_said_to_be_late(server: WorkflowEnvironment, deal: Played):
    await deal.open()
    await deal.complete("confirm-budget")
    await server.sleep(timedelta(days=5, seconds=1))
    late = await deal.until_said(" was due ")
    assert late.words.startswith("“Share profile” was due")


async def test_one_timer_runs_at_a_time_and_is_set_again_only_for_an_earlier_instant(
    server: WorkflowEnvironment, deal: Played
):
    await deal.open()
    await deal.ask(ask.AddNote(text="Nothing moves."))
    await deal.complete("confirm-budget")
    assert [await deal.count(kind) for kind in (STARTED, CANCELED)] == [1, 0], "a later one can wait"
    soon = await at(server, hours=5)
    await deal.ask(ask.AddTask(title="Call back", side=Side.VENDOR, due_at=soon))
    assert [await deal.count(kind) for kind in (STARTED, CANCELED)] == [2, 1]
    await server.sleep(timedelta(hours=5, seconds=1))
    assert "“Call back”" in (await deal.until_said(" was due ")).words


async def test_a_check_in_moves_the_next_one(server: WorkflowEnvironment, deal: Played):
    book = a_playbook(stages=[a_stage("only", a_task("call"), check_in="1w")])
    await deal.open(playbook=book, expected_close=None)
    await server.sleep(timedelta(days=6))
    await deal.ask(ask.LogCheckIn(note="All well."))
    await server.sleep(timedelta(days=6))
    assert not [words for words in await deal.words() if "was due" in words]
    await server.sleep(timedelta(days=1, seconds=1))
    assert (await deal.until_said("A check-in with Aster Integrators was due")).words


async def test_a_hold_ends_by_itself_and_gives_back_the_time_that_was_left(
    server: WorkflowEnvironment, deal: Played
):
    await deal.open()
    due = (await deal.deal()).tasks["confirm-budget"].due_at
    until = await at(server, days=30)
    await deal.ask(ask.HoldDeal(reason="budget freeze", until=until))
    await server.sleep(timedelta(days=29))
    held = await deal.deal()
    assert (held.status, held.version) == (Status.ON_HOLD, 3), "nothing falls due on hold"
    await server.sleep(timedelta(days=1, seconds=1))
    resumed = await deal.until(lambda now: now.status is Status.OPEN)
    assert due is not None
    assert resumed.hold is None
    moved = resumed.tasks["confirm-budget"].due_at
    assert moved is not None
    assert timedelta(days=29, hours=23) < moved - due < timedelta(days=30, seconds=5)
    await server.sleep(timedelta(days=3))
    assert "“Confirm budget”" in (await deal.until_said(" was due ")).words


async def test_a_hold_without_an_end_waits_for_somebody(server: WorkflowEnvironment, deal: Played):
    await deal.open()
    await deal.ask(ask.HoldDeal(reason="a merger"))
    await server.sleep(timedelta(days=300))
    assert (await deal.deal()).status is Status.ON_HOLD
    await deal.ask(ask.Resume())
    assert (await deal.deal()).status is Status.OPEN


LADDER = [
    {"before": "1d", "tell": "assignee"},
    {"after": "1bd", "tell": "other_side"},
    {"after": "3bd", "tell": "manager"},
]


async def test_a_ladder_is_climbed_while_nobody_acts_and_stopped_by_the_act(
    server: WorkflowEnvironment, deal: Played
):
    book = a_playbook(
        stages=[a_stage("only", a_task("call", due="3d"), a_task("write", due="30d"))],
        ladders={"task": LADDER},
    )
    await deal.open(playbook=book, expected_close=None)
    await server.sleep(timedelta(days=14))
    await deal.until_said("Tandem told the manager: “Call”")
    await deal.complete("write")
    await server.sleep(timedelta(days=60))
    await deal.until(lambda now: now.tasks["write"].closed_at is not None)
    assert [(m.kind, bool(m.recipients), bool(m.partners), bool(m.managers_of)) for m in deal.heard] == [
        (NoticeKind.TASK_DUE, True, False, False),
        (NoticeKind.TASK_DUE, False, True, False),
        (NoticeKind.ESCALATED, False, False, True),
    ]
    assert not any(message.late for message in deal.heard)


async def test_what_fell_due_in_a_week_without_a_worker_is_worked_off_in_order_and_once(
    server: WorkflowEnvironment, deal: Played
):
    """The deal is as a worker left it eight days ago; the server's own timers cannot fire without one."""
    left = await at(server, days=-8)
    tasks = [a_task(f"call-{day}", due=f"{day}d") for day in range(1, 7)]
    book = a_playbook(stages=[a_stage("only", *tasks)], ladders={"task": [{"tell": "assignee"}]})
    opened = open_deal(opening(id=deal.id, playbook=book, expected_close=None), left, REP)
    start = Start(opportunity=opened.opportunity, entries=opened.entries)
    await deal.client.start_workflow(
        OpportunityWorkflow.run, start, id=workflow_id(deal.id), task_queue=deal.queue
    )
    await deal.until_said("“Call 6” was due")
    await deal.until(lambda _: len(deal.heard) == len(tasks))
    said = [words.partition(" was due")[0] for words in await deal.words() if " was due" in words]
    assert said == [f"“Call {day}”" for day in range(1, 7)]
    assert len({message.cause for message in deal.heard}) == len(tasks)
    assert all(message.late for message in deal.heard), "which gathers them into one mail"


async def test_won_is_not_over_the_hand_off_falls_due_too(server: WorkflowEnvironment, deal: Played):
    book = a_playbook(stages=[a_stage("only", a_task("call"))])
    await deal.open(playbook=book)
    await deal.complete("call")
    await deal.ask(ask.Win())
    await server.sleep(timedelta(weeks=2, seconds=1))
    await deal.until_said("Hand-off was due")
    said = [words.partition(" was due")[0] for words in await deal.words() if " was due" in words]
    assert said == ["“Plan onboarding”", "Hand-off"]
