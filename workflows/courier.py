"""The courier of one person: one workflow, `courier-{user_id}`, while something waits to reach them.

It looks at what waits (an activity: preferences, quiet hours, what belongs together), sends
what is due, each message by itself, and sleeps until the next is. Who writes a notice wakes
it. A mail server that does not answer holds up its own message, and nobody else.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
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
    )

PATIENCE = RetryPolicy(
    initial_interval=timedelta(minutes=1),
    backoff_coefficient=4,
    maximum_interval=timedelta(hours=3),
    maximum_attempts=6,
    non_retryable_error_types=[NOT_NOW],
)
"""After 1, 4, 16 and 64 minutes and 3 hours; then a message is listed as one that could not be sent."""
LATER = timedelta(minutes=1)
"""When to look again at what could not even be tried."""
_FOR_EVER = RetryPolicy(maximum_interval=timedelta(minutes=1))


@workflow.defn
class CourierWorkflow:
    """Brings one person what they are told. It ends when nothing waits any more."""

    @workflow.init
    def __init__(self, start: CourierStart) -> None:
        self.user_id = start.user_id
        self.news = False
        """Somebody wrote a notice, or a message has got where it was going, since the last look."""
        self.under_way: dict[Parcel, asyncio.Task[None]] = {}

    @workflow.run
    async def run(self, start: CourierStart) -> None:
        while True:
            self.news = False
            found = await self._look()
            self._send(found)
            if not (self.under_way or self.news):
                if found.next_at is None:
                    return
                if workflow.info().is_continue_as_new_suggested():
                    workflow.continue_as_new(start)
            await self._until(found.next_at)

    @workflow.signal(name=WAKE)
    def wake(self) -> None:
        """Look again."""
        self.news = True

    async def _look(self) -> Found:
        looking = Looking(user_id=self.user_id, now=workflow.now())
        found: Found = await self._firmly(LOOK, looking, Found, "What waits?")
        return found

    def _send(self, found: Found) -> None:
        """Send all that is due and not on its way, each by itself."""
        for parcel in found.parcels:
            if parcel not in self.under_way:
                self.under_way[parcel] = asyncio.create_task(self._carry(parcel))
        until = f", next at {found.next_at:%Y-%m-%d %H:%M} UTC" if found.next_at else ""
        workflow.set_current_details(f"{len(self.under_way)} on the way{until}")

    async def _carry(self, parcel: Parcel) -> None:
        """Send one message or give it up, and only then keep how it went: what is sent is not sent again."""
        try:
            await workflow.execute_activity(
                DELIVER,
                parcel,
                start_to_close_timeout=timedelta(minutes=2),
                retry_policy=PATIENCE,
                summary=f"{parcel.channel.value} {parcel.batch_id}",
            )
            await self._settle(parcel, None)
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.type == NOT_NOW:
                await workflow.sleep(LATER)
            else:
                await self._settle(parcel, _words(error))
        del self.under_way[parcel]
        self.news = True

    async def _settle(self, parcel: Parcel, error: str | None) -> None:
        outcome = Outcome(parcel=parcel, at=workflow.now(), error=error)
        await self._firmly(SETTLE, outcome, None, "Could not be sent" if error else "Sent")

    async def _firmly(self, activity: str, argument: Any, result: type[Any] | None, summary: str) -> Any:
        """Short work on our own database, tried until it succeeds."""
        return await workflow.execute_activity(
            activity,
            argument,
            result_type=result,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=_FOR_EVER,
            summary=summary,
        )

    async def _until(self, next_at: datetime | None) -> None:
        """Sleep until then, or until there is news."""
        timeout = None if next_at is None else max(next_at - workflow.now(), timedelta())
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self.news,
                timeout=timeout,
                timeout_summary=f"until {next_at:%Y-%m-%d %H:%M} UTC" if next_at else None,
            )


def _words(error: ActivityError) -> str:
    """Why a message was given up: what the server said last."""
    if isinstance(error.cause, ApplicationError):
        return error.cause.message
    return "The worker that was sending it did not come back."
