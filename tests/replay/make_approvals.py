"""Makes the committed histories of requests anew: `.venv/bin/python -m tests.replay.make_approvals`.

As `tests.replay.make` does for deals; with a name, only that scenario's.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from runtime import aio
from tests.replay.approval_scenarios import IMPATIENT, SKIPPING, Desk
from tests.replay.make import make
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


async def _until_nobody_works(server: WorkflowEnvironment) -> None:
    """Go on to a Sunday noon: the time for steps that begin then runs from Monday morning on, for all alike.

    Of steps that begin in working hours, one after the other, each has a deadline of its own. It is
    shown anew, in a command that the same scenario does not give at night.
    """
    now = await server.get_current_time()
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    await server.sleep(noon + timedelta(days=13 - now.weekday()) - now)


async def play(name: str, server: WorkflowEnvironment) -> list[WorkflowHistory]:
    """Play the scenario now, with the code as it is; the histories of its runs."""
    if name in SKIPPING:
        await _until_nobody_works(server)
    request = Request(server.client)
    async with request.worker():
        await {**SKIPPING, **IMPATIENT}[name](Desk(server, request))
        return await _histories(request)


if __name__ == "__main__":
    aio.run(make(HISTORIES, sys.argv[1:] or [*SKIPPING, *IMPATIENT], play, SKIPPING))
