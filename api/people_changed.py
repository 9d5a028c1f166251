"""What has to follow when who may decide has changed.

Called after the change is committed, by every route that makes one: somebody
left, came back, took or lost a role, has another manager or other working
time, is out of office or back.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

import structlog
from temporalio.service import RPCError

from api.services import Services
from db import approval as approvals
from domain.errors import TandemError
from workflows.approval_messages import PEOPLE_CHANGED, approval_workflow_id

log = structlog.get_logger()

SETTLING = frozenset({"active", "roles", "manager_id", "time_zone", "country", "region", "working_hours"})
"""The fields of a person on which it depends who is asked, and until when."""


async def people_changed(services: Services, person_ids: Iterable[UUID]) -> None:
    """Tell the processes that ask one of these people to look again at whom they ask.

    The change is done, whatever becomes of this: it answers nothing and raises
    nothing. Who was not told notices at the next decision or clock.
    """
    try:
        async with services.database.read() as session:
            concerned = await approvals.open_with(session, list(person_ids))
        client = await services.temporal.client()
        for approval_id in concerned:
            with suppress(RPCError):  # it ended meanwhile, or cannot be reached
                await client.get_workflow_handle(approval_workflow_id(approval_id)).signal(PEOPLE_CHANGED)
    except TandemError as away:
        log.warning("people.not_told", why=away.detail)
