"""Makes the committed histories anew: `.venv/bin/python -m tests.replay.make`, from the root of the checkout.

With a name, only that scenario's. Each history has a fingerprint beside it, `histories/*.txt`: the
commands that the workflow gave, in order, in a form that a reviewer can read.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import MarkerRecordedEventAttributes
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from runtime import aio
from runtime.settings import Settings
from runtime.temporal_client import connect
from runtime.temporal_server import embedded_temporal
from tests.replay.scenarios import IMPATIENT, SKIPPING, Stage
from tests.workflows.play import Ledger, Played, a_worker, skipping
from workflows.messages import workflow_id

HISTORIES = Path(__file__).parent / "histories"
_OF_THE_MACHINE = re.compile(r'("(?:stackTrace|identity)": )"(?:[^"\\]|\\.)*"')

SAYING = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "accept update",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: "complete update",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "search attributes",
    EventType.EVENT_TYPE_TIMER_STARTED: "start timer",
    EventType.EVENT_TYPE_TIMER_CANCELED: "cancel timer",
    EventType.EVENT_TYPE_TIMER_FIRED: "(timer fired)",
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activity",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "(signal)",
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: "signal workflow",
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: "start child workflow",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "complete workflow",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "fail workflow",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "continue as new",
}


def fingerprint(history: WorkflowHistory) -> str:
    """The workflow's commands in order, one a line, without ids, instants and payloads.

    The update that waits for the beginning is left out: it comes when it comes.
    """
    lines = []
    waits = set(_waits_for_the_beginning(history))
    for event in history.events:
        if event.event_id in waits:
            continue
        said = SAYING.get(event.event_type)
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            said = _marked(event.marker_recorded_event_attributes)
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            said = f"{said}: {event.activity_task_scheduled_event_attributes.activity_type.name}"
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            asked = event.workflow_execution_update_accepted_event_attributes.accepted_request
            said = f"{said}: {asked.input.name}"
        if said:
            lines.append(said)
    return "\n".join(lines) + "\n"


def _marked(marker: MarkerRecordedEventAttributes) -> str:
    """A marker says that a local activity was done, or that a patch was asked for."""
    if "patch-data" in marker.details:
        return f"patch: {json.loads(marker.details['patch-data'].payloads[0].data)['id']}"
    data = json.loads(marker.details["data"].payloads[0].data)
    return f"local activity: {data['activity_type']}"


def _waits_for_the_beginning(history: WorkflowHistory) -> Iterator[int]:
    """The events of the updates `opened` and `submitted`, taken and answered."""
    taken = set()
    for event in history.events:
        accepted = event.workflow_execution_update_accepted_event_attributes
        if accepted.accepted_request.input.name in {"opened", "submitted"}:
            taken.add(accepted.protocol_instance_id)
            yield event.event_id
        if event.workflow_execution_update_completed_event_attributes.meta.update_id in taken:
            yield event.event_id


async def _histories(deal: Played) -> list[WorkflowHistory]:
    """The histories of all runs, the first one first."""
    listed = [await deal.history()]
    while True:
        started = listed[0].events[0].workflow_execution_started_event_attributes
        before = started.continued_execution_run_id or deal.runs_before.get(listed[0].run_id, "")
        if not before:
            return listed
        run = deal.client.get_workflow_handle(workflow_id(deal.id), run_id=before)
        listed.insert(0, await run.fetch_history())


async def play(name: str, server: WorkflowEnvironment) -> list[WorkflowHistory]:
    """Play the scenario now, with the code as it is; the histories of its runs."""
    deal = Played(server.client)
    async with a_worker(server.client, deal.queue, Ledger()):
        await {**SKIPPING, **IMPATIENT}[name](Stage(server, deal))
        return await _histories(deal)


@contextlib.asynccontextmanager
async def impatient() -> AsyncIterator[WorkflowEnvironment]:
    """A real server that suggests a new run after some fifty events."""
    soon = ["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=50"]
    with tempfile.TemporaryDirectory() as home:
        async with embedded_temporal(Path(home), extra_args=soon) as address:
            client = await connect(Settings(home=Path(home), temporal_address=address))
            yield WorkflowEnvironment.from_client(client)


def keep(path: Path, history: WorkflowHistory) -> None:
    """Write the history and its fingerprint, without the places and names of the machine that made it."""
    text = _OF_THE_MACHINE.sub(r'\1""', history.to_json())
    path.with_suffix(".json").write_text(text + "\n")
    path.with_suffix(".txt").write_text(fingerprint(history))
    sys.stdout.write(f"{path.name}: {len(history.events)} events\n")


def _forget(folder: Path, name: str) -> None:
    """Make room for the histories of a scenario, which may have other runs now."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob(f"{name}-[0-9].*"):
        old.unlink()


async def make(
    folder: Path,
    names: list[str],
    anew: Callable[[str, WorkflowEnvironment], Awaitable[list[WorkflowHistory]]],
    skips: Collection[str],
) -> None:
    """Play the scenarios and keep the histories of their runs; the clock is skipped for those in `skips`."""
    for name in names:
        _forget(folder, name)
        async with skipping() if name in skips else impatient() as server:
            for number, history in enumerate(await anew(name, server), start=1):
                keep(folder / f"{name}-{number}", history)


if __name__ == "__main__":
    aio.run(make(HISTORIES, sys.argv[1:] or [*SKIPPING, *IMPATIENT], play, SKIPPING))
