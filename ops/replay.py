"""`tandem replay`: would the workflows that run now go on with this version of the code?"""

from __future__ import annotations

from dataclasses import dataclass

from rich.progress import Progress
from temporalio.client import Client
from temporalio.worker import Replayer

from domain.errors import Conflict
from runtime.payloads import DATA_CONVERTER
from workflows.registry import WORKFLOWS

RUNNING = "ExecutionStatus = 'Running'"


class WouldBreak(Conflict, code="replay_failed", title="Running deals would stop"):
    """Running workflows would not go on with this version."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many histories were replayed, and how many events were in them."""

    workflows: int
    events: int

    def __str__(self) -> str:
        return f"{self.workflows:,} running workflows ({self.events:,} events) go on with this version."


async def replay(client: Client, progress: Progress, limit: int, *, which: str = RUNNING) -> Replayed:
    """Replay the histories of running workflows, the latest first; `which` is a visibility query.

    Raises:
        WouldBreak: a history does not fit the code; the sentence names the workflow.
    """
    replayer = Replayer(workflows=WORKFLOWS, data_converter=DATA_CONVERTER)
    workflows = events = 0
    task = progress.add_task("Replaying", total=None)
    histories = client.list_workflows(which, limit=limit).map_histories()
    async with replayer.workflow_replay_iterator(histories) as results:  # one worker for all of them
        async for result in results:
            if result.replay_failure is not None:
                raise WouldBreak(
                    f"{result.history.workflow_id} would stop with this version: {result.replay_failure}. "
                    "Keep the old steps for running deals with workflow.patched(), then replay again."
                )
            workflows += 1
            events += len(result.history.events)
            progress.advance(task)
    return Replayed(workflows, events)
