"""Starting the workflows of live deals, and waiting until a worker has recorded them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from db import crm_import as rows
from db.session import Database
from domain.errors import Unavailable
from ops.crm_report import Advance
from runtime import aio
from workflows.messages import Opening, Start, workflow_id
from workflows.opportunity import OpportunityWorkflow

STARTS_AT_ONCE = 16
LOOK_EVERY = 0.5
"""Seconds between looks at what is recorded."""
PATIENCE = 60.0
"""Seconds without a newly recorded deal, after which no worker seems to be there."""

_GO_ON = "Run the import again then: it goes on where it stopped."


class LiveDeals:
    """Live deals on their way into workflows."""

    def __init__(self, client: Client, database: Database, task_queue: str, advance: Advance) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue
        self._advance = advance

    async def expect_worker(self) -> None:
        """Raise `Unavailable` when no worker listens: the deals would be started and never recorded."""
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=self._task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        try:
            answer = await self._client.workflow_service.describe_task_queue(request)
        except RPCError as error:
            raise _away() from error
        if not answer.pollers:
            raise Unavailable(
                "No worker is running to record live deals: start `tandem up` or `tandem worker` first."
            )

    async def run(self, openings: Sequence[Opening]) -> None:
        """Start every deal, and return when all of them are recorded.

        A deal whose workflow runs already was started by an import that was
        interrupted: it is only waited for.

        Raises:
            Unavailable: Temporal does not answer, or nothing is recorded for a minute.
        """
        started = asyncio.Event()
        await aio.together(self._start_all(openings, started), self._until_recorded(openings, started))

    async def _start_all(self, openings: Sequence[Opening], started: asyncio.Event) -> None:
        gate = asyncio.Semaphore(STARTS_AT_ONCE)
        done = 0

        async def start(opening: Opening) -> None:
            nonlocal done
            async with gate:
                await self._start(opening)
            done += 1
            self._advance("Live deals: started", done, len(openings))

        try:
            await aio.together(*(start(opening) for opening in openings))
        except RPCError as error:
            raise _away() from error
        started.set()

    async def _start(self, opening: Opening) -> None:
        with suppress(WorkflowAlreadyStartedError):
            await self._client.start_workflow(
                OpportunityWorkflow.run,
                Start(opening=opening),
                id=workflow_id(opening.command.id),
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=opening.command.title,
            )

    async def _until_recorded(self, openings: Sequence[Opening], started: asyncio.Event) -> None:
        waiting = {opening.command.id for opening in openings}
        clock = asyncio.get_running_loop().time
        last_news = clock()
        while waiting:
            if found := await self._recorded(waiting):
                waiting -= found
                last_news = clock()
                self._advance("Live deals: recorded", len(openings) - len(waiting), len(openings))
            elif started.is_set() and clock() - last_news > PATIENCE:
                raise Unavailable(
                    f"{len(waiting):,} live deals are started, but no worker has recorded them: "
                    f"is `tandem up` or `tandem worker` running? {_GO_ON}"
                )
            if waiting:
                await asyncio.sleep(LOOK_EVERY)

    async def _recorded(self, waiting: set[UUID]) -> set[UUID]:
        async with self._database.read() as session:
            return await rows.recorded(session, waiting)


def _away() -> Unavailable:
    return Unavailable(f"Temporal does not answer; see `tandem doctor`. {_GO_ON}")
