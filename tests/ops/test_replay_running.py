"""`tandem replay`: whether the workflows that run now would go on with this version."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from rich.progress import Progress
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import Worker

from domain.playbook import Playbook
from ops.replay import RUNNING, Replayed, WouldBreak, replay
from tests.factories import REP, an_id, opening
from tests.patience import PATIENCE
from tests.stack import ClientFor
from workflows.messages import Opening, Start, workflow_id
from workflows.opportunity import OpportunityWorkflow


@workflow.defn(name="OpportunityWorkflow", sandboxed=False)
class AsItWas:
    """A version of the deal's process that did something else first."""

    @workflow.run
    async def run(self, _start: Start) -> None:
        await workflow.sleep(timedelta(days=1))


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    """Wait for it, within bounds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await found():
                return
            await asyncio.sleep(0.05)


def only(name: str) -> str:
    """That workflow, and none of another test's."""
    return f"{RUNNING} AND WorkflowId = '{name}'"


async def listed(temporal: Client, name: str) -> None:
    """Wait until the server's list has the workflow: lists follow a little later."""

    async def found() -> bool:
        return any([each async for each in temporal.list_workflows(only(name))])

    await until(found)


@pytest.mark.usefixtures("worker")
async def test_running_deals_go_on_with_this_version(as_: ClientFor, temporal: Client, playbook: Playbook):
    rep = await as_("rep@vendor.example")
    body = {
        "title": "Replayed",
        "customer": {"name": f"Acme {uuid4().hex[:8]}"},
        "playbook": playbook.key,
    }
    opened = await rep.post("/api/v1/opportunities", json=body)
    assert opened.status_code == 201, opened.text
    name = workflow_id(opened.json()["id"])
    await listed(temporal, name)
    with Progress(disable=True) as progress:
        found = await replay(temporal, progress, 9, which=only(name))
    assert found.workflows == 1
    assert found.events > found.workflows
    assert str(Replayed(2, 1234)) == "2 running workflows (1,234 events) go on with this version."


async def test_what_would_stop_is_named(temporal: Client):
    start, queue = Start(opening=Opening(command=opening(id=an_id(77)), by=REP)), f"was-{uuid4()}"
    name = f"{workflow_id(an_id(77))}-{queue}"
    async with Worker(temporal, task_queue=queue, workflows=[AsItWas]):
        handle = await temporal.start_workflow(OpportunityWorkflow.run, start, id=name, task_queue=queue)

        async def sleeps() -> bool:
            last = (await handle.fetch_history()).events[-1]
            return last.event_type == EventType.EVENT_TYPE_TIMER_STARTED

        try:
            await until(sleeps)
            await listed(temporal, name)
            with Progress(disable=True) as progress, pytest.raises(WouldBreak, match=f"^{name} would stop"):
                await replay(temporal, progress, 9, which=only(name))
        finally:
            await handle.terminate()
