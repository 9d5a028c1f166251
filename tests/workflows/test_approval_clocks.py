"""The clocks of a request on a server whose time is ours: business time, wherever who decides works."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from domain.approval import commands as ask
from domain.approval.events import Escalated, Reminded
from domain.approval.state import ApprovalState
from domain.calendar import Calendar, Weekday
from tests.approvals import DESK, DIANA, DORA, FINANCE, FRED, OFFICE, RITA, away, step
from tests.workflows.play_approval import Request, at_work_in, skip_to


@pytest_asyncio.fixture
async def request_(server: WorkflowEnvironment) -> AsyncIterator[Request]:
    """A request that is not submitted yet, and a worker."""
    request = Request(server.client)
    async with request.worker():
        yield request


def rang(request: Request) -> list[tuple[str, datetime]]:
    """What rang by itself, to the minute, in order."""
    kinds = {Reminded: "reminded", Escalated: "escalated"}
    entries = [entry for _, entry in sorted(request.bureau.timeline.items(), key=lambda each: each[0])]
    return [
        (kinds[type(entry.event)], (entry.at + timedelta(seconds=30)).replace(second=0, microsecond=0))
        for entry in entries
        if type(entry.event) in kinds
    ]


CALENDARS = {
    "over a weekend": (
        Calendar(),
        datetime(2055, 1, 8, 15, 0, tzinfo=UTC),  # a Friday
        [(11, 11, 0), (11, 15, 0), (12, 15, 0)],
        1,
    ),
    "over a holiday": (
        Calendar(holidays=(date(2055, 1, 6),)),
        datetime(2055, 1, 5, 12, 50, tzinfo=UTC),  # a Tuesday
        [(5, 16, 50), (7, 12, 50), (8, 12, 50)],
        1,
    ),
    "in another zone": (
        Calendar(zone="America/New_York"),
        datetime(2055, 1, 11, 8, 0, tzinfo=UTC),  # three at night over there; they open at 14:00
        [(11, 18, 0), (11, 22, 0), (12, 22, 0)],
        1,
    ),
    "into summer time": (
        Calendar(zone="Europe/Berlin"),
        datetime(2055, 3, 26, 14, 0, tzinfo=UTC),  # Friday at three; on Sunday the clock goes forward
        [(29, 9, 0), (29, 13, 0), (30, 13, 0)],
        3,
    ),
    "out of summer time": (
        Calendar(zone="Europe/Berlin"),
        datetime(2055, 10, 29, 13, 0, tzinfo=UTC),  # Friday at three; on Sunday the clock goes back
        [(1, 10, 0), (1, 14, 0), (2, 14, 0)],
        11,
    ),
    "through the night when the clock goes forward": (
        Calendar(zone="Europe/Berlin", hours={Weekday.SUN: ("00:00-08:00",), Weekday.MON: ("00:00-09:00",)}),
        datetime(2055, 3, 27, 22, 30, tzinfo=UTC),  # before midnight; the day to come has an hour less
        [(28, 3, 0), (28, 23, 0), (29, 7, 0)],
        3,
    ),
}
"""Calendar, submission, when it reminds, escalates and goes to the backup (day, hour, minute), the month."""


@pytest.mark.parametrize("name", CALENDARS)
async def test_reminded_at_half_escalated_when_due_and_once_more_to_the_backup(
    server: WorkflowEnvironment, request_: Request, name: str
):
    calendar, submitted, expected, month = CALENDARS[name]
    request_.bureau.directory = at_work_in(OFFICE, calendar)
    await skip_to(server, submitted)
    await request_.submit(server, DESK)
    await server.sleep(timedelta(days=20))
    await request_.until_said("Ada Admin may decide as well")
    when = [datetime(2055, month, day, hour, minute, tzinfo=UTC) for day, hour, minute in expected]
    assert rang(request_) == list(zip(("reminded", "escalated", "escalated"), when, strict=True))


async def test_each_approvers_own_calendar_counts(server: WorkflowEnvironment, request_: Request):
    tokyo = Calendar(zone="Asia/Tokyo")
    people = tuple(
        each.model_copy(update={"calendar": tokyo}) if each.id == DORA.id else each for each in OFFICE.people
    )
    request_.bureau.directory = type(OFFICE)(people=people)
    await skip_to(server, datetime(2055, 1, 10, 23, 30, tzinfo=UTC))  # Monday 8:30 in Tokyo
    await request_.submit(server, DESK, FINANCE)
    approval = await request_.now()
    assert [each.due_at for each in approval.steps] == [
        datetime(2055, 1, 11, 8, 0, tzinfo=UTC),
        datetime(2055, 1, 11, 17, 0, tzinfo=UTC),
    ]


async def test_one_timer_runs_at_a_time(server: WorkflowEnvironment, request_: Request):
    await skip_to(server, datetime(2055, 1, 11, 8, 30, tzinfo=UTC))
    await request_.submit(server, DESK)
    await server.sleep(timedelta(days=40))
    assert await request_.ended() is ApprovalState.EXPIRED
    events = [event.event_type for event in (await request_.history()).events]
    timers = [
        events.count(EventType.EVENT_TYPE_TIMER_STARTED),
        events.count(EventType.EVENT_TYPE_TIMER_FIRED),
    ]
    assert timers == [4, 4], "half, due, backup, expiry"


async def test_who_decides_after_the_escalation_decides(server: WorkflowEnvironment, request_: Request):
    await skip_to(server, datetime(2055, 1, 11, 8, 30, tzinfo=UTC))
    await request_.submit(server, DESK)
    await server.sleep(timedelta(hours=9))
    await request_.until_said("Diana Director may decide as well")
    await request_.approve(DORA)
    assert await request_.ended() is ApprovalState.APPROVED


async def test_a_returned_request_rests_and_its_clocks_begin_anew(
    server: WorkflowEnvironment, request_: Request
):
    await skip_to(server, datetime(2055, 1, 11, 8, 30, tzinfo=UTC))
    await request_.submit(server, DESK)
    await request_.ask(ask.Return(comment="Say more."), DORA)
    await server.sleep(timedelta(days=7))
    assert rang(request_) == []
    await request_.ask(ask.Resubmit(comment="More."), RITA)
    await server.sleep(timedelta(hours=9))  # from before the office opens to after it has closed
    await request_.until_said("Diana Director may decide as well")
    assert [kind for kind, _ in rang(request_)] == ["reminded", "escalated"]
    await request_.approve(DIANA)
    assert await request_.ended() is ApprovalState.APPROVED


async def test_an_absence_that_comes_and_goes_moves_the_seat(server: WorkflowEnvironment, request_: Request):
    now = datetime(2055, 1, 11, 9, 0, tzinfo=UTC)
    await skip_to(server, now)
    gone, back = now + timedelta(hours=1), now + timedelta(hours=3)
    request_.bureau.directory = away(OFFICE, FRED, DORA, since=gone, until=back)
    await request_.submit(server, step("finance", {"role": "finance"}, due="5bd"))
    assert await request_.asked("finance") == ["Fred"]
    await skip_to(server, gone + timedelta(minutes=1))
    await request_.until(lambda now: now.steps[0].approvers[0].id == DORA.id)
    await skip_to(server, back + timedelta(minutes=1))
    await request_.until(lambda now: now.steps[0].approvers[0].id == FRED.id)
