"""Waking somebody's courier after something has changed that it should look at."""

from __future__ import annotations

from uuid import UUID

import structlog
from temporalio.service import RPCError

from api.services import Services
from domain.errors import Unavailable
from workflows.courier_wake import wake_courier

log = structlog.get_logger()


async def wake(services: Services, user_id: UUID) -> None:
    """Let a courier look at what waits.

    The change is done, whatever becomes of this: it raises nothing. Workers look
    now and then whether somebody was forgotten.
    """
    try:
        await wake_courier(await services.temporal.client(), services.settings.task_queue, user_id)
    except (Unavailable, RPCError) as away:
        log.warning("courier.not_woken", why=str(away))
