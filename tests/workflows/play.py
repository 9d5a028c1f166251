"""Playing a deal on a Temporal server, as the API would: for tests of workflows and for replay."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sysconfig
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType, IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.rules import judge_rule
from activities.triggers import judge_triggers
from domain.approval.state import ApprovalState, Subject
from domain.handoff.news import HandOffNews
from domain.notice import Message
from domain.opportunity import commands as ask
from domain.opportunity.commands import Command
from domain.opportunity.draft import Outcome, TimelineEntry
from domain.opportunity.stage_approvals import KIND as STAGE
from domain.opportunity.state import Opportunity
from domain.opportunity.triggers import WebhookCall
from domain.principal import SYSTEM, Actor
from runtime.ids import new_id
from runtime.payloads import DATA_CONVERTER
from runtime.search_attributes import SEARCH_ATTRIBUTES
from tests.factories import REP, opening
from tests.patience import PATIENCE
from tests.workflows.play_discounts import Adviser, Desk, result
from workflows.approval_messages import APPROVAL_ENDED, ApprovalResult
from workflows.entity import Receipt
from workflows.handoff_messages import HEARD, HandOffStart
from workflows.messages import CATCH_UP, RECORD, CaughtUp, Opening, Snapshot, Start, workflow_id
from workflows.notice_messages import NOTIFY
from workflows.opportunity import OpportunityWorkflow
from workflows.trigger import WebhookCallWorkflow
from workflows.trigger_messages import CALL_WEBHOOK


class Ledger:
    """The promise of `record`, kept in memory: what is written is keyed, so that again changes nothing."""

    def __init__(self) -> None:
        self.timeline: dict[tuple[UUID, int], TimelineEntry] = {}
        self.deals: dict[UUID, Opportunity] = {}

    @activity.defn(name=RECORD)
    async def record_opportunity(self, outcome: Outcome) -> None:
        for entry in outcome.entries:
            self.timeline.setdefault((entry.opportunity_id, entry.sequence), entry)
        deal = outcome.opportunity
        known = self.deals.get(deal.id)
        if known is None or known.version <= deal.version:
            self.deals[deal.id] = deal

    @activity.defn(name=CATCH_UP)
    async def catch_up(self, snapshot: Snapshot) -> CaughtUp:
        deal = self.deals[snapshot.id]
        return CaughtUp(newer=None if deal.version == snapshot.version else deal)


@contextlib.asynccontextmanager
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock is ours: a month passes at once."""
    program = shutil.which("temporal-test-server", path=sysconfig.get_path("scripts"))
    assert program, "the time-skipping server is missing: run `make install-dev`"  # or the SDK downloads one
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=DATA_CONVERTER, test_server_existing_path=program
    ) as environment:
        kinds = {
            key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in SEARCH_ATTRIBUTES
        }
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=environment.client.namespace, search_attributes=kinds)
        )
        yield environment


class Records(Protocol):
    """Keeps what happened, and tells what is kept."""

    @property
    def record_opportunity(self) -> Callable[[Outcome], Awaitable[None]]: ...
    @property
    def catch_up(self) -> Callable[[Snapshot], Awaitable[CaughtUp]]: ...


@workflow.defn(name="HandOffWorkflow", sandboxed=False)
class Reception:
    """A hand-off that only hears what its deal tells it."""

    def __init__(self) -> None:
        self.told: list[HandOffNews] = []

    @workflow.run
    async def run(self, start: HandOffStart) -> None:
        assert start.news is not None
        self.told.append(start.news)
        await workflow.wait_condition(lambda: False)

    @workflow.signal(name=HEARD)
    def heard(self, news: HandOffNews) -> None:
        self.told.append(news)


def a_worker(
    client: Client,
    queue: str,
    records: Records,
    heard: list[Message] | None = None,
    also: Sequence[Callable[..., Any]] = (),
    **options: Any,
) -> Worker:
    """A worker that keeps what happens with `records`, and what people are told in `heard`."""
    told = [] if heard is None else heard

    @activity.defn(name=NOTIFY)
    async def notify(message: Message) -> None:
        told.append(message)

    @activity.defn(name=CALL_WEBHOOK)
    async def call_webhook(call: WebhookCall) -> None:
        del call  # whoever it is, hears it

    keeping: list[Callable[..., Any]] = [records.record_opportunity, records.catch_up, judge_rule]
    activities: list[Callable[..., Any]] = [
        *keeping,
        judge_triggers,
        notify,
        *Adviser().activities,
        *(also or [call_webhook]),
    ]
    workflows = [OpportunityWorkflow, Desk, Reception, WebhookCallWorkflow]
    return Worker(client, task_queue=queue, workflows=workflows, activities=activities, **options)


@dataclass
class Played:
    """One deal on a server, and what tests ask of it."""

    client: Client
    queue: str = "tandem"
    id: UUID = field(default_factory=new_id)
    runs_before: dict[str, str] = field(default_factory=dict)
    """The run that a reopened one follows, which Temporal does not link."""
    heard: list[Message] = field(default_factory=list)
    """What people were told."""

    @property
    def handle(self) -> WorkflowHandle[OpportunityWorkflow, None]:
        return self.client.get_workflow_handle_for(OpportunityWorkflow.run, workflow_id(self.id))

    async def begin(self, **changes: Any) -> None:
        """Start it, and wait for nothing."""
        start = Start(opening=Opening(command=opening(id=self.id, **changes), by=REP))
        await self.client.start_workflow(
            OpportunityWorkflow.run, start, id=workflow_id(self.id), task_queue=self.queue
        )

    async def open(self, **changes: Any) -> Played:
        await self.begin(**changes)
        await self.handle.execute_update(OpportunityWorkflow.opened)
        return self

    async def ask(self, command: Command, by: Actor = REP, *, id: str | None = None) -> Receipt:  # noqa: A002 -- Temporal's own word
        request = ask.Request(command=command, by=by)
        return await self.handle.execute_update(OpportunityWorkflow.change, request, id=id)

    async def wake(
        self, deal: Opportunity, command: Command, by: Actor = REP, *, if_version: int | None = None
    ) -> Receipt:
        """The command that comes with a start from the record, as the API sends it to a closed deal."""
        start = WithStartWorkflowOperation(
            OpportunityWorkflow.run,
            Start(opportunity=deal, woken=True),
            id=workflow_id(self.id),
            task_queue=self.queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        before = (await self.history()).run_id
        receipt = await self.client.execute_update_with_start_workflow(
            OpportunityWorkflow.change,
            ask.Request(command=command, by=by, if_version=if_version),
            start_workflow_operation=start,
        )
        self.runs_before[(await self.history()).run_id] = before
        return receipt

    async def complete(self, *keys: str, by: Actor = REP) -> None:
        for key in keys:
            await self.ask(ask.CompleteTask(key=key), by)

    async def tell(self, state: ApprovalState, **said: Any) -> None:
        """The approval of the newest discount says how it stands."""
        await self.handle.execute_update(APPROVAL_ENDED, result(await self.deal(), state, **said))

    async def tell_stage(self, state: ApprovalState, comment: str | None = None) -> None:
        """The approval that the stage waits for says how it stands."""
        approval = (await self.deal()).stage_approvals[-1]
        subject = Subject(kind=STAGE, title=approval.title, opportunity_id=self.id)
        said = {"version": 2, "by": SYSTEM, "at": approval.asked_at, "comment": comment}
        told = ApprovalResult(approval_id=approval.id, state=state, subject=subject, **said)
        await self.handle.execute_update(APPROVAL_ENDED, told)

    async def deal(self) -> Opportunity:
        return await self.handle.query(OpportunityWorkflow.opportunity)

    async def story(self) -> list[TimelineEntry]:
        """What happened in the current run."""
        return (await self.handle.query(OpportunityWorkflow.timeline)).entries

    async def words(self) -> list[str]:
        return [entry.words for entry in await self.story()]

    async def until(self, reached: Callable[[Opportunity], bool]) -> Opportunity:
        """The deal, once it is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                deal = await self.deal()
                if reached(deal):
                    return deal
                await asyncio.sleep(0.02)

    async def until_said(self, part: str) -> TimelineEntry:
        """The newest entry whose words hold `part`, once there is one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for entry in reversed(await self.story()):
                    if part in entry.words:
                        return entry
                await asyncio.sleep(0.02)

    async def ended(self) -> None:
        """Wait until its process has ended, and well."""
        async with asyncio.timeout(PATIENCE):
            await self.handle.result()

    async def history(self) -> WorkflowHistory:
        return await self.handle.fetch_history()

    async def count(self, *kinds: EventType.ValueType) -> int:
        """How many events of these kinds its history holds; all of them where none is named."""
        return sum(not kinds or event.event_type in kinds for event in (await self.history()).events)


async def refused(asking: Awaitable[Any]) -> ApplicationError:
    """The refusal of what is asked."""
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await asking
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


async def at(environment: WorkflowEnvironment, **duration: float) -> datetime:
    """The instant so long after the server's now."""
    return await environment.get_current_time() + timedelta(**duration)
