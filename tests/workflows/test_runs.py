"""A deal over several runs: continued as new, and started again from its record, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from temporalio import activity
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory

from activities.record import RecordActivities
from db.session import Database
from domain.opportunity import commands as ask
from domain.opportunity.clock import next_due
from domain.opportunity.draft import Outcome
from domain.opportunity.leavers import PersonGone
from domain.opportunity.state import LoseReason, Opportunity, Status
from domain.playbook import Playbook
from runtime.ids import new_id
from runtime.search_attributes import NEXT_DUE, OWNER, PHASE, PLAYBOOK, STATUS
from tests.factories import ASTER, REP, SELLER, SUCCESS
from tests.replay.make import impatient as an_impatient_server
from tests.workflows.play import Played, a_worker, refused
from tests.workflows.test_opportunity import sequences, work_to_the_hand_over
from workflows.messages import PERSON_LEFT, RECORD, workflow_id
from workflows.opportunity import OpportunityWorkflow


@pytest_asyncio.fixture(scope="module")
async def impatient() -> AsyncIterator[Client]:
    """The client of a server that suggests a new run after some fifty events."""
    async with an_impatient_server() as server:
        yield server.client


@pytest_asyncio.fixture
async def deal(impatient: Client, database: Database) -> AsyncIterator[Played]:
    async with a_worker(impatient, "tandem", RecordActivities(database)):
        yield Played(impatient)


async def runs_of(deal: Played) -> list[str]:
    """Its runs, the latest first: each says which one it goes on from."""
    runs = [(await deal.handle.describe()).run_id]
    while True:
        history = await _of_run(deal, runs[-1])
        started = history.events[0].workflow_execution_started_event_attributes
        if not started.continued_execution_run_id:
            return runs
        runs.append(started.continued_execution_run_id)


async def _of_run(deal: Played, run: str) -> WorkflowHistory:
    return await deal.client.get_workflow_handle(workflow_id(deal.id), run_id=run).fetch_history()


async def test_a_long_deal_continues_as_new_and_forgets_nothing(deal: Played, database: Database):
    await deal.open()
    for number in range(20):
        await deal.ask(ask.AddNote(text=f"Note {number}"))
    before = await deal.deal()
    await work_to_the_hand_over(deal)
    await deal.ended()
    assert len(await runs_of(deal)) >= 3
    ended = await deal.deal()
    assert ended.status is Status.HANDED_OFF
    assert (before.created_at, before.playbook, before.customer) == (
        ended.created_at,
        ended.playbook,
        ended.customer,
    )
    assert await sequences(database, deal) == list(range(1, ended.version + 1))


async def test_the_same_request_is_one_change_also_in_a_later_run(deal: Played, database: Database):
    await deal.open()
    first = await deal.ask(ask.AddNote(text="Once."), id="key-1")
    for number in range(12):
        await deal.ask(ask.AddNote(text=f"Note {number}"))
    assert len(await runs_of(deal)) > 1
    version = (await deal.deal()).version
    assert await deal.ask(ask.AddNote(text="Once."), id="key-1") == first
    stale = ask.Request(command=ask.AddNote(text="Once."), by=REP, if_version=1)
    assert await deal.handle.execute_update(OpportunityWorkflow.change, stale, id="key-1") == first
    assert (await deal.deal()).version == version
    assert len(await sequences(database, deal)) == version


async def test_commands_at_once_survive_the_change_of_runs(deal: Played, database: Database):
    await deal.open()

    async def notes(person: int) -> list[int]:
        said = [ask.AddNote(text=f"Note {number} of {person}") for number in range(8)]
        return [(await deal.ask(note, id=f"{person}-{n}")).version for n, note in enumerate(said)]

    versions = [version for some in await asyncio.gather(*map(notes, range(4))) for version in some]
    assert sorted(versions) == list(range(3, 35))
    assert await sequences(database, deal) == list(range(1, 35))
    assert len(await runs_of(deal)) > 1


class Interrupted(RecordActivities):
    """While what will end the run is recorded, something arrives, once: the step cannot end it."""

    def __init__(self, database: Database, client: Client) -> None:
        super().__init__(database)
        self.client = client
        self.interrupted: set[int] = set()

    @activity.defn(name=RECORD)
    async def record_opportunity(self, outcome: Outcome) -> None:
        deal = outcome.opportunity
        handle = self.client.get_workflow_handle(workflow_id(deal.id))
        if deal.version not in self.interrupted and (await handle.describe()).history_length >= 50:
            self.interrupted.add(deal.version)
            await handle.signal(PERSON_LEFT, PersonGone(id=new_id()))
        await super().record_opportunity(outcome)


async def test_whoever_asks_in_a_step_that_has_to_be_done_anew_gets_an_answer(
    impatient: Client, database: Database
):
    deal = Played(impatient, queue="interrupted")
    async with a_worker(impatient, "interrupted", Interrupted(database, impatient)):
        await deal.open()
        said = [ask.AddNote(text=f"Note {number}") for number in range(16)]
        for again in range(2):
            versions = [(await deal.ask(note, id=note.text)).version for note in said]
            assert versions == list(range(3, 19)), f"asked {again + 1} times, and done once"
        assert await sequences(database, deal) == list(range(1, 19))
        runs = await runs_of(deal)
        assert len(runs) > 1
    undone = [
        event.workflow_task_failed_event_attributes.cause
        for run in runs
        for event in (await _of_run(deal, run)).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]
    assert set(undone) == {WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND}


async def test_the_clock_goes_on_in_the_next_run(deal: Played):
    await deal.open()
    due = next_due(await deal.deal())
    for number in range(12):
        await deal.ask(ask.AddNote(text=f"Note {number}"))
    assert len(await runs_of(deal)) > 1
    assert next_due(await deal.deal()) == due
    timers = [
        event.user_metadata.summary.data
        for event in (await deal.history()).events
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
    ]
    assert timers == [f'"until {due:%Y-%m-%d %H:%M} UTC"'.encode()]


async def test_operators_see_how_the_deal_stands(deal: Played):
    await deal.open()
    told: WorkflowMetadata = await deal.handle.query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata
    )
    assert told.current_details.startswith("**open** in **Joint qualification** (prospect), version 2")
    assert "“Share profile” is open (waits for Aster Integrators)" in told.current_details
    [recorded] = [
        event.user_metadata.summary.data.decode()
        for event in (await deal.history()).events
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
    ]
    assert recorded == f'"{(await deal.words())[0]}"'


async def test_deals_can_be_found_by_state_and_owner_but_not_by_name(deal: Played):
    await deal.open()
    found = (await deal.handle.describe()).typed_search_attributes
    state = await deal.deal()
    assert [found.get(key) for key in (STATUS, PHASE, PLAYBOOK)] == ["open", "prospect", "joint-software"]
    assert found.get(OWNER) == str(REP.id)
    assert found.get(NEXT_DUE) == next_due(state)
    await deal.ask(ask.HoldDeal(reason="budget freeze"))
    found = (await deal.handle.describe()).typed_search_attributes
    assert found.get(STATUS) == "on_hold"
    assert found.get(NEXT_DUE) is None, "nothing is awaited"


async def lost(deal: Played, **changes: Any) -> Opportunity:
    await deal.open(**changes)
    await deal.complete("confirm-budget")
    await deal.ask(ask.Lose(reason=LoseReason.TIMING))
    await deal.ended()
    return await deal.deal()


async def test_a_lost_deal_is_reopened_from_its_record_and_goes_on(deal: Played, database: Database):
    snapshot = await lost(deal)
    receipt = await deal.wake(snapshot, ask.Reopen(reason="The budget came after all."))
    assert receipt.version == snapshot.version + 1
    now = await deal.deal()
    assert now.status is Status.OPEN
    assert now.tasks["confirm-budget"].state.value == "done", "what was done stays done"
    await deal.complete("share-profile", by=SELLER)
    assert await sequences(database, deal) == list(range(1, receipt.version + 2))


async def test_a_deal_that_was_woken_and_closed_since_it_was_read_goes_on_from_what_is_recorded(
    deal: Played, database: Database, playbook: Playbook
):
    stale = await lost(deal, playbook=playbook)
    await deal.wake(stale, ask.Reopen(reason="They called."))
    await deal.ask(ask.AddNote(text="A good talk."))
    await deal.ask(ask.Lose(reason=LoseReason.PRICE))
    await deal.ended()
    recorded = await deal.deal()
    receipt = await deal.wake(stale, ask.Reopen(reason="They called again."))
    assert receipt.version == recorded.version + 1
    assert await sequences(database, deal) == list(range(1, receipt.version + 1)), "no event is lost"
    assert (await deal.deal()).lost is None
    assert "They called again." in (await deal.words())[0]


async def test_what_was_asked_of_an_older_version_is_refused_by_the_recorded_one(
    deal: Played, playbook: Playbook
):
    stale = await lost(deal, playbook=playbook)
    await deal.wake(stale, ask.Reopen())
    await deal.ask(ask.Lose(reason=LoseReason.PRICE))
    await deal.ended()
    request = deal.wake(stale, ask.Reopen(), if_version=stale.version)
    assert (await refused(request)).type == "stale_version"


async def test_two_who_reopen_at_once_reopen_once(deal: Played):
    snapshot = await lost(deal)
    both = await asyncio.gather(
        *(deal.wake(snapshot, ask.Reopen()) for _ in range(2)), return_exceptions=True
    )
    [failed] = [answer for answer in both if isinstance(answer, BaseException)]
    assert getattr(failed.__cause__, "type", None) == "deal_not_lost"
    assert (await deal.deal()).version == snapshot.version + 1


async def test_a_reopening_that_is_refused_changes_nothing_and_waits_a_minute_at_most(deal: Played):
    snapshot = await lost(deal)
    assert (await refused(deal.wake(snapshot, ask.Reopen(), by=SUCCESS))).type == "forbidden"
    if (await deal.handle.describe()).status is WorkflowExecutionStatus.RUNNING:
        waits = [
            event.timer_started_event_attributes.start_to_fire_timeout.ToSeconds()
            for event in (await deal.history()).events
            if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
        ]
        assert waits
        assert max(waits) <= 60
    assert (await deal.deal()).status is Status.LOST
    again = await deal.wake(snapshot, ask.Reopen())
    assert again.version == snapshot.version + 1, "it can still be reopened meanwhile"


async def test_whoever_asks_while_a_deal_is_being_lost_gets_an_answer(deal: Played, database: Database):
    await deal.open(partners=(ASTER,))
    asked: list[ask.Command] = [
        ask.Lose(reason=LoseReason.PRICE),
        *(ask.AddNote(text=f"Note {n}") for n in range(5)),
    ]
    answers = await asyncio.gather(*(deal.ask(each) for each in asked), return_exceptions=True)
    await deal.ended()
    done = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert await sequences(database, deal) == list(range(1, 3 + len(done)))
