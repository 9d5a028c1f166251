"""What has to follow when who may decide has changed.

Called after the change is committed, by every route that makes one: somebody
left, came back, took or lost a role, has another manager or other working
time, is out of office or back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from functools import partial
from uuid import UUID

import structlog
from temporalio.service import RPCError

from api.services import Services
from db import approval as approvals
from db import handoff as handoffs
from db import work
from domain.errors import TandemError
from domain.principal import Role
from workflows.approval_messages import PEOPLE_CHANGED, approval_workflow_id
from workflows.handoff_messages import handoff_workflow_id
from workflows.leavers import tell_person_left

log = structlog.get_logger()

GAINING = frozenset({"active", "roles", "manager_id"})
"""The fields of a person by which somebody may be asked who was not."""
SETTLING = frozenset({"active", "roles", "manager_id", "time_zone", "country", "region", "working_hours"})
"""The fields of a person on which it depends who is asked, and until when."""


_AT_ONCE = 20
"""Signals under way at the same time."""


async def people_changed(
    services: Services,
    person_ids: Iterable[UUID],
    *,
    gained: Collection[Role] = (),
    left: UUID | None = None,
) -> None:
    """Tell the processes that ask one of these people to look again at whom they ask.

    Deals on which somebody who has `left` has something to do hear that, too. With the roles that somebody
    has `gained` (all of them, for who is new or back), those are told as well that could ask somebody with
    such a role, and perhaps found too few people.

    The change is done, whatever becomes of this: it answers nothing and raises
    nothing. A request that was not told notices at the next decision or clock, and workers tell deals
    that somebody has left as soon as they see it.
    """
    try:
        async with services.database.read() as session:
            people = list(person_ids)
            requests = set(await approvals.open_with(session, people))
            if gained:
                requests.update(await approvals.open_that_may_ask(session, gained))
            received = await handoffs.received_by(session, people)
            deals = await work.deals_given_to(session, left) if left else []
        client = await services.temporal.client()
    except TandemError as away:
        log.warning("people.not_told", why=away.detail)
        return
    turn = asyncio.Semaphore(_AT_ONCE)

    async def tell(telling: Callable[[], Awaitable[None]]) -> None:
        async with turn:
            with suppress(RPCError):  # it ended meanwhile, or cannot be reached
                await telling()

    processes = [*map(approval_workflow_id, requests), *map(handoff_workflow_id, received)]
    await asyncio.gather(
        *(tell(partial(client.get_workflow_handle(each).signal, PEOPLE_CHANGED)) for each in processes),
        *(tell(partial(tell_person_left, client, each, left)) for each in deals if left),
    )
