"""What everything is measured against: an Update that does nothing, and the process that answers it."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from runtime.settings import load
    from runtime.temporal_client import connect

QUEUE = "bare"


@workflow.defn
class Bare:
    """Waits, and answers Updates with the number that they brought."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def nothing(self, number: int) -> int:
        return number


async def work() -> None:
    """Answer until told to stop; connected as Tandem is, so that the two differ in what they do alone."""
    async with Worker(await connect(load()), task_queue=QUEUE, workflows=[Bare]):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work())
