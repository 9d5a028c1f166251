"""A person's courier: at once, in the morning, after quiet hours, until it is there or given up.

The clock is the test's, the database and the mail server are real.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import ColumnElement, select, update
from sqlmodel import col
from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.courier import CourierActivities
from db import deliveries
from db import notification_preferences as preferences
from db.session import Database
from db.tables import Notice, NoticeDelivery, User
from domain.errors import Unavailable
from domain.notice import DeliveryState, Message, NoticeKind
from domain.notification.kinds import Channel, Mode
from domain.notification.preferences import Planned, Preferences, QuietHours, plan
from domain.principal import Role
from runtime.ids import new_id
from tests.couriers import a_courier
from tests.patience import PATIENCE
from tests.replay.make import impatient
from tests.smtp import PostOffice, post_office, text_of
from tests.stack import People, Person
from workflows.courier import CourierWorkflow
from workflows.courier_messages import (
    DELIVER,
    LOOK,
    NOT_NOW,
    SETTLE,
    WAKE,
    Found,
    Looking,
    Outcome,
    Parcel,
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


@pytest.fixture
async def post() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
def courier(database: Database, post: PostOffice, tmp_path: Path) -> CourierActivities:
    return a_courier(database, post, tmp_path)


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


@pytest.fixture
async def going(
    server: WorkflowEnvironment,
    database: Database,
    people: People,
    post: PostOffice,
    courier: CourierActivities,
) -> AsyncIterator[Round]:
    person = await people.add(f"{uuid4().hex}@vendor.example", Role.SALES_REP)
    async with working(server, courier):
        going = Round(server, database, person, post)
        await going.prefer()
        yield going


async def skip_to(going: Round, hour: int) -> None:
    """Let the person's clock show this hour next."""
    now = await going.now()
    local = now.astimezone(ZoneInfo(ZONE))
    then = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    then += timedelta(days=then <= local)
    await going.server.sleep(then - now)


async def test_what_is_wanted_at_once_comes_at_once_and_then_the_courier_is_done(going: Round):
    before = await going.now()
    await going.tell(NoticeKind.APPROVED, "ERP rollout")
    assert await going.ended() - before < timedelta(minutes=1)
    assert going.subjects == ["Approved: ERP rollout"]
    assert not await going.runs()
    await going.tell(NoticeKind.REJECTED, "Vision inspection")
    await going.ended()
    assert going.subjects == ["Approved: ERP rollout", "Rejected: Vision inspection"]


async def test_what_is_wanted_daily_comes_in_the_morning_in_one_mail(going: Round):
    await going.prefer(digest_at=time(6, 30))
    await skip_to(going, 10)
    await going.tell(NoticeKind.TASK_DUE, "Share the profile")
    await going.tell(NoticeKind.STALE, "ERP rollout")
    assert await going.runs()
    await going.ended()
    assert await going.wall() == {"06:30"}
    assert going.subjects == ["2 notices"]
    text = text_of(going.post.to(going.person.email)[0])
    assert "Share the profile: Share the profile it is." in text
    assert "ERP rollout: ERP rollout it is." in text


async def test_what_falls_into_quiet_hours_waits_until_they_end(going: Round):
    await going.prefer(quiet=QuietHours(starts=time(20), ends=time(7)))
    await skip_to(going, 23)
    await going.tell(NoticeKind.APPROVED, "ERP rollout")
    await going.tell(NoticeKind.REJECTED, "Vision inspection")
    await going.ended()
    assert going.subjects == ["2 notices"]
    assert await going.wall() == {"07:00"}


async def test_quiet_hours_that_are_chosen_later_count_for_what_waits(going: Round, post: PostOffice):
    await skip_to(going, 19)
    post.answer = "451 4.3.0 Try again later"
    await going.tell(NoticeKind.APPROVED, "ERP rollout")
    await tried(post)
    await going.prefer(quiet=QuietHours(starts=time(18), ends=time(7)))
    post.answer = "250 OK"
    await going.ended()
    assert await going.wall() == {"07:00"}


async def test_what_is_not_wanted_any_more_is_dropped(going: Round):
    await going.tell(NoticeKind.TASK_DUE, "Share the profile")
    await going.prefer(choices={NoticeKind.TASK_DUE: Mode.OFF})
    await going.wake()
    await going.ended()
    assert await going.states() == [DeliveryState.DROPPED]
    assert not going.subjects


async def test_a_thousand_that_came_late_are_one_mail(going: Round):
    before = await going.now()
    for part in range(4):
        titles = [f"Deal {part * 250 + number}" for number in range(250)]
        await going.tell(NoticeKind.ESCALATED, *titles, late=True)
    assert await going.ended() - before < timedelta(minutes=10)
    assert going.subjects == ["1,000 notices"]
    assert "And 900 more" in text_of(going.post.to(going.person.email)[0])
    assert set(await going.states()) == {DeliveryState.SENT}


async def test_what_a_server_puts_off_is_tried_six_times_in_hours_and_then_listed(
    going: Round, post: PostOffice
):
    post.answer = "451 4.3.0 Try again later"
    before = await going.now()
    await going.tell(NoticeKind.APPROVED, "ERP rollout")
    assert timedelta(hours=4) < await going.ended() - before < timedelta(hours=5)
    assert post.tries == 6
    assert await going.states() == [DeliveryState.FAILED]
    post.answer = "250 OK"
    async with going.database.transaction() as session:
        notice_id = (await session.execute(select(col(Notice.id)).where(going.mine))).scalar_one()
        await deliveries.send_again(session, notice_id)
    await going.wake()
    await going.ended()
    assert going.subjects == ["Approved: ERP rollout"]


async def test_what_a_server_refuses_for_good_is_tried_once(going: Round, post: PostOffice):
    post.answer = "550 5.1.1 No such user"
    await going.tell(NoticeKind.APPROVED, "ERP rollout")
    await going.ended()
    assert post.tries == 1
    assert await going.states() == [DeliveryState.FAILED]


async def test_a_mail_that_is_put_off_holds_up_no_other(going: Round, post: PostOffice):
    post.answer = "451 4.3.0 Try again later"
    await going.tell(NoticeKind.APPROVED, "ERP rollout")
    await tried(post)
    post.answer = "250 OK"
    await going.tell(NoticeKind.REJECTED, "Vision inspection")
    async with asyncio.timeout(PATIENCE):
        await post.took.wait()
    assert going.subjects == ["Rejected: Vision inspection"]
    await going.ended()
    assert going.subjects == ["Rejected: Vision inspection", "Approved: ERP rollout"]


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


@pytest.fixture
async def alone(server: WorkflowEnvironment, database: Database, people: People, post: PostOffice) -> Round:
    """Without a worker yet."""
    person = await people.add(f"{uuid4().hex}@vendor.example", Role.SALES_REP)
    return Round(server, database, person, post)


async def test_what_is_sent_but_cannot_be_kept_is_not_sent_again(alone: Round, courier: CourierActivities):
    fails = Fails(courier.settle, Unavailable("The database is away."), after=False)

    @activity.defn(name=SETTLE)
    async def settle(outcome: Outcome) -> None:
        await fails(outcome)

    async with working(alone.server, courier, settle=settle):
        await alone.tell(NoticeKind.APPROVED, "ERP rollout")
        await alone.ended()
    assert fails.calls == 2
    assert alone.subjects == ["Approved: ERP rollout"]
    assert await alone.states() == [DeliveryState.SENT]


async def test_who_dies_over_a_mail_may_send_it_twice_under_one_name(
    alone: Round, courier: CourierActivities
):
    fails = Fails(courier.deliver, RuntimeError("The worker is gone."), after=True)

    @activity.defn(name=DELIVER)
    async def deliver(parcel: Parcel) -> None:
        await fails(parcel)

    async with working(alone.server, courier, deliver=deliver):
        await alone.tell(NoticeKind.APPROVED, "ERP rollout")
        await alone.ended()
    one, two = alone.post.to(alone.person.email)
    assert one["Message-ID"] == two["Message-ID"]
    assert await alone.states() == [DeliveryState.SENT]


async def test_a_database_that_is_away_costs_no_attempt(alone: Round, courier: CourierActivities):
    away = ApplicationError("The database is away.", type=NOT_NOW)
    fails = Fails(courier.deliver, away, after=False)

    @activity.defn(name=DELIVER)
    async def deliver(parcel: Parcel) -> None:
        await fails(parcel)

    async with working(alone.server, courier, deliver=deliver):
        await alone.tell(NoticeKind.APPROVED, "ERP rollout")
        await alone.ended()
    assert alone.subjects == ["Approved: ERP rollout"]


async def test_without_a_mail_server_mails_wait_and_are_listed(
    alone: Round, database: Database, tmp_path: Path
):
    async with working(alone.server, a_courier(database, None, tmp_path)):
        await alone.tell(NoticeKind.APPROVED, "ERP rollout")
        await alone.ended()
    assert await alone.states() == [DeliveryState.FAILED]


async def test_a_courier_that_has_seen_much_goes_on_in_a_new_run():
    class Sleeping:
        """Somebody for whom something waits until tomorrow, until nothing does."""

        waits = True

        @activity.defn(name=LOOK)
        async def look(self, looking: Looking) -> Found:
            return Found(next_at=looking.now + timedelta(days=1)) if self.waits else Found()

    sleeping, person = Sleeping(), uuid4()
    async with impatient() as server:
        handle = server.client.get_workflow_handle(courier_id(person))
        worker = Worker(
            server.client, task_queue=QUEUE, workflows=[CourierWorkflow], activities=[sleeping.look]
        )
        async with worker, asyncio.timeout(PATIENCE):
            await wake_courier(server.client, QUEUE, person)
            first = (await handle.describe()).run_id
            while (await handle.describe()).run_id == first:
                await handle.signal(WAKE)
                await asyncio.sleep(0.05)  # a run that is woken all the time never comes to its end
            sleeping.waits = False
            await handle.signal(WAKE)
            await handle.result()
            assert (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED
