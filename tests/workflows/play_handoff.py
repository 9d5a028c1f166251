"""Playing a won deal and its hand-off on a Temporal server, both real: for tests and for replay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from temporalio import activity
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Worker

from activities.rules import judge_rule
from domain.approval.directory import Directory, PersonEntry
from domain.handoff import commands as ask
from domain.handoff.clocks import ClockAnswer, ClockQuestion, reckon
from domain.handoff.draft import HandOffEntry, HandOffOutcome
from domain.handoff.renewal import opening as renewal_opening
from domain.handoff.state import HandOffProcess
from domain.notice import Message
from domain.opportunity import commands as ask_deal
from domain.opportunity.state import Opportunity
from domain.principal import SYSTEM
from runtime.ids import new_id
from tests.approvals import actor
from tests.factories import REP, a_stage, a_task
from tests.handoffs import OFFICE, SUSI, a_handoff_playbook
from tests.patience import PATIENCE
from tests.workflows.play import Ledger, Played
from tests.workflows.play_discounts import Adviser, Desk
from workflows.approval_messages import PEOPLE_CHANGED
from workflows.entity import Receipt
from workflows.handoff import HandOffWorkflow
from workflows.handoff_messages import (
    PREPARE_RENEWAL,
    RECKON_HANDOFF,
    RECORD_HANDOFF,
    handoff_workflow_id,
)
from workflows.messages import Opening, workflow_id
from workflows.notice_messages import NOTIFY
from workflows.opportunity import OpportunityWorkflow


def a_short_playbook(**changes: Any) -> Any:
    """One task, and the deal can be won; then one more before the hand-off is complete."""
    book = a_handoff_playbook(**changes)
    data = book.model_dump() | {"stages": [a_stage("only", a_task("call"), phase="committed")]}
    return type(book).model_validate(data)


class Reception:
    """The world of a hand-off, kept in memory: who works here, what was recorded, who was told what."""

    def __init__(self, directory: Directory = OFFICE) -> None:
        self.directory = directory
        self.ledger = Ledger()
        self.timeline: dict[tuple[UUID, int], HandOffEntry] = {}
        self.processes: dict[UUID, HandOffProcess] = {}
        self.messages: dict[str, Message] = {}

    @activity.defn(name=RECORD_HANDOFF)
    async def record_handoff(self, outcome: HandOffOutcome) -> None:
        for entry in outcome.entries:
            self.timeline.setdefault((entry.opportunity_id, entry.sequence), entry)
        self.processes[outcome.process.facts.id] = outcome.process

    @activity.defn(name=RECKON_HANDOFF)
    async def reckon_handoff(self, question: ClockQuestion) -> ClockAnswer:
        return reckon(question, self.directory)

    @activity.defn(name=PREPARE_RENEWAL)
    async def prepare_renewal(self, process: HandOffProcess) -> Opening:
        deal = self.ledger.deals[process.facts.id]
        partners = [each.id for each in deal.partners]
        return Opening(command=renewal_opening(process, deal, deal.playbook, deal.owner, partners), by=SYSTEM)

    @activity.defn(name=NOTIFY)
    async def notify(self, message: Message) -> None:
        self.messages[f"{message.cause} {message.kind.value}"] = message

    @property
    def activities(self) -> list[Callable[..., Any]]:
        keeping: list[Callable[..., Any]] = [self.ledger.record_opportunity, self.ledger.catch_up, judge_rule]
        own: list[Callable[..., Any]] = [
            self.record_handoff,
            self.reckon_handoff,
            self.prepare_renewal,
            self.notify,
        ]
        return [*keeping, *own, *Adviser().activities]


@dataclass
class HandOff:
    """One deal that is won, and its hand-off, on a server."""

    client: Client
    queue: str = "tandem"
    id: UUID = field(default_factory=new_id)
    reception: Reception = field(default_factory=Reception)

    def worker(self, **options: Any) -> Worker:
        """A worker whose world is the reception."""
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=[OpportunityWorkflow, HandOffWorkflow, Desk],
            activities=self.reception.activities,
            **options,
        )

    @property
    def deal(self) -> Played:
        return Played(self.client, self.queue, self.id)

    @property
    def handle(self) -> WorkflowHandle[HandOffWorkflow, None]:
        return self.client.get_workflow_handle_for(HandOffWorkflow.run, handoff_workflow_id(self.id))

    async def win(self, ends_in: timedelta | None = None, server: Any = None, **changes: Any) -> HandOff:
        """Open the deal and win it; with `ends_in`, of a contract that ends so long after."""
        now = await server.get_current_time() if server is not None else None
        await self.deal.open(expected_close=None, playbook=a_short_playbook(**changes))
        await self.deal.complete("call")
        ends = (now + ends_in).date() if now is not None and ends_in is not None else None
        await self.deal.ask(ask_deal.Win(contract_ends=ends))
        await self.until(lambda _: True)
        await self.now()  # answered when the step that recorded it is over
        return self

    async def complete(self) -> HandOff:
        """The sellers do what is required."""
        await self.deal.complete("plan-onboarding", by=REP)
        await self.until(lambda process: process.clock is not None)
        return self

    async def accept(self, by: PersonEntry = SUSI) -> HandOff:
        await self.deal.ask(ask_deal.AcceptHandOff(), actor(by))
        await self.until(lambda process: process.follow_ups_planned)
        return self

    async def ask(self, command: ask.Command, by: PersonEntry = SUSI, *, id: str | None = None) -> Receipt:  # noqa: A002 -- Temporal's own word
        request = ask.Request(command=command, by=actor(by))
        return await self.handle.execute_update(HandOffWorkflow.change, request, id=id)

    async def people_change(self, directory: Directory) -> None:
        self.reception.directory = directory
        await self.handle.signal(PEOPLE_CHANGED)

    async def now(self) -> HandOffProcess:
        return await self.handle.query(HandOffWorkflow.state)

    async def until(self, reached: Callable[[HandOffProcess], bool]) -> HandOffProcess:
        """The hand-off, once it is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                process = self.reception.processes.get(self.id)
                if process is not None and reached(process):
                    return process
                await asyncio.sleep(0.02)

    async def until_said(self, part: str, times: int = 1) -> None:
        """Wait until so many sentences of the timeline hold `part`."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if sum(part in words for words in self.words) >= times:
                    return
                await asyncio.sleep(0.02)

    async def ended(self) -> HandOffProcess:
        """Wait until its process has ended, and well: how it stands then."""
        async with asyncio.timeout(PATIENCE):
            await self.handle.result()
        return self.reception.processes[self.id]

    async def renewal(self) -> Opportunity:
        """The renewal, as its own process has it, once there is one."""
        process = await self.until(lambda process: process.renewal is not None)
        assert process.renewal is not None
        handle: WorkflowHandle[OpportunityWorkflow, None] = self.client.get_workflow_handle_for(
            OpportunityWorkflow.run, workflow_id(process.renewal.opportunity_id)
        )
        await handle.execute_update(OpportunityWorkflow.opened)
        return await handle.query(OpportunityWorkflow.opportunity)

    @property
    def entries(self) -> list[HandOffEntry]:
        told = self.reception.timeline
        return [told[key] for key in sorted(told) if key[0] == self.id]

    @property
    def words(self) -> list[str]:
        return [entry.words for entry in self.entries]

    async def history(self) -> WorkflowHistory:
        return await self.handle.fetch_history()
