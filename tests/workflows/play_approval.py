"""Playing a request on a Temporal server, as the deal and the API would: for tests and for replay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.approvals import DealActivities
from domain.approval import commands as ask
from domain.approval.directory import Directory, PersonEntry
from domain.approval.draft import ApprovalEntry, ApprovalOutcome
from domain.approval.policy import StepTemplate
from domain.approval.resolve import Judged, Resolution, Resolving, fired, resolve
from domain.approval.state import Approval, ApprovalState, Facts
from domain.calendar import Calendar
from domain.notice import Message
from runtime.ids import new_id
from tests.approvals import OFFICE, RITA, actor, judge, submission
from tests.patience import PATIENCE
from workflows.approval import ApprovalWorkflow
from workflows.approval_messages import (
    JUDGE_ROUND,
    RECORD_APPROVAL,
    RESOLVE_STEPS,
    ApprovalResult,
    ApprovalStart,
    Judging,
    Submission,
    Withdrawal,
    approval_workflow_id,
)
from workflows.approval_tell import tell_deal
from workflows.entity import Receipt
from workflows.messages import workflow_id
from workflows.notice_messages import NOTIFY


class Bureau:
    """The world of a request, kept in memory: who works here, what was recorded, who was told what."""

    def __init__(self, directory: Directory = OFFICE) -> None:
        self.directory = directory
        self.timeline: dict[tuple[UUID, int], ApprovalEntry] = {}
        self.approvals: dict[UUID, Approval] = {}
        self.messages: dict[str, Message] = {}
        self.facts_now: Callable[[Judging], Facts] = lambda judging: judging.approval.facts
        self.meanwhile: Callable[[ApprovalOutcome], None] = lambda _: None
        """What happens in the world while something is recorded."""

    @activity.defn(name=RECORD_APPROVAL)
    async def record_approval(self, outcome: ApprovalOutcome) -> None:
        for entry in outcome.entries:
            self.timeline.setdefault((entry.approval_id, entry.sequence), entry)
        self.approvals[outcome.approval.id] = outcome.approval
        self.meanwhile(outcome)

    @activity.defn(name=RESOLVE_STEPS)
    async def resolve_steps(self, wanted: Resolving) -> Resolution:
        return resolve(wanted, self.directory, judge)

    @activity.defn(name=JUDGE_ROUND)
    async def judge_round(self, judging: Judging) -> Judged:
        facts = self.facts_now(judging)
        return Judged(facts=facts, fired=fired(judging.approval.templates, facts, judge))

    @activity.defn(name=NOTIFY)
    async def notify(self, message: Message) -> None:
        self.messages[f"{message.cause} {message.kind.value}"] = message

    @property
    def activities(self) -> list[Callable[..., Any]]:
        return [self.record_approval, self.resolve_steps, self.judge_round, self.notify]

    def words(self, approval_id: UUID) -> list[str]:
        """What the timeline says of a request, in order."""
        told = sorted((key, entry.words) for key, entry in self.timeline.items() if key[0] == approval_id)
        return [words for _, words in told]


@workflow.defn(name="OpportunityWorkflow", sandboxed=False)
class Deal:
    """A deal that only keeps what its requests tell it."""

    def __init__(self) -> None:
        self.heard: list[ApprovalResult] = []

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    def approval_ended(self, result: ApprovalResult) -> None:
        self.heard.append(result)

    @workflow.query
    def results(self) -> list[ApprovalResult]:
        return self.heard


def at_work_in(directory: Directory, calendar: Calendar) -> Directory:
    """The office, where everybody works by this calendar."""
    people = tuple(each.model_copy(update={"calendar": calendar}) for each in directory.people)
    return replace(directory, people=people)


@dataclass
class Request:
    """One request on a server, and what tests ask of it."""

    client: Client
    queue: str = "tandem"
    id: UUID = field(default_factory=new_id)
    deal: UUID = field(default_factory=new_id)
    bureau: Bureau = field(default_factory=Bureau)

    def worker(self, **options: Any) -> Worker:
        """A worker whose world is the bureau."""
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=[ApprovalWorkflow, Deal],
            activities=[*self.bureau.activities, DealActivities(partial(tell_deal, self.client)).tell_deal],
            **options,
        )

    @property
    def handle(self) -> WorkflowHandle[ApprovalWorkflow, None]:
        return self.client.get_workflow_handle_for(ApprovalWorkflow.run, approval_workflow_id(self.id))

    async def start(self, now: datetime, *steps: StepTemplate, by: PersonEntry = RITA, **more: Any) -> None:
        """Start it, and wait for nothing."""
        wanted = {"id": self.id, "expires_at": now + timedelta(days=30), **more}
        subject = {"title": "ERP rollout", "opportunity_id": self.deal}
        command = submission(*steps, **{"subject": subject, **wanted})
        start = ApprovalStart(submission=Submission(command=command, by=actor(by)))
        await self.client.start_workflow(
            ApprovalWorkflow.run, start, id=approval_workflow_id(self.id), task_queue=self.queue
        )

    async def submit(self, server: WorkflowEnvironment, *steps: StepTemplate, **more: Any) -> Request:
        await self.start(await server.get_current_time(), *steps, **more)
        await self.handle.execute_update(ApprovalWorkflow.submitted)
        return self

    async def open_deal(self) -> WorkflowHandle[Deal, None]:
        """The deal that it is about."""
        return await self.client.start_workflow(Deal.run, id=workflow_id(self.deal), task_queue=self.queue)

    async def ask(
        self,
        command: ask.Command,
        by: PersonEntry,
        *,
        id: str | None = None,  # noqa: A002 -- Temporal's own word
        if_version: int | None = None,
    ) -> Receipt:
        request = ask.Request(command=command, by=actor(by), if_version=if_version)
        return await self.handle.execute_update(ApprovalWorkflow.change, request, id=id)

    async def approve(self, *people: PersonEntry) -> None:
        for each in people:
            await self.ask(ask.Approve(), each)

    async def withdraw(self, reason: str = "The deal was lost.") -> None:
        await self.handle.signal(ApprovalWorkflow.withdraw, Withdrawal(reason=reason))

    async def people_change(self, directory: Directory) -> None:
        self.bureau.directory = directory
        await self.handle.signal(ApprovalWorkflow.people_changed)

    async def now(self) -> Approval:
        return await self.handle.query(ApprovalWorkflow.state)

    async def until(self, reached: Callable[[Approval], bool]) -> Approval:
        """The request, once it is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                approval = await self.now()
                if reached(approval):
                    return approval
                await asyncio.sleep(0.02)

    async def until_said(self, part: str) -> str:
        """The newest sentence of the timeline that holds `part`, once there is one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for words in reversed(self.words):
                    if part in words:
                        return words
                await asyncio.sleep(0.02)

    async def until_continued(self) -> None:
        """Wait until a further run goes on with it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if await self._has_run_before():
                    return
                await asyncio.sleep(0.02)

    async def _has_run_before(self) -> bool:
        started = (await self.history()).events[0].workflow_execution_started_event_attributes
        return bool(started.continued_execution_run_id)

    async def asked(self, key: str = "desk") -> list[str]:
        """First names of who may decide on a step."""
        found = (await self.now()).step(key)
        return [each.name.partition(" ")[0] for each in found.approvers] if found else []

    @property
    def words(self) -> list[str]:
        return self.bureau.words(self.id)

    async def ended(self) -> ApprovalState:
        """Wait until its process has ended, and well: how."""
        async with asyncio.timeout(PATIENCE):
            await self.handle.result()
        return self.bureau.approvals[self.id].state

    async def history(self) -> WorkflowHistory:
        return await self.handle.fetch_history()


async def skip_to(server: WorkflowEnvironment, instant: datetime) -> None:
    """Let the server's clock show this instant."""
    await server.sleep(instant - await server.get_current_time())
