"""The notable paths of a request: each plays one, and leaves the histories that are replayed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.testing import WorkflowEnvironment

from domain.approval import commands as ask
from domain.approval.state import ApprovalState
from domain.principal import Side
from tests.approvals import (
    ADA,
    DESK,
    DIANA,
    DINA,
    DIRK,
    DORA,
    FINANCE,
    FRED,
    OFFICE,
    RITA,
    away,
    step,
    without,
)
from tests.workflows.play_approval import Request


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a scenario is played."""

    server: WorkflowEnvironment
    request: Request

    async def now(self) -> datetime:
        return await self.server.get_current_time()


async def approved(desk: Desk) -> None:
    """Deal desk and finance in parallel, then the director."""
    request = await desk.request.submit(desk.server)
    await request.approve(DORA, FRED, DIANA)
    await request.ended()


async def rejected(desk: Desk) -> None:
    """One no is enough."""
    request = await desk.request.submit(desk.server)
    await request.approve(FRED)
    await request.ask(ask.Reject(comment="Too much."), DORA)
    await request.ended()


async def voted(desk: Desk) -> None:
    """Two of three, whatever the third says."""
    request = await desk.request.submit(desk.server, step("desk", needs=2))
    await request.ask(ask.Reject(comment="I would not."), DINA)
    await request.approve(DORA, DIRK)
    await request.ended()


async def returned_and_resubmitted(desk: Desk) -> None:
    """Amended, and decided anew."""
    request = await desk.request.submit(desk.server, DESK)
    await request.ask(ask.Return(comment="Who is the competitor?"), DORA)
    await request.ask(ask.Resubmit(percent="25", reason="It is Contoso."), RITA)
    await request.approve(DIRK)
    await request.ended()


async def countered_and_accepted(desk: Desk) -> None:
    """An offer that is taken; finance still decides."""
    request = await desk.request.submit(desk.server, DESK, FINANCE)
    await request.ask(ask.Counter(percent="20", comment="Less."), DORA)
    await request.ask(ask.Accept(), RITA)
    await request.approve(FRED)
    await request.ended()


async def recalled(desk: Desk) -> None:
    """The requester needs it no more."""
    request = await desk.request.submit(desk.server)
    await request.ask(ask.Recall(comment="We found another way."), RITA)
    await request.ended()


async def expired(desk: Desk) -> None:
    """Nobody decides: reminded, escalated to the last, expired."""
    request = await desk.request.submit(desk.server, DESK)
    await desk.server.sleep(timedelta(days=31))
    assert await request.ended() is ApprovalState.EXPIRED


async def escalated(desk: Desk) -> None:
    """The director decides what the desk left lying."""
    request = await desk.request.submit(
        desk.server, step("desk", escalate=[{"to": {"role": "sales_director"}}])
    )
    await desk.server.sleep(timedelta(days=5))
    await request.until_said("Diana Director may decide as well")
    await request.approve(DIANA)
    await request.ended()


async def withdrawn(desk: Desk) -> None:
    """The deal was lost."""
    request = await desk.request.submit(desk.server)
    await request.withdraw()
    await request.ended()


async def people_come_and_go(desk: Desk) -> None:
    """Somebody leaves, somebody is away and back, a seat is given on; at last nobody is left."""
    request = await desk.request.submit(desk.server, DESK, FINANCE)
    await request.people_change(without(OFFICE, DORA))
    await request.until(lambda now: len(now.steps[0].approvers) == 2)
    now = await desk.now()
    gone = away(without(OFFICE, DORA), FRED, ADA, since=now, until=now + timedelta(hours=1))
    await request.people_change(gone)
    await request.until(lambda now: now.steps[1].approvers[0].id == ADA.id)
    await desk.server.sleep(timedelta(hours=1, seconds=1))
    await request.until(lambda now: now.steps[1].approvers[0].id == FRED.id)
    to = ask.Delegate(id=DINA.id, name=DINA.name, side=Side.VENDOR)
    await request.ask(ask.DelegateSeat(to=to, step="finance"), FRED)
    await request.people_change(without(OFFICE, DORA, DIRK, DINA, FRED, DIANA, ADA))
    await request.until(lambda now: now.state is ApprovalState.RETURNED)
    await request.ask(ask.Recall(), RITA)
    await request.ended()


async def told_to_a_deal(desk: Desk) -> None:
    """The deal that it is about hears of it."""
    await desk.request.open_deal()
    request = await desk.request.submit(desk.server, DESK)
    await request.approve(DORA)
    await request.ended()


async def continued(desk: Desk) -> None:
    """Long enough for further runs, on a server that asks for them early."""
    request = await desk.request.submit(desk.server, DESK)
    for number in range(6):
        await request.ask(ask.Return(comment=f"Again {number}"), DORA, id=f"return-{number}")
        await request.ask(ask.Resubmit(), RITA, id=f"resubmit-{number}")
    await request.until_continued()
    await request.ask(ask.Return(comment="Again 1"), DORA, id="return-1")
    await request.approve(DORA)
    await request.ended()


Scenario = Callable[[Desk], Awaitable[None]]

SKIPPING: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        approved,
        rejected,
        voted,
        returned_and_resubmitted,
        countered_and_accepted,
        recalled,
        expired,
        escalated,
        withdrawn,
        people_come_and_go,
        told_to_a_deal,
    )
}
"""Played on a server whose clock is ours."""

IMPATIENT: dict[str, Scenario] = {continued.__name__: continued}
"""Played on a real server that suggests a new run after some fifty events."""
