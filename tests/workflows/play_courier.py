"""A person with a courier, a clock that is ours, a real database and a real mail server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, update
from sqlmodel import col
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.courier import CourierActivities
from db import deliveries
from db import notification_preferences as preferences
from db.session import Database
from db.tables import Notice, NoticeDelivery, User
from domain.notice import Message, NoticeKind
from domain.notification.kinds import Channel
from domain.notification.preferences import Planned, Preferences, plan
from runtime.ids import new_id
from tests.patience import PATIENCE
from tests.smtp import PostOffice
from tests.stack import Person
from workflows.courier import CourierWorkflow
from workflows.courier_messages import (
    courier_id,
)
from workflows.courier_wake import wake_courier

QUEUE = "couriers"
ZONE = "Europe/Berlin"


@dataclass
class Round:
    """A person with a courier, a clock that is ours, and a mail server."""

    server: WorkflowEnvironment
    database: Database
    person: Person
    post: PostOffice
    preferences: Preferences = field(default_factory=lambda: Preferences(zone=ZONE))

    async def prefer(self, **wanted: Any) -> None:
        """What the person wants from now on."""
        choices = wanted.pop("choices", {})
        chosen = Preferences(zone=ZONE, **wanted)
        for kind, mode in choices.items():
            chosen = chosen.chosen(kind, Channel.MAIL, mode)
        self.preferences = chosen
        async with self.database.transaction() as session:
            zone = update(User).where(col(User.id) == self.person.id).values(time_zone=ZONE)
            await session.execute(zone)
            row, _ = await preferences.get(session, self.person.id, for_change=True)
            await preferences.change(session, row, chosen, datetime.now(UTC))

    async def now(self) -> datetime:
        return await self.server.get_current_time()

    async def tell(self, kind: NoticeKind, *titles: str, late: bool = False) -> None:
        """Write notices as a process's activity does, by the server's clock, and wake the courier."""
        now = await self.now()
        planned = plan(self.preferences, kind, Channel.MAIL, now, late=late)
        async with self.database.transaction() as session:
            for title in titles:
                notice = self._notice(kind, title, now)
                session.add(notice)
                await session.flush()
                await deliveries.add(session, [_delivery(notice, planned)] if planned else [])
        await self.wake()

    def _notice(self, kind: NoticeKind, title: str, now: datetime) -> Notice:
        said = Message(kind=kind, cause=str(uuid4()), title=title, words=f"{title} it is.")
        known = said.model_dump(include={"kind", "cause", "title", "words"})
        return Notice(**known, facts=[], id=new_id(), user_id=self.person.id, created_at=now)

    async def wake(self) -> None:
        await wake_courier(self.server.client, QUEUE, self.person.id)

    async def ended(self) -> datetime:
        """Wait until the courier has nothing to do any more, however long by its clock: when that was."""
        handle = self.server.client.get_workflow_handle(courier_id(self.person.id))
        server: Any = self.server  # the base of all servers does not know that time can be skipped
        async with asyncio.timeout(PATIENCE), server.time_skipping_unlocked():
            await handle.result()
            closed = (await handle.describe()).close_time
        assert closed is not None
        return closed

    async def runs(self) -> bool:
        handle = self.server.client.get_workflow_handle(courier_id(self.person.id))
        try:
            return (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
        except RPCError:
            return False

    async def states(self) -> list[str]:
        async with self.database.read() as session:
            mine = col(NoticeDelivery.user_id) == self.person.id
            return list((await session.execute(select(col(NoticeDelivery.state)).where(mine))).scalars())

    async def wall(self) -> set[str]:
        """When mails were sent, by the person's clock."""
        async with self.database.read() as session:
            mine = (col(NoticeDelivery.user_id) == self.person.id, col(NoticeDelivery.sent_at).is_not(None))
            found = await session.execute(select(col(NoticeDelivery.sent_at)).where(*mine))
            return {f"{at.astimezone(ZoneInfo(ZONE)):%H:%M}" for at in found.scalars() if at}

    @property
    def mine(self) -> ColumnElement[bool]:
        return col(Notice.user_id) == self.person.id

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.post.to(self.person.email)]


def _delivery(notice: Notice, planned: Planned) -> NoticeDelivery:
    return NoticeDelivery(
        notice_id=notice.id,
        channel=Channel.MAIL,
        user_id=notice.user_id,
        timing=planned.timing,
        due_at=planned.due_at,
    )


@contextlib.asynccontextmanager
async def working(
    server: WorkflowEnvironment, courier: CourierActivities, **instead: Callable[..., Any]
) -> AsyncIterator[None]:
    real: dict[str, Callable[..., Any]] = {"deliver": courier.deliver, "settle": courier.settle}
    worker = Worker(
        server.client,
        task_queue=QUEUE,
        workflows=[CourierWorkflow],
        activities=[courier.look, *(real | instead).values()],
    )
    async with worker:
        yield


async def skip_to(going: Round, hour: int) -> None:
    """Let the person's clock show this hour next."""
    now = await going.now()
    local = now.astimezone(ZoneInfo(ZONE))
    then = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    then += timedelta(days=then <= local)
    await going.server.sleep(then - now)


async def tried(post: PostOffice) -> None:
    """Wait until the mail server was asked."""
    async with asyncio.timeout(PATIENCE):
        await post.came.wait()


class Fails:
    """An activity that goes wrong the first time: before its work, or after it, as when a worker dies."""

    def __init__(self, real: Callable[[Any], Awaitable[None]], error: Exception, *, after: bool) -> None:
        self.real, self.error, self.after = real, error, after
        self.calls = 0

    async def __call__(self, argument: Any) -> None:
        self.calls += 1
        if self.calls > 1:
            return await self.real(argument)
        if self.after:
            await self.real(argument)
        raise self.error
