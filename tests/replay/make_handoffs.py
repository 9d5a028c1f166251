"""Makes the committed histories of hand-offs anew: `.venv/bin/python -m tests.replay.make_handoffs`.

As `tests.replay.make` does for deals; with a name, only that scenario's.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from domain.handoff import commands as ask
from domain.handoff.state import Health, Progress
from domain.opportunity import commands as ask_deal
from runtime import aio
from tests.approvals import actor, without
from tests.handoffs import OFFICE, SUSI, candidate
from tests.replay.make import keep
from tests.workflows.play import skipping
from tests.workflows.play_approval import skip_to
from tests.workflows.play_handoff import HandOff

HISTORIES = Path(__file__).parent / "handoff_histories"
FRIDAY = datetime(2027, 3, 5, 15, 0, tzinfo=UTC)


async def renewed(handoff: HandOff, server: WorkflowEnvironment) -> None:
    """Accepted in time, followed up, renewed."""
    await handoff.win(timedelta(days=200), server)
    await (await handoff.complete()).accept()
    for number in (1, 2, 3):
        key = f"follow-up-{number}"
        await handoff.ask(ask.LogFollowUp(key=key, health=Health.GOOD, note="All well."))
    at = (await handoff.now()).renewal_at
    assert at is not None
    await skip_to(server, at - timedelta(milliseconds=200))
    await handoff.renewal()
    await handoff.ended()


async def escalated_and_returned(handoff: HandOff, server: WorkflowEnvironment) -> None:
    """Nobody answers for days; then it comes back once, changes hands, and the customer leaves."""
    await (await handoff.win()).complete()
    await server.sleep(timedelta(days=7))
    await handoff.until_said("nobody has accepted", times=2)
    await handoff.deal.ask(ask_deal.ReturnHandOff(comment="Who is the admin?"), actor(SUSI))
    await handoff.until(lambda process: process.progress is Progress.RETURNED)
    await handoff.ask(ask.Assign(to=candidate(SUSI)))
    await handoff.people_change(without(OFFICE, SUSI))
    await handoff.until(lambda process: process.receiver is None)
    await handoff.deal.complete("task-1")
    await handoff.until(lambda process: process.clock is not None)
    await handoff.accept()
    await server.sleep(timedelta(days=45))
    await handoff.until_said("told the manager")
    await handoff.ask(ask.Close(reason="customer_left", note="Bought."))
    await handoff.ended()


Scenario = Callable[[HandOff, WorkflowEnvironment], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {
    "renewed": renewed,
    "escalated_and_returned": escalated_and_returned,
}


async def play(name: str) -> WorkflowHistory:
    """Play the scenario now, with the code as it is; the history of the hand-off."""
    async with skipping() as server:
        await skip_to(server, FRIDAY)
        handoff = HandOff(server.client)
        async with handoff.worker():
            await SCENARIOS[name](handoff, server)
            return await handoff.history()


async def make(names: list[str]) -> None:
    HISTORIES.mkdir(exist_ok=True)
    for name in names:
        history = await play(name)
        keep(HISTORIES / name, history)


if __name__ == "__main__":
    aio.run(make(sys.argv[1:] or [*SCENARIOS]))
