"""Makes the committed histories of requests anew: `.venv/bin/python -m tests.replay.make_approvals`.

As `tests.replay.make` does for deals; with a name, only that scenario's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from runtime import aio
from tests.replay.approval_scenarios import IMPATIENT, SKIPPING, Desk
from tests.replay.make import impatient, keep
from tests.workflows.play import skipping
from tests.workflows.play_approval import Request
from workflows.approval_messages import approval_workflow_id

HISTORIES = Path(__file__).parent / "approval_histories"


async def _histories(request: Request) -> list[WorkflowHistory]:
    """The histories of all runs, the first one first."""
    listed = [await request.history()]
    while before := _run_before(listed[0]):
        run = request.client.get_workflow_handle(approval_workflow_id(request.id), run_id=before)
        listed.insert(0, await run.fetch_history())
    return listed


def _run_before(history: WorkflowHistory) -> str:
    return history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id


async def play(name: str, server: WorkflowEnvironment) -> list[WorkflowHistory]:
    """Play the scenario now, with the code as it is; the histories of its runs."""
    request = Request(server.client)
    async with request.worker():
        await {**SKIPPING, **IMPATIENT}[name](Desk(server, request))
        return await _histories(request)


async def make(names: list[str]) -> None:
    HISTORIES.mkdir(exist_ok=True)
    for name in names:
        for old in HISTORIES.glob(f"{name}-[0-9].*"):
            old.unlink()
        async with skipping() if name in SKIPPING else impatient() as server:
            for number, history in enumerate(await play(name, server), start=1):
                keep(HISTORIES / f"{name}-{number}", history)


if __name__ == "__main__":
    aio.run(make(sys.argv[1:] or [*SKIPPING, *IMPATIENT]))
