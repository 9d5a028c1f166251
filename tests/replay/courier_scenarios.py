"""The notable paths of a courier: each plays one, and leaves the history that is replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from domain.notification.kinds import Channel
from tests.patience import PATIENCE
from workflows.courier import CourierWorkflow
from workflows.courier_messages import (
    DELIVER,
    LOOK,
    NOT_NOW,
    SETTLE,
    WAKE,
    CourierStart,
    Found,
    Looking,
    Outcome,
    Parcel,
    courier_id,
)

QUEUE = "replay"
_SLEEPS = EventType.EVENT_TYPE_TIMER_STARTED
PERSON = UUID(int=7)
MAIL = Parcel(user_id=PERSON, batch_id=UUID(int=1), channel=Channel.MAIL)
CHAT = Parcel(user_id=PERSON, batch_id=UUID(int=2), channel=Channel.CHAT)
REFUSED = ApplicationError("550 No such user", non_retryable=True)
AWAY = ApplicationError("The database is away.", type=NOT_NOW)


@dataclass
class Errand:
    """What a courier finds each time that it looks, and what becomes of each try to send."""

    looks: list[Callable[[datetime], Found]]
    tries: list[ApplicationError | None] = field(default_factory=list)

    @activity.defn(name=LOOK)
    async def look(self, looking: Looking) -> Found:
        return self.looks.pop(0)(looking.now) if self.looks else Found()

    @activity.defn(name=DELIVER)
    async def deliver(self, parcel: Parcel) -> None:
        error = self.tries.pop(0) if self.tries else None
        if error is not None:
            raise error

    @activity.defn(name=SETTLE)
    async def settle(self, outcome: Outcome) -> None:
        """Nothing is kept here."""


def sending(*parcels: Parcel, later: timedelta | None = None) -> Callable[[datetime], Found]:
    """Find these to be sent, and the next so much later."""
    return lambda now: Found(parcels=parcels, next_at=now + later if later else None)


def errands() -> dict[str, Errand]:
    """By the names of their scenarios."""
    night = timedelta(hours=9)
    return {
        "at_once": Errand([sending(MAIL)]),
        "in_the_morning": Errand([sending(later=night), sending(MAIL)]),
        "put_off_and_taken": Errand([sending(CHAT)], [ApplicationError("503")]),
        "given_up": Errand([sending(MAIL)], [REFUSED]),
        "not_now": Errand([sending(MAIL), sending(MAIL)], [AWAY]),
        "woken": Errand([sending(later=night), sending(MAIL, later=night)]),
    }


SCENARIOS = tuple(errands())


async def play(name: str, server: WorkflowEnvironment) -> WorkflowHistory:
    """Play the scenario now, with the code as it is; its history."""
    errand = errands()[name]
    activities: list[Callable[..., Any]] = [errand.look, errand.deliver, errand.settle]
    async with Worker(server.client, task_queue=QUEUE, workflows=[CourierWorkflow], activities=activities):
        handle = await server.client.start_workflow(
            CourierWorkflow.run,
            CourierStart(user_id=PERSON),
            id=courier_id(PERSON),
            task_queue=QUEUE,
            start_signal=WAKE,
        )
        await _MEANWHILE.get(name, _nothing)(handle)
        async with asyncio.timeout(PATIENCE):
            await handle.result()
        return await handle.fetch_history()


Handle = WorkflowHandle[CourierWorkflow, None]


async def _nothing(handle: Handle) -> None:
    """Nothing happens to it from outside."""


async def _wake(handle: Handle) -> None:
    """A notice is written while it sleeps."""
    async with asyncio.timeout(PATIENCE):
        while not any(each.event_type == _SLEEPS for each in (await handle.fetch_history()).events):  # noqa: ASYNC110 - Temporal tells nobody
            await asyncio.sleep(0.02)
    await handle.signal(WAKE)


_MEANWHILE: dict[str, Callable[[Handle], Awaitable[None]]] = {"woken": _wake}
