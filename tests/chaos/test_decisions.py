"""`kill -9` between a decision and its record: the decision counts once, and everybody goes on."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlmodel import col
from temporalio.client import Client

from db import approval as approvals
from db.session import Database
from db.tables import TimelineRow
from domain.approval import commands as ask
from domain.approval.policy import StepTemplate
from domain.approval.state import ApprovalState, Subject
from runtime import processes
from runtime.ids import new_id
from runtime.settings import Settings
from tests.patience import PATIENCE
from tests.stack import People
from workflows.approval import ApprovalWorkflow
from workflows.approval_messages import ApprovalStart, Submission, approval_workflow_id

pytestmark = pytest.mark.slow


class Workers:
    """Workers as processes of their own, on one task queue."""

    def __init__(self, settings: Settings, logs: Path) -> None:
        self.queue = f"chaos-{new_id()}"
        self._logs = logs
        self._running: list[processes.Child] = []
        self._env = {
            "TANDEM_HOME": str(settings.home),
            "TANDEM_DATABASE_URL": settings.database_url or "",
            "TANDEM_TEMPORAL_ADDRESS": settings.temporal_address or "",
            "TANDEM_TASK_QUEUE": self.queue,
            "PYTHONPATH": str(Path.cwd()),
        }

    async def start(self, name: str, *program: str) -> processes.Child:
        child = await processes.start(
            [sys.executable, "-m", *program], name=name, log=self._logs / f"{name}.log", env=self._env
        )
        self._running.append(child)
        return child

    async def stop(self) -> None:
        for child in self._running:
            await child.stop()


@pytest_asyncio.fixture
async def workers(settings: Settings, tmp_path: Path) -> AsyncIterator[Workers]:
    started = Workers(settings, tmp_path)
    yield started
    await started.stop()


async def story(database: Database, approval_id: UUID) -> list[tuple[int, str]]:
    rows = select(col(TimelineRow.sequence), col(TimelineRow.type)).where(
        col(TimelineRow.stream_id) == approval_id
    )
    async with database.read() as session:
        found = await session.execute(rows.order_by(col(TimelineRow.sequence)))
        return [(row.sequence, row.type) for row in found]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_killed_between_decision_and_record(
    workers: Workers, temporal: Client, database: Database, people: People, when: str
):
    rep, desk = await people.of("rep@vendor.example"), await people.of("desk@vendor.example")
    step = StepTemplate.model_validate(
        {"key": "desk", "title": "Deal desk", "approvers": [{"role": "deal_desk"}]}
    )
    command = ask.Submit(
        id=new_id(),
        subject=Subject(title="ERP rollout"),
        steps=(step,),
        fired=("desk",),
        percent="27.5",
        expires_at=datetime.now(UTC) + timedelta(days=30),
    )
    dying = await workers.start("dying", "tests.chaos.dying_worker", when)
    handle = await temporal.start_workflow(
        ApprovalWorkflow.run,
        ApprovalStart(submission=Submission(command=command, by=rep.principal.actor)),
        id=approval_workflow_id(command.id),
        task_queue=workers.queue,
    )
    await handle.execute_update(ApprovalWorkflow.submitted)
    approve = ask.Request(command=ask.Approve(), by=desk.principal.actor)
    deciding = asyncio.create_task(handle.execute_update(ApprovalWorkflow.change, approve, id="once"))
    async with asyncio.timeout(PATIENCE):
        assert await dying.wait() == -signal.SIGKILL
    await workers.start("next", "cli", "worker")
    async with asyncio.timeout(PATIENCE):
        receipt = await deciding
        await handle.result()
    told = await story(database, command.id)
    assert told == [
        (1, "approval_requested"),
        (2, "approval_step_opened"),
        (3, "approval_step_decided"),
        (4, "approval_approved"),
    ]
    assert receipt.version == 4
    async with database.read() as session:
        kept = await approvals.get(session, desk.principal, command.id)
    assert (kept.state, len(kept.steps[0].decisions)) == (ApprovalState.APPROVED, 1)
