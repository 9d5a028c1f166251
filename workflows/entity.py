"""What every long-lived process shares: record, answer once, keep the clock, continue as new.

A process owns one piece of state. It changes in one place (`commit`), which
writes the events and the read model before anybody hears of them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributePair, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError, TemporalError

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from domain.errors import TandemError
    from domain.notice import Message
    from workflows.notice_messages import NOTIFY

REMEMBERED_RECEIPTS = 200
"""Answered commands that a process carries over when it continues as new."""

_QUICK_FOREVER = RetryPolicy(
    initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=10), maximum_attempts=0
)


_A_MONTH = timedelta(days=30)
"""After that news are given up: workers or the database may be away for long, and it is still news then.

A run neither ends nor continues as new while somebody is still to be told, so it has to have an end.
"""


class Receipt(BaseModel):
    """The answer to a command: done, recorded, and the version that it led to."""

    id: UUID
    version: int


def refusal(error: TandemError) -> ApplicationError:
    """The error as it travels to the caller: its code as the type, its extras as details."""
    return ApplicationError(error.detail, error.extra, type=error.code, non_retryable=True)


class Entity:
    """The base of a process that lives as long as what it stands for."""

    def __init__(self, receipts: dict[str, Receipt]) -> None:
        self.lock = asyncio.Lock()
        """Held by whatever changes the state: an await in a handler lets the others run."""
        self.receipts = dict(receipts)
        self.shown: dict[str, SearchAttributePair[Any]] = {}
        self.notices: list[Message] = []
        """What people have still to be told."""
        self.telling = False

    def answered(self) -> Receipt | None:
        """What the current update was answered before, perhaps in a run before this one."""
        info = workflow.current_update_info()
        return self.receipts.get(info.id) if info else None

    def answer(self, receipt: Receipt) -> Receipt:
        """Remember the receipt under the current update's id; the oldest are forgotten."""
        if info := workflow.current_update_info():
            self.receipts[info.id] = receipt
            while len(self.receipts) > REMEMBERED_RECEIPTS:
                del self.receipts[next(iter(self.receipts))]
        return receipt

    async def quick(self, activity: str, argument: Any, result_type: type[Any] | None, summary: str) -> Any:
        """A local activity that is tried until it succeeds: short work on our own database.

        Raises:
            ApplicationError: it refused; trying again would not help.
        """
        try:
            return await workflow.execute_local_activity(
                activity,
                argument,
                result_type=result_type,
                start_to_close_timeout=timedelta(seconds=10),
                retry_policy=_QUICK_FOREVER,
                summary=summary,
            )
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError):
                raise error.cause from error
            raise

    async def tell_for_ever(self) -> None:
        """Tell people what concerns them, beside whoever waits for an answer."""
        while True:
            await workflow.wait_condition(self.may_tell)
            self.telling = True
            news, self.notices = self.notices, []
            await asyncio.gather(*(self.tell(message) for message in news))
            self.telling = False

    def may_tell(self) -> bool:
        """Whether there is something that people may hear now."""
        return bool(self.notices)

    def all_told(self) -> bool:
        """Whether everybody has been told what concerns them."""
        return not (self.notices or self.telling)

    async def tell(self, message: Message) -> None:
        """Tell people something. Who cannot be told finds it in the lists all the same.

        Not in a local activity: what fails there would hold up the next command while it is retried.
        """
        await self.patiently(NOTIFY, message, f"{message.kind.value}: {message.title}"[:200])

    async def patiently(self, activity: str, argument: Any, summary: str, *, tries: int = 0) -> bool:
        """Tell somebody outside, for a month if need be, or with so many tries; whether it was heard."""
        try:
            await workflow.execute_activity(
                activity,
                argument,
                start_to_close_timeout=timedelta(seconds=10),
                schedule_to_close_timeout=_A_MONTH,
                retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1), maximum_attempts=tries),
                summary=summary,
            )
        except TemporalError:
            return False
        return True

    async def firmly(self, activity: str, argument: Any, result_type: type[Any], summary: str) -> Any:
        """An activity whose answer is in the history before anything else is done.

        A `quick` one is asked anew when the worker dies in the same step, and may then see what that
        step had recorded.
        """
        return await workflow.execute_activity(
            activity,
            argument,
            result_type=result_type,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=_QUICK_FOREVER,
            summary=summary,
        )

    def show(self, pairs: Iterable[SearchAttributePair[Any]], details: str) -> None:
        """Say in the Temporal UI how it stands, and let it be searched for by these attributes."""
        wanted = {pair.key.name: pair for pair in pairs}
        updates: list[SearchAttributeUpdate[Any]] = [
            pair.key.value_set(pair.value) for name, pair in wanted.items() if self.shown.get(name) != pair
        ]
        updates += [pair.key.value_unset() for name, pair in self.shown.items() if name not in wanted]
        if updates:
            workflow.upsert_search_attributes(updates)
        self.shown = wanted
        workflow.set_current_details(details)

    async def sleep_until_due(self, due: Callable[[], datetime | None], stop: Callable[[], bool]) -> None:
        """Sleep until what falls due next, or until `stop` says so.

        One timer. It is set anew only for an earlier deadline: one that moved
        back costs a wake-up at the old time, not a new timer with every change.
        """
        wake = due()
        timeout = None if wake is None else max(wake - workflow.now(), timedelta())

        def sooner() -> bool:
            upcoming = due()
            return upcoming is not None and (wake is None or upcoming < wake)

        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: stop() or sooner(),
                timeout=timeout,
                timeout_summary=f"until {wake:%Y-%m-%d %H:%M} UTC" if wake else None,
            )
