"""A notice that cannot be told, by whatever mistake, does not keep others waiting for ever."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities.notify import PATIENCE, NotifyActivities
from db.session import Database
from domain.notice import Message, NoticeKind
from tests.stack import People


async def told(database: Database, people: People, mistake: Exception, attempt: int) -> None:
    """Tell the rep something at this attempt, when waking a courier ends like this."""

    async def wake(user_id: UUID) -> None:
        raise mistake

    rep = await people.of("rep@vendor.example")
    message = Message(
        kind=NoticeKind.TASK_ASSIGNED, cause=str(uuid4()), title="ERP", words="It moves.", recipients=[rep.id]
    )
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt)
    await environment.run(NotifyActivities(database, mails=True, wake=wake).notify, message)


async def test_a_mistake_of_ours_is_tried_for_an_hour_and_then_given_up(database: Database, people: People):
    with pytest.raises(ZeroDivisionError):
        await told(database, people, ZeroDivisionError(), PATIENCE - 1)
    with pytest.raises(ApplicationError) as given_up:
        await told(database, people, ZeroDivisionError(), PATIENCE)
    assert given_up.value.non_retryable


async def test_an_outage_is_waited_for(database: Database, people: People):
    away = RPCError("Temporal is away", RPCStatusCode.UNAVAILABLE, b"")
    with pytest.raises(RPCError):
        await told(database, people, away, PATIENCE * 100)
