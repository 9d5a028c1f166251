"""A person's courier: at once, in the morning, after quiet hours, until it is there or given up.

The clock is the test's, the database and the mail server are real.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import time, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.courier import CourierActivities
from db import deliveries
from db.session import Database
from db.tables import Notice
from domain.errors import Unavailable
from domain.notice import DeliveryState, NoticeKind
from domain.notification.kinds import Mode
from domain.notification.preferences import QuietHours
from domain.principal import Role
from tests.couriers import a_courier
from tests.patience import PATIENCE
from tests.replay.make import impatient
from tests.smtp import PostOffice, post_office, text_of
from tests.stack import People
from tests.workflows.play_courier import QUEUE, Fails, Round, skip_to, tried, working
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


@pytest.fixture
async def post() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
def courier(database: Database, post: PostOffice, tmp_path: Path) -> CourierActivities:
    return a_courier(database, post, tmp_path)


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
