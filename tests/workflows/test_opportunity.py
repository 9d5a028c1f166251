"""The process of a deal: one change after the other, each recorded before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from activities.record import RecordActivities
from db.session import Database
from db.tables import TimelineRow
from domain.errors import Unavailable
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.draft import Outcome
from domain.opportunity.state import LoseReason, Status
from tests.factories import ASTER, REP, SELLER, SUCCESS, a_playbook, a_stage
from tests.workflows.play import Played, a_worker, refused
from workflows.messages import RECORD
from workflows.opportunity import OpportunityWorkflow

UPDATED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED
MARKED = EventType.EVENT_TYPE_MARKER_RECORDED


async def sequences(database: Database, deal: Played) -> list[int]:
    """What PostgreSQL holds of the deal's timeline."""
    rows = select(col(TimelineRow.sequence)).where(col(TimelineRow.stream_id) == deal.id)
    async with database.read() as session:
        return list((await session.execute(rows.order_by(col(TimelineRow.sequence)))).scalars())


async def work_to_the_hand_over(deal: Played) -> None:
    """Both sides do what the playbook of `tests.factories` asks for."""
    await deal.complete("confirm-budget")
    await deal.complete("share-profile", by=SELLER)
    await deal.ask(ask.Advance())
    await deal.complete("write-agenda")
    await deal.complete("invite-customer", by=SELLER)
    await deal.complete("run-demo")
    await deal.ask(ask.Advance())
    await deal.ask(ask.Advance(), SELLER)
    await deal.complete("sign-contract")
    await deal.ask(ask.Win())
    await deal.complete("plan-onboarding")
    await deal.ask(ask.AcceptHandOff(), SUCCESS)


async def test_from_open_to_handed_off_in_few_events(deal: Played, database: Database):
    await deal.open()
    await work_to_the_hand_over(deal)
    await deal.ended()
    ended = await deal.deal()
    assert ended.status is Status.HANDED_OFF
    assert await sequences(database, deal) == list(range(1, ended.version + 1))
    assert await deal.count() <= 120


async def test_an_answer_says_the_version_that_is_recorded(deal: Played, database: Database):
    await deal.open()
    receipt = await deal.ask(ask.AddNote(text="The CFO is on holiday."))
    assert receipt.id == deal.id
    assert receipt.version == (await sequences(database, deal))[-1] == 3


async def test_a_refusal_leaves_nothing_in_the_history(deal: Played):
    await deal.open()
    before = await deal.count()
    error = await refused(deal.ask(ask.Advance()))
    assert error.type == "stage_gate_closed"
    assert [blocker["task"] for blocker in error.details[0]["blockers"]] == [
        "confirm-budget",
        "share-profile",
    ]
    assert (await refused(deal.ask(ask.CompleteTask(key="share-profile"), REP))).type == "forbidden"
    added = [event.event_type for event in (await deal.history()).events[before:]]
    assert not {EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, MARKED} & set(added)
    assert (await deal.deal()).version == 2


async def test_the_rule_of_a_stage_is_judged_where_its_answer_is_kept(deal: Played):
    rule = {"by": "rule", "rule": "deal.amount >= 1000.0", "advance": "automatic"}
    book = a_playbook(stages=[a_stage("quote", exit=rule), a_stage("commit", phase="committed")])
    await deal.open(playbook=book, amount=Money(amount="10.00", currency="USD"))
    assert (await deal.deal()).stage.key == "quote"
    assert await deal.count(MARKED) == 2, "the judgement and the record"
    await deal.ask(ask.Change(amount=Money(amount="5000.00", currency="USD")))
    assert (await deal.deal()).stage.key == "commit"


async def test_commands_at_once_are_done_one_after_the_other(deal: Played, database: Database):
    await deal.open()
    notes = [ask.AddNote(text=f"Note {number}") for number in range(8)]
    receipts = await asyncio.gather(*(deal.ask(note) for note in notes))
    assert sorted(receipt.version for receipt in receipts) == list(range(3, 11))
    story = {entry.sequence: entry.words for entry in await deal.story()}
    for number, receipt in enumerate(receipts):
        assert f"Note {number}" in story[receipt.version], "each was answered with its own event"
    assert await sequences(database, deal) == list(range(1, 11))


async def test_of_two_who_complete_the_same_task_one_is_told_that_it_is_done(deal: Played):
    await deal.open()
    both = await asyncio.gather(
        *(deal.ask(ask.CompleteTask(key="confirm-budget")) for _ in range(2)), return_exceptions=True
    )
    [failed] = [answer for answer in both if isinstance(answer, BaseException)]
    assert getattr(failed.__cause__, "type", None) == "task_closed"
    assert (await deal.deal()).version == 3


async def test_a_command_may_come_before_the_process_has_begun(
    server: WorkflowEnvironment, database: Database
):
    deal = Played(server.client)
    await deal.begin()
    early = asyncio.create_task(deal.ask(ask.AddNote(text="Already!")))
    async with a_worker(server.client, "tandem", RecordActivities(database)):
        assert (await early).version == 3
        assert await sequences(database, deal) == [1, 2, 3]


class Stumbling(RecordActivities):
    """A database that is away: before anything is written, or after all is, when nobody hears of it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.before: Sequence[int] = ()
        self.after: Sequence[int] = ()
        self.tries = 0

    @activity.defn(name=RECORD)
    async def record_opportunity(self, outcome: Outcome) -> None:
        self.tries += 1
        if self.tries in self.before:
            raise Unavailable("The database does not answer.")
        await super().record_opportunity(outcome)
        if self.tries in self.after:
            raise Unavailable("The connection broke while the answer was on its way.")


async def test_nothing_is_lost_and_nothing_double_while_the_database_comes_and_goes(
    server: WorkflowEnvironment, database: Database
):
    record = Stumbling(database)
    record.before, record.after = (1, 2, 5), (3, 6)
    async with a_worker(server.client, "tandem", record):
        deal = await Played(server.client).open()
        receipts = [await deal.ask(ask.AddNote(text=f"Note {number}")) for number in range(3)]
    assert [receipt.version for receipt in receipts] == [3, 4, 5]
    assert record.tries == 9, "four changes, five stumbles"
    assert await sequences(database, deal) == [1, 2, 3, 4, 5]


async def test_what_cannot_be_stored_is_refused_and_the_deal_goes_on(deal: Played, database: Database):
    await deal.open()
    error = await refused(deal.ask(ask.Change(custom={"region": "a null \0 in it"})))
    assert error.type == "invalid_input"
    assert (await deal.ask(ask.AddNote(text="A plain note"))).version == 3
    assert await sequences(database, deal) == [1, 2, 3]


async def test_an_opening_that_is_refused_is_answered_and_ends_the_process(
    server: WorkflowEnvironment, database: Database
):
    deal = Played(server.client)
    await deal.begin(partners=(ASTER, ASTER))
    waiting = [
        asyncio.create_task(deal.handle.execute_update(OpportunityWorkflow.opened)),
        asyncio.create_task(deal.ask(ask.AddNote(text="Already!"))),
    ]
    await asyncio.sleep(0)  # both are sent before anybody works
    async with a_worker(server.client, "tandem", RecordActivities(database)):
        for asked in waiting:
            assert (await refused(asked)).message == "A partner is named twice."
        with pytest.raises(WorkflowFailureError):
            await deal.handle.result()


async def test_a_deal_that_is_lost_ends_and_keeps_its_answers(deal: Played):
    await deal.open()
    asked: dict[str, Any] = {"id": "the-key-of-the-request"}
    first = await deal.ask(ask.Lose(reason=LoseReason.PRICE), **asked)
    await deal.ended()
    assert (await deal.deal()).status is Status.LOST
    assert first.version == 3
