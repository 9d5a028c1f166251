"""`tandem health worker`: whether a worker runs beside us, as container engines ask."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from domain.errors import Unavailable
from runtime.settings import Settings
from runtime.temporal_client import connect

PATIENCE = timedelta(seconds=5)
FRESH = timedelta(minutes=3)
"""A poll lasts a minute at most; who has not asked for so long is gone."""


async def check_worker(settings: Settings) -> None:
    """Ask Temporal whether a worker of this machine polls for work.

    Raises:
        CannotStart: no Temporal server is named.
        Unavailable: Temporal does not answer, or nobody polls from here.
    """
    client = await connect(settings)
    request = DescribeTaskQueueRequest(
        namespace=settings.temporal_namespace,
        task_queue=TaskQueue(name=settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        answer = await client.workflow_service.describe_task_queue(request, timeout=PATIENCE)
    except RPCError as error:
        raise Unavailable(f"Temporal does not say who works: {error.message}.") from error
    here, since = f"@{socket.gethostname()}", datetime.now(UTC) - FRESH
    polls = (p for p in answer.pollers if p.identity.endswith(here))
    if not any(p.last_access_time.ToDatetime(UTC) > since for p in polls):
        raise Unavailable(f"No worker of this machine polls the task queue {settings.task_queue}.")
